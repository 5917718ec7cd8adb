"""In a long run no call is made for fewer records than it could take."""

from __future__ import annotations

from collections import Counter
from math import ceil

import pytest
from tests.engine.stage import Stage

from twofold.core.records import Side
from twofold.core.schema import Op
from twofold.engine import run
from twofold.kit.memory import Call, Fault, Phase

BATCH, CHUNK = 8, 20


@pytest.fixture
def small_chunks(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(run, "SMALLEST_CHUNK", CHUNK)
    monkeypatch.setattr(run, "LARGEST_CHUNK", CHUNK)


@pytest.mark.usefixtures("small_chunks")
@pytest.mark.parametrize("paused", [False, True])
async def test_writes_go_out_in_full_batches(paused: bool) -> None:
    stage = Stage(app={"batch": {Op.CREATE: BATCH, Op.UPDATE: BATCH}})
    for n in range(90):
        fields = {"email": f"p{n}@x.example", "firstname": f"P{n}", "notes": "as before"}
        stage.hub.create("contact", fields)
        if n % 3:
            stage.app.create("contact", fields | ({"notes": ""} if n % 9 == 1 else {}))
    calls: Counter[str] = Counter()

    def script(call: Call) -> Fault | None:
        calls[call.name] += call.phase is Phase.BEFORE
        return None

    stage.app.fault = script
    await stage.run_all() if not paused else await in_slices(stage)
    assert stage.counts().in_sync == stage.counts().total == 90
    assert len(stage.app.all("contact")) == 90
    if not paused:
        assert calls["push"] == ceil(30 / BATCH) + ceil(10 / BATCH)


@pytest.mark.usefixtures("small_chunks")
async def test_twins_of_what_is_held_back_take_no_place_in_a_chunk() -> None:
    """Where a batch is as large as a chunk, it is full only if all of the chunk is for it."""
    batches = {"batch": {Op.CREATE: CHUNK, Op.UPDATE: CHUNK}}
    stage = Stage(hub=batches, app=batches)
    people = [{"email": f"p{n}@x.example", "firstname": f"P{n}"} for n in range(7 * CHUNK)]
    for n, fields in enumerate(people):
        notes = {"notes": "as before"} if n < CHUNK or n % 9 else {"notes": "new"}
        if n < 6 * CHUNK:
            stage.hub.create("contact", fields | notes)
        if n >= CHUNK:
            stage.app.create("contact", fields | {"notes": "as before"})
    pushed: list[int] = []

    def script(call: Call) -> Fault | None:
        if call.name == "push" and call.phase is Phase.BEFORE:
            pushed.append(call.items)
        return None

    stage.hub.fault = stage.app.fault = script
    await stage.run_all()
    assert stage.counts().in_sync == stage.counts().total == 7 * CHUNK
    assert sorted(pushed) == [11, CHUNK, CHUNK]


async def in_slices(stage: Stage) -> None:
    """One chunk in each slice, as where a worker gives way to others."""
    for _ in range(90):
        await stage.run(most_chunks=1)
        if not stage.state.links.due(stage.contacts, 1):
            return
    raise AssertionError("what was held back is never sent")


def test_both_sides_have_a_due_list_of_their_own() -> None:
    stage = Stage()
    sync = stage.contacts
    with stage.state.database.transaction() as db:
        db.executemany(
            "INSERT INTO due VALUES (?, ?, ?)",
            [(sync, side, row) for side, row in (("hub", 2), ("hub", 5), ("app", 1), ("app", 7))],
        )
    due = stage.state.links.due
    assert due(sync, 3) == [(Side.HUB, 2), (Side.HUB, 5), (Side.APP, 1)]
    assert due(sync, 9, (Side.HUB, 2)) == [(Side.HUB, 5), (Side.APP, 1), (Side.APP, 7)]
    assert due(sync, 9, (Side.APP, 1)) == [(Side.APP, 7)]
    assert due(sync, 9, (Side.APP, 7)) == []
