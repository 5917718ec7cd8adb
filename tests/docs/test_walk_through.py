"""The walk-through is typed as it stands, by a shell, in an empty folder."""

from __future__ import annotations

import re
from pathlib import Path
from typing import Any

import jsonschema
import pytest
import yaml
from tests.docs.test_tutorial import says, steps, typed
from tools.tree import ROOT

from twofold.services.documents import schema

PAGE = ROOT / "docs" / "walk-through.md"
PAGES = sorted((ROOT / "docs").rglob("*.md"))


def _blocks(page: str, kind: str) -> list[str]:
    return re.findall(rf"^```{kind}\n(.*?)^```$", page, re.MULTILINE | re.DOTALL)


def _files(page: str) -> list[tuple[str, str]]:
    """(name, text) of the files that a page asks to save."""
    found = re.findall(
        r"`(\S+)`:\n\n```(?:python|yaml)\n(.*?)^```$", page, re.MULTILINE | re.DOTALL
    )
    return [(str(name), str(text)) for name, text in found]


def test_every_command_answers_what_the_page_says(tmp_path: Path) -> None:
    page = PAGE.read_text()
    for name, text in _files(page):
        (tmp_path / name).write_text(text)
    expected = steps(page)
    assert len(expected) > 40
    answers = typed(tmp_path, [step.command for step in expected])
    for step, (answer, code) in zip(expected, answers, strict=True):
        assert code == 0, (step.command, answer)
        assert says(answer, step.answer), f"{step.command}\n{answer}"


@pytest.mark.parametrize("page", PAGES, ids=lambda path: path.stem)
def test_a_sync_that_a_page_shows_is_one(page: Path) -> None:
    check: Any = jsonschema.Draft202012Validator(schema())
    for text in _blocks(page.read_text(), "yaml"):
        for document in yaml.safe_load_all(text):
            if isinstance(document, dict) and "twofold" in document:
                check.validate(document)
