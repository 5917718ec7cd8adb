"""What the history keeps of the writes to linked records: before, after, and by which rule."""

from __future__ import annotations

from collections.abc import Iterator

from twofold.core.associations import kept_name
from twofold.core.forms import arrived
from twofold.core.plan import Update
from twofold.core.records import Record, Side
from twofold.engine.chunk import PairWork
from twofold.engine.context import Context
from twofold.engine.observe import shown
from twofold.engine.updates import PairOutcome
from twofold.store.history import Change, encode_changes
from twofold.store.types import Did, Written


def updated(context: Context, outcome: PairOutcome) -> Iterator[Written]:
    """What a pair's writes changed, for each side that took them."""
    for u in outcome.pair.plan.updates:
        held = outcome.held.get(u.side)
        if held is None:
            continue
        changes = [*_fields(context, outcome, u), *_associations(context, outcome, u, held)]
        if changes:
            pair = outcome.pair
            row, twin = pair.end(u.side).row, pair.end(u.side.other).row
            yield Written(Did.UPDATED, u.side, row, twin, encode_changes(changes))


def arrived_since(context: Context, pair: PairWork) -> Iterator[Written]:
    """What the noted writes of a pair changed, of which no answer was heard."""
    for side, sent_by_name in pair.link.note.items():
        shows = pair.end(side).record.fields
        changes = []
        for c in context.program.conversions:
            sent = sent_by_name.get(c.name)
            if sent is None:
                continue
            own, now = c.own[side], shows.get(c.fields[side])
            if own(now) == own(sent.before):
                continue  # it did not arrive
            after = now if arrived(own, now, sent.value) else sent.value
            changes.append(Change(c.name, sent.before, after, sent.source, ""))
        if changes:
            row, twin = pair.end(side).row, pair.end(side.other).row
            yield Written(Did.UPDATED, side, row, twin, encode_changes(changes))


def _fields(context: Context, outcome: PairOutcome, u: Update) -> Iterator[Change]:
    written = outcome.written.get(u.side, {})
    decided = {d.name: d for d in outcome.pair.plan.merge.decisions}
    for c in context.program.conversions:
        if c.name in written:
            before = u.record.fields.get(c.fields[u.side])
            decision = decided[c.name]
            rule = decision.reason.name
            yield Change(c.name, before, written[c.name], decision.source, rule)


def _associations(
    context: Context, outcome: PairOutcome, u: Update, held: Record
) -> Iterator[Change]:
    names = {name for name, _ in (*u.associate, *u.dissociate)}
    port, other = context.ports[u.side], u.side.other
    decided = {d.name: d for d in outcome.pair.plan.associations}
    for mapping in context.sync.rules.associations:
        if mapping.end(u.side) in names:
            name, ours = kept_name(mapping, Side.HUB), kept_name(mapping, u.side)
            now = shown(held, port.fields, port.associations).get(ours)
            source = outcome.pair.end(other).record.fields.get(kept_name(mapping, other))
            yield Change(name, u.record.fields.get(ours), now, source, decided[name].reason.name)
