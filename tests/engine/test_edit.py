"""An edit of a live sync touches what it concerns, and nothing else (S6)."""

from __future__ import annotations

from contextlib import nullcontext
from typing import Any

import pytest
from msgspec import structs
from tests.engine.stage import CONTACT, Stage

from twofold.core.errors import TwofoldError
from twofold.core.filters import Criterion, Filter, Leaving, Operator, all_of
from twofold.core.mappings import Blanks, Direction, FieldMapping, Matching, Rules
from twofold.core.records import Side
from twofold.engine.edit import Edit, Meaning, count
from twofold.store.errors import FenceLost


def _edit(stage: Stage, **changes: Any) -> Edit:
    sync = stage.state.syncs.get(stage.contacts)
    return Edit(stage.state, stage.world, sync, structs.replace(sync.rules, **changes))


def _counted(edit: Edit) -> dict[Meaning, int]:
    counts: dict[Meaning, int] = {}
    for touches in edit.touched():
        count(counts, touches)
    return counts


def _mappings(rules: Rules, *but: str) -> tuple[FieldMapping, ...]:
    return tuple(m for m in rules.mappings if m.name not in but)


def _rules(stage: Stage) -> Rules:
    return stage.state.syncs.get(stage.contacts).rules


async def _five(**rules: Any) -> Stage:
    stage = Stage(**rules)
    for n in range(5):
        stage.hub.create("contact", {"email": f"{n}@x.example", "firstname": f"F{n}"})
    await stage.run()
    return stage


@pytest.mark.parametrize(
    "changes",
    [
        {"default_side": Side.APP},
        {"timezone": "Europe/Amsterdam"},
        {"require_email": True},
        {"direction": Direction.TO_APP},
        {"direction": Direction.TO_HUB},
    ],
)
async def test_a_setting_that_concerns_no_record_rewrites_nothing(changes: dict[str, Any]) -> None:
    stage = await _five()
    before = stage.dump()
    stage.watch()
    edit = _edit(stage, **changes)
    assert _counted(edit) == {}
    assert edit.save() == {}
    assert stage.rewritten() == []
    writes = stage.writes()
    await stage.run()
    assert stage.rewritten() == []
    assert (stage.dump(), stage.writes()) == (before, writes)


async def test_counting_writes_nothing() -> None:
    stage = await _five()
    changes = stage.state.database.connection.total_changes
    edit = _edit(stage, mappings=_mappings(_rules(stage), "firstname"), matching=Matching.NONE)
    assert sum(_counted(edit).values()) == 0, "linked pairs are not matched again"
    assert stage.state.database.connection.total_changes == changes


async def test_only_what_starts_becomes_due() -> None:
    stage = Stage(require_email=True)
    for n in range(4):
        email = f"{n}@x.example" if n else None
        stage.hub.create("contact", {"email": email, "lastname": f"L{n}"})
    await stage.run()
    assert (stage.counts().in_sync, stage.counts().excluded) == (3, 1)
    edit = _edit(stage, require_email=False)
    assert _counted(edit) == {Meaning.STARTS: 1}
    assert edit.save() == {Meaning.STARTS: 1}
    assert stage.state.links.due_count(stage.contacts) == 1
    await stage.run()
    assert stage.counts().in_sync == 4


async def test_a_new_mapping_of_fields_that_are_read_fills_blanks_only_where_they_differ() -> None:
    stage = await _five()
    whole = _rules(stage)
    _edit(stage, mappings=_mappings(whole, "notes")).save()
    records = stage.hub.all("contact")
    stage.hub.edit("contact", records[0].id, {"notes": "from the hub"})
    await stage.run()
    assert set(stage.values(Side.APP, "notes")) == {None}
    edit = _edit(stage, mappings=whole.mappings)
    assert not edit.rereads
    assert edit.save() == {Meaning.CHANGES: 1}
    await stage.run()
    assert "from the hub" in stage.values(Side.APP, "notes")
    before = stage.dump()
    await stage.run()
    assert stage.dump() == before


async def test_after_a_new_mapping_an_edit_of_one_side_is_never_overwritten() -> None:
    stage = await _five(default_side=Side.APP)
    whole = _rules(stage)
    _edit(stage, mappings=_mappings(whole, "notes")).save()
    await stage.run()
    _edit(stage, mappings=whole.mappings).save()
    await stage.run()
    first = stage.hub.all("contact")[0]
    stage.hub.edit("contact", first.id, {"notes": "one"})
    await stage.run()
    stage.hub.edit("contact", first.id, {"notes": "two"})
    await stage.run()
    assert [n for n in stage.values(Side.APP, "notes") if n] == ["two"]
    assert [n for n in stage.values(Side.HUB, "notes") if n] == ["two"]


