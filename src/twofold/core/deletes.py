"""What a record that was deleted on one side does to its twin (R8, D11).

A delete never travels from the receiving side of one-way, nor from a record that its filter holds
back. A twin that somebody edited since the two agreed goes only with a person's yes.
"""

from __future__ import annotations

from collections.abc import Mapping

from msgspec import Struct

from twofold.core.filters import Leaving
from twofold.core.links import Link, seen_given
from twofold.core.mappings import Deletes, Rules
from twofold.core.merge import Seen
from twofold.core.plan import Program
from twofold.core.records import Fields, Side
from twofold.core.schema import ObjectType, Op
from twofold.core.scope import UNREMEMBERED, Standing


class Removal(Struct, frozen=True):
    """The twin of a deleted record is to go."""

    side: Side
    """Where the twin is."""
    op: Op
    """Delete or archive."""
    edited: bool = False
    """Somebody edited the twin since the two agreed."""
    asks: bool = False
    """Only with a person's approval."""


def plan_removal(
    program: Program,
    gone: Side,
    shown: Mapping[Side, Fields],
    link: Link,
    standing: Standing = UNREMEMBERED,
) -> Removal | None:
    """What follows for its twin when a linked record was deleted; None: it stays.

    Args:
        gone: The side on which the record was deleted; merged records are never asked about.
        shown: What the two last showed.
    """
    rules, side = program.rules, gone.other
    op = removing(rules.deletes, rules.type_of(side))
    if op is None:
        return None
    # Also where the direction is not open: a side that only receives sends no delete.
    if side not in program.scope(shown[Side.HUB], shown[Side.APP], standing).open:
        return None
    seen = seen_given(link, program.conversions, shown)  # our own write is nobody's edit
    edited = _edited(program, side, shown[side], seen)
    return Removal(side, op, edited, edited or rules.deletes is Deletes.APPROVE)


def plan_leaving(program: Program, left: Side, shown: Mapping[Side, Fields], link: Link) -> Removal:
    """What follows for its twin when a linked record left its limit, under ``archive`` (L5).

    Args:
        left: The side whose record no longer meets its limit; it sends.
        shown: What the two last showed.
    """
    seen = seen_given(link, program.conversions, shown)
    edited = _edited(program, left.other, shown[left.other], seen)
    return Removal(left.other, Op.ARCHIVE, edited, edited)


def sides_of_leaving(rules: Rules) -> tuple[Side, ...]:
    """The sides on which this sync may have to archive twins of records that left their limit."""
    archives = rules.leaving is Leaving.ARCHIVE
    return tuple(
        side
        for side in Side
        if archives and rules.filter_of(side.other) and rules.direction.reaches(side)
    )


def removing(policy: Deletes, object_type: ObjectType) -> Op | None:
    """How a policy removes a record of this type; None: it does not, or the app cannot."""
    wanted = {
        Deletes.IGNORE: (),
        Deletes.APPROVE: (Op.ARCHIVE, Op.DELETE),
        Deletes.ARCHIVE: (Op.ARCHIVE,),
        Deletes.DELETE: (Op.DELETE,),
    }[policy]
    return next((op for op in wanted if op in object_type.ops), None)


def sides_of_removal(rules: Rules) -> tuple[Side, ...]:
    """The sides on which this sync may have to remove records."""
    travels = rules.deletes is not Deletes.IGNORE
    return tuple(side for side in Side if travels and rules.direction.reaches(side))


def _edited(program: Program, side: Side, shown: Fields, seen: Seen | None) -> bool:
    """Whether a record holds anything in a mapped field that it did not show at agreement."""
    if seen is None:
        return True
    for c in program.conversions:
        name, own = c.fields[side], c.own[side]
        if own(shown.get(name)) != own(seen[side].get(name)):
            return True
    return False
