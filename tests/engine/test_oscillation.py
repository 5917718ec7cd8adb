"""Two apps that keep rewriting each other's value: frozen, told, and let go by a person (R5)."""

from __future__ import annotations

from tests.engine.crashes import calm
from tests.engine.stage import Stage
from tests.engine.test_deletes import codes

from twofold.core.health import State as Standing
from twofold.core.records import Side
from twofold.core.values import Value
from twofold.engine.run import Ending

ADA = {"email": "ada@firm.example", "firstname": "Ada"}


def habit(stage: Stage, side: Side) -> Value:
    """An automation of that app: names in capitals in the hub, in small letters in the app."""
    record = stage.only(side)
    name = str(record.fields["firstname"])
    wanted = name.upper() if side is Side.HUB else name.lower()
    if wanted != name:
        stage.apps[side].edit("contact", record.id, {"firstname": wanted})
    return wanted


async def quarrel(stage: Stage, rounds: int = 12) -> int:
    """Both automations at work; returns how often we wrote."""
    before = stage.writes()
    for _ in range(rounds):
        for side in Side:
            habit(stage, side)
            await stage.run()
    return stage.writes() - before


async def quarreling() -> Stage:
    stage = Stage()
    stage.hub.create("contact", ADA)
    await calm(stage)
    return stage


async def test_it_ends_after_the_third_flip_and_both_values_are_shown() -> None:
    stage = await quarreling()
    assert await quarrel(stage) < 10
    assert await quarrel(stage) == 0
    assert (stage.counts().failing, codes(stage, Standing.FAILING)) == (1, ["TF-R10"])
    (outcome,) = stage.state.outcomes.each(stage.contacts, Standing.FAILING)
    (issue,) = outcome.issues
    assert issue.field == "firstname"
    assert "'ADA' in the hub" in issue.sentence
    assert "'ada' in the app" in issue.sentence


async def test_the_other_fields_still_travel() -> None:
    stage = await quarreling()
    await quarrel(stage)
    stage.hub.edit("contact", stage.only(Side.HUB).id, {"notes": "hello"})
    stage.app.edit("contact", stage.only(Side.APP).id, {"lastname": "Lovelace"})
    await quarrel(stage, 2)
    assert stage.only(Side.APP).fields["notes"] == "hello"
    assert stage.only(Side.HUB).fields["lastname"] == "Lovelace"
    assert stage.counts().failing == 1


async def test_a_person_lets_it_go_once_one_app_has_stopped() -> None:
    stage = await quarreling()
    await quarrel(stage)
    row = stage.state.outcomes.row_of(
        stage.state.syncs.get(stage.contacts).reader(Side.APP), stage.only(Side.APP).id
    )
    assert row is not None
    assert stage.state.links.unfreeze(stage.contacts, Side.APP, row) == ("firstname",)
    assert stage.state.links.unfreeze(stage.contacts, Side.APP, row) == ()
    for _ in range(4):
        habit(stage, Side.HUB)
        assert (await stage.run()).ending is Ending.DONE
    assert [stage.only(side).fields["firstname"] for side in Side] == ["ADA", "ADA"]
    assert stage.counts().in_sync == 1


async def test_equal_values_on_both_sides_end_it_too() -> None:
    stage = await quarreling()
    await quarrel(stage)
    for side in Side:
        stage.apps[side].edit("contact", stage.only(side).id, {"firstname": "Augusta"})
    await calm(stage)
    assert stage.counts().in_sync == 1
    stage.hub.edit("contact", stage.only(Side.HUB).id, {"firstname": "Ada"})
    await calm(stage)
    assert stage.only(Side.APP).fields["firstname"] == "Ada"
