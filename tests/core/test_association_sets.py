"""All targets of an association, with labels: what two people change on both sides, both keep."""

from __future__ import annotations

from collections.abc import Mapping

import pytest
from hypothesis import given
from hypothesis import strategies as st

from twofold.core.association_sets import Knows, kept_targets, merge_all, targets_of
from twofold.core.associations import (
    UNCLEAR,
    AssociationDecision,
    merge_association,
    primary_target,
)
from twofold.core.mappings import AssociationMapping, Direction, Targets
from twofold.core.records import Side, Target

MAPPING = AssociationMapping("company", "firm", "company", "firm", Targets.ALL)
NAMES = {Side.HUB: "@company*", Side.APP: "@firm*"}
NUMBERS = "1234"
TWINS: Mapping[Side, Mapping[str, str]] = {
    Side.HUB: {f"h{n}": f"a{n}" for n in NUMBERS},
    Side.APP: {f"a{n}": f"h{n}" for n in NUMBERS},
}
BOTH_SIDES = frozenset(Side)
KNOWS = Knows(primary=True, labels=True)
Ends = dict[str, Target]
"""Targets by number; 9 has no twin."""

label_sets = st.sets(st.sampled_from("xyz")).map(lambda found: tuple(sorted(found)))


def one_primary(ends: Ends, chosen: str) -> Ends:
    return {n: Target(n, n == chosen, t.labels) for n, t in ends.items()}


ends = st.builds(
    one_primary,
    st.dictionaries(
        st.sampled_from(NUMBERS), label_sets.map(lambda found: Target("", False, found))
    ),
    st.sampled_from(NUMBERS),
)


@st.composite
def edited(draw: st.DrawFn, agreed: Ends) -> Ends:
    """What one side shows after somebody changed some of it."""
    changed = draw(ends)
    keep = draw(st.sets(st.sampled_from(NUMBERS)))
    shown = {
        **{n: t for n, t in agreed.items() if n in keep},
        **{n: t for n, t in changed.items() if n not in keep},
    }
    marked = [n for n, t in shown.items() if t.primary]
    return one_primary(shown, draw(st.sampled_from(marked)) if marked else "")


worlds = ends.flatmap(lambda agreed: st.tuples(st.just(agreed), edited(agreed), edited(agreed)))


def value(side: Side, found: Ends) -> object:
    prefix = "h" if side is Side.HUB else "a"
    return kept_targets(Target(prefix + n, t.primary, t.labels) for n, t in found.items())


def merged(
    shown: Mapping[Side, object],
    seen: Mapping[Side, object] | None,
    direction: Direction = Direction.BOTH,
    knows: Knows = KNOWS,
    default: Side = Side.HUB,
) -> AssociationDecision | None:
    named = {side: {NAMES[side]: shown[side]} for side in Side}
    before = None if seen is None else {side: {NAMES[side]: seen[side]} for side in Side}
    return merge_all(MAPPING, direction, named, before, TWINS, default, BOTH_SIDES, knows)  # type: ignore[arg-type]


def applied(shown: object, decision: AssociationDecision, side: Side) -> object:
    """What a side shows after the writes: removed first, then added; labels only grow."""
    held = targets_of(shown)  # type: ignore[arg-type]
    for gone in decision.dissociate.get(side, ()):
        held.pop(gone, None)
    for target in decision.associate.get(side, ()):
        if target.primary:
            held = {i: Target(i, False, t.labels) for i, t in held.items()}
        before = held.get(target.id, target)
        labels = tuple({*before.labels, *target.labels})
        held[target.id] = Target(target.id, target.primary or before.primary, labels)
    return kept_targets(held.values())


def after(
    shown: Mapping[Side, object], seen: Mapping[Side, object] | None, **how: object
) -> tuple[dict[Side, object], Mapping[Side, object]]:
    decision = merged(shown, seen, **how)  # type: ignore[arg-type]
    if decision is None:
        return dict(shown), shown
    now = {side: applied(shown[side], decision, side) for side in Side}
    assert {side: decision.after[side] for side in Side} == now
    return now, decision.seen


def numbers(found: object) -> dict[str, tuple[str, ...]]:
    return {i[1:]: t.labels for i, t in targets_of(found).items()}  # type: ignore[arg-type]


def expected(agreed: Ends, hub: Ends, app: Ends) -> dict[str, tuple[str, ...]]:
    """The rule: what one side removed is gone, what one side added is there."""
    found = {}
    for n in NUMBERS:
        if (n in agreed and n in hub and n in app) or (n not in agreed and (n in hub or n in app)):
            base = set(agreed[n].labels) if n in agreed else set()
            ours, theirs = (set(e[n].labels) if n in e else None for e in (hub, app))
            if ours is None or theirs is None:
                labels = ours or theirs or set()
            else:
                labels = (ours & theirs) | ((ours ^ theirs) - base)
            found[n] = tuple(sorted(labels))
    return found


@given(worlds)
def test_both_people_s_changes_are_kept(world: tuple[Ends, Ends, Ends]) -> None:
    agreed, hub, app = world
    seen = {side: value(side, agreed) for side in Side}
    now, _ = after({Side.HUB: value(Side.HUB, hub), Side.APP: value(Side.APP, app)}, seen)
    assert numbers(now[Side.HUB]) == numbers(now[Side.APP]) == expected(agreed, hub, app)


