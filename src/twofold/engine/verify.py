"""Rolling verification: every linked pair is compared in full within a chosen time (R10).

What a side shows is read past its feed and compared with what is stored of it. A difference that a
reading of the feed does not explain is *drift*: something was missed. It is counted and stored,
which makes the pair due. What a rule leaves different on purpose (D3, D4) is no drift.
"""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from datetime import timedelta

from msgspec import Struct, structs

from twofold.core.guards import side_suddenly_empty
from twofold.core.health import State as Standing
from twofold.core.records import Record, Side
from twofold.engine.brakes import may_be_empty, pull
from twofold.engine.chunk import PairWork, assemble
from twofold.engine.context import Context
from twofold.engine.observe import shown
from twofold.engine.port import Port
from twofold.engine.read import read
from twofold.engine.run import Turn, anytime, open_ports
from twofold.engine.world import World
from twofold.kit.contract import Connector
from twofold.store.codec import encode
from twofold.store.fences import Hold
from twofold.store.state import State
from twofold.store.types import Stored
from twofold.store.verifications import Verification

WITHIN = timedelta(hours=24)
"""In which every pair is compared once."""
MOST = 1_000
"""Pairs in one slice: the share that verification may take of a run."""
AT_ONCE = 100
"""Pairs looked at together."""

Seen = Mapping[str, bytes | None]
"""By id: what a side shows past its feed, as stored; None = there is no such record."""


class Verified(Struct, frozen=True):
    """What a slice of verification found."""

    checked: int = 0
    drift: int = 0
    """Pairs of which something had been missed; they are due again."""
    ended: bool = False
    """Every pair has been compared since the round began."""


async def verify_slice(
    state: State,
    world: World,
    sync_id: int,
    connectors: Mapping[Side, Connector],
    *,
    within: timedelta | None = WITHIN,
    most: int = MOST,
    turn: Turn = anytime,
) -> Verified:
    """Compare as many pairs as the time that has passed asks for, ``most`` at a time.

    ``within`` = None: all that are left of this round, at once.

    Raises:
        Braked: a side shows none of the records that were looked at.
        ConnectorError: a side cannot be read; what was compared before is stored.
        FenceLost: another worker took over.
    """
    fence = state.syncs.claim(sync_id)
    sync = state.syncs.get(sync_id)
    ports = open_ports(state, sync, connectors, world, Hold(sync_id, fence))
    context = Context(state, world, sync, ports, fence)
    number = _share(context, within, most)
    checked = drift = 0
    ended = number == 0
    while checked < number:
        async with turn(sync.hub_reader):
            part = await _verify(context, int(min(AT_ONCE, number - checked)))
        checked, drift, ended = checked + part.checked, drift + part.drift, part.ended
        if ended:
            break
    return Verified(checked, drift, ended and number > 0)


def _share(context: Context, within: timedelta | None, most: int) -> float:
    """How many pairs are to be compared now; the first slice only sets the clock."""
    if within is None:
        return math.inf
    at = context.state.verifications.of(context.sync.id)
    now = context.world.now().timestamp()
    if at is None:
        fresh = Verification(0, now, now, None, 0, 0)
        context.state.verifications.advance(context.sync.id, context.fence, fresh, [])
        return 0
    passed = max(0.0, now - at.advanced) / within.total_seconds()
    return min(most, int(context.state.verifications.paired(context.sync.id) * passed))


async def _verify(context: Context, number: int) -> Verified:
    """Compare some pairs, behind those compared before."""
    sync, now = context.sync.id, context.world.now().timestamp()
    at = context.state.verifications.of(sync) or Verification(0, now, now, None, 0, 0)
    places = context.state.verifications.pairs(sync, at.position, number)
    pairs = assemble(context, places).pairs
    missed = {row for side in Side for row in await _missed(context, side, pairs)}
    owed = _owed(context, [pair for pair in pairs if pair.hub.row not in missed])
    last = len(places) < number
    after = structs.replace(
        at,
        position=0 if last else places[-1][1],
        advanced=now,
        began=now if last else at.began,
        ended=now if last else at.ended,
        checked=at.checked + len(pairs),
        drift=at.drift + len(missed) + len(owed),
    )
    context.state.verifications.advance(sync, context.fence, after, owed)
    context.world.step("verified")
    return Verified(len(pairs), len(missed) + len(owed), last)


async def _missed(context: Context, side: Side, pairs: Sequence[PairWork]) -> set[int]:
    """Hub rows of pairs of which that side shows something that its feed did not tell."""
    port = context.ports[side]
    if port.relists or not pairs:  # every reading of such a side is a comparison in full
        return set()
    ends = {pair.end(side).record.id: pair for pair in pairs}
    first, _ = await _look(port, list(ends))
    if not may_be_empty(context):
        found = sum(what is not None for what in first.values())
        pull(context, side_suddenly_empty(side, port.app, len(ends), found))
    doubted = [i for i, pair in ends.items() if first[i] != pair.end(side).shown]
    if not doubted:
        return set()
    await read(port, context.world)  # the feed may only not have been asked yet
    again, records = await _look(port, doubted)
    stored = context.state.records.stored([ends[i].end(side).row for i in doubted])
    gone: dict[str, str | None] = {i: None for i in doubted if again[i] is None}
    merged = {i: r.id for i, r in records.items() if r.id != i}
    port.store(list(records.values()), {**gone, **merged})
    context.world.step(f"{side} drift repaired")
    return {
        ends[i].hub.row
        for i in doubted
        if first[i] == again[i]
        and _differs(port, stored.get(ends[i].end(side).row), again[i], records.get(i))
    }


async def _look(port: Port, ids: Sequence[str]) -> tuple[Seen, Mapping[str, Record]]:
    """What a side shows of records; of a merged one, nothing."""
    answered = await port.get(ids)
    port.world.step(f"{port.side} verified by a look")
    records = {i: answered[i][0] for i in ids if answered.get(i)}
    seen = {
        i: encode(shown(records[i], port.fields, port.associations))
        if i in records and records[i].id == i
        else None
        for i in ids
    }
    return seen, records


def _differs(port: Port, stored: Stored | None, now: bytes | None, record: Record | None) -> bool:
    """Whether a side still shows something else than its feed, which had the time to tell."""
    if now is None:
        reported = port.type.deletes
        return reported and stored is not None and not stored.gone
    if stored is None or stored.gone or stored.shown == now:
        return stored is None or stored.gone
    lag = port.type.lag + port.type.resolution
    if not lag or record is None:
        return True
    if record.modified is None:
        return False  # it may be so new that the feed does not show it yet
    return port.time() - record.modified.timestamp() > lag.total_seconds()


def _owed(context: Context, pairs: Sequence[PairWork]) -> list[int]:
    """Hub rows of pairs that count as in sync, and need a write that nobody has on a list."""
    wrong = [p for p in pairs if p.plan.updates and p.old_state == int(Standing.IN_SYNC)]
    if not wrong:
        return []
    waits = context.state.verifications.awaited
    hub = waits(context.sync.id, Side.HUB, [p.hub.row for p in wrong])
    app = waits(context.sync.id, Side.APP, [p.app.row for p in wrong])
    return [p.hub.row for p in wrong if p.hub.row not in hub and p.app.row not in app]
