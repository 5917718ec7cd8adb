"""What people read names what exists: error codes, connectors, make targets, paths."""

from __future__ import annotations

import re
import tomllib
from importlib.metadata import entry_points
from pathlib import Path

import pytest
from tools.mappings import mappings_page
from tools.reference import errors_page
from tools.sync_documents import documents_page, rest_schema_text, schema_text
from tools.tree import ROOT

import twofold
from twofold.core.codes import CODES

PROJECT = tomllib.loads((ROOT / "pyproject.toml").read_text())["project"]
DOCUMENTS = sorted([*ROOT.glob("*.md"), *(ROOT / "docs").rglob("*.md")])


def _headings(text: str) -> list[str]:
    return re.findall(r"^#+ (.+)$", text, re.MULTILINE)


def test_the_page_of_errors_is_the_registry() -> None:
    page = (ROOT / "docs" / "reference" / "errors.md").read_text()
    assert page == errors_page(), "write it again: make reference"
    assert {line.split()[0] for line in _headings(page) if line.startswith("TF-")} == set(CODES)


def test_the_pages_of_a_sync_s_document_are_its_types() -> None:
    folder = ROOT / "docs" / "reference"
    assert (folder / "sync-documents.md").read_text() == documents_page(), "make reference"
    assert (folder / "sync.schema.json").read_text() == schema_text(), "make reference"
    assert (folder / "rest-app.schema.json").read_text() == rest_schema_text(), "make reference"


def test_the_page_of_mappings_is_the_matrix() -> None:
    page = (ROOT / "docs" / "reference" / "mappings.md").read_text()
    assert page == mappings_page(), "write it again: make reference"


def test_every_connector_has_its_page() -> None:
    folder = ROOT / "docs" / "connectors"
    names = PROJECT["entry-points"]["twofold.connectors"]
    assert [name for name in names if not (folder / f"{name}.md").is_file()] == []


def test_every_connector_can_be_loaded() -> None:
    found = entry_points(group="twofold.connectors")
    assert {entry.name for entry in found} == set(PROJECT["entry-points"]["twofold.connectors"])
    for entry in found:
        assert entry.load().manifest.name == entry.name


def test_the_version_is_in_the_changelog() -> None:
    changelog = (ROOT / "CHANGELOG.md").read_text()
    assert any(line.startswith(twofold.__version__) for line in _headings(changelog))


@pytest.mark.parametrize("page", DOCUMENTS, ids=lambda path: path.name)
def test_a_page_links_to_what_exists(page: Path) -> None:
    links = re.findall(r"\]\((?!https?://|#|mailto:)([^)#\s]+)", page.read_text())
    assert [link for link in links if not (page.parent / link).exists()] == []


@pytest.mark.parametrize("page", DOCUMENTS, ids=lambda path: path.name)
def test_a_page_names_make_targets_that_exist(page: Path) -> None:
    targets = set(re.findall(r"^([a-z]+):", (ROOT / "Makefile").read_text(), re.MULTILINE))
    assert set(re.findall(r"`make ([a-z]+)", page.read_text())) <= targets


@pytest.mark.parametrize("page", DOCUMENTS, ids=lambda path: path.name)
def test_a_page_names_source_paths_that_exist(page: Path) -> None:
    named = re.findall(
        r"`((?:src|tests|tools|benchmarks|docs|requirements)/[\w./-]+)`", page.read_text()
    )
    assert [path for path in named if not (ROOT / path).exists()] == []
