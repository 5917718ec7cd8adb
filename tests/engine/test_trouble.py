"""One run meets one kind of trouble, and the next ones put it right."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from datetime import timedelta
from typing import Any

import pytest
from msgspec import structs
from tests.engine.stage import Stage

from twofold.core.records import Record, Side
from twofold.core.schema import Feed
from twofold.engine.run import run_slice
from twofold.kit.contract import Batch, Status
from twofold.kit.errors import OutcomeUnknown, Unavailable
from twofold.kit.memory import (
    Call,
    Fail,
    Fault,
    Habits,
    Items,
    Meanwhile,
    MemoryApp,
    MemoryConnector,
    Phase,
)
from twofold.store.errors import FenceLost

ADA = {"email": "ada@firm.example"}
KEYLESS = {"firstname": "Ada", "notes": "no address"}
UNSURE: dict[str, Any] = {"idempotent": False, "keys": ()}
"""An app that makes a record twice when asked twice, and cannot be asked by a key."""
LAGGING: dict[str, Any] = {
    "feed": Feed.WATERMARK,
    "deletes": False,
    "lag": timedelta(minutes=1),
}
LOST = Fail(OutcomeUnknown("app", "cut"))


def trouble(app: MemoryApp, name: str, phase: Phase, fault: Fault) -> None:
    """The next call of that name meets this, and no other."""

    def script(call: Call) -> Fault | None:
        if (call.name, call.phase) != (name, phase):
            return None
        app.fault = None
        return fault

    app.fault = script


def at_step(stage: Stage, step: str, act: Callable[[], object]) -> None:
    """Somebody acts between two effects, once."""
    plain = stage.world.step

    def watched(what: str) -> None:
        plain(what)
        if what == step:
            stage.world.step = plain  # type: ignore[method-assign]
            act()

    stage.world.step = watched  # type: ignore[method-assign]


async def linked(stage: Stage, **fields: str) -> tuple[str, str]:
    """A pair that agrees; returns its ids."""
    stage.hub.create("contact", {**ADA, **fields})
    await stage.run_all()
    await stage.run_all()
    return stage.only(Side.HUB).id, stage.only(Side.APP).id


async def calm(stage: Stage) -> None:
    """Everything that is left to do is done."""
    for _ in range(3):
        stage.world.time += timedelta(minutes=10)
        await stage.run_all()


# --- updates --------------------------------------------------------------------------------


async def test_an_edit_that_could_not_be_sent_is_sent_later() -> None:
    stage = Stage()
    hub, _ = await linked(stage)
    stage.hub.edit("contact", hub, {"notes": "hello"})
    trouble(stage.app, "push", Phase.BEFORE, Fail(Unavailable("app", "down")))
    await stage.run()
    assert stage.only(Side.APP).fields.get("notes") is None
    assert stage.counts().waiting == 1
    await calm(stage)
    assert stage.only(Side.APP).fields["notes"] == "hello"
    assert stage.counts().in_sync == 1


async def test_a_write_that_the_app_puts_off_is_tried_again_by_itself() -> None:
    stage = Stage()
    hub, _ = await linked(stage)
    stage.hub.edit("contact", hub, {"notes": "hello"})
    trouble(stage.app, "push", Phase.BEFORE, Items({0: Status.RETRY}))
    await stage.run()
    assert stage.only(Side.APP).fields.get("notes") is None
    await stage.run()  # its time has not come
    assert stage.only(Side.APP).fields.get("notes") is None
    stage.world.time += timedelta(minutes=2)
    await stage.run()
    assert stage.only(Side.APP).fields["notes"] == "hello"


@pytest.mark.parametrize("fields", [{}, {"notes": "taken"}], ids=["alone", "with another field"])
async def test_a_refused_value_is_sent_once_the_app_takes_it(fields: dict[str, str]) -> None:
    """What was refused is no agreement: the edit still counts as one."""
    stage = Stage()
    hub, _ = await linked(stage)
    stage.tighten("phone", 4)
    stage.hub.edit("contact", hub, {"phone": "+31201234567", **fields})
    await stage.run()
    assert stage.counts().failing == 1
    stage.tighten("phone", 40)
    stage.hub.edit("contact", hub, {"lastname": "Lovelace"})
    await stage.run()
    assert stage.only(Side.APP).fields["phone"] == "+31201234567"
    assert stage.counts().in_sync == 1


async def test_where_an_app_compares_nothing_an_edit_right_before_our_write_is_seen() -> None:
    stage = Stage(app={"conditional": False}, default_side=Side.APP)
    hub, app = await linked(stage)
    stage.hub.edit("contact", hub, {"notes": "hub"})
    at_step(stage, "noted", lambda: stage.app.edit("contact", app, {"notes": "app"}))
    await stage.run()
    await calm(stage)
    assert [stage.only(side).fields["notes"] for side in Side] == ["app", "app"]


async def test_an_edit_between_our_write_and_our_look_travels() -> None:
    stage = Stage(app_habits=Habits(stored=False))
    hub, app = await linked(stage)
    stage.hub.edit("contact", hub, {"notes": "ours"})
    edit = Meanwhile(lambda: stage.app.edit("contact", app, {"notes": "theirs"}))
    trouble(stage.app, "get", Phase.BEFORE, edit)
    await stage.run()
    await calm(stage)
    assert [stage.only(side).fields["notes"] for side in Side] == ["theirs", "theirs"]


@pytest.mark.parametrize("stored", [True, False])
async def test_what_an_app_makes_of_our_value_is_nobodys_edit(stored: bool) -> None:
    habits = Habits(stored=stored, rewrite={"firstname": lambda value: str(value).upper()})
    stage = Stage(app_habits=habits, default_side=Side.APP)
    hub, _ = await linked(stage)
    stage.hub.edit("contact", hub, {"firstname": "Ada"})
    await stage.run()
    await calm(stage)
    assert [stage.only(side).fields["firstname"] for side in Side] == ["Ada", "ADA"]
    stage.hub.edit("contact", hub, {"firstname": "Bea"})  # and the next edit is an edit
    await stage.run()
    await calm(stage)
    assert [stage.only(side).fields["firstname"] for side in Side] == ["Bea", "BEA"]


async def test_our_own_write_is_no_edit_when_the_next_one_comes() -> None:
    """Before the app's feed has told of our write, the hub is edited again."""
    stage = Stage(default_side=Side.APP)
    hub, _ = await linked(stage, notes="zero")
    for value in ("one", "two", "three"):
        stage.hub.edit("contact", hub, {"notes": value})
        await stage.run()
        assert [stage.only(side).fields["notes"] for side in Side] == [value, value]


