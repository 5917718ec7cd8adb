"""One stage, one page; each module is explained somewhere; some page leads to each page."""

from __future__ import annotations

import re
from pathlib import Path

import pytest
from tools.tree import ROOT

DOCS = ROOT / "docs"
CONCEPTS = DOCS / "concepts"
MODULE_OF = {"match": "matching", "guard": "guards"}
"""Stages that are verbs where their module and page are nouns."""
SHELL = {"read", "apply"}
"""Stages that live in the engine; all others are pure and have a module in the core."""
MOST_LINES = {"concepts": 80, "decisions": 40}


def _modules(folder: str) -> list[str]:
    """Modules by name, and packages with a slash behind it."""
    inside = ROOT / "src" / "twofold" / folder
    files = [path.stem for path in inside.glob("*.py") if path.stem != "__init__"]
    return sorted([*files, *(f"{path.parent.name}/" for path in inside.glob("*/__init__.py"))])


def _stages(page: str) -> list[str]:
    """The stages of a table whose first column names them."""
    (table,) = re.findall(r"^\| stage \|.*\n\|[-|]+\n((?:\|.*\n)+)", page, re.MULTILINE)
    return [row.split("|")[1].strip() for row in table.splitlines()]


def _page(stage: str) -> Path:
    return CONCEPTS / f"{MODULE_OF.get(stage, stage)}.md"


STAGES = _stages((CONCEPTS / "README.md").read_text())


def test_the_stages_are_those_of_the_architecture() -> None:
    architecture = (ROOT / "ARCHITECTURE.md").read_text()
    assert _stages(architecture) == STAGES
    (picture,) = re.findall(r"^ *(read ─►.*)$", architecture, re.MULTILINE)
    assert picture.split(" ─► ") == STAGES


def test_each_stage_has_its_page_and_its_module() -> None:
    assert len(STAGES) == 10
    for stage in STAGES:
        assert _page(stage).is_file(), stage
        folder = "engine" if stage in SHELL else "core"
        assert MODULE_OF.get(stage, stage) in _modules(folder), stage
    pages = {path.stem for path in CONCEPTS.glob("*.md")} - {
        "README",
        "guarantees",
        "mappings",
        "pages",
        "running",
    }
    assert pages == {_page(stage).stem for stage in STAGES}


def test_each_page_leads_to_the_next() -> None:
    for stage, following in zip(STAGES, [*STAGES[1:], "guarantees"], strict=True):
        assert f"({_page(following).name})." in _page(stage).read_text().splitlines()[-1]


@pytest.mark.parametrize("folder", ["core", "engine"])
def test_each_module_is_named_on_a_page_of_a_stage(folder: str) -> None:
    pages = "".join(path.read_text() for path in CONCEPTS.glob("*.md"))
    explained = {"setup"} if folder == "engine" else set()  # `sync add`, before any stage
    paths = {m: f"{m}.py".replace("/.py", "/") for m in _modules(folder)}
    missing = [m for m, path in paths.items() if f"`src/twofold/{folder}/{path}`" not in pages]
    assert set(missing) <= explained


def test_the_architecture_names_each_module_of_engine_and_store() -> None:
    architecture = (ROOT / "ARCHITECTURE.md").read_text()
    for folder in ("engine", "store"):
        missing = [m for m in _modules(folder) if f"`{m}`" not in architecture]
        assert missing == [], folder


@pytest.mark.parametrize("folder", MOST_LINES)
def test_pages_are_short(folder: str) -> None:
    lengths = {p.name: len(p.read_text().splitlines()) for p in (DOCS / folder).glob("*.md")}
    assert len(lengths) > 8
    assert {name: n for name, n in lengths.items() if n > MOST_LINES[folder]} == {}


def test_decisions_are_numbered_and_listed() -> None:
    pages = sorted(path.name for path in (DOCS / "decisions").glob("0*.md"))
    assert [int(name[:4]) for name in pages] == list(range(1, len(pages) + 1))
    listed = re.findall(r"\((\d{4}-[\w-]+\.md)\)", (DOCS / "decisions" / "README.md").read_text())
    assert listed == pages
    for name in pages:
        text = (DOCS / "decisions" / name).read_text()
        assert text.startswith(f"# {int(name[:4])}. ")
        assert re.findall(r"^\*\*(\w+)\.\*\*", text, re.MULTILINE) == [
            "Context",
            "Decision",
            "Consequences",
        ]


def test_every_page_can_be_reached() -> None:
    todo, reached = [ROOT / "README.md"], set()
    while todo:
        page = todo.pop().resolve()
        if page not in reached and page.suffix == ".md":
            reached.add(page)
            links = re.findall(r"\]\((?!\w+:)([^)#\s]+)", page.read_text())
            todo += [page.parent / link for link in links]
    assert [p for p in sorted(DOCS.rglob("*.md")) if p.resolve() not in reached] == []
