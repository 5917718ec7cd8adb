"""Histories that every change must survive; more of them by ``make simulate SEEDS=n``."""

from __future__ import annotations

from collections import Counter

import pytest
from tests.simulation.history import History
from tests.simulation.promises import check

ONCE_BROKEN = (
    22,  # a create was recovered whose source had been deleted
    59,  # a record without a key was made again while its note was open
    75,  # a second note hid that the first write had arrived
    84,  # what we made was deleted before we could look
    244,  # a listing that an earlier run began had missed a new record
    909,  # a record with our match key, made by somebody else, was taken for ours
    1026,
    1141,  # an edit right after our create was not due
    1555,  # a match key was edited before a create was recovered
    2475,  # a lagging feed took back what our own write had shown
    3907,
    20415,  # half of a pair that had to wait was forgotten
    402903,  # an edit beside our own write was not due
    102974,  # what we made was deleted before its create was repeated
    22039,  # a record was matched while our own create of its twin was still unsure
)
"""Each broke a promise once."""


@pytest.mark.parametrize("seed", ONCE_BROKEN)
def test_a_history_that_once_broke_a_promise(seed: int) -> None:
    history = History(seed)
    history.play()
    check(history)


@pytest.mark.parametrize("block", range(10))
def test_thirty_histories(block: int) -> None:
    faults: Counter[str] = Counter()
    for seed in range(10_000 + block * 30, 10_030 + block * 30):
        history = History(seed)
        history.play()
        check(history)
        faults.update(history.faults.keys())
    assert faults["crash between effects"] > 10, "the trouble must be real"
    assert len(faults) > 8
