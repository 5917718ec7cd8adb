"""What a mapping's own rules change about a merge (F12), and how mappings come and go (F15, D7)."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace

from hypothesis import assume, given, settings
from hypothesis import strategies as st
from msgspec import structs
from tests.core.worlds import NAMES, World, applied, worlds

from twofold.core.mappings import Direction, When
from twofold.core.merge import Decision, Reason, same, seed_name
from twofold.core.records import Side
from twofold.core.values import Value, is_blank

often = settings(max_examples=200)
every = worlds(every_rule=True)


def decisions(world: World) -> Mapping[str, Decision]:
    return {d.name: d for d in world.merged().decisions}


@often
@given(every)
def test_after_one_round_nothing_is_left_to_write(world: World) -> None:
    after = applied(world, world.merged())
    assert not [d for d in after.merged().decisions if d.to is not None]


@often
@given(every)
def test_one_way_never_writes_to_its_source(world: World) -> None:
    for name, decision in decisions(world).items():
        direction = world.by_name(name).direction
        assert direction is not None
        assert decision.to is None or direction.reaches(decision.to)


@often
@given(every, st.sampled_from([None, *Side]), st.sampled_from(list(Side)))
def test_the_conflict_choice_never_changes_the_direction(
    world: World, of_mapping: Side | None, of_sync: Side
) -> None:
    """Whoever wins, a side that may not be written is not, and what settles is the same."""
    chosen = replace(
        world,
        default=of_sync,
        conversions=tuple(structs.replace(c, default=of_mapping) for c in world.conversions),
    )
    for name, decision in decisions(chosen).items():
        direction = world.by_name(name).direction
        assert direction is not None
        if decision.to is not None:
            assert direction.reaches(decision.to)


@often
@given(worlds(), st.sampled_from(list(Side)), st.sampled_from(list(Side)))
def test_a_mapping_s_own_default_app_wins_in_it(
    world: World, of_mapping: Side, of_sync: Side
) -> None:
    own = tuple(structs.replace(c, default=of_mapping) for c in world.conversions)
    for decision in decisions(replace(world, default=of_sync, conversions=own, seen=None)).values():
        if decision.reason is Reason.DEFAULT_WINS:
            assert decision.to is of_mapping.other


@often
@given(every)
def test_a_mapping_that_fills_blanks_never_replaces_a_value(world: World) -> None:
    for name, decision in decisions(world).items():
        if world.by_name(name).when is When.IF_EMPTY and decision.to is not None:
            assert is_blank(world.value(decision.to, name))


@often
@given(every)
def test_a_mapping_for_new_records_never_writes_to_others(world: World) -> None:
    for name, decision in decisions(world).items():
        if world.by_name(name).when is When.ON_CREATE:
            assert decision.to is None


@often
@given(every)
def test_a_mapping_that_is_off_writes_nothing_and_forgets_nothing(world: World) -> None:
    merged = world.merged()
    after = applied(world, merged)
    for name in NAMES:
        conversion = world.by_name(name)
        if not conversion.paused:
            continue
        assert all(d.to is None for d in merged.decisions if d.name == name)
        if not same(conversion, *(world.value(s, name) for s in Side)):
            for side in Side:
                field = conversion.fields[side]
                before = (world.seen or {}).get(side, {})
                assert after.seen is not None
                assert after.seen[side].get(field, "never") == before.get(field, "never")


@often
@given(worlds(met=True), st.sampled_from(NAMES), st.data())
def test_off_and_on_again_is_a_three_way_merge(
    world: World, name: str, data: st.DataObject
) -> None:
    """D7: what happened while it was off is merged as if it had never been off."""
    off = replace(
        world,
        conversions=tuple(structs.replace(c, paused=c.name == name) for c in world.conversions),
    )
    rested = applied(off, off.merged())
    back = replace(rested, conversions=world.conversions)
    assume(not same(world.by_name(name), *(world.value(s, name) for s in Side)))
    assert decisions(back)[name] == decisions(world)[name]


def seeded(world: World, name: str, seed: str) -> World:
    """A mapping was added to the sync of a pair that has agreed before."""
    assert world.seen is not None
    fields = world.by_name(name).fields
    seen: dict[Side, dict[str, Value]] = {
        s: {n: v for n, v in world.seen[s].items() if n != fields[s]} for s in Side
    }
    seen[Side.HUB][seed_name(name)] = seed
    return replace(world, seen=seen)


@often
@given(worlds(met=True), st.sampled_from(NAMES))
def test_a_new_mapping_fills_blanks_only_and_what_differs_counts_as_seen(
    world: World, name: str
) -> None:
    fresh = seeded(world, name, "")
    merged = fresh.merged()
    for decision in merged.decisions:
        if decision.name == name and decision.to is not None:
            assert is_blank(world.value(decision.to, name))
    after = applied(fresh, merged)
    assert after.seen is not None
    assert seed_name(name) not in after.seen[Side.HUB]
    left = decisions(after).get(name)
    assert left is None or left.to is None
    if left is not None and not any(is_blank(after.value(s, name)) for s in Side):
        assert left.reason is Reason.UNCHANGED


@often
@given(worlds(met=True), st.sampled_from(list(Side)), st.data())
def test_a_side_seeds_a_new_mapping(world: World, side: Side, data: st.DataObject) -> None:
    two_way = [n for n in NAMES if world.by_name(n).direction is Direction.BOTH]
    filled = [n for n in two_way if not is_blank(world.value(side, n))]
    assume(filled)
    name = data.draw(st.sampled_from(filled))
    after = applied(fresh := seeded(world, name, side), fresh.merged())
    assert after.value(side, name) == world.value(side, name)
    assert same(world.by_name(name), *(after.value(s, name) for s in Side))


@often
@given(worlds(met=True), st.sampled_from(NAMES))
def test_a_seed_waits_with_a_side_that_is_closed(world: World, name: str) -> None:
    fresh = seeded(world, name, Side.HUB)
    merged = fresh.merged(open_to=frozenset())
    after = applied(fresh, merged)
    if name in merged.unsettled:
        assert after.seen is not None
        assert after.seen[Side.HUB][seed_name(name)] == Side.HUB
