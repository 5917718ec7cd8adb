"""Limits in a run: who is sent, who leaves and comes back, by an edit, by time, or by hand."""

from __future__ import annotations

from datetime import date, timedelta
from typing import Any

import pytest
from msgspec import structs
from tests.engine.stage import Stage
from tests.engine.test_trouble import LOST, trouble

from twofold.core.filter_words import parsed
from twofold.core.filters import Filter, Leaving
from twofold.core.health import State
from twofold.core.mappings import Deletes, Direction
from twofold.core.records import Side
from twofold.core.values import Value
from twofold.engine.edit import Edit
from twofold.kit.memory import Phase

FIELDS = ("email", "firstname", "lastname", "phone", "notes", "visits", "date_of_birth", "credit")
IN, OUT = {"lastname": "in"}, {"lastname": "out"}


def limit(*lines: str) -> Filter:
    return parsed(lines, FIELDS)


ONLY_IN = limit("lastname is in")


def stage(**rules: Any) -> Stage:
    """Both sides send only people whose last name is "in"."""
    return Stage(**{"hub_filter": ONLY_IN, "app_filter": ONLY_IN, **rules})


def add(at: Stage, side: Side, email: str, **fields: Value) -> str:
    return at.apps[side].create("contact", {"email": email, **fields})


def why(at: Stage, state: State = State.EXCLUDED) -> list[str]:
    outcomes = at.state.outcomes.each(at.contacts, state)
    return sorted(i.code for o in outcomes for i in o.issues)


async def test_only_what_meets_the_limit_is_sent() -> None:
    at = stage()
    add(at, Side.HUB, "a@x.org", **IN)
    add(at, Side.HUB, "b@x.org", **OUT)
    add(at, Side.APP, "c@x.org", **OUT)
    await at.run_all()
    assert at.values(Side.APP, "email") == ["a@x.org", "c@x.org"]
    assert at.values(Side.HUB, "email") == ["a@x.org", "b@x.org"]
    assert (at.counts().in_sync, at.counts().excluded, at.counts().total) == (1, 2, 3)
    assert why(at) == ["TF-X03", "TF-X03"]


async def test_a_limit_hides_nothing_from_matching() -> None:
    """D5: what would be created is found on the other side, though it is held back there."""
    at = stage()
    add(at, Side.HUB, "a@x.org", **IN, notes="ours")
    add(at, Side.APP, "a@x.org", **OUT)
    await at.run_all()
    assert len(at.values(Side.APP, "email")) == 1
    assert at.values(Side.APP, "notes") == ["ours"]
    assert at.counts().total == 1


async def test_a_pair_that_leaves_is_excluded_and_comes_back_with_what_happened_meanwhile() -> None:
    at = stage()
    hub = add(at, Side.HUB, "a@x.org", **IN, notes="one")
    await at.run_all()
    app = at.only(Side.APP).id
    at.hub.edit("contact", hub, OUT)
    at.app.edit("contact", app, OUT)
    await at.run_all()
    assert why(at) == ["TF-X03"]
    before = at.writes()
    at.hub.edit("contact", hub, {"notes": "two"})
    at.app.edit("contact", app, {"phone": "+31612345678"})
    await at.run_all()
    assert at.writes() == before
    assert at.counts().excluded == 1
    at.hub.edit("contact", hub, IN)
    at.app.edit("contact", app, IN)
    await at.run_all()
    for side in Side:
        assert at.values(side, "notes") == ["two"]
        assert at.values(side, "phone") == ["+31612345678"]
    assert (at.counts().in_sync, at.counts().excluded) == (1, 0)


async def test_what_leaves_on_one_side_still_receives() -> None:
    at = stage(app_filter=Filter())
    hub = add(at, Side.HUB, "a@x.org", **IN)
    await at.run_all()
    at.hub.edit("contact", hub, {**OUT, "notes": "stays here"})
    at.app.edit("contact", at.only(Side.APP).id, {"phone": "+31612345678"})
    await at.run_all()
    assert at.values(Side.APP, "notes") == [None]
    assert at.values(Side.HUB, "phone") == ["+31612345678"]
    assert at.counts().in_sync == 1


async def test_one_way_with_a_limit_never_writes_to_its_source() -> None:
    at = Stage(hub_filter=ONLY_IN, direction=Direction.TO_APP)
    hub = add(at, Side.HUB, "a@x.org", **IN)
    add(at, Side.HUB, "b@x.org", **OUT)
    add(at, Side.APP, "b@x.org", notes="theirs")
    await at.run_all()
    at.hub.edit("contact", hub, OUT)
    await at.run_all()
    assert at.hub.writes == 0
    assert why(at) == ["TF-X03", "TF-X03"]


# --- time -------------------------------------------------------------------------------------


