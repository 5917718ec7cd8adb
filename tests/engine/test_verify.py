"""Rolling verification: what a feed never told is found, counted and put right (R10)."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

import pytest
from msgspec import structs
from tests.engine.crashes import Crash, calm
from tests.engine.stage import Stage
from tests.engine.test_deletes import BLIND, codes, drop, emails, pairs
from tests.engine.test_trouble import at_step

from twofold.core.health import State as Standing
from twofold.core.mappings import Deletes, Direction
from twofold.core.records import Side
from twofold.engine.braked import Braked
from twofold.engine.verify import Verified, verify_slice
from twofold.kit.memory import MemoryConnector


def slip(stage: Stage, side: Side, record_id: str, **changes: Any) -> None:
    """Something changes behind the back of the app's feed."""
    rows = stage.apps[side].table("contact").rows
    gone = bool(changes.pop("gone", False))
    row = rows[record_id]
    rows[record_id] = structs.replace(row, fields={**row.fields, **changes}, gone=gone)


async def verify(stage: Stage, **options: Any) -> Verified:
    connectors = {side: MemoryConnector.over(stage.apps[side]) for side in Side}
    return await verify_slice(
        stage.state, stage.world, stage.contacts, connectors, **{"within": None, **options}
    )


@pytest.mark.parametrize("side", list(Side))
async def test_what_a_feed_missed_is_found_counted_and_put_right(side: Side) -> None:
    stage = await pairs(12)
    record = stage.only_with(side, "3@firm.example")
    slip(stage, side, record.id, notes="never told")
    await calm(stage)
    assert "never told" not in stage.values(side.other, "notes")
    assert await verify(stage) == Verified(12, 1, ended=True)
    await calm(stage)
    assert stage.only_with(side.other, "3@firm.example").fields["notes"] == "never told"
    assert await verify(stage) == Verified(12, 0, ended=True)
    at = stage.state.verifications.of(stage.contacts)
    assert at is not None
    assert (at.checked, at.drift, at.position) == (24, 1, 0)


async def test_a_delete_that_a_feed_missed() -> None:
    stage = await pairs(12, deletes=Deletes.IGNORE)
    slip(stage, Side.APP, stage.only_with(Side.APP, "3@firm.example").id, gone=True)
    assert (await verify(stage)).drift == 1
    await calm(stage)
    assert codes(stage, Standing.EXCLUDED) == ["TF-X10"]


@pytest.mark.parametrize("facts", [{}, BLIND])
async def test_what_only_was_not_read_yet_is_no_drift(facts: dict[str, Any]) -> None:
    stage = await pairs(12, app=facts)
    twin = stage.only_with(Side.APP, "3@firm.example")
    stage.app.edit("contact", twin.id, {"notes": "just now"})
    drop(stage, Side.APP, 4)
    assert (await verify(stage)).drift == 0
    await calm(stage)
    assert stage.only_with(Side.HUB, "3@firm.example").fields["notes"] == "just now"


async def test_what_lags_is_drift_only_when_it_should_have_come() -> None:
    stage = await pairs(12, app={**BLIND, "lag": timedelta(minutes=5)})
    twin = stage.only_with(Side.APP, "3@firm.example")
    stage.world.time += timedelta(hours=1)
    stage.app.edit("contact", twin.id, {"notes": "in five minutes"})
    assert (await verify(stage)).drift == 0


async def test_what_a_rule_leaves_different_is_no_drift() -> None:
    stage = await pairs(12, direction=Direction.TO_APP)
    twin = stage.only_with(Side.APP, "3@firm.example")
    stage.app.edit("contact", twin.id, {"notes": "of the receiving side"})
    await calm(stage)
    writes = stage.writes()
    assert (await verify(stage)).drift == 0
    await calm(stage)
    assert stage.writes() == writes
    assert twin.id in {r.id for r in stage.app.all("contact") if r.fields.get("notes")}


async def test_a_write_that_nobody_has_on_a_list_is_owed() -> None:
    stage = await pairs(12)
    stage.hub.edit("contact", stage.only_with(Side.HUB, "3@firm.example").id, {"notes": "lost"})

    def forget() -> None:
        with stage.state.database.transaction() as db:
            db.execute("DELETE FROM due")

    at_step(stage, "hub page stored", forget)
    await stage.run()
    assert "lost" not in stage.values(Side.APP, "notes")
    assert (await verify(stage)).drift == 1
    await calm(stage)
    assert "lost" in stage.values(Side.APP, "notes")


async def test_the_time_that_passed_says_how_much_is_compared() -> None:
    stage = await pairs(48)
    day = timedelta(hours=24)
    assert await verify(stage, within=day) == Verified()
    checked = 0
    for _ in range(24):
        stage.world.time += timedelta(hours=1)
        part = await verify(stage, within=day)
        assert part.checked == 2
        checked += part.checked
    assert checked == 48
    assert await verify(stage, within=day) == Verified(), "no time has passed"
    stage.world.time += timedelta(days=30)
    assert (await verify(stage, within=day, most=10)).checked <= 10


async def test_a_kill_between_goes_on_where_it_was() -> None:
    stage = await pairs(150)
    slip(stage, Side.APP, stage.only_with(Side.APP, "149@firm.example").id, notes="missed")

    def kill() -> None:
        raise Crash

    at_step(stage, "verified", kill)
    with pytest.raises(Crash):
        await verify(stage)
    assert await verify(stage) == Verified(50, 1, ended=True)


async def test_a_side_that_shows_nothing_is_not_believed() -> None:
    stage = await pairs(12)
    for record in stage.app.all("contact"):
        slip(stage, Side.APP, record.id, gone=True)
    with pytest.raises(Braked):
        await verify(stage)
    assert len(emails(stage, Side.HUB)) == 12
    assert stage.counts().in_sync == 12
