"""Deletes that travel, those that do not, and those that a person decides."""

from __future__ import annotations

from typing import Any

import pytest
from msgspec import structs
from tests.engine.crashes import Crash, at_every_step, calm
from tests.engine.stage import Stage
from tests.engine.test_trouble import at_step, trouble

from twofold.core.health import State as Standing
from twofold.core.mappings import Deletes, Direction
from twofold.core.records import Side
from twofold.core.schema import Feed, Op
from twofold.engine.run import Ending
from twofold.kit.contract import Status
from twofold.kit.errors import OutcomeUnknown, Unavailable
from twofold.kit.memory import Fail, Items, Phase
from twofold.store.errors import FenceLost
from twofold.store.types import Phase as RemovalPhase

BLIND: dict[str, Any] = {"feed": Feed.WATERMARK, "deletes": False}
ARCHIVES = frozenset({Op.CREATE, Op.UPDATE, Op.ARCHIVE})


async def pairs(number: int = 12, **options: Any) -> Stage:
    """Some linked pairs that agree."""
    stage = Stage(**{"deletes": Deletes.DELETE, **options})
    for n in range(number):
        stage.hub.create("contact", {"email": f"{n}@firm.example", "firstname": f"n{n}"})
    await stage.run_all()
    await stage.run_all()
    return stage


def drop(stage: Stage, side: Side, number: int = 0) -> str:
    """Somebody deletes the record of a pair; returns its id."""
    record = stage.only_with(side, f"{number}@firm.example")
    stage.apps[side].delete("contact", record.id)
    return record.id


def emails(stage: Stage, side: Side) -> set[str]:
    return {str(value) for value in stage.values(side, "email")}


def codes(stage: Stage, state: Standing) -> list[str]:
    found = stage.state.outcomes.each(stage.contacts, state)
    return sorted(issue.code for outcome in found for issue in outcome.issues)


def answer(stage: Stage, phase: RemovalPhase) -> list[int]:
    """A person decides about everything that is asked; returns the links."""
    asked = stage.state.removals.open(stage.contacts, RemovalPhase.ASKED)
    now = stage.world.now().timestamp()
    return stage.state.removals.decide(
        stage.contacts, [row.hub for row in asked], phase, now, "ada"
    )


# --- policies -------------------------------------------------------------------------------


@pytest.mark.parametrize("side", list(Side))
@pytest.mark.parametrize("facts", [{}, BLIND, {"feed": Feed.SNAPSHOT, "deletes": False}])
async def test_a_delete_travels(side: Side, facts: dict[str, Any]) -> None:
    stage = await pairs(hub=facts, app=facts)
    drop(stage, side)
    await calm(stage)
    for where in Side:
        assert "0@firm.example" not in emails(stage, where)
    assert stage.counts().in_sync == stage.counts().total == 11


async def test_by_default_nothing_is_deleted_and_nothing_made_again() -> None:
    stage = await pairs(deletes=Deletes.IGNORE)
    drop(stage, Side.HUB)
    await calm(stage)
    assert "0@firm.example" in emails(stage, Side.APP)
    assert "0@firm.example" not in emails(stage, Side.HUB)
    assert codes(stage, Standing.EXCLUDED) == ["TF-X10"]
    stage.hub.create("contact", {"email": "0@firm.example"})  # a later one is matched afresh
    await calm(stage)
    assert stage.counts().total == 13


async def test_the_archive_policy_archives() -> None:
    stage = await pairs(deletes=Deletes.ARCHIVE, app={"ops": ARCHIVES})
    drop(stage, Side.HUB)
    outcome = await stage.run()
    assert outcome.counts["app archived"] == 1
    assert "0@firm.example" not in emails(stage, Side.APP)


@pytest.mark.parametrize("receiver", list(Side))
async def test_a_delete_on_the_receiving_side_does_not_travel(receiver: Side) -> None:
    direction = Direction.TO_HUB if receiver is Side.HUB else Direction.TO_APP
    stage = await pairs(direction=Direction.BOTH)
    config = "UPDATE syncs SET config = json_set(config, '$.direction', ?)"
    with stage.state.database.transaction() as db:
        db.execute(config, (direction.value,))
    drop(stage, receiver)
    await calm(stage)
    assert "0@firm.example" in emails(stage, receiver.other)
    assert codes(stage, Standing.EXCLUDED) == ["TF-X10"]
    drop(stage, receiver.other, 1)
    await calm(stage)
    assert "1@firm.example" not in emails(stage, receiver)


async def test_a_record_that_its_filter_held_back_sends_no_delete() -> None:
    stage = await pairs(require_email=True)
    record = stage.only_with(Side.HUB, "0@firm.example")
    stage.hub.edit("contact", record.id, {"email": None})
    await stage.run()
    stage.hub.delete("contact", record.id)
    await calm(stage)
    assert "0@firm.example" in emails(stage, Side.APP)


# --- approval -------------------------------------------------------------------------------


