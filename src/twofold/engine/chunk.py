"""One chunk of due records, with everything that deciding about them needs.

Memory depends on the chunk, not on the number of records. Unlinked records come with all unlinked
records that share a match key, directly or through others: within such a closed group, matching
gives the same answer as over everything.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence

import msgspec
from msgspec import Struct

from twofold.core.health import Outcome, State
from twofold.core.links import UNMET, Flip, Link, thawed
from twofold.core.matching import Ambiguity, MatchKeys, match
from twofold.core.plan import (
    IN_AGREEMENT,
    Create,
    PairPlan,
    excluded,
    plan_pair,
    plan_single,
)
from twofold.core.records import Fields, Side
from twofold.core.scope import UNREMEMBERED, Standing
from twofold.core.undo import with_put_back
from twofold.engine.context import Context
from twofold.engine.converted import keep_twins
from twofold.engine.ended import Ended, plan_ended, plan_left
from twofold.engine.limits import NOTHING
from twofold.engine.observe import key_hashes
from twofold.store.limits import Remembered
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
    undo: bool = False
    """A person wants something put back."""
    agreed: tuple[bytes | None, bytes | None] = (b"", b"")
    """*Seen* as stored now."""
    outcome: str | None = None
    """As stored now."""
    single_states: tuple[int | None, int | None] = (None, None)
    """Of a new pair: where its two records stood while they were alone (hub, app)."""

    def end(self, side: Side) -> Stored:
        """The record on that side."""
        return self.hub if side is Side.HUB else self.app

    def flips(self) -> Mapping[str, Flip]:
        """Without those of mappings that were frozen and on which both sides agree again."""
        if not self.link.flips or self.plan.outcome.state is State.EXCLUDED:
            return self.link.flips
        return thawed(self.link.flips, [d.name for d in self.plan.merge.decisions])


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
    agreed: list[tuple[Stored, Stored]]
    """Pairs (hub, app) that were matched just now and need no write."""
    ended: list[Ended]
    """Links that lost an end."""
    creates: list[CreateWork]
    singles: list[tuple[Place, Outcome, int | None]]
    """Exclusions of unlinked records that are new or changed, with the state before."""
    left: list[Ended] = msgspec.field(default_factory=list)
    """Whole links of which a record left its limit, where that archives its twin."""
    past: dict[Place, Remembered] = msgspec.field(default_factory=dict)
    """What is remembered of its records, where limits depend on it."""
    revisits: dict[Place, float | None] = msgspec.field(default_factory=dict)
    """When each record must be looked at again by time alone; only where that may be."""
    unsure: list[Place] = msgspec.field(default_factory=list)
    """Records whose create was noted and may have happened: nothing is made until we know."""
    held: list[tuple[Place, float | None]] = msgspec.field(default_factory=list)
    """Records that a gate holds back, and when they are due again, in seconds since 1970; None =
    when something about them changes, or a person says so."""

    @property
    def all_pairs(self) -> list[PairWork]:
        """The pairs, with those that were matched just now and agree."""
        met = [PairWork(hub, app, UNMET, IN_AGREEMENT) for hub, app in self.agreed]
        return [*self.pairs, *met]


def assemble(context: Context, places: Sequence[Place]) -> Chunk:
    """Load and plan the due records."""
    context.keep_time()
    links = _links(context, places)
    linked = {(Side.HUB, x.hub.row) for x in links} | {(Side.APP, x.app.row) for x in links}
    alone = [place for place in places if place not in linked]
    chunk = Chunk(places, [], [], [], [], [])
    if context.limits.revisits:
        chunk.revisits = dict.fromkeys(places)
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
    _remember(context, chunk, (((s, x.end(s).row), x.end(s)) for x in whole for s in Side))
    chunk.left = plan_left(context, whole, chunk.past)
    undos = context.undos(x.hub.row for x in whole)
    going = {one.link.hub.row for one in chunk.left if one.outcome is not None}
    for x in whole:
        if x.hub.row in going:
            continue
        standing = _standing(context, chunk, (Side.HUB, x.hub.row), (Side.APP, x.app.row))
        plan = plan_pair(context.program, x.hub.record, x.app.record, x.link, twins, standing)
        wishes = undos.get(x.hub.row, ())
        if wishes:
            ends = x.hub.record, x.app.record
            plan = with_put_back(context.program, plan, *ends, x.link, wishes)
        pair = PairWork(x.hub, x.app, x.link, plan, x.state, bool(wishes), x.agreed, x.outcome)
        chunk.pairs.append(pair)
    if len(whole) < len(links):
        chunk.ended = plan_ended(context, [x for x in links if x.hub.gone or x.app.gone])


def _plan_unlinked(context: Context, chunk: Chunk, places: Sequence[Place]) -> None:
    matched = _Matched(keep_twins(context, places), {}, [])
    kept = matched.places()
    rest = _match_ahead(context, [place for place in places if place not in kept], matched)
    if rest:
        _match_groups(context, rest, matched, kept)
    _remember(context, chunk, matched.records())
    twins = context.twins(
        {
            side: [pair[side is Side.APP].record for pair in matched.pairs]
            + [stored.record for (s, _), stored in matched.alone.items() if s is side]
            for side in Side
        }
    )
    known = context.state.links.singles(context.sync.id, matched.places())
    unsure = _unsure(context, matched.places())
    for hub, app in matched.pairs:
        ends: tuple[Place, Place] = ((Side.HUB, hub.row), (Side.APP, app.row))
        if not unsure.isdisjoint(ends):  # the twin of one may be what we made: wait until we know
            chunk.unsure += ends
            continue
        plan = plan_pair(
            context.program, hub.record, app.record, UNMET, twins, _standing(context, chunk, *ends)
        )
        states = (known.get(ends[0], _NEW)[0], known.get(ends[1], _NEW)[0])
        if plan is IN_AGREEMENT and states == (None, None) and not context.limits.remembers:
            chunk.agreed.append((hub, app))
        else:
            chunk.pairs.append(PairWork(hub, app, UNMET, plan, single_states=states))
    for place, outcome in matched.ambiguous:
        by_hand = _standing(context, chunk, place).by_hand
        excluded_so = outcome if by_hand is None else Outcome(State.EXCLUDED, (by_hand,))
        _keep_single(chunk, place, excluded_so, known)
    for place, stored in matched.alone.items():
        standing = _standing(context, chunk, place)
        planned = plan_single(context.program, place[0], stored.record, twins, standing)
        if isinstance(planned, Outcome):
            _keep_single(chunk, place, planned, known)
        elif place in unsure:
            chunk.unsure.append(place)
        else:
            old = known.get(place, _NEW)[0]
            chunk.creates.append(CreateWork(stored, planned.side, planned, old))


_NEW = (None, None)


class _Matched(Struct):
    """What matching came to."""

    pairs: list[tuple[Stored, Stored]]
    alone: dict[Place, Stored]
    ambiguous: list[tuple[Place, Outcome]]

    def records(self) -> Iterator[tuple[Place, Stored]]:
        """All records of pairs, and those alone."""
        for hub, app in self.pairs:
            yield (Side.HUB, hub.row), hub
            yield (Side.APP, app.row), app
        yield from self.alone.items()

    def places(self) -> set[Place]:
        """Everything in it."""
        return {
            *((Side.HUB, hub.row) for hub, _ in self.pairs),
            *((Side.APP, app.row) for _, app in self.pairs),
            *self.alone,
            *(place for place, _ in self.ambiguous),
        }


def _match_ahead(context: Context, places: Sequence[Place], matched: _Matched) -> Sequence[Place]:
    """Take what was foreseen, once the real keys agree too; returns what remains."""
    links, sync = context.state.links, context.sync.id
    if not links.any_foreseen(sync):
        return places
    done: set[Place] = set()
    for side in Side:
        for ahead in links.foreseen(sync, side, [row for s, row in places if s is side]):
            record, twin = ahead.record, ahead.twin
            place: Place = (side, record.row)
            if twin is None:
                matched.alone[place] = record
            elif place in done:
                continue  # its twin came first
            elif not record.gone and not twin.gone and _strongly_equal(context, side, record, twin):
                matched.pairs.append((record, twin) if side is Side.HUB else (twin, record))
                done.add((side.other, twin.row))
            else:
                continue
            done.add(place)
    return [place for place in places if place not in done]


def _strongly_equal(context: Context, side: Side, record: Stored, twin: Stored) -> bool:
    """Whether two records share a key of the strongest level; a hash only proposes."""
    ours = context.strongest_keys(side, record.record.fields)
    theirs = context.strongest_keys(side.other, twin.record.fields)
    return not set(ours).isdisjoint(theirs)


def _match_groups(
    context: Context, places: Sequence[Place], matched: _Matched, kept: Collection[Place]
) -> None:
    """Match within the closed groups of some records, leaving out what was ``kept`` already."""
    related = {p: found for p, found in _related(context, places).items() if p not in kept}
    keys = {side: {row: k for (s, row), (_, k) in related.items() if s is side} for side in Side}
    records = {place: stored for place, (stored, _) in related.items()}
    before = matched.places()  # they may share a key with these on their own side
    refused = context.refused(keys[Side.HUB])
    found = match(keys[Side.HUB], keys[Side.APP], refused=refused)
    matched.pairs += [
        (records[Side.HUB, hub], records[Side.APP, app])
        for hub, app, _ in found.pairs
        if (Side.HUB, hub) not in before
    ]
    for place, ambiguity in sorted(found.ambiguous.items(), key=lambda item: item[0]):
        outcome = _ambiguous(context, place[0], ambiguity, records)
        matched.ambiguous.append((place, outcome))
    matched.alone |= {place: records[place] for place in sorted(found.alone - before)}


def _remember(context: Context, chunk: Chunk, records: Iterable[tuple[Place, Stored]]) -> None:
    """What limits depend on beside the fields of these records, and of those that are due."""
    limits = context.limits
    if not limits.revisits:
        return
    fields: dict[Place, Fields] = {place: stored.record.fields for place, stored in records}
    chunk.past |= limits.past({**fields, **dict.fromkeys(chunk.places)})
    for place in {**chunk.revisits, **fields}:
        one = chunk.past.get(place, NOTHING)
        shown = fields.get(place)
        if shown is not None or chunk.revisits.get(place) is None:
            chunk.revisits[place] = limits.revisit(place[0], shown or {}, one)


def _standing(context: Context, chunk: Chunk, *places: Place) -> Standing:
    if not chunk.past:
        return UNREMEMBERED
    return context.limits.standing(chunk.past, places)


def _unsure(context: Context, places: Iterable[Place]) -> set[Place]:
    """Sources of creates that may have happened, and what may be what those made."""
    noted = context.state.links.creations(context.sync.id)
    unsure: set[Place] = {(c.side.other, c.source) for c in noted}
    since: dict[Side, int] = {}
    for c in noted:
        since[c.side] = min(c.newest, since.get(c.side, c.newest))
    if since:
        unsure.update((s, row) for s, row in places if s in since and row > since[s])
    return unsure


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
