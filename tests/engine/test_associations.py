"""Associations through real runs: the primary one alone, and all with their labels (A1–A5)."""

from __future__ import annotations

import pytest
from msgspec import structs
from tests.engine.stage import Stage
from tests.engine.test_trouble import LOST, trouble

from twofold.core.mappings import Direction, Targets
from twofold.core.records import Record, Side, Target
from twofold.core.schema import ObjectType
from twofold.engine.edit import Edit
from twofold.kit.memory import Call, Fault, Phase

ADA = {"email": "ada@firm.example"}


def firms(stage: Stage, side: Side, *names: str) -> list[str]:
    return [stage.apps[side].create("company", {"name": name}) for name in names]


def names(stage: Stage, side: Side, record: Record) -> dict[str, tuple[bool, tuple[str, ...]]]:
    """The companies of a person by name: whether it is the primary one, and its labels."""
    found = {}
    for target in record.associations.get("company", ()):
        company = stage.apps[side].read("company", target.id)
        assert company is not None
        found[str(company.fields["name"])] = (target.primary, target.labels)
    return found


def both(stage: Stage) -> dict[str, tuple[bool, tuple[str, ...]]]:
    """What both sides show, which must be the same."""
    ours, theirs = (names(stage, side, stage.only(side)) for side in Side)
    assert ours == theirs
    return ours


def relate(stage: Stage, side: Side, name: str, *labels: str, primary: bool = False) -> None:
    app = stage.apps[side]
    (firm,) = (r.id for r in app.all("company") if r.fields["name"] == name)
    app.associate("contact", stage.only(side).id, "company", Target(firm, primary, labels))


def end(stage: Stage, side: Side, name: str) -> None:
    app = stage.apps[side]
    (firm,) = (r.id for r in app.all("company") if r.fields["name"] == name)
    app.dissociate("contact", stage.only(side).id, "company", firm)


async def rests(stage: Stage) -> None:
    await stage.run_all()
    writes = stage.writes()
    stage.watch()
    await stage.run_all()
    assert stage.writes() == writes
    assert [w for w in stage.rewritten() if w != "UPDATE records"] == []
    assert stage.counts().waiting == stage.counts().failing == 0


async def all_of_three() -> Stage:
    stage = Stage(with_companies=True, targets=Targets.ALL)
    one, two, three = firms(stage, Side.HUB, "One", "Two", "Three")
    stage.hub.create(
        "contact",
        ADA,
        [
            ("company", Target(one, False, ("Adviser",))),
            ("company", Target(two, True)),
            ("company", Target(three)),
        ],
    )
    await stage.run_all()
    return stage


async def test_all_targets_travel_with_their_labels() -> None:
    stage = await all_of_three()
    assert both(stage) == {
        "One": (False, ("Adviser",)),
        "Two": (True, ()),
        "Three": (False, ()),
    }
    await rests(stage)


async def test_both_sides_change_different_ones() -> None:
    stage = await all_of_three()
    await stage.run_all()
    firms(stage, Side.APP, "Four")
    await stage.run_all()
    end(stage, Side.HUB, "Three")
    relate(stage, Side.HUB, "One", "Owner")
    relate(stage, Side.APP, "Four", "New", primary=True)
    await stage.run_all()
    assert both(stage) == {
        "One": (False, ("Adviser", "Owner")),
        "Two": (False, ()),
        "Four": (True, ("New",)),
    }
    await rests(stage)


async def test_a_removed_one_is_removed_and_a_late_one_is_made_late() -> None:
    stage = Stage(with_companies=True, targets=Targets.ALL)
    one, two = firms(stage, Side.HUB, "One", "Two")
    ties = [("company", Target(one)), ("company", Target(two, labels=("Adviser",)))]
    stage.hub.create("contact", ADA, ties)
    await stage.run(stage.contacts)  # before the companies: they wait
    assert names(stage, Side.APP, stage.only(Side.APP)) == {}
    assert sum(stage.state.outcomes.waits(stage.contacts).values()) == 2
    await stage.run_all()
    assert set(both(stage)) == {"One", "Two"}
    assert stage.state.outcomes.waits(stage.contacts) == {}
    end(stage, Side.APP, "Two")
    await stage.run_all()
    assert set(both(stage)) == {"One"}
    await rests(stage)


@pytest.mark.parametrize("direction", [Direction.TO_APP, Direction.TO_HUB])
async def test_one_way_never_writes_the_source(direction: Direction) -> None:
    stage = Stage(with_companies=True, targets=Targets.ALL, direction=direction)
    source = Side.HUB if direction is Direction.TO_APP else Side.APP
    one, _ = firms(stage, source, "One", "Two")
    stage.apps[source].create("contact", ADA, [("company", Target(one, primary=True))])
    await stage.run_all()
    relate(stage, source.other, "Two")
    relate(stage, source, "One", "Adviser")
    await stage.run_all()
    assert stage.apps[source].writes == 0
    received = names(stage, source.other, stage.only(source.other))
    assert set(received) == {"One", "Two"}
    assert received["One"][1] == ("Adviser",)
    end(stage, source, "One")
    await stage.run_all()
    assert set(names(stage, source.other, stage.only(source.other))) == {"Two"}
    assert stage.apps[source].writes == 0


class Killed(BaseException):
    """The process ended at this very instant."""


