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

from twofold.core.type_matrix import MATRIX, shape
from twofold.hub.schema import OBJECT_TYPES
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


def test_every_pair_that_may_be_mapped_is_walked_through() -> None:
    """A new cell of the matrix needs a mapping on the page."""
    files = dict(_files(PAGE.read_text()))
    program: dict[str, Any] = {"__name__": "kinds"}
    exec(compile(files["kinds.py"], "kinds.py", "exec"), program)
    theirs = {declared.name: declared for declared in program["TYPES"]}
    walked = set()
    for document in yaml.safe_load_all(files["kinds.yaml"]):
        ends = OBJECT_TYPES[document["hub"]], theirs[document["app"]]
        for mapping in document["mappings"]:
            hub, app = ends[0].field(mapping["hub"]), ends[1].field(mapping["app"])
            assert hub is not None
            walked.add((shape(hub), shape(app)))
    assert walked == {pair for pair, cell in MATRIX.items() if cell.direction is not None}


@pytest.mark.parametrize("page", PAGES, ids=lambda path: path.stem)
def test_a_sync_that_a_page_shows_is_one(page: Path) -> None:
    check: Any = jsonschema.Draft202012Validator(schema())
    for text in _blocks(page.read_text(), "yaml"):
        for document in yaml.safe_load_all(text):
            # A document of a REST app has objects where that of a sync has a connection.
            if isinstance(document, dict) and "twofold" in document and "objects" not in document:
                check.validate(document)
