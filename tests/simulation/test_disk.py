"""What the simulated disk does, and what is on it at the moments that matter."""

from __future__ import annotations

import sqlite3

import pytest
from tests.simulation.disk import Disk
from tests.simulation.history import History
from tests.simulation.script import Act, Round, Script

from twofold.core.mappings import Direction
from twofold.core.records import Side
from twofold.database.errors import DatabaseError
from twofold.store.state import State


def _safe(disk: Disk) -> bool:
    """Whether a power cut now would lose nothing."""
    return len(disk.left) == 1


def _watched(direction: Direction) -> dict[str, list[bool]]:
    """By step: whether everything was safe on the disk, over a history of three contacts."""
    acts = [Act("create", Side.HUB, "contact", pick=1, more=555) for _ in range(2)]
    acts.append(Act("create", Side.HUB, "contact", pick=1, more=110))  # on both sides
    history = History(Script(rounds=(Round(tuple(acts)),)))
    script = history.script
    history = History(
        Script(
            sync=type(script.sync)(direction=direction, default=Side.APP),
            rounds=script.rounds,
        )
    )
    disk = Disk(history.state, lambda: False)
    history.state = disk.state
    seen: dict[str, list[bool]] = {}
    history.world.on_step = lambda what: seen.setdefault(what, []).append(_safe(disk))
    history.play()
    return seen


@pytest.mark.parametrize("direction", list(Direction))
def test_notes_are_on_the_disk_before_a_write_leaves(direction: Direction) -> None:
    assert all(_watched(direction)["noted"])


def test_what_was_agreed_without_a_write_is_on_the_disk() -> None:
    seen = _watched(Direction.TO_APP)
    assert seen["settled"][0]
    assert not all(seen["hub page stored"]), "what is read again need not be"


def test_a_full_disk_leaves_the_state_as_it_was() -> None:
    state = State.open(None)
    disk = Disk(state, iter([False, False, True]).__next__)
    before = disk.real.serialize()
    with pytest.raises(DatabaseError) as caught:
        disk.state.syncs.add_connection("memory", "hub", "hub", {}, b"", 0)
    assert caught.value.code == "TF-S05"
    assert disk.close().database.image() == before


def test_a_power_cut_keeps_what_is_safe_and_may_keep_more() -> None:
    state = State.open(None)
    disk = Disk(state, lambda: False)
    database = disk.state.database
    with database.durable_transaction() as db:
        db.execute("CREATE TABLE marks (n)")
    for number in range(2):
        with database.transaction() as db:
            db.execute("INSERT INTO marks VALUES (?)", (number,))
    kept = [_marks(disk.after_power_cut(pick)) for pick in range(3)]
    assert kept == [0, 1, 2]


def _marks(state: State) -> int:
    connection: sqlite3.Connection = state.database.connection
    found: int = connection.execute("SELECT count(*) FROM marks").fetchone()[0]
    return found