async def test_a_widened_mapping_is_read_and_backfills() -> None:
    few = tuple(name for name in CONTACT if name != "notes")
    stage = Stage(mappings=())
    whole = _rules(stage)
    types = {side: whole.type_of(side) for side in Side}
    made = []
    for name in CONTACT:
        hub, app = types[Side.HUB].field(name), types[Side.APP].field(name)
        assert hub is not None
        assert app is not None
        made.append(FieldMapping(hub, app))
    _edit(stage, mappings=tuple(m for m in made if m.name in few)).save()
    stage.hub.create("contact", {"email": "a@x.example", "notes": "hidden"})
    stage.hub.create("contact", {"email": "b@x.example"})
    await stage.run()
    assert set(stage.values(Side.APP, "notes")) == {None}
    edit = _edit(stage, mappings=tuple(made))
    assert edit.unread == {Side.HUB: {"notes"}, Side.APP: {"notes"}}
    edit.save()
    await stage.run()
    assert stage.values(Side.APP, "notes") == [None, "hidden"]


async def test_other_match_keys_match_what_is_unlinked() -> None:
    stage = Stage(matching=Matching.NONE, direction=Direction.TO_APP)
    stage.app.create("contact", {"email": "a@x.example", "lastname": "A"})
    await stage.run()
    assert stage.counts().excluded == 1
    stage.hub.create("contact", {"email": "a@x.example"})
    edit = _edit(stage, matching=Matching.CONTACTS)
    assert edit.save() == {Meaning.AGAIN: 1}
    await stage.run()
    assert (stage.counts().in_sync, stage.counts().total) == (1, 1)


async def test_before_both_first_readings_have_ended_nothing_is_touched() -> None:
    stage = Stage()
    stage.hub.create("contact", {"email": "a@x.example"})
    assert _edit(stage, require_email=True).save() == {}
    await stage.run()
    assert stage.counts().in_sync == 1


async def test_rules_that_were_edited_meanwhile_are_not_replaced() -> None:
    stage = await _five()
    late = _edit(stage, timezone="Asia/Tokyo")
    _edit(stage, region="NL").save()
    with pytest.raises(TwofoldError) as refusal:
        late.save()
    assert refusal.value.code == "TF-E01"
    assert (_rules(stage).region, _rules(stage).timezone) == ("NL", "UTC")


@pytest.mark.parametrize("moment", range(12))
async def test_an_edit_saved_between_two_effects_of_a_run_holds(moment: int) -> None:
    """The run that began before it stops at its next effect; the next one goes by the new rules."""
    stage = Stage()
    for n in range(3):
        stage.hub.create("contact", {"email": f"{n}@h.example", "notes": "n"})
        stage.app.create("contact", {"email": f"{n}@a.example", "firstname": "f"})
    steps = 0
    original = stage.world.step
    pushed: list[str] = []

    def step(what: str) -> None:
        nonlocal steps
        original(what)
        if steps == moment:
            rules = _rules(stage)
            mappings = tuple(
                structs.replace(m, blanks=Blanks.CLEAR) for m in _mappings(rules, "notes")
            )
            _edit(stage, mappings=mappings, direction=Direction.TO_APP).save()
        elif steps > moment:
            pushed.append(what)
        steps += 1

    stage.world.step = step  # type: ignore[method-assign]
    with pytest.raises(FenceLost) if moment < 10 else nullcontext():
        await stage.run()
    assert steps > moment, "the edit came while it ran"
    assert not [what for what in pushed if what.endswith("pushed")]
    stage.world.step = original  # type: ignore[method-assign]
    await stage.run()
    await stage.run()
    assert _rules(stage).direction is Direction.TO_APP
    assert "notes" not in [m.name for m in _rules(stage).mappings]
    emails = [r.fields["email"] for r in stage.app.all("contact")]
    assert sorted(map(str, emails)) == sorted(set(map(str, emails)))
    assert len(emails) == 6
    assert stage.counts().waiting == 0


def _named(*names: str) -> Filter:
    return all_of(Criterion("firstname", Operator.ANY_OF, names))


async def test_a_limit_of_a_live_sync_stops_and_starts_whom_it_concerns() -> None:
    stage = await _five(direction=Direction.TO_APP)
    edit = _edit(stage, hub_filter=_named("F1", "F2"))
    assert _counted(edit) == {Meaning.STOPS: 3}
    assert edit.save() == {Meaning.STOPS: 3}
    await stage.run()
    assert (stage.counts().in_sync, stage.counts().excluded) == (2, 3)
    assert _edit(stage, hub_filter=_named("F1", "F2", "F3")).save() == {
        Meaning.STARTS: 1,
        Meaning.AGAIN: 2,
    }, "the reason of the others is another one"
    await stage.run()
    assert (stage.counts().in_sync, stage.counts().excluded) == (3, 2)


async def test_who_took_part_when_a_limit_is_set_stays_once_in() -> None:
    stage = await _five(direction=Direction.TO_APP)
    assert _edit(stage, hub_filter=_named("F1"), leaving=Leaving.KEEP).save() == {}
    stage.hub.create("contact", {"email": "new@x.example", "firstname": "F9"})
    first = stage.hub.all("contact")[0]
    stage.hub.edit("contact", first.id, {"notes": "goes on"})
    await stage.run()
    assert (stage.counts().in_sync, stage.counts().excluded) == (5, 1)
    assert "goes on" in stage.values(Side.APP, "notes")
