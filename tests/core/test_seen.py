"""*Seen* moves only to what a side was seen to hold; what may be written once is written once."""

from __future__ import annotations

from collections.abc import Mapping

from msgspec import structs
from tests.core.test_plan import agreed, app, hub, program

from twofold.core.links import (
    Flip,
    Link,
    Sent,
    flips_after,
    seen_after,
    seen_after_create,
    seen_given,
)
from twofold.core.mappings import Rules
from twofold.core.merge import Reason, Seen
from twofold.core.plan import Program, plan_pair
from twofold.core.records import Fields, Side
from twofold.core.values import Value

CONVERSIONS = program().conversions
OLD: Seen = {Side.HUB: {"name": "old"}, Side.APP: {"called": "old"}}
PLANNED: Mapping[Side, Fields] = {Side.HUB: {"name": "new"}, Side.APP: {"called": "old"}}


def of_name(seen: Seen) -> tuple[Value, Value]:
    return seen[Side.HUB]["name"], seen[Side.APP]["called"]


def after(
    before: Seen | None, written: Mapping[str, Value], unsettled: frozenset[str] = frozenset()
) -> Seen:
    return seen_after(CONVERSIONS, before, PLANNED, {Side.APP: written}, unsettled)


def test_after_a_write_the_receiver_was_seen_with_what_it_made_of_it() -> None:
    assert of_name(after(OLD, {"name": "NEW"})) == ("new", "NEW")


def test_a_refused_write_leaves_seen_so_that_the_edit_still_counts() -> None:
    assert of_name(after(OLD, {}, frozenset({"name"}))) == ("old", "old")
    never_met = after(None, {}, frozenset({"name"}))
    assert "name" not in never_met[Side.HUB]
    assert "called" not in never_met[Side.APP]


def test_what_needed_no_write_is_seen_as_it_is() -> None:
    assert of_name(after(OLD, {})) == ("new", "old")
    assert of_name(after(None, {})) == ("new", "old")


def test_a_new_record_is_seen_with_what_it_holds_of_ours() -> None:
    source: Fields = {"name": "Ada", "email": "a@x.example", "size": 1}
    now: Fields = {"called": "ADA", "mail": "made-up@x.example", "count": 1}
    seen = seen_after_create(CONVERSIONS, Side.HUB, source, {"name": "ADA"}, now)
    assert of_name(seen) == ("Ada", "ADA")
    assert (seen[Side.HUB]["size"], seen[Side.APP]["count"]) == (1, 1)
    # The app filled in an address by itself: there the two have yet to meet.
    assert "email" not in seen[Side.HUB]
    assert "mail" not in seen[Side.APP]


def test_a_field_that_may_be_written_once_is_left_alone_afterwards() -> None:
    rules: Rules = program().rules
    mappings = tuple(
        structs.replace(m, app=structs.replace(m.app, updatable=False)) if m.name == "name" else m
        for m in rules.mappings
    )
    once = Program(structs.replace(rules, mappings=mappings))
    before = hub(name="Ada"), app(called="Ada")
    plan = plan_pair(once, hub(name="Bea"), before[1], agreed(*before))
    assert not plan.updates
    assert [d.reason for d in plan.merge.decisions] == [Reason.WRITE_ONCE]
    back = plan_pair(once, before[0], app(called="Cea"), agreed(*before))
    assert [(u.side, u.values) for u in back.updates] == [(Side.HUB, {"name": "Cea"})]


def test_another_spelling_of_what_was_agreed_is_no_edit() -> None:
    """The hub trims and the app rewrites the case of an address: only the name was edited."""
    before = hub(name="Ada", email="a@x.example"), app(called="Ada", mail="a@x.example")
    respelled = hub(name=" Ada ", email="A@X.example")
    edited = app(called="Bea", mail="b@x.example")
    plan = plan_pair(program(default=Side.HUB), respelled, edited, agreed(*before))
    assert [(u.side, u.values) for u in plan.updates] == [
        (Side.HUB, {"name": "Bea", "email": "b@x.example"})
    ]


def _seen_of_a_noted_name(holds: Value) -> Value:
    """*Seen* of the app's name, where "Ada L." was being written over "Ada"."""
    note = {Side.APP: {"name": Sent("Ada L.", "Ada L.", "Ada")}}
    shown: Mapping[Side, Fields] = {
        Side.HUB: {"name": "Ada L."},
        Side.APP: {"called": holds},
    }
    seen: Seen = {Side.HUB: {"name": "Ada"}, Side.APP: {"called": "Ada"}}
    given = seen_given(Link(seen, note), CONVERSIONS, shown)
    assert given is not None
    return given[Side.APP]["called"]


def test_a_noted_value_that_arrived_is_seen_in_the_form_that_the_app_gave_it() -> None:
    assert _seen_of_a_noted_name("ADA L") == "ADA L"


def test_an_edit_over_a_noted_value_is_seen_as_what_we_sent() -> None:
    assert _seen_of_a_noted_name("Ada Lovelace") == "Ada L."


def test_a_noted_value_that_never_arrived_is_not_seen() -> None:
    assert _seen_of_a_noted_name("Ada") == "Ada"


def test_a_first_write_to_the_other_side_keeps_the_count_of_flips() -> None:
    flips = {"firstname": Flip({Side.APP: "Ada"}, 2)}
    after = flips_after(flips, {Side.HUB: {"firstname": "ADA"}})
    assert after["firstname"].count == 2
    again = flips_after(after, {Side.HUB: {"firstname": "Ada"}})
    assert again["firstname"].count == 0
