"""The license gate, the leak check and the lock files: each passes here and catches an offender."""

from __future__ import annotations

import re
from pathlib import Path

import pytest
from tools.leaks import findings, leaks
from tools.licenses import (
    EXCEPTIONS,
    Package,
    locked,
    notices,
    packages,
    permissive,
    refused,
    unexplained,
)
from tools.tree import ROOT, project_files

LOCKS = sorted((ROOT / "requirements").glob("*.txt"))


def test_nothing_leaks_from_the_tree() -> None:
    assert findings(project_files()) == []


@pytest.mark.parametrize(
    ("text", "what"),
    [
        ("-----BEGIN RSA " + "PRIVATE KEY-----", "a private key"),
        ("key = AKIA" + "ABCDEFGHIJKLMNOP", "an access token"),
        ("token: ghp" + "_" + "a" * 36, "an access token"),
        ("https://ann:hunter2" + "@dav.acme.com/", "a password in an address"),
        ("see /home" + "/ann/notes.txt", "a path of one machine"),
        ('open("/root' + '/x")', "a path of one machine"),
        ("--index" + "-url https://packages.acme.com", "the address of a package index"),
        ("https://py" + "pi.acme.com/simple", "the address of a package index"),
    ],
)
def test_a_leak_is_caught(text: str, what: str) -> None:
    assert list(leaks("harmless\n" + text)) == [(2, what)]


@pytest.mark.parametrize(
    "text",
    [
        "postgresql://twofold:secret@localhost/db",
        "dialect://user:password@host/database",
        "mysql://a:b@127.0.0.1:3306/x",
        "https://ann:pw@dav.example.com/",
        'f"postgresql://{user}:{password}@{host}/"',
        "~/.local/share/twofold, src/root/x, https://acme.com/home/ann/",
    ],
)
def test_what_only_looks_like_a_leak_passes(text: str) -> None:
    assert list(leaks(text)) == []


@pytest.mark.parametrize("lock", LOCKS, ids=lambda path: path.name)
def test_a_lock_has_hashes_and_no_address(lock: Path) -> None:
    text = lock.read_text()
    entries = re.findall(r"^[a-z0-9].*", text, re.MULTILINE)
    assert len(entries) > 30
    assert [entry for entry in entries if "==" not in entry or not entry.endswith("\\")] == []
    assert "://" not in text
    assert set(re.findall(r"^\s*(--?[a-z-]+)", text, re.MULTILINE)) == {"--hash"}


def test_what_ships_is_the_same_version_everywhere() -> None:
    run, test = (
        {entry.name: str(entry.specifier) for entry in locked((ROOT / name).read_text())}
        for name in ("requirements/run.txt", "requirements/test.txt")
    )
    assert {name: test.get(name) for name in run} == run


def test_the_licenses_of_what_ships_are_in_order() -> None:
    found = list(packages(ROOT / "requirements" / "run.txt"))
    assert refused(found) == []
    assert {package.name for package in found} >= set(EXCEPTIONS)
    assert (ROOT / "THIRD_PARTY_NOTICES.md").read_text() == notices(found)


def test_each_bundled_file_is_explained() -> None:
    assert unexplained(project_files()) == []
    logo = ROOT / "src" / "twofold" / "logo.svg"
    assert len(unexplained([logo])) == 1


@pytest.mark.parametrize(
    ("expression", "free"),
    [
        ("MIT", True),
        ("Apache-2.0 AND MIT", True),
        ("GPL-3.0-only OR MIT", True),
        ("(GPL-2.0-only OR MIT) AND BSD-3-Clause", True),
        ("GPL-3.0-or-later", False),
        ("MIT AND LGPL-3.0-only", False),
        ("(GPL-2.0-only OR MPL-2.0) AND MIT", False),
        ("MPL-2.0 AND (Apache-2.0 OR MIT)", False),
        ("unknown", False),
    ],
)
def test_an_expression_is_read_as_spdx_means_it(expression: str, free: bool) -> None:
    assert permissive(expression) is free


def test_a_copyleft_package_is_refused() -> None:
    assert refused([Package("psycopg", "3.2", "LGPL-3.0-only"), Package("a", "1", "MIT")]) == [
        "psycopg 3.2: LGPL-3.0-only is not on the permissive list"
    ]
