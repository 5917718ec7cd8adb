"""Records that people merge: whose link goes on, and what is left of the others (D12)."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import timedelta
from typing import Any

import pytest
from msgspec import structs
from tests.engine.crashes import Crash, at_every_step, calm
from tests.engine.stage import Stage
from tests.engine.test_deletes import codes, emails, pairs

from twofold.core.health import State as Standing
from twofold.core.mappings import Deletes
from twofold.core.records import Side
from twofold.core.schema import Feed
from twofold.kit.contract import Batch
from twofold.kit.errors import OutcomeUnknown
from twofold.kit.memory import Call, Fail, MemoryConnector, Phase

TELLS: dict[str, Any] = {"merges": True}
LISTED: dict[str, Any] = {"merges": True, "feed": Feed.SNAPSHOT, "deletes": False}
"""Its listings show nothing of a merge, and a look at the record does."""


def find(stage: Stage, side: Side, number: int) -> str:
    return stage.only_with(side, f"{number}@firm.example").id


def linked(stage: Stage, side: Side, record_id: str) -> str | None:
    """The twin of a record."""
    db = stage.state.database.connection
    end, other = side.value, side.other.value
    found = db.execute(
        f"SELECT t.id FROM links l JOIN records r ON r.row = l.{end} JOIN records t"
        f" ON t.row = l.{other} WHERE l.sync = ? AND r.reader = ? AND r.id = ?",
        (stage.contacts, stage.state.syncs.get(stage.contacts).reader(side), record_id),
    ).fetchone()
    return None if found is None else str(found[0])


@pytest.mark.parametrize("deletes", [Deletes.IGNORE, Deletes.DELETE])
@pytest.mark.parametrize("facts", [TELLS, LISTED])
@pytest.mark.parametrize("side", list(Side))
async def test_two_linked_records_the_survivor_keeps_its_link(
    side: Side, facts: dict[str, Any], deletes: Deletes
) -> None:
    stage = await pairs(hub=facts, app=facts, deletes=deletes)
    loser, survivor = find(stage, side, 0), find(stage, side, 1)
    twin = find(stage, side.other, 1)
    stage.apps[side].merge("contact", loser, survivor)
    await calm(stage)
    assert linked(stage, side, survivor) == twin
    assert "0@firm.example" in emails(stage, side.other), "never deleted by us"
    assert codes(stage, Standing.EXCLUDED) == ["TF-X11"]
    assert (stage.counts().in_sync, stage.counts().total) == (11, 12)


@pytest.mark.parametrize("deletes", [Deletes.IGNORE, Deletes.DELETE])
@pytest.mark.parametrize("facts", [TELLS, LISTED])
@pytest.mark.parametrize("side", list(Side))
async def test_an_unlinked_survivor_takes_the_link_over(
    side: Side, facts: dict[str, Any], deletes: Deletes
) -> None:
    stage = await pairs(hub=facts, app=facts, deletes=deletes, require_email=True)
    loser, twin = find(stage, side, 0), find(stage, side.other, 0)
    survivor = stage.apps[side].create("contact", {"lastname": "No address yet"})
    await stage.run()
    assert codes(stage, Standing.EXCLUDED) == ["TF-X01"]
    stage.apps[side].edit("contact", loser, {"phone": "+31201234567"})
    stage.apps[side].edit("contact", survivor, {"firstname": "Survivor"})
    stage.apps[side.other].edit("contact", twin, {"notes": "edited meanwhile"})
    stage.apps[side].merge("contact", loser, survivor)
    await calm(stage)
    assert linked(stage, side, survivor) == twin
    for where, record_id in ((side, survivor), (side.other, twin)):
        record = stage.apps[where].read("contact", record_id)
        assert record is not None
        assert record.fields["lastname"] == "No address yet"
        assert record.fields["firstname"] == "Survivor"
        assert record.fields["notes"] == "edited meanwhile"
        assert record.fields["phone"] == "+31201234567"
    assert stage.counts().in_sync == stage.counts().total == 12


async def test_a_new_survivor_gets_the_link_and_no_twin_of_its_own() -> None:
    stage = await pairs(hub=TELLS)
    loser, twin = find(stage, Side.HUB, 0), find(stage, Side.APP, 0)
    survivor = stage.hub.create("contact", {"email": "new@firm.example"})
    stage.hub.merge("contact", loser, survivor)
    await calm(stage)
    assert linked(stage, Side.HUB, survivor) == twin
    assert len(stage.app.all("contact")) == 12
    assert "new@firm.example" in emails(stage, Side.APP)


class Silent(MemoryConnector):
    """Its feed says *deleted* of a merged record, and only a look at the record tells."""

    async def pull(
        self, obj: str, cursor: str | None, fields: Sequence[str], associations: Sequence[str] = ()
    ) -> Batch:
        batch = await super().pull(obj, cursor, fields, associations)
        return structs.replace(batch, gone=[(record_id, None) for record_id, _ in batch.gone])


@pytest.mark.parametrize("deletes", [Deletes.IGNORE, Deletes.DELETE])
async def test_what_a_feed_calls_deleted_may_have_been_merged(deletes: Deletes) -> None:
    stage = await pairs(deletes=deletes)
    stage.kinds[Side.HUB] = Silent
    table = stage.hub.table("contact")
    table.kind = structs.replace(table.kind, merges=True)
    loser, twin = find(stage, Side.HUB, 0), find(stage, Side.APP, 0)
    survivor = stage.hub.create("contact", {"email": "new@firm.example"})
    stage.hub.merge("contact", loser, survivor)
    stage.hub.merge("contact", find(stage, Side.HUB, 1), find(stage, Side.HUB, 2))
    await calm(stage)
    assert linked(stage, Side.HUB, survivor) == twin
    assert len(stage.app.all("contact")) == 12
    assert codes(stage, Standing.EXCLUDED) == ["TF-X11"]


async def test_a_chain_of_merges_ends_at_the_last_survivor() -> None:
    stage = await pairs(hub=TELLS, require_email=True)
    loser, twin = find(stage, Side.HUB, 0), find(stage, Side.APP, 0)
    between, last = (stage.hub.create("contact", {"lastname": name}) for name in "ab")
    stage.hub.merge("contact", loser, between)
    stage.hub.merge("contact", between, last)
    await calm(stage)
    assert linked(stage, Side.HUB, last) == twin
    assert stage.counts().in_sync == stage.counts().total == 12


async def test_both_sides_merge_the_same_two() -> None:
    stage = await pairs(hub=TELLS, app=TELLS)
    for side in Side:
        stage.apps[side].merge("contact", find(stage, side, 0), find(stage, side, 1))
    await calm(stage)
    assert stage.counts().in_sync == stage.counts().total == 11
    assert linked(stage, Side.HUB, find(stage, Side.HUB, 1)) == find(stage, Side.APP, 1)


@pytest.mark.parametrize("apart", [False, True])
async def test_both_sides_merge_the_same_two_the_other_way_round(apart: bool) -> None:
    stage = await pairs(hub=TELLS, app=TELLS)
    hub, app = find(stage, Side.HUB, 1), find(stage, Side.APP, 0)
    stage.hub.merge("contact", find(stage, Side.HUB, 0), hub)
    if apart:
        await stage.run()
    stage.app.merge("contact", find(stage, Side.APP, 1), app)
    await calm(stage)
    assert linked(stage, Side.HUB, hub) == app
    assert stage.counts().in_sync == stage.counts().total == 11
    assert len(stage.hub.all("contact")) == len(stage.app.all("contact")) == 11
    records = [
        stage.apps[side].read("contact", i) for side, i in ((Side.HUB, hub), (Side.APP, app))
    ]
    assert len({record.fields["email"] for record in records if record is not None}) == 1


@pytest.mark.parametrize("arrived", [False, True])
async def test_a_survivor_whose_own_create_has_no_answer_yet(arrived: bool) -> None:
    """Whether it has a twin of its own is known only once the feed that lags has caught up."""
    late = {"lag": timedelta(minutes=5), "keys": ()}
    stage = await pairs(hub=TELLS, app=late)
    loser, twin = find(stage, Side.HUB, 0), find(stage, Side.APP, 0)
    survivor = stage.hub.create("contact", {"email": "new@firm.example"})
    phase = Phase.AFTER if arrived else Phase.BEFORE
    stage.app.fault = lambda call: (
        Fail(OutcomeUnknown("app", "scripted"))
        if (call.name, call.phase) == ("push", phase)
        else None
    )
    await stage.run()
    stage.app.fault = None
    stage.hub.merge("contact", loser, survivor)
    await stage.run()
    assert stage.state.links.creations(stage.contacts), "it is still not known"
    await calm(stage)
    assert (linked(stage, Side.HUB, survivor) == twin) is not arrived
    assert len(stage.app.all("contact")) == 12 + arrived
    assert "new@firm.example" in emails(stage, Side.APP)


@pytest.mark.parametrize("side", list(Side))
async def test_what_we_made_is_merged_before_we_learn_that_we_made_it(side: Side) -> None:
    stage = await pairs(2, hub={**TELLS, "idempotent": True}, app={**TELLS, "idempotent": True})
    for name in "ab":
        stage.apps[side.other].create("contact", {"email": f"{name}@new.example"})
    stage.apps[side].fault = _dies_behind_a_push
    with pytest.raises(Crash):
        await stage.run()
    stage.apps[side].fault = None
    first, second = (stage.only_with(side, f"{name}@new.example").id for name in "ab")
    stage.apps[side].merge("contact", first, second)
    await calm(stage)
    twin = stage.only_with(side.other, "b@new.example").id
    assert linked(stage, side, second) == twin
    assert "a@new.example" not in emails(stage, side), "not made again: it was merged"
    assert codes(stage, Standing.EXCLUDED) == ["TF-X11"]


def _dies_behind_a_push(call: Call) -> None:
    if (call.name, call.phase) == ("push", Phase.AFTER):
        raise Crash


async def test_a_kill_at_any_moment_of_a_merge_makes_no_duplicate() -> None:
    async def scene() -> Stage:
        stage = await pairs(hub=LISTED, app={**LISTED, "idempotent": False})
        survivor = stage.hub.create("contact", {"email": "new@firm.example"})
        stage.hub.merge("contact", find(stage, Side.HUB, 0), survivor)
        return stage

    def check(stage: Stage) -> None:
        assert len(stage.app.all("contact")) == 12
        assert "new@firm.example" in emails(stage, Side.APP)
        assert stage.counts().in_sync == stage.counts().total == 12

    assert await at_every_step(scene, check) > 6


# --- an e-mail handed from one person to another ------------------------------------------------


@pytest.mark.parametrize("unique", [False, True])
@pytest.mark.parametrize("first", [0, 1])
@pytest.mark.parametrize("apart", [False, True])
async def test_an_address_is_handed_from_one_to_another(
    unique: bool, first: int, apart: bool
) -> None:
    stage = await pairs(2)
    if unique:
        stage.make_unique(Side.APP, "email")
    giver, taker = find(stage, Side.HUB, first), find(stage, Side.HUB, 1 - first)
    twins = linked(stage, Side.HUB, giver), linked(stage, Side.HUB, taker)
    stage.hub.edit("contact", taker, {"email": f"{first}@firm.example"})
    if apart:
        await stage.run()
        await stage.run()
    stage.hub.edit("contact", giver, {"email": "other@firm.example"})
    await calm(stage)
    assert (linked(stage, Side.HUB, giver), linked(stage, Side.HUB, taker)) == twins
    assert stage.counts().in_sync == stage.counts().total == 2
    ends = [stage.app.read("contact", str(twin)) for twin in twins]
    assert [end.fields["email"] for end in ends if end is not None] == [
        "other@firm.example",
        f"{first}@firm.example",
    ]
