"""Scripts and styles: the versions that were locked, kept by browsers for good."""

from __future__ import annotations

import pytest

from tests.web.site import Site
from twofold.core.errors import TwofoldError
from twofold.web import assets
from twofold.web.assets import Assets


def test_the_packages_carry_the_versions_that_the_pages_were_made_for() -> None:
    files = Assets().files
    assert b"Tabler v1.4.0" in files["style.css"].content
    assert b'version:"2.0.3"' in files["htmx.js"].content


def test_a_missing_file_is_told_with_its_package(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(assets._PARTS, "htmx.js", (("js_lib_htmx", "static/gone.js"),))
    with pytest.raises(TwofoldError, match=r"gone\.js of the package js_lib_htmx") as caught:
        Assets()
    assert caught.value.code == "TF-W42"


def test_files_are_kept_for_good_by_their_version_only(here: Site) -> None:
    path = Assets().path("style.css")
    found = here.admin.raw("GET", path, headers={"Accept-Encoding": "gzip"})
    assert found.headers["Cache-Control"] == "public, max-age=31536000, immutable"
    assert found.headers["Content-Encoding"] == "gzip"
    assert len(found.body) < 80_000
    old = here.admin.raw("GET", "/assets/0/style.css")
    assert (old.status, old.headers["Cache-Control"]) == (200, "no-store")
    missing = here.admin.raw("GET", "/assets/0/..%2f..%2fsecrets")
    assert missing.status == 404
    assert b"TF-W40" in missing.body


def test_pages_forbid_what_is_inline_or_elsewhere(here: Site) -> None:
    headers = here.admin.raw("GET", "/health").headers
    policy = headers["Content-Security-Policy"]
    assert "default-src 'none'" in policy
    assert "unsafe" not in policy
    assert "http" not in policy
    assert headers["X-Frame-Options"] == "DENY"
    assert headers["Cache-Control"] == "no-store"
