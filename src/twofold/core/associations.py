"""Three-way merge of one association of a linked pair (A1, A3, A4, D13).

By default only the primary target takes part (A4). It is kept among a record's fields as
``@name``: the id of the primary target, or of the only one where none is marked; None where there
is none, and ``UNCLEAR`` where there are several without a primary one. Where all targets take part
(A5), they are kept as ``@name*``, and `twofold.core.association_sets` merges them.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import NamedTuple

import msgspec
from msgspec import Struct

from twofold.core.mappings import AssociationMapping, Blanks, Direction, Targets
from twofold.core.merge import Reason, Seen, choose
from twofold.core.records import Fields, Side, Target
from twofold.core.values import Value

Twins = Mapping[Side, Mapping[str, str]]
"""For targets of a side: the id of the linked record on the other side; absent = no link yet."""

UNCLEAR = ""
"""Several targets, and none of them primary: says nothing, and asks for nothing to be removed."""

ALL_MARK = "*"
"""Behind the name of an association of which all targets are read."""


class Waiting(NamedTuple):
    """A far end that has no link yet (A3)."""

    association: str
    """The field-like name on the hub, ``@company``."""
    side: Side
    target: str


class AssociationDecision(Struct, frozen=True):
    """What one association mapping asks for."""

    name: str
    """The field-like name on the hub, ``@company``."""
    reason: Reason
    associate: Mapping[Side, tuple[Target, ...]] = msgspec.field(default_factory=dict)
    """The targets to associate, by side."""
    dissociate: Mapping[Side, tuple[str, ...]] = msgspec.field(default_factory=dict)
    """The targets to remove, by side."""
    waits: tuple[Waiting, ...] = ()
    """Whose link must exist first."""
    settled: bool = True
    """Whether *seen* moves to ``seen``, and where that says nothing, to what the sides show."""
    seen: Mapping[Side, Value] = msgspec.field(default_factory=dict)
    after: Mapping[Side, Value] = msgspec.field(default_factory=dict)
    """What a side will show; absent where it does not matter."""

    @property
    def to(self) -> Side | None:
        """A side that is written, if any."""
        return next((s for s in Side if self.associate.get(s) or self.dissociate.get(s)), None)


def field_name(association: str) -> str:
    """The name under which the primary target is kept among the fields."""
    return f"@{association}"


def asked_name(mapping: AssociationMapping, side: Side) -> str:
    """How the reader of a side is asked for the association."""
    return mapping.end(side) + (ALL_MARK if mapping.targets is Targets.ALL else "")


def kept_name(mapping: AssociationMapping, side: Side) -> str:
    """The name under which the mapping's targets are kept among the fields of a side."""
    return field_name(asked_name(mapping, side))


def primary_target(targets: Sequence[Target]) -> str | None:
    """The target that takes part: the primary, else the only one, else none ("no primary")."""
    marked = [target.id for target in targets if target.primary]
    if marked:
        return marked[0]
    if len(targets) > 1:
        return UNCLEAR
    return targets[0].id if targets else None


def merge_association(
    mapping: AssociationMapping,
    direction: Direction,
    shown: Mapping[Side, Fields],
    seen: Seen | None,
    twins: Twins,
    default: Side,
    open_to: frozenset[Side],
) -> AssociationDecision | None:
    """Decide the primary target of a linked pair; None when both sides agree."""
    names = {side: field_name(mapping.end(side)) for side in Side}
    raw: dict[Side, Value] = {side: shown[side].get(names[side]) for side in Side}
    values = {side: raw[side] or None for side in Side}
    hub, app = values[Side.HUB], values[Side.APP]
    edited: frozenset[Side] | None = None
    if seen is not None and all(names[side] in seen[side] for side in Side):
        edited = frozenset(s for s in Side if raw[s] != seen[s][names[s]] and raw[s] != UNCLEAR)
    if hub is None and app is None:
        return None
    if hub is not None and app is not None and twins[Side.HUB].get(str(hub)) == app:
        return None
    reason, to, settled = choose(direction, Blanks.CLEAR, values, edited, default)
    if to is None:
        return AssociationDecision(names[Side.HUB], reason, settled=settled)
    if to not in open_to:
        return AssociationDecision(names[Side.HUB], Reason.CLOSED, settled=False)
    return _write(names[Side.HUB], reason, to, values, twins)


def _write(
    name: str, reason: Reason, to: Side, values: Mapping[Side, Value], twins: Twins
) -> AssociationDecision:
    wanted, held = values[to.other], values[to]
    if wanted is None:
        return AssociationDecision(name, reason, dissociate={to: (str(held),)}, seen={to: None})
    twin = twins[to.other].get(str(wanted))
    if twin is None:
        waits = Waiting(name, to.other, str(wanted))
        return AssociationDecision(name, reason, waits=(waits,), settled=False)
    return AssociationDecision(
        name, reason, associate={to: (Target(twin, primary=True),)}, seen={to: twin}
    )