async def test_a_twin_that_was_edited_goes_only_with_a_yes() -> None:
    stage = await pairs()
    twin = stage.only_with(Side.APP, "0@firm.example")
    drop(stage, Side.HUB)
    stage.app.edit("contact", twin.id, {"notes": "call her back"})
    await calm(stage)
    assert "0@firm.example" in emails(stage, Side.APP)
    assert codes(stage, Standing.WAITING) == ["TF-D03"]
    assert stage.counts().waiting == 1
    assert len(answer(stage, RemovalPhase.APPROVED)) == 1
    await calm(stage)
    assert "0@firm.example" not in emails(stage, Side.APP)
    assert stage.counts().total == 11


@pytest.mark.parametrize("step", ["app pulled", "app looked before removals", "removals noted"])
async def test_an_edit_right_before_the_delete_is_seen(step: str) -> None:
    stage = await pairs()
    twin = stage.only_with(Side.APP, "0@firm.example")
    drop(stage, Side.HUB)
    at_step(stage, step, lambda: stage.app.edit("contact", twin.id, {"notes": "wait"}))
    await calm(stage)
    assert "0@firm.example" in emails(stage, Side.APP)
    assert codes(stage, Standing.WAITING) == ["TF-D03"]


async def test_every_delete_is_asked_under_the_approval_policy() -> None:
    stage = await pairs(deletes=Deletes.APPROVE)
    drop(stage, Side.HUB, 0)
    drop(stage, Side.APP, 1)
    await calm(stage)
    assert codes(stage, Standing.WAITING) == ["TF-D02", "TF-D02"]
    answer(stage, RemovalPhase.APPROVED)
    await calm(stage)
    for side in Side:
        assert emails(stage, side).isdisjoint({"0@firm.example", "1@firm.example"})


async def test_what_moved_since_the_yes_is_asked_again() -> None:
    stage = await pairs(deletes=Deletes.APPROVE)
    twin = stage.only_with(Side.APP, "0@firm.example")
    drop(stage, Side.HUB)
    await stage.run()
    answer(stage, RemovalPhase.APPROVED)
    stage.app.edit("contact", twin.id, {"notes": "not so fast"})
    await calm(stage)
    assert "0@firm.example" in emails(stage, Side.APP)
    assert codes(stage, Standing.WAITING) == ["TF-D03"]


async def test_a_no_is_remembered() -> None:
    stage = await pairs(deletes=Deletes.APPROVE)
    drop(stage, Side.HUB)
    await stage.run()
    answer(stage, RemovalPhase.REJECTED)
    await calm(stage)
    stage.app.edit("contact", stage.only_with(Side.APP, "0@firm.example").id, {"notes": "new"})
    await calm(stage)
    assert "0@firm.example" in emails(stage, Side.APP)
    assert codes(stage, Standing.EXCLUDED) == ["TF-D04"]
    assert answer(stage, RemovalPhase.APPROVED) == []


# --- coming back ----------------------------------------------------------------------------


@pytest.mark.parametrize("deletes", [Deletes.IGNORE, Deletes.APPROVE])
async def test_a_record_that_comes_back_rejoins_its_twin(deletes: Deletes) -> None:
    stage = await pairs(deletes=deletes)
    lost = drop(stage, Side.HUB)
    await stage.run()
    stage.hub.restore("contact", lost)
    twin = stage.only_with(Side.APP, "0@firm.example")
    stage.app.edit("contact", twin.id, {"notes": "edited meanwhile"})
    await calm(stage)
    assert stage.only_with(Side.HUB, "0@firm.example").fields["notes"] == "edited meanwhile"
    assert stage.counts().in_sync == stage.counts().total == 12
    assert answer(stage, RemovalPhase.APPROVED) == []


@pytest.mark.parametrize("step", ["hub pulled", "hub looked before removals"])
async def test_who_comes_back_before_the_delete_stops_it(step: str) -> None:
    stage = await pairs()
    lost = drop(stage, Side.HUB)
    at_step(stage, step, lambda: stage.hub.restore("contact", lost))
    await stage.run()
    deleted = "0@firm.example" not in emails(stage, Side.APP)
    assert deleted is (step == "hub looked before removals"), "the look is the last moment"
    await calm(stage)
    assert stage.counts().in_sync == stage.counts().total == 12


@pytest.mark.parametrize("idempotent", [False, True])
async def test_who_comes_back_after_the_delete_gets_a_new_twin(idempotent: bool) -> None:
    stage = await pairs(app={"idempotent": idempotent})
    lost = drop(stage, Side.HUB)
    await stage.run()
    stage.hub.restore("contact", lost)
    await calm(stage)
    for side in Side:
        assert "0@firm.example" in emails(stage, side)
    assert stage.counts().in_sync == stage.counts().total == 12


async def test_who_comes_back_while_nobody_knows_of_the_delete_is_not_deleted() -> None:
    """We removed the twin, were killed, and the twin's app tells of deletes only by listings."""
    stage = await pairs(app=BLIND)
    lost = drop(stage, Side.HUB)

    def kill() -> None:
        raise Crash

    at_step(stage, "app pushed", kill)
    with pytest.raises(Crash):
        await stage.run()
    assert "0@firm.example" not in emails(stage, Side.APP)
    stage.hub.restore("contact", lost)
    await stage.run()
    await calm(stage)
    for side in Side:
        assert "0@firm.example" in emails(stage, side)
    assert stage.counts().in_sync == stage.counts().total == 12


