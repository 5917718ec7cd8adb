"""Learn what became of writes whose outcome is unknown, before anything is decided again.

A note says what was being written. After a crash or a lost answer we look at the app through a
strongly consistent read; what arrived counts as agreed, what did not is planned again.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from msgspec import structs

from twofold.core.forms import arrived
from twofold.core.matching import MatchKeys
from twofold.core.plan import Create
from twofold.core.records import Record, Side
from twofold.core.values import Value, is_blank
from twofold.engine.apply import created_link
from twofold.engine.chunk import CreateWork
from twofold.engine.context import Context
from twofold.engine.creates import CreateOutcome, look_keys, write_again
from twofold.engine.port import Port
from twofold.kit.contract import Status
from twofold.store.codec import decode
from twofold.store.types import Creation, Settlement, Stored


async def recover_updates(context: Context) -> None:
    """Look again at every record that a noted write may have changed, and make its pair due.

    The note of a pair that lost an end stays for the day on which that one is back: until then
    nothing follows from it.
    """
    noted = [
        link
        for link in context.state.links.noted(context.sync.id)
        if not (link.hub.gone or link.app.gone)
    ]
    for side in Side:
        ends = [(x.hub if side is Side.HUB else x.app) for x in noted if side in x.link.note]
        ids = [end.record.id for end in ends]
        for start in range(0, len(ids), 500):
            await context.ports[side].refresh(ids[start : start + 500])
            context.world.step(f"{side} looked after noted writes")
    if noted:
        settlement = Settlement(due=[(Side.HUB, x.hub.row) for x in noted])
        context.state.links.settle(context.sync.id, context.fence, settlement, {})


async def look_for_creations(context: Context) -> None:
    """Store what the app now has under the keys of noted creates; before matching sees them."""
    for side in Side:
        port = context.ports[side]
        noted = [c for c in context.state.links.creations(context.sync.id) if c.side is side]
        if not noted or port.type.idempotent:
            continue
        for key in look_keys(context, side):
            wanted = {str(v) for c in noted if (v := decode(c.payload).get(key)) is not None}
            if wanted:
                answered = await port.get(sorted(wanted), key=key)
                port.store([r for found in answered.values() for r in found], {})
                context.world.step(f"{side} looked after noted creates")


async def recover_creations(context: Context, began: float) -> None:
    """Settle every noted create: repeat it where that is safe, else find what it made.

    Where the app can neither repeat a create safely nor be asked by a key, what it made is found
    among the records that were first read after the note was written.

    Args:
        began: When the reading before this began, in seconds since 1970.
    """
    for side in Side:
        noted = [c for c in context.state.links.creations(context.sync.id) if c.side is side]
        if not noted:
            continue
        if context.ports[side].type.idempotent:
            await _repeat(context, side, noted)
        else:
            await _adopt(context, side, noted, began)


async def _repeat(context: Context, side: Side, noted: Sequence[Creation]) -> None:
    """Send the very same creates once more: the app answers with the record that it made."""
    port = context.ports[side]
    size = port.batch(write_again(noted[0])[0].op)
    for start in range(0, len(noted), size):
        part = noted[start : start + size]
        context.state.links.check(context.sync.id, context.fence)
        results = await port.connector.push(port.name, [write_again(c)[0] for c in part])
        context.world.step(f"{side} repeated noted creates")
        made = [r.id for r in results if r.status is Status.OK and r.id is not None]
        found = await port.get(made) if made else {}
        settlement = Settlement()
        for creation, result in zip(part, results, strict=True):
            if result.status in {Status.UNKNOWN, Status.RETRY}:
                continue  # still noted: the next run asks again
            if result.id is None:
                _conclude(context, settlement, creation, None)
                continue
            held = next((r for r in found.get(result.id, ()) if r.id == result.id), None)
            # What was deleted or merged since is linked all the same, so that it is remembered.
            gone = Record(result.id, write_again(creation)[1])
            _conclude(context, settlement, creation, held or gone)
        _store(context, settlement)
        _store_lost(port, made, found)


def _store_lost(port: Port, made: Sequence[str], found: Mapping[str, Sequence[Record]]) -> None:
    """See which of the records that we made are gone by now, and into whom they were merged."""
    lost: dict[str, str | None] = {}
    survivors: list[Record] = []
    for record_id in made:
        there = found.get(record_id, ())
        if not there or there[0].id != record_id:
            lost[record_id] = there[0].id if there else None
            survivors += there
    port.store(survivors, lost)


async def _adopt(context: Context, side: Side, noted: Sequence[Creation], began: float) -> None:
    """Find what we made among the unlinked records that appeared since the note.

    What is found is looked at once more: what is stored of a record is not all that an app answers.
    """
    port = context.ports[side]
    # What was made may not show yet where the app's feed lags and no key could be asked.
    visible = began - port.type.lag.total_seconds()
    keys = set(look_keys(context, side))
    noted = [c for c in noted if c.at <= visible or keys & decode(c.payload).keys()]
    newest = min((c.newest for c in noted), default=0)
    fresh = context.state.records.since(port.reader, newest)
    linked = context.state.links.linked(context.sync.id, side, [s.row for s in fresh])
    free = _Free(context, side, [s for s in fresh if s.row not in linked])
    ours = {c.source: stored.record for c in noted if (stored := free.take(c)) is not None}
    found = await port.get([record.id for record in ours.values()]) if ours else {}
    context.world.step(f"{side} looked at what it may have made")
    settlement = Settlement()
    for creation in noted:
        held = ours.get(creation.source)
        if held is not None:
            # Gone by now? Then the feed tells, and what was read of it is linked.
            held = next((r for r in found.get(held.id, ()) if r.id == held.id), held)
        _conclude(context, settlement, creation, held)
    _store(context, settlement)


class _Free:
    """Records of nobody, each to be taken once by the create that most likely made it."""

    def __init__(self, context: Context, side: Side, records: Sequence[Stored]) -> None:
        self._context = context
        self._side = side
        self._left = {record.row: record for record in records}
        self._carriers: dict[tuple[int, str], list[int]] = {}
        self._keyless: list[int] = []
        for record in records:
            keys = _level_keys(context.key_maker(side, record.record.fields))
            for key in keys:
                self._carriers.setdefault(key, []).append(record.row)
            if not keys:
                self._keyless.append(record.row)

    def take(self, creation: Creation) -> Stored | None:
        """The record that a create made; None where there is none.

        It appeared since the note. Somebody may have edited it before we looked, so it counts when
        it shares a match key, and best when it holds what was sent; where one of the two has no
        key, when it holds at least half of what was sent.
        """
        _, sent = write_again(creation)
        wanted = _level_keys(self._context.key_maker(self._side, sent))
        sharing = {row for key in wanted for row in self._carriers.get(key, ())}
        best, ours = 0.0, None
        for row in sorted(sharing.union(self._keyless)) if wanted else sorted(self._left):
            if row not in self._left or row <= creation.newest:
                continue
            share = self._share(sent, self._left[row])
            likeness = 0.5 + share / 2 if row in sharing else share
            if likeness >= 0.5 and likeness > best:
                best, ours = likeness, row
        return None if ours is None else self._left.pop(ours)

    def _share(self, sent: Mapping[str, Value], stored: Stored) -> float:
        """How much of what was sent a record holds, 0 to 1."""
        side, fields = self._side, stored.record.fields
        checks = [
            arrived(c.own[side], fields.get(c.fields[side]), sent[c.fields[side]])
            for c in self._context.program.conversions
            if c.fields[side] in sent
        ]
        return sum(checks) / max(1, len(checks))


def _level_keys(keys: MatchKeys) -> set[tuple[int, str]]:
    return {(level, key) for level, found in enumerate(keys.levels) for key in found}


def _conclude(
    context: Context, settlement: Settlement, creation: Creation, held: Record | None
) -> None:
    """Link what was made; without it, or without its source, plan the source again."""
    side = creation.side
    settlement.creations_done.append((side, creation.source))
    settlement.due.append((side.other, creation.source))
    source = context.state.records.stored([creation.source]).get(creation.source)
    linked = context.state.links.linked(context.sync.id, side.other, [creation.source])
    if held is None or source is None or linked:
        return
    write, sent = write_again(creation)
    names = {c.fields[side]: c.name for c in context.program.conversions}
    values: dict[str, Value] = {names[f]: v for f, v in sent.items() if f in names}
    planned = structs.replace(source.record, fields=decode(creation.planned))
    work = CreateWork(
        structs.replace(source, record=planned, shown=creation.planned),
        side,
        Create(side, planned, values),
        _single_state(context, side.other, creation.source),
    )
    written = _still_held(context, side, values, held)
    port = context.ports[side]
    known = context.state.records.known(port.reader, [held.id])
    if context.state.links.linked(context.sync.id, side, [k.row for k in known.values()]):
        return  # it has a twin already
    if any(k.row in context.refused_of(side.other, creation.source) for k in known.values()):
        return  # a person has cut the two before we knew that we made one of them
    (sighting,) = port.sight([(held, held.digest)], known, looked=True)
    link = created_link(context, CreateOutcome(work, write, held=held, written=written), sighting)
    if creation.planned != source.shown:  # the source moved on since the note
        agreed = link.hub_agreed if side is Side.APP else link.app_agreed
        agreed.same = False
    link.again = True
    settlement.created.append(link)
    context.count("creates recovered")


def _still_held(
    context: Context, side: Side, values: Mapping[str, Value], held: Record
) -> dict[str, Value]:
    """By mapping name, *seen* of a record that we made a while ago.

    Another value than the one we sent is somebody's edit since, so *seen* is what we sent. Where
    the field is blank, the two have yet to meet in it: a blank never wins.
    """
    written: dict[str, Value] = {}
    for c in context.program.conversions:
        now = held.fields.get(c.fields[side])
        if c.name not in values:
            continue
        if arrived(c.own[side], now, values[c.name]):
            written[c.name] = now
        elif not is_blank(now):
            written[c.name] = values[c.name]
    return written


def _single_state(context: Context, side: Side, row: int) -> int | None:
    known = context.state.links.singles(context.sync.id, [(side, row)])
    return known.get((side, row), (None, None))[0]


def _store(context: Context, settlement: Settlement) -> None:
    for side in Side:
        _wake_merged(context, settlement, side)
    readers = (context.sync.hub_reader, context.sync.app_reader)
    settlement.moves = context.state.records.moves(readers)
    settlement.moment = context.moment()
    subscribers = {p.reader: p.listeners.subscribers for p in context.ports.values()}
    context.state.links.settle(context.sync.id, context.fence, settlement, subscribers)
    context.world.step("recovered")


def _wake_merged(context: Context, settlement: Settlement, side: Side) -> None:
    """Who was merged into a source had to wait: the source may take the link over now (D12)."""
    sources = [row for made_on, row in settlement.creations_done if made_on is side.other]
    if sources:
        ids = [s.record.id for s in context.state.records.stored(sources).values()]
        merged = context.state.records.merged(context.ports[side].reader, ids)
        settlement.due += [
            (side, row) for row in context.state.links.linked(context.sync.id, side, merged)
        ]
