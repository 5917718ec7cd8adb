"""One run, from reading both sides to what each record's outcome says."""

from __future__ import annotations

from datetime import timedelta

import pytest
from tests.engine.stage import Stage

from twofold.core.health import State as Standing
from twofold.core.mappings import Direction
from twofold.core.records import Side, Target
from twofold.core.schema import Feed, Op
from twofold.engine.run import Ending
from twofold.kit.errors import AccessDenied, OutcomeUnknown, Unavailable
from twofold.kit.memory import Call, Fail, Fault, Habits, Meanwhile, Phase
from twofold.store.errors import FenceLost

SNAPSHOT = {"feed": Feed.SNAPSHOT, "deletes": False}
ADA = {"email": "ada@firm.example", "firstname": "Ada"}


async def test_records_meet_by_match_key_and_the_rest_is_created() -> None:
    stage = Stage()
    stage.hub.create("contact", ADA)
    stage.hub.create("contact", {"email": "bea@firm.example", "firstname": "Bea"})
    stage.app.create("contact", {"email": "Ada@Firm.example", "lastname": "Lovelace"})
    stage.app.create("contact", {"email": "cid@firm.example", "firstname": "Cid"})
    await stage.run_all()
    for side in Side:
        assert stage.values(side, "firstname") == ["Ada", "Bea", "Cid"]
    assert stage.values(Side.HUB, "lastname") == ["Lovelace", None, None]
    assert stage.counts().in_sync == stage.counts().total == 3


@pytest.mark.parametrize("facts", [{}, SNAPSHOT, {"feed": Feed.WATERMARK, "deletes": False}])
async def test_a_second_run_writes_nothing(facts: dict[str, object]) -> None:
    stage = Stage(hub=facts, app=facts)
    for i in range(30):
        stage.hub.create("contact", {"email": f"{i}@firm.example", "firstname": f"n{i}"})
        stage.app.create("contact", {"email": f"{i + 15}@firm.example", "notes": f"t{i}"})
    await stage.run_all()
    await stage.run_all()  # our own writes come back once
    writes = stage.writes()
    stage.watch()
    await stage.run_all()
    for reader in (1, 2):
        stage.state.records.restart(reader)  # as after the cursors were lost
    await stage.run_all()
    for app in stage.apps.values():
        for record in app.all("contact"):
            app.touch("contact", record.id)  # a new version of the same values
    await stage.run_all()
    assert stage.writes() == writes
    assert [w for w in stage.rewritten() if w != "UPDATE records"] == []


async def test_touching_without_a_change_rewrites_no_observation() -> None:
    stage = Stage()
    for app in stage.apps.values():
        app.create("contact", ADA)
    await stage.run_all()
    before = stage.dump()
    for app in stage.apps.values():
        app.touch("contact", stage.only(Side.HUB if app is stage.hub else Side.APP).id)
    await stage.run_all()
    assert stage.dump() == before


async def test_an_edit_on_each_side_travels_and_a_conflict_goes_to_the_default_app() -> None:
    stage = Stage(default_side=Side.APP)
    stage.hub.create("contact", ADA)
    await stage.run_all()
    stage.hub.edit("contact", stage.only(Side.HUB).id, {"lastname": "Lovelace", "notes": "hub"})
    stage.app.edit("contact", stage.only(Side.APP).id, {"phone": "+31201234567", "notes": "app"})
    await stage.run_all()
    for side in Side:
        fields = stage.only(side).fields
        assert (fields["lastname"], fields["phone"]) == ("Lovelace", "+31201234567")
        assert fields["notes"] == "app"


