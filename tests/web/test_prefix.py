"""Behind a proxy, under a path: every link, cookie and stream stays below it."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from urllib.parse import urlsplit

import pytest
from playwright.sync_api import Browser, expect

from tests.api.client import PASSWORD, Client, administrator
from tests.interfaces.program import until
from tests.service.service import Service, service
from tests.web.browser import quiet

FORM = {"Content-Type": "application/x-www-form-urlencoded"}


@pytest.fixture(scope="module")
def up(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Service]:
    """Known to others under a path; a proxy on this machine is believed."""
    options = ("--public-url", "https://sync.example.org/two/fold", "--proxy", "127.0.0.1")
    with service(tmp_path_factory.mktemp("prefix") / "data", *options) as made:
        administrator(made)
        yield made


def test_everything_stays_under_the_path(up: Service, browser: Browser) -> None:
    context = browser.new_context(base_url=up.url)
    asked: list[str] = []
    with quiet(context, up.url) as page:
        page.on("request", lambda request: asked.append(urlsplit(request.url).path))
        page.goto("/two/fold/")
        page.get_by_label("Name").fill("ada")
        page.get_by_label("Password").fill(PASSWORD)
        page.get_by_role("button", name="Sign in").click()
        page.get_by_role("button", name="Try it with sample data").click()
        expect(page.get_by_text("Live", exact=True)).to_be_visible()
        page.get_by_role("button", name="Change a city in the hub").click()
        expect(page.get_by_text("in the hub now")).to_be_visible()
        page.get_by_role("link", name="To Sync health").click()
        page.get_by_role("button", name="Dark mode").click()
        expect(page.get_by_text("Live", exact=True)).to_be_visible()
        page.get_by_role("link", name="Connected apps").click()
        page.get_by_role("link", name="SQL database").click()
        page.get_by_role("button", name="Sync now", exact=True).first.click()
        expect(page.get_by_role("status")).to_contain_text("syncs run now")
        assert [path for path in asked if not path.startswith("/two/fold/")] == []
        assert {cookie["path"] for cookie in context.cookies()} == {"/two/fold"}
    context.close()


def _sign_in(up: Service, password: str = PASSWORD, **headers: str) -> tuple[int, str]:
    given = {name.replace("_", "-"): value for name, value in headers.items()} | FORM
    body = f"name=ada&password={password}&form_token={_token(up)}".replace(" ", "+").encode()
    found = Client(up.url).raw("POST", "/sign-in", raw=body, headers=given)
    return found.status, found.headers.get("set-cookie") or ""


def _token(up: Service) -> str:
    page = Client(up.url).raw("GET", "/sign-in").body.decode()
    return page.partition('name="form-token" content="')[2].partition('"')[0]


def test_a_known_proxy_says_what_the_browser_sees(up: Service) -> None:
    status, cookie = _sign_in(up, X_Forwarded_Proto="https", X_Forwarded_Prefix="/other")
    assert status == 303
    assert "Path=/other" in cookie
    assert "Secure" in cookie
    _, cookie = _sign_in(up, X_Forwarded_Proto="gopher", X_Forwarded_Prefix="/a;path=/<b>")
    assert "Path=/two/fold" in cookie
    assert "Secure" not in cookie


def test_failed_sign_ins_count_for_the_address_behind_the_proxy(up: Service) -> None:
    token, names = _token(up), iter(range(100))

    def refused(told: str) -> int:
        body = f"name=nobody{next(names)}&password=x&form_token={token}".encode()
        headers = {**FORM, "X-Forwarded-For": told}
        return Client(up.url).raw("POST", "/sign-in", raw=body, headers=headers).status

    assert refused("192.0.2.7") == 401
    until(lambda: refused("192.0.2.8, 192.0.2.7, 127.0.0.1") == 429)  # each block is longer
    assert refused("192.0.2.7, 192.0.2.8") == 401


def test_a_stranger_is_no_proxy(tmp_path: Path) -> None:
    with service(tmp_path / "data") as up:
        administrator(up)
        _, cookie = _sign_in(up, X_Forwarded_Proto="https", X_Forwarded_Prefix="/other")
        assert "Path=/;" in cookie
        assert "Secure" not in cookie
