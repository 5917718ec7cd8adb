"""The page of settings names every variable that the code reads, and every exit code."""

from __future__ import annotations

import re

from tools.settings import ENVIRONMENT, MAKE, exit_codes, secrets, settings_page
from tools.tree import ROOT

from twofold.cli import failures

SOURCES = "".join(path.read_text() for path in (ROOT / "src").rglob("*.py"))


def test_the_page_is_what_the_code_says() -> None:
    page = ROOT / "docs" / "reference" / "settings.md"
    assert page.read_text() == settings_page(), "write it again: make reference"


def test_every_variable_that_is_read_is_named() -> None:
    read = set(re.findall(r"environ(?:\.get\(|\[)\"(\w+)\"", SOURCES))
    assert read == set(ENVIRONMENT)
    assert not re.findall(r"getenv|envvar", SOURCES), "teach this test to see them"


def test_secrets_follow_from_the_questions() -> None:
    assert 'f"TWOFOLD_SECRET_{q.name.upper()}"' in SOURCES
    assert {name for name, _ in secrets()} == {
        "TWOFOLD_SECRET_CLIENT_SECRET",
        "TWOFOLD_SECRET_HOOK_SECRET",
        "TWOFOLD_SECRET_PASSWORD",
        "TWOFOLD_SECRET_TOKEN",
        "TWOFOLD_SECRET_URL",
    }


def test_every_exit_code_is_named() -> None:
    left = {0, failures.ERROR, failures.USAGE, failures.LATER, failures.SOME_FAILING}
    assert [int(code) for code, _ in exit_codes()] == sorted({*left, failures.INTERRUPTED})


def test_every_variable_of_make_is_named() -> None:
    defaults = re.findall(r"^(\w+) *\?=", (ROOT / "Makefile").read_text(), re.MULTILINE)
    assert defaults == list(MAKE)
