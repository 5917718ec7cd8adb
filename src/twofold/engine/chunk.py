"""One chunk of due records, with everything that deciding about them needs.

Memory depends on the chunk, not on the number of records. Unlinked records come with all unlinked
records that share a match key, directly or through others: within such a closed group, matching
gives the same answer as over everything.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence

import msgspec
from msgspec import Struct

from twofold.core.health import Outcome
from twofold.core.links import UNMET, Link
from twofold.core.matching import Ambiguity, MatchKeys, match
from twofold.core.plan import (
    Create,
    PairPlan,
    excluded,
    plan_pair,
    plan_single,
)
from twofold.core.records import Side
from twofold.engine.context import Context
from twofold.engine.observe import key_hashes
from twofold.store.linkrows import encode_outcome
from twofold.store.types import LinkRow, Place, Stored

MOST_CARRIERS = 50
"""Of one match key and side; two already make it ambiguous."""
MOST_RELATED = 20_000
"""Records in one closed group."""


class PairWork(Struct):
    """A pair and its plan."""

    hub: Stored
    app: Stored
    link: Link
    plan: PairPlan
    old_state: int | None = None
    """None = matched just now."""
    agreed: tuple[bytes | None, bytes | None] = (b"", b"")
    """*Seen* as stored now."""
    outcome: str | None = None
    """As stored now."""
    single_states: tuple[int | None, int | None] = (None, None)
    """Of a new pair: where its two records stood while they were alone (hub, app)."""

    def end(self, side: Side) -> Stored:
        """The record on that side."""
        return self.hub if side is Side.HUB else self.app


class CreateWork(Struct):
    """A record to make, and where it comes from."""

    source: Stored
    side: Side
    """Where it is made."""
    create: Create
    old_state: int | None = None


class Chunk(Struct):
    """Plans for one chunk of due records."""

    places: Sequence[Place]
    """The due records that it deals with."""
    pairs: list[PairWork]
    ended: list[tuple[LinkRow, Outcome]]
    """Links that lost one end."""
    creates: list[CreateWork]
    singles: list[tuple[Place, Outcome, int | None]]
    """Exclusions of unlinked records that are new or changed, with the state before."""
    unsure: list[Place] = msgspec.field(default_factory=list)
    """Records whose create was noted and may have happened: nothing is made until we know."""


def assemble(context: Context, places: Sequence[Place]) -> Chunk:
    """Load and plan the due records."""
    links = _links(context, places)
    linked = {(Side.HUB, x.hub.row) for x in links} | {(Side.APP, x.app.row) for x in links}
    alone = [place for place in places if place not in linked]
    chunk = Chunk(places, [], [], [], [])
    _plan_links(context, chunk, links)
    if alone:
        _plan_unlinked(context, chunk, alone)
    return chunk


def _links(context: Context, places: Sequence[Place]) -> list[LinkRow]:
    found: dict[int, LinkRow] = {}
    for side in Side:
        rows = [row for s, row in places if s is side]
        if rows:
            for link in context.state.links.of(context.sync.id, side, rows):
                found[link.hub.row] = link
    return list(found.values())


def _plan_links(context: Context, chunk: Chunk, links: Sequence[LinkRow]) -> None:
    whole = [x for x in links if not (x.hub.gone or x.app.gone)]
    twins = context.twins(
        {Side.HUB: [x.hub.record for x in whole], Side.APP: [x.app.record for x in whole]}
    )
    for x in whole:
        plan = plan_pair(context.program, x.hub.record, x.app.record, x.link, twins)
        chunk.pairs.append(PairWork(x.hub, x.app, x.link, plan, x.state, x.agreed, x.outcome))
    for x in links:
        if x.hub.gone is not x.app.gone:
            chunk.ended.append((x, _ended(context, x)))


def _ended(context: Context, link: LinkRow) -> Outcome:
    """A linked record vanished: its twin is excluded, never deleted (R8 ignore, D12)."""
    side = Side.HUB if link.hub.gone else Side.APP
    lost = link.hub if link.hub.gone else link.app
    app = context.ports[side].app
    if lost.into_id is not None:
        return excluded("TF-X11", app=app, other_id=lost.into_id)
    return excluded("TF-X10", app=app)


def _plan_unlinked(context: Context, chunk: Chunk, places: Sequence[Place]) -> None:
    related = _related(context, places)
    keys = {side: {row: k for (s, row), (_, k) in related.items() if s is side} for side in Side}
    records = {place: stored for place, (stored, _) in related.items()}
    refused = context.refused(keys[Side.HUB])
    matching = match(keys[Side.HUB], keys[Side.APP], refused=refused)
    sides = {side: [r.record for (s, _), r in records.items() if s is side] for side in Side}
    twins = context.twins(sides)
    known = context.state.links.singles(context.sync.id, related)
    unsure = {(c.side.other, c.source) for c in context.state.links.creations(context.sync.id)}
    for hub_row, app_row, _ in matching.pairs:
        ends: tuple[Place, Place] = ((Side.HUB, hub_row), (Side.APP, app_row))
        if not unsure.isdisjoint(ends):  # the twin of one may be what we made: wait until we know
            chunk.unsure += ends
            continue
        hub, app = records[Side.HUB, hub_row], records[Side.APP, app_row]
        plan = plan_pair(context.program, hub.record, app.record, UNMET, twins)
        states = tuple(
            known.get(place, (None, None))[0]
            for place in ((Side.HUB, hub_row), (Side.APP, app_row))
        )
        work = PairWork(hub, app, UNMET, plan, single_states=(states[0], states[1]))
        chunk.pairs.append(work)
    for place, ambiguity in sorted(matching.ambiguous.items(), key=lambda item: item[0]):
        outcome = _ambiguous(context, place[0], ambiguity, records)
        _keep_single(chunk, place, outcome, known)
    for place in sorted(matching.alone):
        planned = plan_single(context.program, place[0], records[place].record, twins)
        old = known.get(place, (None, None))[0]
        if isinstance(planned, Create) and place in unsure:
            chunk.unsure.append(place)
        elif isinstance(planned, Create):
            chunk.creates.append(CreateWork(records[place], planned.side, planned, old))
        else:
            _keep_single(chunk, place, planned, known)


def _keep_single(
    chunk: Chunk,
    place: Place,
    outcome: Outcome,
    known: Mapping[Place, tuple[int, str | None]],
) -> None:
    """Keep an exclusion, unless the store says the same already."""
    state, text = known.get(place, (None, None))
    if state != int(outcome.state) or text != encode_outcome(outcome):
        chunk.singles.append((place, outcome, state))


def _ambiguous(
    context: Context, side: Side, ambiguity: Ambiguity[int], records: Mapping[Place, Stored]
) -> Outcome:
    ids = sorted(records[side.other, row].record.id for row in ambiguity.candidates)
    shown = ", ".join(ids[:5]) + (" …" if len(ids) > 5 else "")
    app = context.ports[side.other].app
    outcome = excluded("TF-X16" if ambiguity.doubtful else "TF-X12", app=app, candidates=shown)
    return Outcome(outcome.state, outcome.issues, tuple(ids))


def _related(context: Context, places: Iterable[Place]) -> dict[Place, tuple[Stored, MatchKeys]]:
    """The unlinked records among these, and all that share a match key with one of the result."""
    found: dict[Place, tuple[Stored, MatchKeys]] = {}
    asked: set[int] = set()
    todo = list(places)
    while todo and len(found) < MOST_RELATED:
        stored = context.state.records.stored(row for _, row in todo)
        hashes: set[int] = set()
        for side, row in todo:
            record = stored.get(row)
            if record is None or record.gone:
                continue
            keys = context.key_maker(side, record.record.fields)
            found[side, row] = (record, keys)
            hashes.update(key_hashes(keys))
        new = hashes - asked
        asked |= new
        carriers = context.state.links.carriers(context.sync.id, new, MOST_CARRIERS)
        todo = list({place for _, place in carriers if place not in found})
    return found
