"""Alerts: told when it begins, while it lasts if people want that, and when it is over."""

from __future__ import annotations

from typing import Any

import pytest
from msgspec import structs

from twofold.core.alerts import Facts, Message, News, Standing, Thresholds, Trigger, digest, judge
from twofold.core.health import Counts

HOUR = 3_600.0
CALM = Facts("shop", True, Counts(95, 5, 1, 0), False, "", 0.0, 0)


class Watch:
    """One sync over time."""

    def __init__(self, **thresholds: Any) -> None:
        self.thresholds = Thresholds(**{"failing_hours": 0.0, "silent_hours": 0.0, **thresholds})
        self.known: dict[Trigger, Standing] = {}

    def at(self, hours: float, **facts: Any) -> list[tuple[Trigger, News]]:
        return [(m.trigger, m.news) for m in self.told(hours, **facts)]

    def told(self, hours: float, **facts: Any) -> list[Message]:
        found = structs.replace(CALM, **facts)
        self.known, messages = judge(self.thresholds, found, self.known, 1e9 + hours * HOUR)
        return messages


def test_it_is_told_once_when_it_begins_and_once_when_it_is_over() -> None:
    watch = Watch()
    braked = {"needs_person": True, "sentence": "Too many deletes."}
    assert watch.at(0) == []
    assert watch.at(1, **braked) == [(Trigger.ACTION, News.BEGAN)]
    assert watch.at(50, **braked) == []
    assert watch.at(51) == [(Trigger.ACTION, News.OVER)]
    assert watch.at(52) == []
    assert watch.at(53, **braked) == [(Trigger.ACTION, News.BEGAN)]


def test_it_is_told_again_while_it_lasts_where_people_want_that() -> None:
    watch = Watch(again_hours=6.0, recovered=False)
    many = {"counts": Counts(90, 10, 0, 0)}
    assert watch.at(0, **many) == [(Trigger.SHARE, News.BEGAN)]
    assert watch.at(5, **many) == []
    assert watch.at(6, **many) == [(Trigger.SHARE, News.LASTS)]
    assert watch.at(11, **many) == []
    assert watch.at(12, **many) == [(Trigger.SHARE, News.LASTS)]
    assert watch.at(13) == []


def test_the_share_counts_those_that_take_part() -> None:
    watch = Watch(failing_share=50.0)
    assert watch.at(0, counts=Counts(1, 1, 1_000, 1_000)) == []
    assert watch.at(0, counts=Counts(1, 2, 1_000, 1_000)) == [(Trigger.SHARE, News.BEGAN)]
    assert watch.at(0, counts=Counts(0, 0, 5, 5)) == [(Trigger.SHARE, News.OVER)]


def test_failing_for_long_is_without_a_moment_in_which_nothing_was() -> None:
    watch = Watch(failing_hours=24.0, failing_share=0.0)
    assert watch.at(0) == []
    assert watch.at(23) == []
    assert watch.at(23.5, counts=Counts(100, 0, 0, 0)) == [], "what was not told is not over"
    assert watch.at(24) == []
    assert watch.at(48) == [(Trigger.OLDEST, News.BEGAN)]
    assert watch.at(49, counts=Counts(100, 0, 0, 0)) == [(Trigger.OLDEST, News.OVER)]


def test_silence_counts_from_the_last_run_that_got_through() -> None:
    watch = Watch(silent_hours=24.0)
    assert watch.at(0, through=1e9 - 23 * HOUR) == []
    assert watch.at(1, through=1e9 - 23 * HOUR) == [(Trigger.SILENT, News.BEGAN)]
    assert watch.at(2, through=1e9 + 2 * HOUR) == [(Trigger.SILENT, News.OVER)]


def test_drift_is_told_by_what_is_new_of_it() -> None:
    watch = Watch()
    assert watch.told(0, drift=3)[0].sentence.count("3") == 1
    assert watch.at(1, drift=3) == []
    assert "found 2 that" in watch.told(2, drift=5)[0].sentence
    assert watch.at(3, drift=5) == []


@pytest.mark.parametrize("trigger", Trigger)
def test_each_trigger_can_be_turned_off(trigger: Trigger) -> None:
    trouble = structs.replace(
        CALM, counts=Counts(1, 9, 0, 0), needs_person=True, drift=9, through=0.0
    )
    all_off: dict[str, Any] = {
        "failing_share": 0.0,
        "failing_hours": 0.0,
        "silent_hours": 0.0,
        "action": False,
        "drift": False,
    }
    some_on: dict[Trigger, dict[str, Any]] = {
        Trigger.ACTION: {"action": True},
        Trigger.SHARE: {"failing_share": 5.0},
        Trigger.OLDEST: {"failing_hours": 1.0},
        Trigger.SILENT: {"silent_hours": 1.0},
        Trigger.DRIFT: {"drift": True},
    }
    known = {Trigger.OLDEST: Standing(0.0)}
    assert judge(Thresholds(**all_off), trouble, known, 1e9)[1] == []
    (message,) = judge(Thresholds(**{**all_off, **some_on[trigger]}), trouble, known, 1e9)[1]
    assert message.trigger is trigger


def test_a_sync_that_is_off_has_nothing_to_tell() -> None:
    watch = Watch()
    assert watch.at(0, needs_person=True) == [(Trigger.ACTION, News.BEGAN)]
    assert watch.at(1, enabled=False, needs_person=True) == []
    assert watch.at(2) == []


def test_a_digest_has_a_line_for_each_sync() -> None:
    waits = structs.replace(CALM, sync="book", needs_person=True, sentence="Reconnect it.")
    lines = digest([CALM, waits]).splitlines()
    assert lines[0] == "shop (on): 95 in sync, 5 failing, 1 excluded, 0 waiting"
    assert lines[1].startswith("book (Reconnect it.): 95 in sync")
    assert digest([]) == "There are no syncs."
