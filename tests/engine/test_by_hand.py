"""Links that a person makes, cuts and swaps, and what the next run does with them (M7)."""

from __future__ import annotations

import pytest
from tests.engine.stage import Stage

from twofold.core.errors import TwofoldError
from twofold.core.mappings import CustomMatching, Matching
from twofold.core.matching import key_maker
from twofold.core.records import Side
from twofold.engine.observe import key_hashes
from twofold.kit.memory import Call, Fault, Meanwhile, Phase
from twofold.store.byhand import Orders, Pair
from twofold.store.errors import FenceLost

ADA = {"email": "ada@firm.example", "firstname": "Ada"}


def row(stage: Stage, side: Side, record_id: str) -> int:
    sync = stage.state.syncs.get(stage.contacts)
    return stage.state.records.known(sync.reader(side), [record_id])[record_id].row


def pair(stage: Stage, hub_id: str, app_id: str) -> Pair:
    return Pair(row(stage, Side.HUB, hub_id), row(stage, Side.APP, app_id))


def decide(stage: Stage, orders: Orders) -> None:
    """As the service does: with the match keys of all records concerned."""
    rules = stage.state.syncs.get(stage.contacts).rules
    make = key_maker(rules)
    rows = {(s, p.end(s)) for p in (*orders.made, *orders.cut, *orders.allowed) for s in Side}
    stored = stage.state.records.stored(r for _, r in rows)
    hashes = [h for s, r in rows for h in key_hashes(make(s, stored[r].record.fields))]
    stage.state.by_hand.decide(stage.contacts, orders, hashes)


def linked(stage: Stage) -> set[tuple[str, str]]:
    found = stage.state.database.connection.execute(
        "SELECT h.id, a.id FROM links l JOIN records h ON h.row = l.hub"
        " JOIN records a ON a.row = l.app WHERE l.sync = ?",
        (stage.contacts,),
    )
    return set(found)


async def quiet(stage: Stage) -> None:
    """Another run, and one after all cursors were lost, write nothing."""
    await stage.run_all()
    writes = stage.writes()
    for reader in (1, 2):
        stage.state.records.restart(reader)
    await stage.run_all()
    assert stage.writes() == writes
    assert stage.counts().waiting == 0


async def test_an_ambiguous_group_is_planned_again_once_one_is_linked() -> None:
    stage = Stage()
    first = stage.hub.create("contact", {**ADA, "notes": "hub"})
    second = stage.hub.create("contact", ADA)
    app = stage.app.create("contact", {**ADA, "firstname": "A.", "visits": 7})
    await stage.run_all()
    assert stage.counts().excluded == 3
    decide(stage, Orders(made=[pair(stage, first, app)]))
    await stage.run_all()
    assert (first, app) in linked(stage)
    merged = stage.app.read("contact", app)
    assert merged is not None
    assert (merged.fields["firstname"], merged.fields["notes"]) == ("Ada", "hub")
    back = stage.hub.read("contact", first)
    assert back is not None
    assert back.fields["visits"] == 7
    assert {hub for hub, _ in linked(stage)} == {first, second}  # the other one was alone then
    assert stage.counts().in_sync == 2
    await quiet(stage)


async def test_two_that_share_nothing_are_linked_and_stay_so() -> None:
    stage = Stage(matching=Matching.NONE)
    hub = stage.hub.create("contact", {"email": "a@firm.example", "firstname": "Ada"})
    await stage.run_all()
    app = stage.only(Side.APP).id
    other = stage.app.create("contact", {"email": "b@firm.example", "notes": "kept"})
    await stage.run_all()
    hub_twin = next(h for h, a in linked(stage) if a == other)
    decide(stage, Orders(cut=[pair(stage, hub, app), pair(stage, hub_twin, other)]))
    decide(stage, Orders(made=[pair(stage, hub, other)]))
    await stage.run_all()
    assert (hub, other) in linked(stage)
    found = stage.app.read("contact", other)
    assert found is not None
    assert (found.fields["email"], found.fields["notes"]) == ("a@firm.example", "kept")
    await quiet(stage)


async def test_a_cut_pair_stays_apart_and_each_gets_a_twin() -> None:
    stage = Stage()
    hub, app = stage.hub.create("contact", ADA), stage.app.create("contact", ADA)
    await stage.run_all()
    assert linked(stage) == {(hub, app)}
    decide(stage, Orders(cut=[pair(stage, hub, app)]))
    await stage.run_all()
    assert len(linked(stage)) == 2
    assert (hub, app) not in linked(stage)
    await quiet(stage)
    assert (hub, app) not in linked(stage)
    stage.hub.edit("contact", hub, {"email": "other@firm.example"})
    stage.hub.edit("contact", hub, {"email": ADA["email"]})  # its keys were dropped and came back
    await quiet(stage)
    assert (hub, app) not in linked(stage)


@pytest.mark.parametrize("idempotent", [True, False])
async def test_a_record_is_cut_from_the_very_twin_that_we_made(idempotent: bool) -> None:
    """The same create once more would be answered with the same record."""
    stage = Stage(app={"idempotent": idempotent})
    hub = stage.hub.create("contact", ADA)
    await stage.run_all()
    ours = stage.only(Side.APP).id
    for number in (2, 3):
        twin = next(a for h, a in linked(stage) if h == hub)
        decide(stage, Orders(cut=[pair(stage, hub, twin)]))
        await stage.run_all()
        (now,) = (a for h, a in linked(stage) if h == hub)
        assert now not in {ours, twin}
        assert len(list(stage.app.all("contact"))) == number
    await quiet(stage)