async def test_time_alone_takes_a_record_out_and_in() -> None:
    recent = limit("date_of_birth is in the last 3 days")
    at = Stage(hub_filter=recent, app_filter=recent, timezone="Europe/Amsterdam")
    tomorrow = date(2026, 1, 2)
    add(at, Side.HUB, "a@x.org", date_of_birth=tomorrow)
    await at.run_all()
    assert why(at) == ["TF-X03"]
    at.world.time += timedelta(hours=22)  # 2026-01-01T22:00Z is still the first in Amsterdam
    await at.run_all()
    assert at.writes() == 0
    at.world.time += timedelta(hours=1)
    await at.run_all()
    assert at.values(Side.APP, "email") == ["a@x.org"]
    at.world.time += timedelta(days=4)
    before = at.writes()
    await at.run_all()
    assert why(at) == ["TF-X03"]
    assert at.counts().excluded == 1
    assert at.writes() == before
    at.world.time += timedelta(days=40)
    at.watch()
    await at.run_all()
    assert at.rewritten() == [], "what is over is not looked at again"


async def test_a_record_that_we_made_leaves_by_time_too() -> None:
    recent = limit("date_of_birth is in the last 3 days")
    at = Stage(app_filter=recent, hub_filter=limit("lastname is in"), timezone="UTC")
    hub = add(at, Side.HUB, "a@x.org", **IN, date_of_birth=date(2026, 1, 1))
    await at.run_all()
    at.hub.edit("contact", hub, OUT)
    await at.run_all()
    assert at.counts().in_sync == 1, "the app's record is recent"
    at.world.time += timedelta(days=4)
    await at.run_all()
    assert at.counts().excluded == 1


# --- leaving ----------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("leaving", "notes", "later"),
    [
        (Leaving.STOP, ["one"], ["one"]),
        (Leaving.FINAL, ["two"], ["two"]),
        (Leaving.KEEP, ["two"], ["three"]),
    ],
)
async def test_ways_of_leaving(leaving: Leaving, notes: list[str], later: list[str]) -> None:
    at = Stage(hub_filter=ONLY_IN, direction=Direction.TO_APP, leaving=leaving)
    hub = add(at, Side.HUB, "a@x.org", **IN, notes="one")
    add(at, Side.HUB, "never@x.org", **OUT)
    await at.run_all()
    at.hub.edit("contact", hub, {**OUT, "notes": "two"})
    await at.run_all()
    assert at.values(Side.APP, "notes") == notes
    at.hub.edit("contact", hub, {"notes": "three"})
    await at.run_all()
    assert at.values(Side.APP, "notes") == later
    assert at.counts().in_sync == (leaving is Leaving.KEEP)
    assert at.values(Side.APP, "email") == ["a@x.org"]
    at.hub.edit("contact", hub, {**IN, "notes": "four"})
    await at.run_all()
    assert at.values(Side.APP, "notes") == ["four"]
    assert at.counts().in_sync == 1


async def test_a_final_update_that_is_refused_is_tried_again() -> None:
    at = Stage(hub_filter=ONLY_IN, direction=Direction.TO_APP, leaving=Leaving.FINAL)
    hub = add(at, Side.HUB, "a@x.org", **IN, notes="one")
    await at.run_all()
    at.tighten("notes", 5)
    at.hub.edit("contact", hub, {**OUT, "notes": "much too long"})
    await at.run_all()
    assert at.counts().failing == 1
    at.hub.edit("contact", hub, {"notes": "fits"})
    await at.run_all()
    assert at.values(Side.APP, "notes") == ["fits"]
    assert at.counts().excluded == 1


# --- by hand ----------------------------------------------------------------------------------


async def test_excluded_by_hand_until_included() -> None:
    at = Stage()
    hub = add(at, Side.HUB, "a@x.org")
    await at.run_all()
    row = at.state.outcomes.row_of(at.state.syncs.get(at.contacts).hub_reader, hub)
    assert row is not None
    at.state.limits.exclude(at.contacts, [(Side.HUB, row)], "a test", None)
    before = at.writes()
    at.hub.edit("contact", hub, {"notes": "two"})
    at.app.edit("contact", at.only(Side.APP).id, {"phone": "+31612345678"})
    await at.run_all()
    await at.run_all()
    assert at.writes() == before
    assert why(at) == ["TF-X04"]
    assert (at.counts().excluded, at.counts().total) == (1, 1)
    assert at.state.limits.include(at.contacts, [(Side.HUB, row)])
    await at.run_all()
    assert at.values(Side.APP, "notes") == ["two"]
    assert at.values(Side.HUB, "phone") == ["+31612345678"]


async def test_a_record_excluded_by_hand_deletes_nothing() -> None:
    at = Stage(deletes=Deletes.DELETE)
    hub = add(at, Side.HUB, "a@x.org")
    other = add(at, Side.HUB, "b@x.org")
    await at.run_all()
    row = at.state.outcomes.row_of(at.state.syncs.get(at.contacts).hub_reader, hub)
    assert row is not None
    at.state.limits.exclude(at.contacts, [(Side.HUB, row)], "a test", None)
    at.hub.delete("contact", hub)
    at.hub.delete("contact", other)
    await at.run_all()
    await at.run_all()
    assert at.values(Side.APP, "email") == ["a@x.org"]


