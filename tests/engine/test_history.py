"""What the history keeps of a run: every write, once, with what was there before."""

from __future__ import annotations

import pytest
from tests.engine.stage import Stage
from tests.engine.test_trouble import LOST, calm, linked, trouble

from twofold.core.mappings import Deletes
from twofold.core.records import Side
from twofold.kit.memory import Phase
from twofold.store.history import Change, Line
from twofold.store.types import Did


def lines(stage: Stage) -> list[Line]:
    """All of the contacts' history, oldest first."""
    return stage.state.history.page(stage.contacts, before=None, limit=1_000)[::-1]


async def test_records_made_in_one_go_share_a_line() -> None:
    stage = Stage()
    for n in range(30):
        stage.hub.create("contact", {"email": f"{n}@firm.example"})
    await stage.run(run=7)
    (line,) = lines(stage)
    assert (line.did, line.side, line.run, line.last - line.row) == (Did.CREATED, Side.APP, 7, 29)
    for row in range(line.row, line.last + 1):
        (one,) = stage.state.history.of(stage.contacts, [row])
        assert (one.did, one.row) == (Did.CREATED, row)
    assert stage.state.history.of(stage.contacts, [line.row - 1, line.last + 1]) == []


@pytest.mark.parametrize("lost", [False, True], ids=["answered", "without an answer"])
async def test_an_update_is_kept_once_with_before_and_after(lost: bool) -> None:
    stage = Stage()
    hub, _ = await linked(stage, notes="old", phone="1")
    stage.hub.edit("contact", hub, {"notes": "new"})
    if lost:
        trouble(stage.app, "push", Phase.AFTER, LOST)
    await stage.run(run=9)
    await calm(stage)
    made, line = lines(stage)
    assert made.did is Did.CREATED
    assert (line.did, line.side) == (Did.UPDATED, Side.APP)
    assert line.changes == (Change("notes", "old", "new", "new", "" if lost else "EDITED"),)
    assert lines(stage) == stage.state.history.of(stage.contacts, [line.row])[::-1]


async def test_a_refused_write_is_not_kept() -> None:
    stage = Stage()
    hub, _ = await linked(stage)
    stage.tighten("notes", 3)
    stage.hub.edit("contact", hub, {"notes": "far too long", "lastname": "Lovelace"})
    await calm(stage)
    assert stage.counts().failing == 1
    _, line = lines(stage)
    assert [change.name for change in line.changes] == ["lastname"]


async def test_a_lost_write_that_is_written_over_is_kept_too() -> None:
    stage = Stage()
    hub, _ = await linked(stage, notes="first")
    stage.hub.edit("contact", hub, {"notes": "second"})
    trouble(stage.app, "push", Phase.AFTER, LOST)
    await stage.run(most_chunks=1)
    stage.hub.edit("contact", hub, {"notes": "third"})
    await calm(stage)
    found = [(c.before, c.after) for line in lines(stage)[1:] for c in line.changes]
    assert found == [("first", "second"), ("second", "third")]


async def test_a_removed_twin_is_kept_with_what_it_showed() -> None:
    stage = Stage(deletes=Deletes.DELETE)
    hub, app = await linked(stage, notes="kept")
    stage.hub.delete("contact", hub)
    await calm(stage)
    assert stage.app.read("contact", app) is None
    line = lines(stage)[-1]
    assert (line.did, line.side, line.shown["notes"]) == (Did.DELETED, Side.APP, "kept")
    assert len(lines(stage)) == 2