async def test_a_second_note_does_not_hide_that_the_first_write_arrived() -> None:
    stage = Stage(default_side=Side.APP)
    hub, _ = await linked(stage, notes="zero")
    stage.hub.edit("contact", hub, {"notes": "one"})
    trouble(stage.app, "push", Phase.AFTER, LOST)  # it arrived, and nobody said so
    await stage.run()
    stage.hub.edit("contact", hub, {"notes": "two"})
    trouble(stage.app, "push", Phase.BEFORE, LOST)  # this one did not
    await stage.run()
    await calm(stage)
    assert [stage.only(side).fields["notes"] for side in Side] == ["two", "two"]


async def test_who_is_taken_over_between_note_and_write_does_not_write() -> None:
    stage = Stage()
    hub, _ = await linked(stage)
    stage.hub.edit("contact", hub, {"notes": "hello"})
    writes = stage.app.writes
    at_step(stage, "noted", lambda: stage.state.syncs.claim(stage.contacts))
    with pytest.raises(FenceLost):
        await stage.run()
    assert stage.app.writes == writes
    await calm(stage)
    assert stage.only(Side.APP).fields["notes"] == "hello"


# --- creates --------------------------------------------------------------------------------


@pytest.mark.parametrize("phase", list(Phase))
async def test_a_record_without_any_key_is_made_once(phase: Phase) -> None:
    stage = Stage(app=UNSURE)
    stage.hub.create("contact", KEYLESS)
    trouble(stage.app, "push", phase, LOST)
    await stage.run()
    await calm(stage)
    assert stage.only(Side.APP).fields["notes"] == "no address"
    assert stage.counts().in_sync == stage.counts().total == 1


