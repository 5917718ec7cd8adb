"""The schedule: one holder per turn, and what was asked is never forgotten."""

from __future__ import annotations

from tests.store.shelf import Shelf

from twofold.core.timing import Pace
from twofold.store.schedule import Asked, Nudge
from twofold.store.syncs import RunStatus


def test_a_turn_has_one_holder_until_its_lease_is_over(shelf: Shelf) -> None:
    schedule = shelf.state.schedule
    schedule.enroll()
    assert schedule.claim(shelf.sync, "one", 100.0, 160.0) is not None
    assert schedule.claim(shelf.sync, "two", 120.0, 180.0) is None
    schedule.renew("one", 130.0, 190.0)
    assert schedule.claim(shelf.sync, "two", 170.0, 230.0) is None
    assert schedule.claim(shelf.sync, "two", 191.0, 250.0) is not None
    schedule.release(shelf.sync, "one", Pace(9.0), Nudge.NONE, Asked())
    turn = schedule.turn(shelf.sync)
    assert turn is not None
    assert (turn.holder, turn.pace.poll) == ("two", 0.0), "who lost the turn changes nothing"


def test_what_is_asked_during_a_run_outlives_it(shelf: Shelf) -> None:
    schedule = shelf.state.schedule
    schedule.enroll()
    schedule.claim(shelf.sync, "one", 1.0, 60.0)
    schedule.ask(shelf.sync, Asked(full=True))
    schedule.nudge_hub(["contact"])
    schedule.release(shelf.sync, "one", Pace(500.0), Nudge.HUB, Asked())
    turn = schedule.turn(shelf.sync)
    assert turn is not None
    assert (turn.nudge, turn.asked) == (Nudge.PERSON, Asked(full=True))
    taken = schedule.claim(shelf.sync, "one", 2.0, 60.0)
    assert taken == turn
    after = schedule.turn(shelf.sync)
    assert after is not None
    assert (after.nudge, after.asked) == (Nudge.NONE, Asked())


def test_only_syncs_that_are_on_have_turns(shelf: Shelf) -> None:
    state = shelf.state
    state.schedule.enroll()
    state.syncs.enable(shelf.sync, True)
    state.syncs.set_status(shelf.sync, RunStatus("TF-B01", "empty", needs_person=True))
    (turn,) = state.schedule.turns()
    assert turn.stopped
    state.syncs.enable(shelf.sync, False)
    assert state.schedule.turns() == []


def test_a_shorter_time_between_polls_counts_at_once(shelf: Shelf) -> None:
    schedule = shelf.state.schedule
    schedule.enroll()
    connection = shelf.state.syncs.get(shelf.sync).connection
    schedule.claim(shelf.sync, "one", 1000.0, 1060.0)
    schedule.release(shelf.sync, "one", Pace(1300.0, 300.0), Nudge.NONE, Asked())
    schedule.poll_every(connection, 10.0)
    turn = schedule.turn(shelf.sync)
    assert turn is not None
    assert (turn.every, turn.pace.poll) == (10.0, 1010.0)


def test_runs_of_a_killed_worker_end(shelf: Shelf) -> None:
    state = shelf.state
    state.schedule.enroll()
    state.schedule.claim(shelf.sync, "dead", 1.0, 1e12)
    state.syncs.begin_run(shelf.sync, "then")
    state.schedule.clear_holders("now")
    (run,) = state.syncs.runs(shelf.sync)
    assert (run.ended, run.summary) == ("now", {"ending": "killed"})
    assert state.schedule.claim(shelf.sync, "new", 2.0, 60.0) is not None


def test_of_quiet_runs_that_say_the_same_the_last_is_kept(shelf: Shelf) -> None:
    syncs = shelf.state.syncs
    for number in range(5):
        syncs.end_run(syncs.begin_run(shelf.sync, f"b{number}"), "e", {"ending": "done"})
    syncs.end_run(syncs.begin_run(shelf.sync, "did"), "e", {"ending": "done", "hub read": 1})
    syncs.end_run(syncs.begin_run(shelf.sync, "wait"), "e", {"ending": "waiting", "code": "x"})
    assert [run.started for run in syncs.runs(shelf.sync)] == ["wait", "did", "b4"]