@pytest.mark.parametrize("phase", list(Phase))
async def test_a_crash_around_a_write_loses_no_target(phase: Phase) -> None:
    stage = await all_of_three()
    await stage.run_all()
    end(stage, Side.HUB, "Three")
    relate(stage, Side.APP, "Two", "Owner")
    done: list[str] = []

    def trouble(call: Call) -> Fault | None:
        if call.name == "push" and call.phase is phase and not done:
            done.append("killed")
            raise Killed
        return None

    stage.app.fault = trouble
    with pytest.raises(Killed):
        await stage.run()
    await stage.run_all()
    assert both(stage) == {"One": (False, ("Adviser",)), "Two": (True, ("Owner",))}
    await rests(stage)


async def test_a_crash_after_a_create_with_several_keeps_them() -> None:
    stage = Stage(with_companies=True, targets=Targets.ALL, app={"idempotent": True})
    one, two = firms(stage, Side.HUB, "One", "Two")
    await stage.run_all()
    ties = [("company", Target(one, True, ("Owner",))), ("company", Target(two))]
    stage.hub.create("contact", ADA, ties)
    done: list[str] = []

    def trouble(call: Call) -> Fault | None:
        if call.name == "push" and call.phase is Phase.AFTER and not done:
            done.append("killed")
            raise Killed
        return None

    stage.app.fault = trouble
    with pytest.raises(Killed):
        await stage.run()
    await stage.run_all()
    assert both(stage) == {"One": (True, ("Owner",)), "Two": (False, ())}
    await rests(stage)


async def test_an_app_without_labels_costs_the_hub_none() -> None:
    stage = Stage(with_companies=True, targets=Targets.ALL)
    _without_labels(stage)
    (one,) = firms(stage, Side.HUB, "One")
    stage.hub.create("contact", ADA, [("company", Target(one, True, ("Adviser",)))])
    await stage.run_all()
    stage.app.edit("contact", stage.only(Side.APP).id, {"notes": "x"})
    await stage.run_all()
    assert names(stage, Side.HUB, stage.only(Side.HUB)) == {"One": (True, ("Adviser",))}
    assert names(stage, Side.APP, stage.only(Side.APP)) == {"One": (True, ())}
    await rests(stage)


def _without_labels(stage: Stage) -> None:
    """The app's contacts, as the sync knows them, have ties without labels."""
    sync = stage.state.syncs.get(stage.contacts)
    kind: ObjectType = sync.rules.app
    plain = tuple(structs.replace(a, labels=False) for a in kind.associations)
    rules = structs.replace(sync.rules, app=structs.replace(kind, associations=plain))
    Edit(stage.state, stage.world, sync, rules).save()


# --- the primary one alone ------------------------------------------------------------------------


async def test_several_without_a_primary_one_remove_nothing() -> None:
    stage = Stage(with_companies=True)
    (one,) = firms(stage, Side.HUB, "One")
    two = stage.hub.create("company", {"name": "Two"})
    person = stage.hub.create("contact", ADA, [("company", Target(one))])
    await stage.run_all()
    assert set(names(stage, Side.APP, stage.only(Side.APP))) == {"One"}
    stage.hub.associate("contact", person, "company", Target(two))
    await stage.run_all()
    assert set(names(stage, Side.APP, stage.only(Side.APP))) == {"One"}
    stage.hub.associate("contact", person, "company", Target(two, primary=True))
    await stage.run_all()
    assert names(stage, Side.APP, stage.only(Side.APP))["Two"][0]
    await rests(stage)


async def test_a_changed_company_becomes_primary_and_the_old_one_stays() -> None:
    stage = Stage(with_companies=True)
    firms(stage, Side.HUB, "One", "Two")
    await stage.run_all()
    stage.hub.create("contact", ADA)
    relate(stage, Side.HUB, "One", "Adviser", primary=True)
    await stage.run_all()
    end(stage, Side.APP, "One")
    relate(stage, Side.APP, "Two", primary=True)
    await stage.run_all()
    ours = names(stage, Side.HUB, stage.only(Side.HUB))
    assert ours == {"One": (False, ("Adviser",)), "Two": (True, ())}
    await rests(stage)


async def test_a_far_end_whose_twin_is_back_is_no_longer_waited_for() -> None:
    stage = Stage(with_companies=True)
    (firm,) = firms(stage, Side.HUB, "One")
    stage.hub.create("contact", ADA)
    await stage.run_all()
    (twin,) = (r.id for r in stage.app.all("company"))
    stage.app.delete("company", twin)
    await stage.run_all()
    stage.hub.associate("contact", stage.only(Side.HUB).id, "company", Target(firm, primary=True))
    await stage.run_all()
    assert names(stage, Side.APP, stage.only(Side.APP)) == {}
    stage.app.restore("company", twin)
    await stage.run_all()
    assert both(stage) == {"One": (True, ())}
    await rests(stage)


async def test_what_we_made_without_an_answer_is_kept_with_its_associations() -> None:
    facts = {"idempotent": False, "keys": ()}
    stage = Stage(with_companies=True, app=facts)
    (firm,) = firms(stage, Side.HUB, "One")
    stage.hub.create("contact", ADA, [("company", Target(firm, primary=True))])
    assert stage.companies
    await stage.run(stage.companies)
    trouble(stage.app, "push", Phase.AFTER, LOST)
    told = [await stage.run() for _ in range(2)]
    assert sum(one.counts.get("creates recovered", 0) for one in told) == 1
    assert stage.app.writes == 2, "what it shows is known: nothing is written again"
    assert both(stage) == {"One": (True, ())}
    end(stage, Side.APP, "One")
    await rests(stage)
    assert both(stage) == {}
