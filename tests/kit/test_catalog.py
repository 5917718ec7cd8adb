"""Connectors are found by entry points; what is broken is named, not raised through."""

from __future__ import annotations

import sys
from pathlib import Path

import pytest

from twofold.kit import catalog
from twofold.kit.catalog import BrokenConnector, UnknownConnector
from twofold.kit.memory import MemoryConnector

GOOD = """
from twofold.kit.memory import MemoryConnector
from twofold.kit.contract import Manifest
class Good(MemoryConnector):
    manifest = Manifest(name="good", label="Good", summary="A third party's.")
class Misnamed(Good):
    pass
class Empty:
    manifest = Manifest(name="empty", label="Empty", summary="No calls.")
"""


@pytest.fixture
def package(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A third party's installed package with good and bad connectors."""
    (tmp_path / "foreign_connectors.py").write_text(GOOD)
    (tmp_path / "foreign_broken.py").write_text("raise OSError('no such library')")
    info = tmp_path / "foreign_connectors-1.0.dist-info"
    info.mkdir()
    (info / "METADATA").write_text(
        "Metadata-Version: 2.1\nName: foreign-connectors\nVersion: 1.0\n"
    )
    (info / "entry_points.txt").write_text(
        "[twofold.connectors]\n"
        "good = foreign_connectors:Good\n"
        "misnamed = foreign_connectors:Misnamed\n"
        "empty = foreign_connectors:Empty\n"
        "absent = foreign_connectors:Absent\n"
        "broken = foreign_broken:Anything\n"
        "memory = foreign_connectors:Good\n"
    )
    monkeypatch.syspath_prepend(str(tmp_path))
    yield_path = tmp_path
    for name in ("foreign_connectors", "foreign_broken"):
        sys.modules.pop(name, None)
    return yield_path


def test_our_own_connectors_are_listed() -> None:
    assert {"memory", "hub", "carddav", "sql"} <= set(catalog.names())
    assert catalog.load("memory") is MemoryConnector


def test_a_third_party_s_connector_is_found(package: Path) -> None:
    assert "good" in catalog.names()
    assert catalog.load("good").manifest.label == "Good"


@pytest.mark.parametrize(
    ("name", "reason"),
    [
        ("misnamed", "it has no manifest of that name"),
        ("empty", "it lacks pauses, verify, describe, pull, get, push, close"),
        ("absent", "importing it fails with AttributeError"),
        ("broken", "importing it fails with OSError"),
        ("memory", "several packages use this name"),
    ],
)
def test_a_broken_connector_is_named(package: Path, name: str, reason: str) -> None:
    with pytest.raises(BrokenConnector) as caught:
        catalog.load(name)
    assert reason in caught.value.sentence
    assert "foreign-connectors" in caught.value.sentence
    assert caught.value.code == "TF-A11"


def test_an_unknown_connector_is_answered_with_the_known_ones() -> None:
    with pytest.raises(UnknownConnector, match=r"no connector named nothing; there are: .*memory"):
        catalog.load("nothing")
