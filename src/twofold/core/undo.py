"""Put back what was written to a pair: part of its plan like any other decision (H7).

A value goes back where it was written, and nowhere else: what its twin shows stays, and counts as
agreed from then on. It goes back only while the record still holds what was written.
"""

from __future__ import annotations

from collections.abc import Sequence

from msgspec import Struct, structs

from twofold.core.health import State
from twofold.core.links import Link, seen_given
from twofold.core.merge import Decision, Merge, Reason
from twofold.core.plan import PairPlan, Program, update_of
from twofold.core.records import Record, Side
from twofold.core.values import Value


class PutBack(Struct, frozen=True):
    """A value that a person wants back."""

    side: Side
    name: str
    """Of the mapping."""
    value: Value
    """What the record held before, in its side's form."""
    expects: Value
    """What was written then; where it holds anything else by now, it is left alone."""


def unfit(program: Program, record: Record, wish: PutBack) -> str:
    """Why a value cannot be put back into a record; empty where it can."""
    found = next((c for c in program.conversions if c.name == wish.name), None)
    if found is None:
        return "its mapping is gone"
    if not found.updatable[wish.side]:
        return "the app lets nobody change this field"
    own, now = found.own[wish.side], record.fields.get(found.fields[wish.side])
    if own(now) == own(wish.value):
        return "it holds that value already"
    return "" if own(now) == own(wish.expects) else "it was changed since"


def with_put_back(
    program: Program,
    plan: PairPlan,
    hub: Record,
    app: Record,
    link: Link,
    wishes: Sequence[PutBack],
) -> PairPlan:
    """The plan of a pair, with what a person wants back in it, unless the pair is excluded.

    ``plan``: what the pair needs without that.
    """
    if plan.outcome.state is State.EXCLUDED:
        return plan
    ends = {Side.HUB: hub, Side.APP: app}
    fields = {c.name: c.fields for c in program.conversions}
    put = {
        w.name: Decision(
            w.name,
            Reason.UNDONE,
            w.side,
            w.value,
            ends[w.side.other].fields.get(fields[w.name][w.side.other]),
        )
        for w in wishes
        if not unfit(program, ends[w.side], w)
    }
    if not put:
        return plan
    kept = [d for d in plan.merge.decisions if d.name not in put]
    merged = Merge((*kept, *put.values()))
    shown = {side: record.fields for side, record in ends.items()}
    updates = (
        update_of(program, side, record, merged, plan.associations) for side, record in ends.items()
    )
    return structs.replace(
        plan,
        updates=tuple(u for u in updates if u is not None),
        merge=merged,
        seen=plan.seen or seen_given(link, program.conversions, shown),
    )
