"""What a chunk learned about limits: who is within, who left, and who must be looked at again."""

from __future__ import annotations

from collections.abc import Sequence

from twofold.core.filters import Leaving
from twofold.core.health import State
from twofold.core.records import Side
from twofold.engine.chunk import Chunk, PairWork
from twofold.engine.context import Context
from twofold.engine.limits import NOTHING
from twofold.engine.observe import shown
from twofold.engine.updates import PairOutcome
from twofold.store.types import Place, Settlement


def settle_limits(
    context: Context, settlement: Settlement, chunk: Chunk, outcomes: Sequence[PairOutcome]
) -> None:
    """Add to a settlement what limits need; nothing where the sync has none."""
    limits = context.limits
    if limits.by_side:
        for outcome in outcomes:
            _look_at_own_writes(context, settlement, chunk, outcome)
    if limits.revisits:
        settlement.revisits += chunk.revisits.items()
        for made in settlement.created:  # its own end is looked at once it has a row
            made.again = made.again or made.side in limits.by_side
    if limits.archives:
        for ended in [*chunk.ended, *chunk.left]:
            settlement.entered.update(dict.fromkeys(ended.entered, False))
    if limits.remembers:
        unsure = {o.pair.hub.row for o in outcomes if o.unknown or not o.complete}
        states = {c.hub: c.outcome.state for c in settlement.links}
        for pair in chunk.pairs:
            if pair.hub.row not in unsure:
                state = states.get(pair.hub.row, pair.plan.outcome.state)
                _settle_pair(context, settlement, chunk, pair, state)
        for made in settlement.created:
            if made.side.other in limits.by_side:
                settlement.entered[made.side.other, made.source] = True


def _look_at_own_writes(
    context: Context, settlement: Settlement, chunk: Chunk, outcome: PairOutcome
) -> None:
    """What we wrote may bring a record into its own side's limit, or out of it, now or later."""
    for side, held in outcome.held.items():
        port = context.ports[side]
        now = shown(held, port.fields, port.associations)
        before = outcome.pair.end(side).record.fields
        if context.limits.meets(side, now) is not context.limits.meets(side, before):
            settlement.due.append((Side.HUB, outcome.pair.hub.row))
        if context.limits.revisits:
            place: Place = (side, outcome.pair.end(side).row)
            past = chunk.past.get(place, NOTHING)
            chunk.revisits[place] = context.limits.revisit(side, now, past)


def _settle_pair(
    context: Context, settlement: Settlement, chunk: Chunk, pair: PairWork, state: State
) -> None:
    """Who is within its limit now; a final update is over once it has arrived (L5)."""
    places: dict[Side, Place] = {side: (side, pair.end(side).row) for side in Side}
    standing = context.limits.standing(chunk.past, list(places.values()))
    ends = {side: pair.end(side).record.fields for side in Side}
    scope = context.program.scope(ends[Side.HUB], ends[Side.APP], standing)
    for side in context.limits.by_side:
        if side.other not in scope.open:
            continue
        inside = context.limits.meets(side, ends[side])
        before = chunk.past.get(places[side], NOTHING).entered
        if inside and not before:
            settlement.entered[places[side]] = True
        elif before and not inside and _is_over(context, state):
            settlement.entered[places[side]] = False
            settlement.due.append(places[side])


def _is_over(context: Context, state: State) -> bool:
    return context.sync.rules.leaving is Leaving.FINAL and state is State.IN_SYNC
