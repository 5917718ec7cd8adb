"""Three-way merge of one association of a linked pair (A1, A3, A4, D13).

Only the primary target takes part (A4). It is kept among a record's fields as ``@name``: the id of
the primary target, of the only one where none is marked, or None.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import NamedTuple

from msgspec import Struct

from twofold.core.mappings import AssociationMapping, Blanks, Direction
from twofold.core.merge import Reason, Seen, choose
from twofold.core.records import Fields, Side, Target
from twofold.core.values import Value

Twins = Mapping[Side, Mapping[str, str]]
"""For targets of a side: the id of the linked record on the other side; absent = no link yet."""


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
    to: Side | None = None
    associate: str | None = None
    """The target to associate on that side."""
    dissociate: str | None = None
    """The target to remove on that side."""
    waits_for: Waiting | None = None
    """Whose link must exist first."""
    settled: bool = True


def field_name(association: str) -> str:
    """The name under which the primary target is kept among the fields."""
    return f"@{association}"


def primary_target(targets: Sequence[Target]) -> str | None:
    """The target that takes part: the primary, else the only one, else none ("no primary")."""
    marked = [target.id for target in targets if target.primary]
    if marked:
        return marked[0]
    return targets[0].id if len(targets) == 1 else None


def merge_association(
    mapping: AssociationMapping,
    direction: Direction,
    shown: Mapping[Side, Fields],
    seen: Seen | None,
    twins: Twins,
    default: Side,
    open_to: frozenset[Side],
) -> AssociationDecision | None:
    """Decide one association of a linked pair; None when both sides agree."""
    names = {side: field_name(mapping.end(side)) for side in Side}
    values: dict[Side, Value] = {side: shown[side].get(names[side]) for side in Side}
    hub, app = values[Side.HUB], values[Side.APP]
    if hub is None and app is None:
        return None
    if hub is not None and app is not None and twins[Side.HUB].get(str(hub)) == app:
        return None
    edited: frozenset[Side] | None = None
    if seen is not None and all(names[side] in seen[side] for side in Side):
        edited = frozenset(s for s in Side if values[s] != seen[s][names[s]])
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
        return AssociationDecision(name, reason, to, dissociate=str(held))
    twin = twins[to.other].get(str(wanted))
    if twin is None:
        waits = Waiting(name, to.other, str(wanted))
        return AssociationDecision(name, reason, waits_for=waits, settled=False)
    return AssociationDecision(name, reason, to, associate=twin)
