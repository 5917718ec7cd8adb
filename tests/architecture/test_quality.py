"""Each connector's quality file is whole, and claims what can be seen."""

from __future__ import annotations

import tomllib
from datetime import timedelta

import pytest
from tests.scenario.apps import APPS
from tools.capabilities import EXAMPLES, connectors_page, declared, marks_of
from tools.tree import ROOT, python_files

from twofold.core.schema import ObjectType, Op
from twofold.kit import catalog, quality
from twofold.kit.contract import Limit, Manifest
from twofold.kit.memory import contact
from twofold.kit.quality import RULES, Mark, Standing, contradictions, read

PROJECT = tomllib.loads((ROOT / "pyproject.toml").read_text())["project"]
NAMES = sorted(PROJECT["entry-points"][catalog.GROUP])
TESTS = {
    path: path.read_text() for path in python_files("tests") if "architecture" not in path.parts
}
_SECOND = timedelta(seconds=1)
WHOLE = "".join(f"{rule}: done\n" for rule in RULES)


def test_every_connector_has_an_example_account() -> None:
    assert sorted(EXAMPLES) == NAMES


def test_the_page_of_connectors_is_what_they_declare() -> None:
    page = ROOT / "docs" / "connectors" / "README.md"
    assert page.read_text() == connectors_page(), "write it again: make reference"


@pytest.mark.parametrize("name", NAMES)
def test_its_quality_file_is_whole_and_true(name: str) -> None:
    connector = catalog.load(name)
    marks, problems = read(quality.file_of(connector).read_bytes())
    assert problems == []
    assert list(contradictions(marks, connector.manifest, declared(name))) == []


@pytest.mark.parametrize("name", NAMES)
def test_what_it_claims_is_there(name: str) -> None:
    marks = marks_of(name)
    page = ROOT / "docs" / "connectors" / f"{name}.md"
    assert (marks["page"].standing is Standing.DONE) == page.is_file()
    used = PROJECT["entry-points"][catalog.GROUP][name].rpartition(":")[2]
    inherits = any("ConnectorConformance" in text and used in text for text in TESTS.values())
    assert (marks["conformance"].standing is Standing.DONE) == inherits
    assert (marks["scenario"].standing is Standing.DONE) == (name in APPS)


# --- each kind of false claim is caught -----------------------------------------------------------


def test_a_whole_file_is_in_order() -> None:
    marks, problems = read(WHOLE.encode())
    assert (list(marks), problems) == (list(RULES), [])


@pytest.mark.parametrize(
    ("before", "after", "words"),
    [
        ("page: done\n", "", "the rule page is missing"),
        ("page: done\n", "page: done\nlooks: done\n", "there is no rule looks"),
        ("page: done\n", "page: perfect\n", "page is neither"),
        ("page: done\n", "page: exempt\n", "page is neither"),
        ("page: done\n", "page: {exempt: ' '}\n", "page is neither"),
        ("page: done\n", "page: {done: x, todo: y}\n", "page is neither"),
        ("page: done\n", "page: [done]\n", "Expected"),
        ("page: done\n", "page: {\n", ""),
    ],
)
def test_a_file_that_is_not_whole_is_caught(before: str, after: str, words: str) -> None:
    _, problems = read(WHOLE.replace(before, after).encode())
    assert len(problems) == 1
    assert words in problems[0]


def _told(rule: str, standing: Standing, manifest: Manifest, *types: ObjectType) -> list[str]:
    marks = {name: Mark(Standing.TODO) for name in RULES}
    return list(contradictions({**marks, rule: Mark(standing, "so")}, manifest, types))


PLAIN = Manifest("plain", "Plain", "Nothing.")


@pytest.mark.parametrize("rule", ["defaults", "limits", "merges", "associations"])
def test_a_claim_without_a_declaration_is_caught(rule: str) -> None:
    (said,) = _told(rule, Standing.DONE, PLAIN, contact(associations=()))
    assert said.startswith(f"{rule} is said to be done")


def test_a_write_that_is_not_guarded_is_caught() -> None:
    blind = contact(conditional=False)
    assert _told("conditional", Standing.DONE, PLAIN, contact(), blind)
    assert not _told("conditional", Standing.DONE, PLAIN, contact())
    assert _told("creates", Standing.DONE, PLAIN, contact(keys=()))
    assert not _told("creates", Standing.DONE, PLAIN, contact(keys=(), idempotent=True))
    only_read = contact(ops=frozenset(), batch={}, conditional=False)
    assert not _told("conditional", Standing.EXEMPT, PLAIN, only_read)
    assert Op.CREATE not in only_read.ops


def test_an_excuse_beside_a_declaration_is_caught() -> None:
    limited = Manifest("plain", "Plain", "Nothing.", limits=(Limit("calls", 1, _SECOND),))
    (said,) = _told("limits", Standing.EXEMPT, limited)
    assert said.startswith("limits is said not to apply")