async def test_what_was_cut_is_matched_again_once_it_is_allowed() -> None:
    stage = Stage(direction="to_hub", app={"keys": ()})
    hub, app = stage.hub.create("contact", ADA), stage.app.create("contact", ADA)
    await stage.run_all()
    decide(stage, Orders(cut=[pair(stage, hub, app)]))
    stage.app.delete("contact", app)
    again = stage.app.create("contact", ADA)
    await stage.run_all()
    assert linked(stage) == {(hub, again)}
    decide(stage, Orders(cut=[pair(stage, hub, again)]))
    decide(stage, Orders(allowed=[pair(stage, hub, again)]))
    await stage.run_all()
    assert linked(stage) == {(hub, again)}


async def test_twins_are_exchanged() -> None:
    stage = Stage(matching=CustomMatching((("email",),)), default_side=Side.APP)
    hubs = [stage.hub.create("contact", {"email": f"{n}@x.example"}) for n in "ab"]
    apps = [
        stage.app.create("contact", {"email": f"{n}@x.example", "firstname": n.upper()})
        for n in "ab"
    ]
    await stage.run_all()
    old = [pair(stage, h, a) for h, a in zip(hubs, apps, strict=True)]
    new = [pair(stage, h, a) for h, a in zip(hubs, reversed(apps), strict=True)]
    decide(stage, Orders(made=new, cut=old))
    await stage.run_all()
    assert linked(stage) == {(hubs[0], apps[1]), (hubs[1], apps[0])}
    swapped = stage.hub.read("contact", hubs[0])
    assert swapped is not None
    assert (swapped.fields["email"], swapped.fields["firstname"]) == ("b@x.example", "B")
    await quiet(stage)


@pytest.mark.parametrize("phase", list(Phase))
@pytest.mark.parametrize("kind", ["make", "cut"])
async def test_a_decision_is_not_lost_to_a_chunk_that_was_loaded_before(
    phase: Phase, kind: str
) -> None:
    """It comes while the app is being written, to the very records of that chunk."""
    stage = Stage()
    hubs = [stage.hub.create("contact", {**ADA, "notes": n}) for n in "ab"]
    app = stage.app.create("contact", ADA)
    other = stage.hub.create("contact", {"email": "x@firm.example"})
    met = stage.app.create("contact", {"email": "x@firm.example"})
    await stage.run_all()
    assert stage.counts().excluded == 3
    orders = Orders(made=[pair(stage, hubs[0], app)])
    if kind == "cut":
        orders = Orders(cut=[pair(stage, other, met)])
    stage.hub.edit("contact", other, {"notes": "to write"})
    for record in hubs:
        stage.hub.edit("contact", record, {"notes": "changed"})
    done: list[str] = []

    def trouble(call: Call) -> Fault | None:
        if call.name != "push" or call.phase is not phase or done:
            return None
        done.append("decided")
        return Meanwhile(lambda: decide(stage, orders))

    stage.app.fault = trouble
    with pytest.raises(FenceLost):
        await stage.run()
    assert done
    await stage.run_all()
    assert ((hubs[0], app) in linked(stage)) == (kind == "make")
    assert ((other, met) in linked(stage)) == (kind == "make")
    await quiet(stage)
    texts = [r.fields["notes"] for r in stage.app.all("contact")]
    assert texts.count("to write") == (1 if kind == "make" else 2)  # it was on its way


async def test_a_decision_before_anything_was_planned_is_heard() -> None:
    """Who is the same is foreseen when both first readings have ended; a person may know better."""
    stage = Stage()
    hubs = [stage.hub.create("contact", {"email": f"{n}@x.example"}) for n in "abc"]
    apps = [stage.app.create("contact", {"email": f"{n}@x.example"}) for n in "ab"]
    await stage.run(most_chunks=0)
    assert linked(stage) == set()
    decide(stage, Orders(made=[pair(stage, hubs[2], apps[1])], cut=[pair(stage, hubs[0], apps[0])]))
    await stage.run_all()
    found = linked(stage)
    assert (hubs[2], apps[1]) in found
    assert not {(hubs[0], apps[0]), (hubs[1], apps[1])} & found
    assert {h for h, _ in found} >= set(hubs)
    await quiet(stage)


class Killed(BaseException):
    """The process ended at this very instant."""


async def test_a_record_whose_twin_is_being_made_cannot_be_linked(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    stage = Stage()
    app = stage.app.create("contact", {"email": "z@firm.example"})
    await stage.run_all()
    hub = stage.hub.create("contact", ADA)

    def die(what: str) -> None:
        if what == "noted":
            raise Killed

    monkeypatch.setattr(stage.world, "step", die)
    with pytest.raises(Killed):
        await stage.run()
    monkeypatch.undo()
    with pytest.raises(TwofoldError, match="in the meantime"):
        decide(stage, Orders(made=[pair(stage, hub, app)]))
    await stage.run_all()
    assert hub in {h for h, _ in linked(stage)}
    await quiet(stage)


async def test_a_link_to_a_deleted_record_stands_in_nobody_s_way() -> None:
    stage = Stage()
    hub, app = stage.hub.create("contact", ADA), stage.app.create("contact", ADA)
    spare = stage.app.create("contact", {"email": "spare@firm.example"})
    await stage.run_all()
    twin = next(h for h, a in linked(stage) if a == spare)
    stage.app.delete("contact", app)
    stage.hub.delete("contact", twin)
    await stage.run()
    assert stage.counts().excluded == 2
    decide(stage, Orders(made=[pair(stage, hub, spare)]))
    await stage.run_all()
    assert (hub, spare) in linked(stage)
    assert (hub, app) not in linked(stage)
    await quiet(stage)
