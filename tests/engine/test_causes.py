"""What failed is tried again by itself when its cause is gone."""

from __future__ import annotations

from datetime import timedelta

from tests.engine.stage import Stage
from tests.engine.test_brakes import reshape
from tests.engine.test_trouble import calm, linked, trouble

from twofold.core.records import Side
from twofold.kit.contract import Status
from twofold.kit.memory import Items, Phase


async def _too_long(stage: Stage) -> None:
    """The app declares a limit that an edit of the hub is beyond."""
    reshape(stage, "notes", max_length=3)
    hub, _ = await linked(stage)
    await stage.run(schema_every=timedelta(hours=1))
    stage.hub.edit("contact", hub, {"notes": "far too long"})
    await calm(stage)
    assert stage.counts().failing == 1


async def test_what_an_app_takes_since_it_declares_more_is_tried_again_by_itself() -> None:
    stage = Stage()
    await _too_long(stage)
    reshape(stage, "notes", max_length=100)
    await calm(stage)
    assert stage.counts().failing == 1, "nobody has looked at what it declares"
    stage.world.time += timedelta(hours=2)
    await stage.run(schema_every=timedelta(hours=1))
    assert stage.counts().in_sync == 1
    assert stage.only(Side.APP).fields["notes"] == "far too long"


async def test_what_an_account_refused_is_tried_again_after_a_reconnect() -> None:
    stage = Stage()
    hub, _ = await linked(stage)
    trouble(stage.app, "push", Phase.BEFORE, Items({0: Status.INVALID}))
    stage.hub.edit("contact", hub, {"notes": "hello"})
    await calm(stage)
    assert stage.counts().failing == 1
    stage.state.syncs.reconnect(stage.connection, {}, b"")
    await stage.run()
    assert stage.only(Side.APP).fields["notes"] == "hello"
    assert stage.counts().in_sync == 1