async def test_paused_until_a_moment() -> None:
    at = Stage()
    hub = add(at, Side.HUB, "a@x.org")
    await at.run_all()
    row = at.state.outcomes.row_of(at.state.syncs.get(at.contacts).hub_reader, hub)
    assert row is not None
    until = at.world.now() + timedelta(days=2)
    at.state.limits.exclude(at.contacts, [(Side.HUB, row)], "a test", until.timestamp())
    at.hub.edit("contact", hub, {"notes": "two"})
    await at.run_all()
    assert why(at) == ["TF-X05"]
    at.world.time += timedelta(days=2, seconds=1)
    await at.run_all()
    assert at.values(Side.APP, "notes") == ["two"]
    assert at.counts().in_sync == 1


async def test_an_unlinked_record_excluded_by_hand_is_not_created_and_not_ambiguous() -> None:
    at = Stage()
    one = add(at, Side.HUB, "a@x.org")
    add(at, Side.HUB, "a@x.org")
    add(at, Side.APP, "a@x.org")
    await at.run_all()
    assert why(at) == ["TF-X12"] * 3
    row = at.state.outcomes.row_of(at.state.syncs.get(at.contacts).hub_reader, one)
    assert row is not None
    at.state.limits.exclude(at.contacts, [(Side.HUB, row)], "a test", None)
    await at.run_all()
    assert why(at) == ["TF-X04", "TF-X12", "TF-X12"]
    assert at.counts().total == 3


# --- from now on ------------------------------------------------------------------------------


async def test_from_now_on_history_stays_where_it_is() -> None:
    at = Stage(from_now_on=True)
    old = add(at, Side.HUB, "old@x.org", notes="ours")
    add(at, Side.APP, "old@x.org", notes="theirs", phone="+31612345678")
    add(at, Side.APP, "alone@x.org")
    await at.run_all()
    assert at.writes() == 0
    assert why(at) == ["TF-X06", "TF-X06"]
    add(at, Side.HUB, "new@x.org")
    at.hub.edit("contact", old, {"firstname": "Ada"})
    await at.run_all()
    assert at.values(Side.APP, "email") == ["alone@x.org", "new@x.org", "old@x.org"]
    assert at.values(Side.HUB, "email") == ["new@x.org", "old@x.org"]
    paired = at.only_with(Side.APP, "old@x.org")
    assert (paired.fields["firstname"], paired.fields["notes"]) == ("Ada", "theirs")
    assert (at.counts().in_sync, at.counts().excluded) == (2, 1)


async def test_a_new_record_meets_an_earlier_one() -> None:
    at = Stage(from_now_on=True)
    add(at, Side.APP, "a@x.org")
    await at.run_all()
    add(at, Side.HUB, "a@x.org", notes="new")
    await at.run_all()
    assert at.values(Side.APP, "notes") == ["new"]
    assert at.counts().in_sync == at.counts().total == 1


# --- what is not limited costs nothing --------------------------------------------------------


async def test_nothing_is_remembered_where_nothing_is_limited() -> None:
    at = Stage()
    add(at, Side.HUB, "a@x.org")
    await at.run_all()
    tables = ("exclusions", "earlier", "entered", "revisits")
    assert at.dump(tables) == {table: [] for table in tables}


@pytest.mark.parametrize("seen", [True, False], ids=["a pair", "two that just met"])
async def test_a_write_without_an_answer_arrives_and_the_pair_is_excluded_by_then(
    seen: bool,
) -> None:
    """What arrived is known to both: what somebody edits meanwhile wins when they are back."""
    at = stage(app_filter=Filter())
    hub = add(at, Side.HUB, "a@x.org", **IN, notes="old" if seen else "new")
    app = add(at, Side.APP, "a@x.org", firstname="Ada")
    if seen:
        await at.run_all()
        at.hub.edit("contact", hub, {"notes": "new"})
    trouble(at.app, "push", Phase.AFTER, LOST)
    await at.run(most_chunks=1)
    assert at.state.links.noted(at.contacts), "it is not known whether it arrived"
    at.hub.edit("contact", hub, OUT)
    at.app.edit("contact", app, {"lastname": None})
    rules = structs.replace(at.state.syncs.get(at.contacts).rules, app_filter=ONLY_IN)
    Edit(at.state, at.world, at.state.syncs.get(at.contacts), rules).save()
    await at.run_all()
    assert why(at) == ["TF-X03"]
    at.app.edit("contact", app, {"notes": "edited while it was excluded"})
    await at.run_all()
    for side, record in ((Side.HUB, hub), (Side.APP, app)):
        at.apps[side].edit("contact", record, IN)
    await at.run_all()
    await at.run_all()
    assert [at.only(side).fields["notes"] for side in Side] == ["edited while it was excluded"] * 2