async def test_an_edit_beside_our_own_write_travels_at_once() -> None:
    """Between our write and our look at it, somebody edits another field of the same record."""
    stage = Stage(app_habits=Habits(stored=False))
    stage.hub.create("contact", ADA)
    await stage.run_all()
    stage.hub.edit("contact", stage.only(Side.HUB).id, {"notes": "from the hub"})

    def script(call: Call) -> Fault | None:
        if call.name == "push" and call.phase is Phase.AFTER:
            stage.app.fault = None
            edit = {"lastname": "Lovelace"}
            return Meanwhile(lambda: stage.app.edit("contact", stage.only(Side.APP).id, edit))
        return None

    stage.app.fault = script
    await stage.run_all()
    assert stage.only(Side.HUB).fields["lastname"] == "Lovelace"
    assert stage.only(Side.APP).fields["notes"] == "from the hub"


async def test_one_way_never_writes_to_its_source() -> None:
    stage = Stage(direction=Direction.TO_APP)
    stage.hub.create("contact", ADA)
    stage.app.create("contact", {"email": "bea@firm.example"})
    await stage.run_all()
    stage.app.edit("contact", stage.app.all("contact")[0].id, {"firstname": "Changed here"})
    await stage.run_all()
    assert stage.hub.writes == 0
    assert stage.values(Side.HUB, "firstname") == ["Ada"]
    assert stage.counts().excluded == 1


async def test_what_vanished_is_neither_deleted_here_nor_made_again() -> None:
    stage = Stage()
    stage.hub.create("contact", ADA)
    await stage.run_all()
    stage.app.delete("contact", stage.only(Side.APP).id)
    await stage.run_all()
    await stage.run_all()
    assert stage.app.all("contact") == []
    assert len(stage.hub.all("contact")) == 1
    assert stage.counts().excluded == stage.counts().total == 1


async def test_shared_keys_are_left_for_a_person_until_they_are_clear() -> None:
    stage = Stage()
    twins = [stage.hub.create("contact", {**ADA, "firstname": n}) for n in ("Ada", "Adah")]
    stage.app.create("contact", {"email": "ada@firm.example"})
    await stage.run_all()
    assert stage.counts().excluded == 3
    assert stage.writes() == 0
    stage.hub.delete("contact", twins[1])
    await stage.run_all()
    assert stage.counts().in_sync == stage.counts().total == 1


async def test_a_record_made_meanwhile_is_found_before_it_is_made_twice() -> None:
    stage = Stage()
    stage.hub.create("contact", ADA)

    def script(call: Call) -> Fault | None:
        if call.name == "get" and call.phase is Phase.BEFORE and not stage.app.all("contact"):
            return Meanwhile(lambda: stage.app.create("contact", {**ADA, "notes": "by hand"}))
        return None

    stage.app.fault = script
    await stage.run_all()
    assert len(stage.app.all("contact")) == 1
    assert stage.only(Side.HUB).fields["notes"] == "by hand"


async def test_two_sources_of_one_key_are_both_held_back_by_what_a_look_finds() -> None:
    stage = Stage()
    for name in ("Ada", "Adah"):
        stage.hub.create("contact", {**ADA, "firstname": name})

    def script(call: Call) -> Fault | None:
        if call.name == "get" and call.phase is Phase.BEFORE and not stage.app.all("contact"):
            return Meanwhile(lambda: stage.app.create("contact", ADA))
        return None

    stage.app.fault = script
    await stage.run_all()
    assert len(stage.app.all("contact")) == 1, "only a person can tell which of the two it is"
    assert stage.counts().excluded == 3


async def test_a_refused_value_fails_its_field_alone() -> None:
    stage = Stage()
    stage.tighten("phone", 4)
    stage.hub.create("contact", {**ADA, "phone": "+31201234567", "notes": "kept"})
    await stage.run_all()
    assert stage.only(Side.APP).fields["notes"] == "kept"
    assert stage.counts().failing == 1
    stage.hub.edit("contact", stage.only(Side.HUB).id, {"phone": "112", "notes": "again"})
    await stage.run_all()
    assert stage.only(Side.APP).fields["phone"] == "112"
    assert stage.counts().in_sync == 1


