"""Whatever both sides show, merging keeps these promises (D1–D4, D10)."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from typing import TypeVar

from hypothesis import assume, given, settings
from hypothesis import strategies as st
from msgspec import structs
from tests.core.worlds import NAMES, World, applied, worlds

from twofold.core.convert import Conversion
from twofold.core.mappings import Blanks, Direction
from twofold.core.merge import AGREED, Reason, same
from twofold.core.records import Side
from twofold.core.values import is_blank

T = TypeVar("T")
often = settings(max_examples=200)


def _direction(world: World, name: str) -> Direction:
    direction = world.by_name(name).direction
    assert direction is not None
    return direction


@often
@given(worlds())
def test_after_one_round_nothing_is_left_to_write(world: World) -> None:
    after = applied(world, world.merged())
    assert not [d for d in after.merged().decisions if d.to is not None]


@often
@given(worlds())
def test_a_settled_world_stays_as_it_is(world: World) -> None:
    once = applied(world, world.merged())
    again = applied(once, once.merged())
    assert again.shown == once.shown
    assert again.merged() == once.merged() or not again.merged().unsettled


@often
@given(worlds())
def test_one_way_never_writes_to_its_source(world: World) -> None:
    for decision in world.merged().decisions:
        if decision.to is not None:
            assert _direction(world, decision.name).reaches(decision.to)


@often
@given(worlds(met=True))
def test_an_edit_on_one_side_only_is_never_overwritten(world: World) -> None:
    for decision in world.merged().decisions:
        if decision.to is None or _direction(world, decision.name) is not Direction.BOTH:
            continue
        if world.edited(decision.to, decision.name):
            assert world.edited(decision.to.other, decision.name)


@often
@given(worlds(met=True))
def test_an_edit_on_one_side_only_travels(world: World) -> None:
    after = applied(world, world.merged())
    for name in NAMES:
        editors = [s for s in Side if world.edited(s, name)]
        if len(editors) != 1 or _direction(world, name) is not Direction.BOTH:
            continue
        (editor,) = editors
        if not is_blank(world.value(editor, name)):
            hub, app = (after.value(s, name) for s in Side)
            assert same(world.by_name(name), hub, app)
            assert after.value(editor, name) == world.value(editor, name)


@often
@given(worlds())
def test_a_blank_never_erases_unless_told_so(world: World) -> None:
    for decision in world.merged().decisions:
        if decision.to is not None and is_blank(decision.value):
            assert world.by_name(decision.name).blanks is Blanks.CLEAR
            assert decision.reason is Reason.CLEARED
            assert not world.edited(decision.to, decision.name)


@often
@given(worlds(met=False))
def test_at_first_meeting_blanks_are_filled_and_the_default_wins(world: World) -> None:
    after = applied(world, world.merged())
    for name in NAMES:
        if _direction(world, name) is not Direction.BOTH:
            continue
        values = {s: world.value(s, name) for s in Side}
        winner = world.default
        if is_blank(values[winner]):
            winner = winner.other
        assert after.value(winner, name) == values[winner]
        assert same(world.by_name(name), *(after.value(s, name) for s in Side))


@often
@given(worlds(met=True))
def test_when_both_sides_changed_the_default_wins_but_never_by_a_blank(world: World) -> None:
    after = applied(world, world.merged())
    for name in NAMES:
        if _direction(world, name) is not Direction.BOTH:
            continue
        if not all(world.edited(s, name) for s in Side):
            continue
        values = {s: world.value(s, name) for s in Side}
        winner = world.default
        if is_blank(values[winner]) and not is_blank(values[winner.other]):
            winner = winner.other
        assert after.value(winner, name) == values[winner]


@often
@given(worlds(), st.sampled_from(list(Side)))
def test_a_receiving_default_app_keeps_its_value(world: World, receiver: Side) -> None:
    """D4: at first meeting, and when both changed."""
    assume(world.default is receiver)
    for decision in world.merged().decisions:
        direction = _direction(world, decision.name)
        if direction is Direction.BOTH or not direction.reaches(receiver):
            continue
        held = world.value(receiver, decision.name)
        met = world.seen is not None
        both = not met or all(world.edited(s, decision.name) for s in Side)
        if both and not is_blank(held):
            assert decision.to is None


@often
@given(worlds(met=True))
def test_an_edit_of_the_receiving_side_stays_until_the_source_changes(world: World) -> None:
    for decision in world.merged().decisions:
        direction = _direction(world, decision.name)
        if direction is Direction.BOTH:
            continue
        receiver = Side.HUB if direction is Direction.TO_HUB else Side.APP
        if not world.edited(receiver.other, decision.name):
            assert decision.to is None
            if world.edited(receiver, decision.name):
                assert decision.reason is Reason.DIFFERS
                assert not decision.settled


@often
@given(worlds(), st.sampled_from([frozenset(), frozenset({Side.HUB}), frozenset({Side.APP})]))
def test_a_closed_side_is_never_written_and_its_edits_wait(
    world: World, open_to: frozenset[Side]
) -> None:
    for decision in world.merged(open_to=open_to).decisions:
        assert decision.to is None or decision.to in open_to
        if decision.reason is Reason.CLOSED:
            assert not decision.settled


@often
@given(worlds(), st.sampled_from(NAMES))
def test_a_frozen_mapping_is_left_alone_and_the_others_travel(world: World, name: str) -> None:
    free = {d.name: d for d in world.merged().decisions}
    for decision in world.merged(frozen=frozenset({name})).decisions:
        if decision.name == name:
            assert decision.to is None
            assert decision.reason is Reason.FROZEN
        else:
            assert decision == free[decision.name]


@often
@given(worlds())
def test_the_two_sides_are_one_type(world: World) -> None:
    """Merging the mirror image gives the mirror image: nothing is written twice for two sides."""
    turned = {Direction.TO_HUB: Direction.TO_APP, Direction.TO_APP: Direction.TO_HUB}
    mirrored = replace(
        world,
        conversions=tuple(_mirrored(c, turned) for c in world.conversions),
        shown={side: world.shown[side.other] for side in Side},
        seen=None if world.seen is None else {s: world.seen[s.other] for s in Side},
        default=world.default.other,
    )
    there = {(d.name, d.reason, d.to) for d in world.merged().decisions}
    back = {
        (d.name, d.reason, None if d.to is None else d.to.other)
        for d in mirrored.merged().decisions
    }
    assert there == back


def _mirrored(c: Conversion, turned: Mapping[Direction, Direction]) -> Conversion:
    direction = c.direction
    return structs.replace(
        c,
        direction=direction if direction is None else turned.get(direction, direction),
        own=_swapped(c.own),
        shared=_swapped(c.shared),
        write=_swapped(c.write),
        fields=_swapped(c.fields),
        creatable=_swapped(c.creatable),
        updatable=_swapped(c.updatable),
    )


def _swapped(pair: Mapping[Side, T]) -> dict[Side, T]:
    return {side: pair[side.other] for side in Side}


@given(worlds())
def test_equal_sides_need_no_decision(world: World) -> None:
    equal = applied(world, world.merged())
    differing = [
        name
        for name in NAMES
        if not same(world.by_name(name), *(equal.value(s, name) for s in Side))
    ]
    if not differing:
        assert equal.merged() is AGREED
