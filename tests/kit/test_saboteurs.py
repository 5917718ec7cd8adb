"""A suite that nothing can fail proves nothing: each broken connector is caught where it breaks."""

from __future__ import annotations

import asyncio
from functools import cache

import pytest
from tests.connectors import test_memory_conformance as stages
from tests.kit import reading_saboteurs, writing_saboteurs
from tests.kit.sabotage import SABOTEURS, Saboteur

from twofold.kit.conformance import SUITE
from twofold.kit.memory import MemoryConnector

MODULES = (reading_saboteurs, writing_saboteurs)
"""Importing them fills the list."""
STAGES = sorted({saboteur.stage for saboteur in SABOTEURS}, key=lambda stage: stage.__name__)


def failures(stage: type[stages.MemoryConformance], kind: type[MemoryConnector]) -> tuple[str, ...]:
    """The tests of the suite that a connector fails, each on a fresh app."""
    failed: list[str] = []
    with asyncio.Runner() as runner:
        for name in stage.conformance_tests:
            case = stage()
            try:
                runner.run(getattr(case, name)(case.made_by(kind)))
            except (Exception, pytest.fail.Exception):  # noqa: BLE001 — any way to fail counts
                failed.append(name)
    return tuple(failed)


@cache
def caught(saboteur: Saboteur) -> tuple[str, ...]:
    """The tests that a saboteur fails."""
    return failures(saboteur.stage, saboteur.connector)


@pytest.mark.parametrize("stage", STAGES, ids=lambda stage: stage.__name__)
def test_an_honest_connector_passes(stage: type[stages.MemoryConformance]) -> None:
    assert failures(stage, MemoryConnector) == ()


@pytest.mark.parametrize("saboteur", SABOTEURS, ids=lambda saboteur: saboteur.name)
def test_a_saboteur_is_caught(saboteur: Saboteur) -> None:
    assert saboteur.test in SUITE
    found = caught(saboteur)
    assert saboteur.test in found, f"{saboteur.name}: only {found or 'nothing'} fails"
    assert len(found) < len(saboteur.stage.conformance_tests), "it breaks everything"


def test_every_test_of_the_suite_can_fail() -> None:
    seen = {test for saboteur in SABOTEURS for test in caught(saboteur)}
    assert set(SUITE) - seen == set()
