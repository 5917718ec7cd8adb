"""Links that go on with another record, before anything is planned for them (D12).

A merged record's link goes to the survivor where that one has none. A record that came back after
both of a pair were gone is a record of its own again.
"""

from __future__ import annotations

from collections.abc import Sequence

from twofold.core.health import State
from twofold.core.records import Side
from twofold.engine.context import Context
from twofold.engine.ended import Ended, plan_ended
from twofold.store.types import LinkRow, Relink, Stored

MOST_MERGES = 20
"""In a row: who was merged into whom is said by an app, and could go in a circle."""


async def rejoin(context: Context, ended: Sequence[Ended]) -> bool:
    """Cut and move links that lost an end; True where the chunk must be planned anew."""
    learned = await _learn_merges(context, ended)
    if learned:
        rows = [one.link.hub.row for one in ended]
        ended = plan_ended(context, context.state.links.of(context.sync.id, Side.HUB, rows))
    cuts = [one.link.hub.row for one in ended if one.over]
    relinks: list[Relink] = []
    taken: set[tuple[Side, int]] = set()
    unsure = {(c.side.other, c.source) for c in context.state.links.creations(context.sync.id)}
    for one in ended:
        survivor = None
        if one.outcome is not None and one.link.hub.row not in cuts:
            survivor = await _survivor(context, one)
        if survivor is None or (one.gone, survivor.row) in taken | unsure:
            continue
        other = context.state.links.of(context.sync.id, one.gone, [survivor.row])
        if other and not _crossed(one, other[0]):
            continue
        cuts += [x.hub.row for x in other]
        taken.add((one.gone, survivor.row))
        lost = one.link.hub if one.gone is Side.HUB else one.link.app
        unnoted = one.gone in one.link.link.note
        relinks.append(Relink(one.gone, lost.row, survivor.row, unnoted))
    if cuts or relinks:
        context.state.links.rejoin(context.sync.id, context.fence, cuts, relinks)
        context.remade = context.state.links.remade(context.sync.id)
        context.count("relinked", len(relinks))
        context.world.step("rejoined")
    return bool(cuts or relinks or learned)


async def _learn_merges(context: Context, ended: Sequence[Ended]) -> bool:
    """Ask once about what vanished where a feed cannot tell a merge from a delete."""
    learned = False
    for side in Side:
        port = context.ports[side]
        lost = [
            one.link.hub if side is Side.HUB else one.link.app
            for one in ended
            if one.gone is side and one.outcome is not None and _is_news(one)
        ]
        if lost and not port.type.merges:
            learned = await port.learn_merges(lost) or learned
    return learned


def _is_news(one: Ended) -> bool:
    """Whether the link has only just lost its end."""
    lost = one.link.hub if one.gone is Side.HUB else one.link.app
    return lost.into_id is None and one.known is None and one.link.state != State.EXCLUDED


async def _survivor(context: Context, one: Ended) -> Stored | None:
    """The living record that a lost one was merged into, maybe by way of others."""
    port = context.ports[one.gone]
    lost = one.link.hub if one.gone is Side.HUB else one.link.app
    for _ in range(MOST_MERGES):
        if lost.into_id is None:
            return None
        found = context.state.records.find(port.reader, lost.into_id)
        if found is None:
            living = await port.survivor(lost.into_id)
            found = None if living is None else context.state.records.find(port.reader, living)
        if found is None or not found.gone:
            return found
        lost = found
    return None


def _crossed(one: Ended, other: LinkRow) -> bool:
    """Whether the survivor's own twin was merged into ours: both sides merged the same two."""
    ours, theirs = (one.link.app, other.app) if one.gone is Side.HUB else (one.link.hub, other.hub)
    return theirs.gone and theirs.into_id == ours.record.id