@pytest.mark.parametrize("batch", [1, 4, 50])
async def test_an_atomic_app_gets_all_but_the_bad_one(batch: int) -> None:
    stage = Stage(app={"atomic": True, "batch": {Op.CREATE: batch, Op.UPDATE: batch}})
    stage.tighten("firstname", 3)
    for i in range(10):
        name = "much too long" if i == 6 else f"n{i}"
        stage.hub.create("contact", {"email": f"{i}@firm.example", "firstname": name})
    await stage.run_all()
    assert stage.values(Side.APP, "firstname").count(None) == 1
    assert len(stage.app.all("contact")) == 10
    assert (stage.counts().in_sync, stage.counts().failing) == (9, 1)


async def test_what_was_answered_counts_although_the_next_call_fails() -> None:
    """One value is refused; sending the rest of that record once more meets a broken line."""
    stage = Stage()
    stage.hub.create("contact", ADA)
    await stage.run_all()
    stage.tighten("phone", 4)
    fields = {"phone": "+31201234567", "notes": "hello"}
    stage.hub.edit("contact", stage.only(Side.HUB).id, fields)
    stage.hub.create("contact", {"email": "bea@firm.example"})
    pushes: list[int] = []

    def script(call: Call) -> Fault | None:
        if call.name == "push" and call.phase is Phase.AFTER:
            pushes.append(call.number)
            if len(pushes) == 2:
                return Fail(OutcomeUnknown("app", "cut"))
        return None

    stage.app.fault = script
    await stage.run()
    stage.app.fault = None
    for _ in range(2):
        await stage.run_all()
    assert sorted(stage.values(Side.APP, "notes"), key=str) == [None, "hello"]
    assert len(stage.app.all("contact")) == 2
    assert stage.only_with(Side.HUB, "ada@firm.example").fields["phone"] == "+31201234567"


async def test_an_unreachable_app_waits_and_loses_nothing() -> None:
    stage = Stage()
    stage.hub.create("contact", ADA)
    stage.app.fault = lambda call: Fail(Unavailable("app", "down")) if call.name == "push" else None
    outcome = await stage.run()
    assert outcome.ending is Ending.WAITING
    assert outcome.status.code == "TF-C01"
    assert not outcome.status.needs_person
    stage.app.fault = None
    await stage.run_all()
    assert stage.counts().in_sync == 1


async def test_a_refused_sign_in_asks_a_person() -> None:
    stage = Stage()
    stage.hub.create("contact", ADA)
    stage.app.fault = lambda call: Fail(AccessDenied("app", "revoked"))
    outcome = await stage.run()
    assert outcome.ending is Ending.STOPPED
    assert outcome.status.needs_person
    assert stage.state.syncs.get(stage.contacts).status.code == "TF-A01"


@pytest.mark.parametrize("phase", list(Phase))
async def test_a_create_without_an_answer_is_never_a_second_record(phase: Phase) -> None:
    stage = Stage(app={"idempotent": False})
    stage.hub.create("contact", ADA)
    asked: list[int] = []

    def script(call: Call) -> Fault | None:
        if call.name == "push" and call.phase is phase and not asked:
            asked.append(call.number)
            return Fail(OutcomeUnknown("app", "cut"))
        return None

    stage.app.fault = script
    for _ in range(3):
        await stage.run()
        stage.world.time += timedelta(minutes=5)
    assert len(stage.app.all("contact")) == 1
    assert stage.counts().in_sync == 1


async def test_a_side_that_is_suddenly_empty_is_a_brake() -> None:
    stage = Stage(app=SNAPSHOT)
    for i in range(12):
        stage.hub.create("contact", {"email": f"{i}@firm.example"})
    await stage.run_all()
    for record in stage.app.all("contact"):
        stage.app.delete("contact", record.id)
    outcome = await stage.run()
    assert outcome.ending is Ending.STOPPED
    assert outcome.status.code == "TF-B01"
    assert stage.counts().in_sync == 12
    assert (await stage.run()).ending is Ending.STOPPED
    allowed = await stage.run(allow_empty="somebody")
    assert allowed.ending is Ending.DONE
    assert stage.counts().excluded == 12
    assert len(stage.hub.all("contact")) == 12
    (override,) = stage.state.brakes.history(stage.contacts)
    assert (override.brake, override.number, override.who) == ("side-empty", 12, "somebody")
    assert override.used is not None, "it held for that run"
    await stage.run(allow_empty="somebody")
    assert len(stage.state.brakes.history(stage.contacts)) == 1, "nothing had to be overridden"


