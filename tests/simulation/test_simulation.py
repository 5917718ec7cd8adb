"""Histories that every change must survive; more of them by ``make simulate SEEDS=n``."""

from __future__ import annotations

from pathlib import Path

import pytest
from tests.simulation.__main__ import SCRIPTS, play
from tests.simulation.draw import draw
from tests.simulation.history import History
from tests.simulation.promises import PROMISES, verdict
from tests.simulation.script import dumps, loads
from tests.simulation.table import FAULTS, Tally


@pytest.mark.parametrize("path", sorted(SCRIPTS.glob("*.json")), ids=lambda path: path.stem)
def test_a_history_that_once_broke_a_promise(path: Path) -> None:
    assert verdict(History(loads(path.read_text())))


@pytest.mark.parametrize("block", range(10))
def test_thirty_histories(block: int) -> None:
    tally = play(10_000 + block * 30, 30)
    assert tally.broken == []
    assert tally.too_small == []
    assert len(tally.faults) > len(FAULTS) / 2, "the trouble must be real"
    assert {promise for _, promise in tally.met} == set(PROMISES)


@pytest.mark.parametrize("seed", range(5))
def test_a_script_is_the_whole_history(seed: int) -> None:
    script = draw(seed)
    assert loads(dumps(script)) == script
    first, second = History(script), History(script)
    assert verdict(first) == verdict(second)
    assert first.story == second.story


def test_a_rare_fault_and_a_short_history_are_told() -> None:
    tally = Tally(histories=1000, least={"acts": 40, "runs": 7, "crashes": 2})
    tally.faults.update(dict.fromkeys(FAULTS, 10))
    assert tally.too_rare == []
    tally.faults["power cut"] = 9
    assert tally.too_rare == ["power cut"]
    assert tally.too_small == ["a history with 7 runs instead of 8"]