@given(worlds, st.booleans())
def test_it_comes_to_rest(world: tuple[Ends, Ends, Ends], met: bool) -> None:
    agreed, hub, app = world
    shown: dict[Side, object] = {Side.HUB: value(Side.HUB, hub), Side.APP: value(Side.APP, app)}
    seen: Mapping[Side, object] | None = None
    if met:
        seen = {side: value(side, agreed) for side in Side}
    for _ in range(3):
        shown, seen = after(shown, seen)
    decision = merged(shown, seen)
    assert decision is None or decision.to is None


@given(worlds, st.booleans(), st.sampled_from([Direction.TO_HUB, Direction.TO_APP]))
def test_one_way_never_writes_the_source(
    world: tuple[Ends, Ends, Ends], met: bool, direction: Direction
) -> None:
    agreed, hub, app = world
    seen = {side: value(side, agreed) for side in Side} if met else None
    shown = {Side.HUB: value(Side.HUB, hub), Side.APP: value(Side.APP, app)}
    now, _ = after(shown, seen, direction=direction)
    source = Side.APP if direction is Direction.TO_HUB else Side.HUB
    assert now[source] == shown[source]
    received = set(numbers(now[source.other]))
    ours, theirs = (hub, app) if source is Side.HUB else (app, hub)
    new = {n for n in ours if not met or n not in agreed}
    assert new <= received
    own = {n for n in theirs if n not in ours and (not met or n not in agreed)}
    assert own <= received


@given(worlds)
def test_labels_that_one_side_cannot_tell_are_left_alone(world: tuple[Ends, Ends, Ends]) -> None:
    agreed, hub, app = world
    bare = {n: Target("", t.primary) for n, t in app.items()}
    shown = {Side.HUB: value(Side.HUB, hub), Side.APP: value(Side.APP, bare)}
    seen = {Side.HUB: value(Side.HUB, agreed), Side.APP: value(Side.APP, agreed)}
    now, _ = after(shown, seen, knows=Knows(primary=True, labels=False))
    kept = numbers(now[Side.HUB])
    assert {n: labels for n, labels in kept.items() if n in hub} == {
        n: hub[n].labels for n in kept if n in hub
    }
    assert not any(numbers(now[Side.APP]).values())


@given(worlds)
def test_the_primary_one_follows_a_single_edit(world: tuple[Ends, Ends, Ends]) -> None:
    agreed, hub, _ = world
    shown = {Side.HUB: value(Side.HUB, hub), Side.APP: value(Side.APP, agreed)}
    seen = {side: value(side, agreed) for side in Side}
    now, _ = after(shown, seen)
    chosen = {
        side: [i[1:] for i, t in targets_of(now[side]).items() if t.primary]  # type: ignore[arg-type]
        for side in Side
    }
    if any(t.primary for t in hub.values()):
        assert chosen[Side.APP] == chosen[Side.HUB] == [n for n, t in hub.items() if t.primary]


def test_a_target_without_a_twin_waits_and_is_no_removal() -> None:
    both: dict[Side, object] = {Side.HUB: value(Side.HUB, {"1": Target("1"), "9": Target("9")}),
            Side.APP: value(Side.APP, {"1": Target("1")})}  # fmt: skip
    decision = merged(both, None)
    assert decision is not None
    assert decision.to is None
    assert [(w.side, w.target) for w in decision.waits] == [(Side.HUB, "h9")]
    assert set(targets_of(decision.seen[Side.HUB])) == {"h1"}


def test_a_target_whose_twin_was_lost_is_left_alone() -> None:
    nine = {"9": Target("9")}
    shown: dict[Side, object] = {side: value(side, nine) for side in Side}
    decision = merged(shown, dict(shown))
    assert decision is not None
    assert (decision.to, decision.waits) == (None, ())
    assert decision.seen == shown


# --- the primary one alone ------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("targets", "kept"),
    [
        ((), None),
        ((Target("1"),), "1"),
        ((Target("1"), Target("2")), UNCLEAR),
        ((Target("1"), Target("2", primary=True)), "2"),
    ],
)
def test_without_a_primary_one_the_only_one_takes_part(
    targets: tuple[Target, ...], kept: str | None
) -> None:
    assert primary_target(targets) == kept


@pytest.mark.parametrize(
    ("hub", "app", "to", "associate"),
    [
        ("", "a1", None, None),  # a second one came, and none is primary: nothing was removed
        ("", "a2", Side.HUB, "h2"),  # the other side's change travels all the same
        ("h2", "a1", Side.APP, "a2"),
        ("", None, None, None),
    ],
)
def test_several_without_a_primary_one_ask_for_nothing(
    hub: str | None, app: str | None, to: Side | None, associate: str | None
) -> None:
    plain = AssociationMapping("company", "firm", "company", "firm")
    shown = {Side.HUB: {"@company": hub}, Side.APP: {"@firm": app}}
    seen = {Side.HUB: {"@company": "h1"}, Side.APP: {"@firm": "a1"}}
    decision = merge_association(plain, Direction.BOTH, shown, seen, TWINS, Side.HUB, BOTH_SIDES)
    assert (decision.to if decision else None) is to
    if to is not None and decision is not None:
        assert [t.id for t in decision.associate[to]] == [associate]
