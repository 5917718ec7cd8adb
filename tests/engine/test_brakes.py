"""Brakes: each pauses before the first effect it warns of, and goes on by a person's word."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

import pytest
from msgspec import structs
from tests.engine.crashes import calm
from tests.engine.stage import Stage
from tests.engine.test_deletes import drop, emails, pairs

from twofold.core.guards import BrakeName, brake_of
from twofold.core.mappings import Brakes, Deletes
from twofold.core.records import Side
from twofold.core.schema import Feed
from twofold.core.values import Kind
from twofold.engine.run import Ending, SliceOutcome


def braked(outcome: SliceOutcome) -> BrakeName | None:
    if outcome.ending is not Ending.STOPPED:
        return None
    assert outcome.status.needs_person
    return brake_of(outcome.status.code)


def override(stage: Stage, brake: BrakeName) -> None:
    """A person says yes to what the sync is paused by."""
    status = stage.state.syncs.get(stage.contacts).status
    assert brake_of(status.code) is brake
    now = stage.world.now().timestamp()
    stage.state.brakes.override(stage.contacts, brake, status, now, "ada")


# --- deletes --------------------------------------------------------------------------------


@pytest.mark.parametrize("policy", [Deletes.DELETE, Deletes.APPROVE, Deletes.IGNORE])
async def test_more_than_a_fifth_deleted_is_asked_before_the_first(policy: Deletes) -> None:
    stage = await pairs(12, deletes=policy)
    for n in range(3):
        drop(stage, Side.HUB, n)
    outcome = await stage.run()
    assert braked(outcome) is (BrakeName.DELETES if policy is Deletes.DELETE else None)
    assert len(emails(stage, Side.APP)) == 12


async def test_what_a_brake_held_goes_on_where_it_was() -> None:
    stage = await pairs(12)
    for n in range(3):
        drop(stage, Side.HUB, n)
    stage.hub.edit("contact", stage.only_with(Side.HUB, "5@firm.example").id, {"notes": "new"})
    assert braked(await stage.run()) is BrakeName.DELETES
    assert "3 of 12" in stage.state.syncs.get(stage.contacts).status.sentence
    assert stage.only_with(Side.APP, "5@firm.example").fields["notes"] == "new", "others go on"
    assert braked(await stage.run()) is BrakeName.DELETES, "until somebody says so"
    assert stage.counts().waiting == 3
    override(stage, BrakeName.DELETES)
    await calm(stage)
    assert len(emails(stage, Side.APP)) == 9
    (said,) = stage.state.brakes.history(stage.contacts)
    assert (said.brake, said.number, said.who) == ("deletes", 3, "ada")
    assert said.used is not None
    for n in range(3, 6):
        drop(stage, Side.HUB, n)
    assert braked(await stage.run()) is BrakeName.DELETES, "a yes is for one time"


async def test_a_yes_to_three_is_none_to_five() -> None:
    stage = await pairs(12)
    for n in range(3):
        drop(stage, Side.HUB, n)
    await stage.run()
    override(stage, BrakeName.DELETES)
    for n in range(3, 5):
        drop(stage, Side.HUB, n)
    assert braked(await stage.run()) is BrakeName.DELETES
    assert len(emails(stage, Side.APP)) == 12


@pytest.mark.parametrize("deleted", [2, 4])
async def test_what_is_few_or_within_the_limit_is_not_asked(deleted: int) -> None:
    stage = await pairs(3 if deleted == 2 else 20)
    for n in range(deleted):
        drop(stage, Side.HUB, n)
    assert braked(await stage.run()) is None
    assert len(emails(stage, Side.APP)) == (1 if deleted == 2 else 16)


async def test_the_limit_is_the_syncs_own() -> None:
    stage = await pairs(20, brakes=Brakes(deletes=0.1))
    for n in range(3):
        drop(stage, Side.HUB, n)
    assert braked(await stage.run()) is BrakeName.DELETES


# --- creates and changes ----------------------------------------------------------------------


async def rested(number: int = 120, **options: Any) -> Stage:
    stage = await pairs(number, **options)
    assert stage.counts().in_sync == number
    return stage


async def test_far_more_new_records_than_expected() -> None:
    stage = await rested(20)
    for n in range(101):
        stage.app.create("contact", {"email": f"new{n}@firm.example"})
    before = stage.writes()
    assert braked(await stage.run()) is BrakeName.CREATES
    assert stage.writes() == before, "not one was made"
    assert stage.counts().waiting == 101
    override(stage, BrakeName.CREATES)
    await calm(stage)
    assert stage.counts().in_sync == stage.counts().total == 121


async def test_far_more_changes_than_expected() -> None:
    stage = await rested(120)
    for record in stage.hub.all("contact")[:101]:
        stage.hub.edit("contact", record.id, {"notes": "the same slip everywhere"})
    before = stage.writes()
    assert braked(await stage.run()) is BrakeName.CHANGES
    assert stage.writes() == before
    override(stage, BrakeName.CHANGES)
    await calm(stage)
    assert stage.values(Side.APP, "notes").count("the same slip everywhere") == 101


async def test_a_first_sync_and_what_needs_no_write_are_expected() -> None:
    stage = Stage()
    for n in range(150):
        stage.hub.create("contact", {"email": f"{n}@firm.example"})
    first = await stage.run(most_chunks=1)
    assert first.ending is Ending.MORE
    assert braked(await stage.run()) is None
    for side in Side:
        for record in stage.apps[side].all("contact"):
            stage.apps[side].edit("contact", record.id, {"notes": "on both sides"})
    assert braked(await stage.run()) is None


# --- a side that is suddenly empty --------------------------------------------------------------


async def test_an_empty_side_goes_on_by_a_yes_that_is_recorded() -> None:
    stage = await pairs(12, app={"feed": Feed.SNAPSHOT, "deletes": False}, deletes=Deletes.IGNORE)
    for n in range(12):
        drop(stage, Side.APP, n)
    assert braked(await stage.run()) is BrakeName.SIDE_EMPTY
    override(stage, BrakeName.SIDE_EMPTY)
    assert braked(await stage.run()) is None
    assert stage.counts().excluded == 12
    assert len(emails(stage, Side.HUB)) == 12


# --- the schema -----------------------------------------------------------------------------


HOURLY = timedelta(hours=1)


def reshape(stage: Stage, field: str, **changes: Any) -> None:
    """The app changes a field of its contacts, or drops it."""
    table = stage.app.table("contact")
    fields = [
        structs.replace(f, **changes) if f.name == field else f
        for f in table.kind.fields
        if f.name != field or changes
    ]
    table.kind = structs.replace(table.kind, fields=tuple(fields))
    stage.app.types = tuple(table.kind if t.name == "contact" else t for t in stage.app.types)


@pytest.mark.parametrize("every", [HOURLY, None])
async def test_a_mapped_field_that_is_gone(every: timedelta | None) -> None:
    stage = await pairs()
    stage.world.time += timedelta(hours=2)
    reshape(stage, "notes")
    stage.hub.edit("contact", stage.hub.all("contact")[0].id, {"notes": "x", "lastname": "y"})
    before = stage.writes()
    outcome = await stage.run(schema_every=every)
    assert braked(outcome) is BrakeName.FIELD_GONE
    assert "notes" in outcome.status.sentence
    assert stage.writes() == before


async def test_a_mapped_field_of_another_kind() -> None:
    stage = await pairs()
    assert braked(await stage.run(schema_every=HOURLY)) is None
    reshape(stage, "notes", kind=Kind.INT)
    assert braked(await stage.run(schema_every=HOURLY)) is None, "not yet an hour later"
    stage.world.time += timedelta(hours=2)
    outcome = await stage.run(schema_every=HOURLY)
    assert braked(outcome) is BrakeName.FIELD_CHANGED
    assert "notes was text and is int" in outcome.status.sentence


async def test_a_field_that_nobody_maps_may_go() -> None:
    stage = await pairs()
    stage.world.time += timedelta(hours=2)
    reshape(stage, "website")
    assert braked(await stage.run(schema_every=HOURLY)) is None