async def test_deleted_on_both_sides_and_taken_back_on_one() -> None:
    stage = await pairs()
    lost = drop(stage, Side.HUB)
    drop(stage, Side.APP)
    await calm(stage)
    stage.hub.restore("contact", lost)
    await calm(stage)
    assert stage.counts().in_sync == stage.counts().total == 12


# --- trouble --------------------------------------------------------------------------------


@pytest.mark.parametrize("phase", list(Phase))
async def test_a_delete_without_an_answer_is_looked_at(phase: Phase) -> None:
    stage = await pairs()
    drop(stage, Side.HUB)
    trouble(stage.app, "push", phase, Fail(OutcomeUnknown("app", "cut")))
    await stage.run()
    await calm(stage)
    assert "0@firm.example" not in emails(stage, Side.APP)
    assert stage.counts().in_sync == stage.counts().total == 11
    assert stage.app.writes == 13


@pytest.mark.parametrize(
    "fault",
    [Fail(Unavailable("app", "down")), Items({0: Status.RETRY}), Items({0: Status.UNKNOWN})],
)
async def test_a_delete_that_could_not_be_sent_is_sent_later(fault: Fail | Items) -> None:
    stage = await pairs()
    drop(stage, Side.HUB)
    trouble(stage.app, "push", Phase.BEFORE, fault)
    await stage.run()
    assert "0@firm.example" in emails(stage, Side.APP)
    await calm(stage)
    assert "0@firm.example" not in emails(stage, Side.APP)


async def test_what_the_app_refuses_to_delete_is_failing() -> None:
    stage = await pairs()
    table = stage.app.table("contact")
    table.kind = structs.replace(table.kind, ops=frozenset({Op.CREATE, Op.UPDATE}))
    drop(stage, Side.HUB)
    await calm(stage)
    assert codes(stage, Standing.FAILING) == ["TF-D05"]
    assert stage.counts().failing == 1


async def test_who_is_taken_over_deletes_nothing() -> None:
    stage = await pairs()
    drop(stage, Side.HUB)
    at_step(stage, "removals noted", lambda: stage.state.syncs.claim(stage.contacts))
    with pytest.raises(FenceLost):
        await stage.run()
    assert "0@firm.example" in emails(stage, Side.APP)
    await calm(stage)
    assert "0@firm.example" not in emails(stage, Side.APP)


@pytest.mark.parametrize("side", list(Side))
async def test_a_kill_at_any_moment_loses_no_delete_and_deletes_nothing_else(side: Side) -> None:
    async def scene() -> Stage:
        stage = await pairs()
        drop(stage, side, 0)
        drop(stage, side, 1)
        twin = stage.only_with(side.other, "1@firm.example")
        stage.apps[side.other].edit("contact", twin.id, {"notes": "keep"})
        return stage

    def check(stage: Stage) -> None:
        assert "0@firm.example" not in emails(stage, side.other)
        assert "1@firm.example" in emails(stage, side.other)
        assert codes(stage, Standing.WAITING) == ["TF-D03"]
        assert (stage.counts().in_sync, stage.counts().total) == (10, 11)

    assert await at_every_step(scene, check) > 8


# --- a write without an answer, and its pair lost an end ------------------------------------------


@pytest.mark.parametrize("gone", list(Side))
async def test_a_note_of_a_pair_that_lost_an_end_costs_nothing_and_stays(gone: Side) -> None:
    stage = await pairs(deletes=Deletes.IGNORE, hub={"idempotent": False})
    record = stage.only_with(Side.HUB, "3@firm.example")
    twin = stage.only_with(Side.APP, "3@firm.example")
    stage.hub.edit("contact", record.id, {"notes": "ours"})
    pushes = stage.app.called("push")
    stage.app.fault = lambda call: (
        Fail(OutcomeUnknown("app", "scripted"))
        if stage.app.called("push") > pushes and call.phase is Phase.AFTER
        else Fail(Unavailable("app", "scripted"))
        if stage.app.called("push") > pushes and call.name != "push"
        else None
    )
    await stage.run()
    assert stage.state.links.noted(stage.contacts), "it is not known whether it arrived"
    stage.app.fault = None
    lost = record if gone is Side.HUB else twin
    stage.apps[gone].delete("contact", lost.id)
    for _ in range(3):
        await stage.run()
    stage.watch()
    looks = {side: stage.apps[side].called("get") for side in Side}
    outcome = await stage.run(most_chunks=1)
    assert outcome.ending is Ending.DONE, "there is nothing to do again and again"
    assert stage.rewritten() == []
    assert {side: stage.apps[side].called("get") for side in Side} == looks
    stage.apps[gone].restore("contact", lost.id)
    await calm(stage)
    assert stage.only_with(Side.APP, "3@firm.example").fields["notes"] == "ours"
    assert stage.counts().in_sync == 12