async def test_a_brake_lets_go_when_the_side_is_back() -> None:
    stage = Stage(app=SNAPSHOT)
    for i in range(12):
        stage.hub.create("contact", {"email": f"{i}@firm.example"})
    await stage.run_all()
    table = stage.app.tables["contact"]
    stage.app.tables["contact"] = type(table)(table.kind)  # another, empty database
    assert (await stage.run()).status.code == "TF-B01"
    stage.app.tables["contact"] = table
    assert (await stage.run()).ending is Ending.DONE
    assert stage.counts().in_sync == 12


async def test_a_worker_that_was_taken_over_writes_nothing_more() -> None:
    stage = Stage()
    for i in range(3):
        stage.hub.create("contact", {"email": f"{i}@firm.example"})

    def steal(call: Call) -> Fault | None:
        if call.name == "get":
            return Meanwhile(lambda: stage.state.syncs.claim(stage.contacts))
        return None

    stage.app.fault = steal
    with pytest.raises(FenceLost):
        await stage.run()
    assert stage.app.writes == 0


async def test_associations_travel_also_when_the_company_comes_late() -> None:
    stage = Stage(with_companies=True)
    firm = stage.hub.create("company", {"name": "Firm", "domain": "firm.example"})
    stage.hub.create("contact", ADA, [("company", Target(firm, primary=True))])
    await stage.run(stage.contacts)  # before the companies: the association waits
    assert stage.only(Side.APP).associations.get("company", ()) == ()
    await stage.run_all()
    (target,) = stage.only(Side.APP).associations["company"]
    assert target.id == stage.only(Side.APP, "company").id


async def test_a_changed_and_a_removed_association_travel_back() -> None:
    stage = Stage(with_companies=True)
    firms = [stage.hub.create("company", {"name": n}) for n in ("One", "Two")]
    stage.hub.create("contact", ADA, [("company", Target(firms[0], primary=True))])
    await stage.run_all()
    two = next(r.id for r in stage.app.all("company") if r.fields["name"] == "Two")
    stage.app.associate("contact", stage.only(Side.APP).id, "company", Target(two, primary=True))
    await stage.run_all()
    primary = [t.id for t in stage.only(Side.HUB).associations["company"] if t.primary]
    assert primary == [firms[1]]


async def test_an_app_that_rewrites_values_settles() -> None:
    def shout(value: object) -> str:
        return str(value).upper()

    stage = Stage(app_habits=Habits(rewrite={"firstname": shout, "notes": shout}))
    stage.hub.create("contact", ADA)
    for _ in range(3):
        await stage.run_all()
    writes = stage.writes()
    await stage.run_all()
    assert stage.writes() == writes


async def test_a_budget_of_chunks_ends_a_slice_and_the_next_goes_on() -> None:
    small = {"batch": {Op.CREATE: 1, Op.UPDATE: 1}}
    stage = Stage(hub=small, app=small)
    for i in range(250):
        stage.hub.create("contact", {"email": f"{i}@firm.example"})
    endings = [(await stage.run(most_chunks=1)).ending for _ in range(4)]
    assert endings[0] is Ending.MORE
    assert endings[-1] is Ending.DONE
    assert stage.counts().in_sync == 250


def test_states_are_stored_by_number() -> None:
    """The partial indexes of the schema name them."""
    assert (Standing.WAITING, Standing.IN_SYNC, Standing.FAILING, Standing.EXCLUDED) == (0, 1, 2, 3)