async def test_what_a_lagging_feed_does_not_show_yet_may_have_been_made() -> None:
    stage = Stage(app=UNSURE | LAGGING)
    stage.hub.create("contact", KEYLESS)
    trouble(stage.app, "push", Phase.AFTER, LOST)
    for _ in range(3):
        await stage.run()
        stage.world.time += timedelta(seconds=5)
    await calm(stage)
    assert stage.only(Side.APP).fields["notes"] == "no address"
    assert stage.counts().in_sync == stage.counts().total == 1


async def test_a_stranger_who_looks_alike_is_not_what_we_made() -> None:
    stage = Stage(app=UNSURE)
    fields = {"firstname": "Ada", "lastname": "Lovelace", "notes": "the same"}
    stage.hub.create("contact", {**ADA, **fields})
    trouble(stage.app, "push", Phase.BEFORE, LOST)
    at_step(
        stage,
        "settled",
        lambda: stage.app.create("contact", {"email": "other@firm.example", **fields}),
    )
    await stage.run()
    await calm(stage)
    for side in Side:
        assert stage.values(side, "email") == ["ada@firm.example", "other@firm.example"]


# --- listings -------------------------------------------------------------------------------


class Forgetful(MemoryConnector):
    """Its listings leave out a record that exists, as offset pages do while rows move."""

    forgets = ""

    async def pull(
        self, obj: str, cursor: str | None, fields: Sequence[str], associations: Sequence[str] = ()
    ) -> Batch:
        batch = await super().pull(obj, cursor, fields, associations)
        kept = [n for n, record_id in enumerate(batch.ids) if record_id != self.forgets]
        return structs.replace(
            batch,
            ids=[batch.ids[n] for n in kept],
            digests=[batch.digests[n] for n in kept],
            versions=[batch.versions[n] for n in kept],
            decode=lambda wanted: batch.decode([kept[n] for n in wanted]),
        )


async def test_what_a_listing_missed_is_gone_only_when_a_look_says_so() -> None:
    stage = Stage(app={"feed": Feed.SNAPSHOT, "deletes": False})
    for n in range(3):
        stage.hub.create("contact", {"email": f"{n}@firm.example"})
    await stage.run_all()
    missed, deleted, _ = stage.app.all("contact")

    async def listed(forgets: Record) -> tuple[int, int]:
        app = Forgetful.over(stage.app)
        app.forgets = forgets.id
        connectors = {Side.HUB: MemoryConnector.over(stage.hub), Side.APP: app}
        await run_slice(stage.state, stage.world, stage.contacts, connectors)
        return stage.counts().in_sync, stage.counts().excluded

    assert await listed(missed) == (3, 0)
    stage.app.delete("contact", deleted.id)
    assert await listed(missed) == (2, 1)


async def test_what_left_between_a_listing_and_the_look_hides_no_other_that_left() -> None:
    stage = Stage(app={"feed": Feed.SNAPSHOT, "deletes": False}, app_habits=Habits(bodies=False))
    for n in range(3):
        stage.hub.create("contact", {"email": f"{n}@firm.example"})
    await stage.run_all()
    listed, absent, _ = stage.app.all("contact")
    stage.app.delete("contact", absent.id)
    stage.app.edit("contact", listed.id, {"firstname": "Edited"})
    at_step(stage, "app pulled", lambda: stage.app.delete("contact", listed.id))
    await stage.run_all()
    assert (stage.counts().in_sync, stage.counts().excluded) == (1, 2)


@pytest.mark.parametrize("gone", list(Side))
async def test_two_that_met_and_were_not_written_yet_are_both_remembered(gone: Side) -> None:
    """The look before a create failed: nothing of the pair is stored, and one of them leaves."""
    stage = Stage()
    stage.hub.create("contact", {"email": "new@firm.example"})
    pair = {side: stage.apps[side].create("contact", {**ADA, "notes": side}) for side in Side}
    trouble(stage.app, "get", Phase.BEFORE, Fail(Unavailable("app", "scripted")))
    await stage.run()
    assert stage.counts().in_sync == 0
    stage.apps[gone].delete("contact", pair[gone])
    await calm(stage)
    assert stage.counts().in_sync == stage.counts().total == 2
    assert stage.counts().waiting == 0
