"""Linked pairs for the properties of merge and plan: one world, changed twice.

The three states (agreed, hub, app) are related, as in life: mostly equal, with a few edits.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace
from datetime import date
from decimal import Decimal
from functools import cache
from typing import Any

from hypothesis import strategies as st

from twofold.core.convert import Conversion, conversion
from twofold.core.links import Link, seen_after
from twofold.core.mappings import Blanks, Direction, FieldMapping, When
from twofold.core.merge import Merge, Seen, merge
from twofold.core.records import Fields, Side
from twofold.core.schema import Field
from twofold.core.values import Kind, Value

NAMES = ("email", "name", "day", "size")
KINDS: Mapping[str, tuple[Kind, Kind]] = {
    "email": (Kind.EMAIL, Kind.TEXT),
    "name": (Kind.TEXT, Kind.TEXT),
    "day": (Kind.DATE, Kind.DATE),
    "size": (Kind.INT, Kind.DECIMAL),
}


@dataclass(frozen=True)
class World:
    """One pair, and how it syncs."""

    conversions: tuple[Conversion, ...]
    shown: Mapping[Side, Fields]
    seen: Seen | None
    default: Side

    def merged(self, **changes: Any) -> Merge:
        """Merge the pair as it is."""
        return merge(self.conversions, self.shown, self.seen, self.default, **changes)

    def edited(self, side: Side, name: str) -> bool:
        """Whether a side changed a mapping since the two agreed."""
        assert self.seen is not None
        own = self.by_name(name).own[side]
        field = self.by_name(name).fields[side]
        return own(self.shown[side].get(field)) != own(self.seen[side].get(field))

    def by_name(self, name: str) -> Conversion:
        """The conversion of a mapping."""
        return next(c for c in self.conversions if c.name == name)

    def value(self, side: Side, name: str) -> Value:
        """What a side shows of a mapping."""
        return self.shown[side].get(self.by_name(name).fields[side])


VALUES: Mapping[Kind, list[Value]] = {
    Kind.EMAIL: ["a@x.example", "A@X.example ", "b@x.example", "", None],
    Kind.TEXT: ["a@x.example", "b", " b", "c", "", "  ", None],
    Kind.DATE: [date(2026, 1, 1), date(2026, 1, 2), None],
    Kind.INT: [0, 1, 2, None],
    Kind.DECIMAL: [Decimal(0), Decimal("1.00"), 2, None],
}


@cache
def _conversion(
    name: str,
    direction: Direction,
    blanks: Blanks,
    when: When = When.ALWAYS,
    default: Side | None = None,
    enabled: bool = True,
) -> Conversion:
    hub, app = (Field(p + name, name, k) for p, k in zip(("", "app_"), KINDS[name], strict=True))
    mapping = FieldMapping(hub, app, direction, blanks, when, default, enabled=enabled)
    return conversion(mapping, Direction.BOTH, "Europe/Amsterdam", "")


def _fields(side: Side) -> st.SearchStrategy[dict[str, Value]]:
    at = 0 if side is Side.HUB else 1
    prefix = "" if side is Side.HUB else "app_"
    return st.fixed_dictionaries({prefix + n: st.sampled_from(VALUES[KINDS[n][at]]) for n in NAMES})


def _rules(of_all: bool) -> st.SearchStrategy[tuple[Any, ...]]:
    """A mapping's direction and blanks; ``of_all``: and every other rule that it may have."""
    plain = (st.sampled_from(Direction), st.sampled_from(Blanks))
    sides = st.none() | st.sampled_from(list(Side))
    rest = (st.sampled_from(When), sides, st.booleans()) if of_all else ()
    return st.tuples(*plain, *rest)


@st.composite
def worlds(draw: st.DrawFn, *, met: bool | None = None, every_rule: bool = False) -> World:
    """A pair that agreed once (``met``), or never did, and was edited on both sides since."""
    rules = draw(st.tuples(*[_rules(every_rule)] * len(NAMES)))
    conversions = tuple(_conversion(n, *r) for n, r in zip(NAMES, rules, strict=True))
    agreed = {side: draw(_fields(side)) for side in Side}
    shown = {}
    for side in Side:
        fields = draw(_fields(side))
        moved = draw(st.sets(st.sampled_from(sorted(fields))))
        shown[side] = {**agreed[side], **{n: fields[n] for n in moved}}
    has_met = draw(st.booleans()) if met is None else met
    return World(conversions, shown, agreed if has_met else None, draw(st.sampled_from(list(Side))))


def applied(world: World, merged: Merge) -> World:
    """The world after every write succeeded, as the engine would remember it."""
    shown = {side: dict(world.shown[side]) for side in Side}
    written: dict[Side, dict[str, Value]] = {side: {} for side in Side}
    for decision in merged.decisions:
        if decision.to is not None:
            shown[decision.to][world.by_name(decision.name).fields[decision.to]] = decision.value
            written[decision.to][decision.name] = decision.value
    seen = seen_after(world.conversions, world.seen, world.shown, written, merged.unsettled)
    return replace(world, shown=shown, seen=seen)


def link_of(world: World) -> Link:
    """The pair's link."""
    return Link(world.seen)
