"""Apply one chunk: note, write, confirm; then everything is stored in one transaction."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from types import MappingProxyType

from twofold.core.associations import AssociationDecision, kept_name
from twofold.core.health import IN_SYNC, WAITING, Outcome, State
from twofold.core.links import Flip, flips_after, seen_after, seen_after_create, thawed
from twofold.core.mappings import Targets
from twofold.core.merge import Seen, same
from twofold.core.plan import IN_AGREEMENT, Update
from twofold.core.records import Fields, Record, Side
from twofold.core.values import Value
from twofold.engine.chunk import Chunk, CreateWork, PairWork
from twofold.engine.context import Context
from twofold.engine.creates import CreateOutcome, create, creation_of, look, prepared
from twofold.engine.history import arrived_since, updated
from twofold.engine.leaving import settle_limits
from twofold.engine.observe import shown
from twofold.engine.updates import PairOutcome, note_of, update
from twofold.kit.errors import ConnectorError
from twofold.store.codec import encode
from twofold.store.linkrows import encode_flips, encode_outcome
from twofold.store.types import (
    Agreed,
    CreatedLink,
    LinkChange,
    Place,
    Settlement,
    Sighting,
    SingleChange,
    Stored,
)

Sightings = Mapping[tuple[Side, str], Sighting]

MOST_TURNS = 4
"""How often one run plans the same record; then it waits for the next run."""
RETRY_AFTER = 60.0
"""Seconds before the first automatic retry; doubled each time, an hour at most."""


async def apply(context: Context, chunk: Chunk, moves: tuple[int, int]) -> None:
    """Carry out a chunk's plans and store what became of them.

    Raises:
        ConnectorError: a call failed as a whole; everything that was answered is stored.
        FenceLost: another worker took over; nothing of this chunk is stored.
    """
    quiet = [p for p in chunk.pairs if not p.plan.updates]
    outcomes = [PairOutcome(p) for p in chunk.pairs if p.plan.updates]
    creates, error = await _look(context, chunk.creates)
    if error is None:
        _note(context, outcomes, creates)
    for side in Side:
        if error is None:
            error = await update(context, side, outcomes)
    for side in Side:
        todo = [c for c in creates if c.work.side is side]
        if error is None:
            error = await create(context, side, todo)
    settlement = Settlement(moves=moves, moment=context.moment())
    _settle_agreed(context, settlement, chunk.agreed)
    _settle_quiet(context, settlement, quiet)
    _settle_ended(settlement, chunk)
    sightings = _sightings(context, outcomes, creates)
    for outcome in outcomes:
        _settle_pair(context, settlement, outcome, sightings)
    for made in creates:
        _settle_create(context, settlement, made, sightings)
    for place, result, state in chunk.singles:
        settlement.singles.append(SingleChange(*place, result, state))
    settle_limits(context, settlement, chunk, outcomes)
    _settle_due(context, settlement, chunk)
    subscribers = {p.reader: p.listeners.subscribers for p in context.ports.values()}
    context.state.links.settle(context.sync.id, context.fence, settlement, subscribers)
    for made in creates:
        if made.vanished and made.held is not None:
            context.ports[made.work.side].store([], {made.held.id: None})
    context.world.step("settled")
    if error is not None:
        raise error


async def _look(
    context: Context, works: Sequence[CreateWork]
) -> tuple[list[CreateOutcome], ConnectorError | None]:
    creates: list[CreateOutcome] = []
    for side in Side:
        todo = [w for w in works if w.side is side]
        if not todo:
            continue
        try:
            kept = await look(context, side, todo)
        except ConnectorError as error:
            return creates, error
        creates += [prepared(context, work) for work in kept]
    return creates, None


def _note(
    context: Context, outcomes: Sequence[PairOutcome], creates: Sequence[CreateOutcome]
) -> None:
    """Write down what is about to be sent."""
    if not outcomes and not creates:
        return
    pairs = [outcome.pair for outcome in outcomes]
    moment = context.moment()
    context.state.links.note(
        context.sync.id,
        context.fence,
        [
            (p.hub.row, note_of(context, p), _known_by_note(p))
            for p in pairs
            if p.old_state is not None
        ],
        [(p.hub.row, p.app.row, note_of(context, p)) for p in pairs if p.old_state is None],
        [creation_of(c, moment.at) for c in creates],
        [written for p in pairs for written in arrived_since(context, p)],
        moment,
    )
    for pair in pairs:
        if pair.old_state is None:
            pair.old_state = int(State.WAITING)
    context.world.step("noted")


def _known_by_note(pair: PairWork) -> tuple[bytes, bytes] | None:
    """*Seen* as an earlier note moved it, before that note is replaced."""
    seen = pair.plan.seen
    if not pair.link.note or seen is None:
        return None
    return encode(seen[Side.HUB]), encode(seen[Side.APP])


def _settle_agreed(
    context: Context, settlement: Settlement, agreed: list[tuple[Stored, Stored]]
) -> None:
    """New pairs that need no write, and were nothing before."""
    context.count("linked", len(agreed))
    settlement.agreed = agreed
    if context.far_ends:
        ends = [(side, end.row) for pair in agreed for side, end in zip(Side, pair, strict=True)]
        settlement.waits += [(place, ()) for place in ends]


def _settle_quiet(context: Context, settlement: Settlement, pairs: Sequence[PairWork]) -> None:
    """Pairs that need no write."""
    for pair in pairs:
        _wait(context, settlement, pair)
        settlement.written += arrived_since(context, pair)
        if pair.undo:
            settlement.undone.append(pair.hub.row)
        if pair.old_state is None:
            context.count("linked")
            settlement.singles += [
                SingleChange(Side.HUB, pair.hub.row, None, pair.single_states[0]),
                SingleChange(Side.APP, pair.app.row, None, pair.single_states[1]),
            ]
        change = _quiet_change(context, pair)
        if not _stored_already(pair, change):
            settlement.links.append(change)


def _quiet_change(context: Context, pair: PairWork) -> LinkChange:
    plan = pair.plan
    if plan is IN_AGREEMENT:
        hub, app = Agreed(pair.hub.shown, True), Agreed(pair.app.shown, True)
        flips = encode_flips(thawed(pair.link.flips, ()))
        return LinkChange(pair.hub.row, pair.app.row, IN_SYNC, pair.old_state, hub, app, flips)
    if plan.outcome.state is State.EXCLUDED:
        return _change(context, pair, plan.outcome, plan.seen, {})
    return _change(context, pair, plan.outcome, _seen(context, pair, {}, plan.merge.unsettled), {})


def _stored_already(pair: PairWork, change: LinkChange) -> bool:
    """Whether storing the change would rewrite the link as it is."""
    if pair.old_state != int(change.outcome.state) or pair.link.note:
        return False
    ends = zip(pair.agreed, (change.hub_agreed, change.app_agreed), strict=True)
    return pair.outcome == encode_outcome(change.outcome) and all(
        now == (None if new.same else new.seen) for now, new in ends
    )


def _settle_ended(settlement: Settlement, chunk: Chunk) -> None:
    """Links that lost an end, and the twins that are to go."""
    for ended in [*chunk.ended, *chunk.left]:
        link, outcome = ended.link, ended.outcome
        if outcome is not None and (
            link.state != int(outcome.state) or link.outcome != encode_outcome(outcome)
        ):
            settlement.ended.append((link.hub.row, outcome, link.state))
        if ended.removal is not None and ended.removal != ended.known:
            settlement.removals.append(ended.removal)
        elif ended.removal is None and ended.known is not None:
            settlement.removals_off.append(link.hub.row)


def _sightings(
    context: Context, outcomes: Sequence[PairOutcome], creates: Sequence[CreateOutcome]
) -> Sightings:
    """What both sides showed in answer to our writes, by side and id."""
    found = {}
    for side, port in context.ports.items():
        held = [o.held[side] for o in outcomes if side in o.held]
        held += [c.held for c in creates if c.held is not None and c.work.side is side]
        known = context.state.records.known(port.reader, [record.id for record in held])
        seen = port.sight([(record, record.digest) for record in held], known, looked=True)
        found.update({(side, sighting.id): sighting for sighting in seen})
    return found


def _settle_pair(
    context: Context, settlement: Settlement, outcome: PairOutcome, sightings: Sightings
) -> None:
    pair = outcome.pair
    place: Place = (Side.HUB, pair.hub.row)
    if outcome.unknown or not outcome.complete:
        context.uncertain = True
        _again(context, settlement, place)  # the note stays: look before anything else
        if pair.old_state is None:  # nothing of it is stored, and its ends may part again
            settlement.due.append((Side.APP, pair.app.row))
        return
    for side, held in outcome.held.items():
        settlement.sightings.append((context.ports[side].reader, sightings[side, held.id]))
        if _edited_beside(context, pair, side, held, outcome):
            outcome.stale = True
    unsettled = pair.plan.merge.unsettled | outcome.failed
    seen = _seen(context, pair, outcome.written, frozenset(unsettled), outcome.held)
    issues = (*pair.plan.outcome.issues, *outcome.issues)
    result = Outcome(State.FAILING, issues) if issues else IN_SYNC
    if outcome.stale or outcome.later or outcome.unsent:
        result = WAITING
    flips = flips_after(pair.flips(), outcome.sent)
    settlement.links.append(_change(context, pair, result, seen, outcome.held, flips))
    settlement.written += updated(context, outcome)
    _wait(context, settlement, pair)
    if pair.undo and result is not WAITING:
        settlement.undone.append(pair.hub.row)
    if outcome.stale:
        _again(context, settlement, place)
    elif outcome.unsent:
        settlement.due.append(place)
    elif outcome.later:
        _later(context, settlement, place)
    elif outcome.taken and not context.state.links.attempts(context.sync.id, [place]):
        # Once, whatever slice does it: another write may have come too late for this one.
        settlement.due.append(place)
        _later(context, settlement, place)


def _edited_beside(
    context: Context, pair: PairWork, side: Side, held: Record, outcome: PairOutcome
) -> bool:
    """Whether a record that we wrote to came back with another change, in a field of its own."""
    planned, now = pair.end(side).record.fields, _shown_after(context, side, held)
    written = outcome.written.get(side, {})
    ours = {c.fields[side] for c in context.program.conversions if c.name in written}
    for u in pair.plan.updates:
        if u.side is side:
            ours |= _written_names(context, side, u)
    if any(planned.get(name) != now.get(name) for name in context.names(side) if name not in ours):
        return True
    by_name = {kept_name(m, Side.HUB): m for m in context.sync.rules.associations}
    return not all(
        _as_planned(context, d, side, kept_name(by_name[d.name], side), held)
        for d in pair.plan.associations
    )


def _as_planned(
    context: Context, decision: AssociationDecision, side: Side, name: str, held: Record
) -> bool:
    """Whether a side shows the targets that it was to show after the write."""
    if side not in decision.after:
        return True
    return _shown_after(context, side, held).get(name) == decision.after[side]


def _written_names(context: Context, side: Side, u: Update) -> set[str]:
    """The names under which the associations are kept that an update writes."""
    written = {name for name, _ in (*u.associate, *u.dissociate)}
    mappings = context.sync.rules.associations
    return {kept_name(m, side) for m in mappings if m.end(side) in written}


def _seen(
    context: Context,
    pair: PairWork,
    written: Mapping[Side, Mapping[str, Value]],
    unsettled: frozenset[str],
    held: Mapping[Side, Record] = MappingProxyType({}),
) -> Seen:
    """*Seen* after the round, associations included. ``held``: what answered our writes."""
    planned: dict[Side, Fields] = {side: pair.end(side).record.fields for side in Side}
    after = seen_after(context.program.conversions, pair.plan.seen, planned, written, unsettled)
    whole = {side: dict(after[side]) for side in Side}
    decisions = {d.name: d for d in pair.plan.associations}
    for mapping in context.sync.rules.associations:
        names = {side: kept_name(mapping, side) for side in Side}
        decision = decisions.get(names[Side.HUB])
        failed = bool(unsettled & set(names.values()))
        if decision is not None and not failed:
            failed = any(not _as_planned(context, decision, s, names[s], held[s]) for s in held)
        for side in Side:
            if decision is not None and (failed or not decision.settled):
                if pair.plan.seen is not None and names[side] in pair.plan.seen[side]:
                    whole[side][names[side]] = pair.plan.seen[side][names[side]]
            elif decision is not None and side in decision.seen:
                whole[side][names[side]] = decision.seen[side]
            else:
                whole[side][names[side]] = planned[side].get(names[side])
    return whole


def _change(
    context: Context,
    pair: PairWork,
    outcome: Outcome,
    seen: Seen | None,
    held: Mapping[Side, Record],
    flips: Mapping[str, Flip] | None = None,
) -> LinkChange:
    agreed = {}
    for side in Side:
        end = pair.end(side)
        shown, stored = end.record.fields, end.shown
        if side in held:
            shown = _shown_after(context, side, held[side])
            stored = encode(shown)
        agreed[side] = _agreed(context, side, {} if seen is None else seen[side], shown, stored)
    kept = pair.flips() if flips is None else flips
    return LinkChange(
        pair.hub.row,
        pair.app.row,
        outcome,
        pair.old_state,
        agreed[Side.HUB],
        agreed[Side.APP],
        encode_flips(kept),
    )


def _agreed(context: Context, side: Side, seen: Fields, shown: Fields, stored: bytes) -> Agreed:
    """*Seen* as bytes, and whether it is simply what the side shows (``stored``, as bytes)."""
    for name in context.names(side):
        if name not in seen or seen[name] != shown.get(name):
            return Agreed(encode(seen), False)
    return Agreed(stored, True)


def _shown_after(context: Context, side: Side, held: Record) -> Fields:
    port = context.ports[side]
    return shown(held, port.fields, port.associations)


def _settle_create(
    context: Context, settlement: Settlement, made: CreateOutcome, sightings: Sightings
) -> None:
    side, source = made.work.side, made.work.source
    place: Place = (side.other, source.row)
    if made.unknown:
        context.uncertain = True
        _again(context, settlement, place)
        return
    settlement.creations_done.append((side, source.row))
    if made.stale:
        _again(context, settlement, place)
    elif made.later:
        _later(context, settlement, place)
    elif made.blocked is not None:
        change = SingleChange(*place, made.blocked, made.work.old_state)
        settlement.singles.append(change)
    elif made.held is not None:
        settlement.created.append(created_link(context, made, sightings[side, made.held.id]))
        targets = context.waits(made.work.create.waits_for)
        if context.far_ends:
            settlement.waits.append((place, targets))
    else:
        settlement.due.append(place)


def created_link(context: Context, made: CreateOutcome, sighting: Sighting) -> CreatedLink:
    """The link of a record that we just made, given how it was seen."""
    side, source = made.work.side, made.work.source
    issues = (*made.work.create.issues, *made.issues)
    agreed = _agreed_of_created(context, made, sighting)
    unmet = not (agreed[Side.HUB].same and agreed[Side.APP].same)
    return CreatedLink(
        side,
        source.row,
        sighting,
        Outcome(State.FAILING, issues) if issues else IN_SYNC,
        agreed[Side.HUB],
        agreed[Side.APP],
        made.work.old_state,
        again=unmet,
    )


def _agreed_of_created(
    context: Context, made: CreateOutcome, sighting: Sighting
) -> Mapping[Side, Agreed]:
    """*Seen* of a record that we just made, and of its source."""
    assert made.held is not None
    side, source = made.work.side, made.work.source
    now = _shown_after(context, side, made.held)
    stored = {side: sighting.shown, side.other: source.shown}
    if _holds_all(context, made, now):
        return {s: Agreed(stored[s], True) for s in Side}
    seen = seen_after_create(
        context.program.conversions, side.other, source.record.fields, made.written, now
    )
    whole = {s: dict(seen[s]) for s in Side}
    shown = {side: now, side.other: source.record.fields}
    sent = {name for name, _ in made.write.associate}
    for mapping in context.sync.rules.associations:
        every = mapping.targets is Targets.ALL  # which of them arrived, the next round tells
        sent_it = mapping.end(side) in sent and not every
        if sent_it or not source.record.fields.get(kept_name(mapping, side.other)):
            for s in Side:
                name = kept_name(mapping, s)
                whole[s][name] = shown[s].get(name)
    return {s: _agreed(context, s, whole[s], shown[s], stored[s]) for s in Side}


def _holds_all(context: Context, made: CreateOutcome, now: Fields) -> bool:
    """Whether a new record surely holds what it was given, and agrees in all else: as usual."""
    if not made.certain or context.sync.rules.associations:
        return False
    side, given = made.work.side, made.work.source.record.fields
    for c in context.program.conversions:
        if c.name not in made.written:
            ours, theirs = given.get(c.fields[side.other]), now.get(c.fields[side])
            pair = (theirs, ours) if side is Side.HUB else (ours, theirs)
            if not same(c, *pair):
                return False
    return True


def _wait(context: Context, settlement: Settlement, pair: PairWork) -> None:
    if context.far_ends:
        targets = context.waits(pair.plan.waits_for)
        settlement.waits.append(((Side.HUB, pair.hub.row), targets))
        settlement.waits.append(((Side.APP, pair.app.row), ()))  # from before it had a twin


def _settle_due(context: Context, settlement: Settlement, chunk: Chunk) -> None:
    """Everything of this chunk is done, but for what is due again."""
    done = dict.fromkeys(chunk.places)
    for hub, app in chunk.agreed:
        done[Side.HUB, hub.row] = None
        done[Side.APP, app.row] = None
    for pair in chunk.pairs:
        done[Side.HUB, pair.hub.row] = None
        done[Side.APP, pair.app.row] = None
    for work in chunk.creates:
        done[work.side.other, work.source.row] = None
    for place, at in chunk.held:
        done[place] = None
        if at is not None:
            settlement.retries.append((place, at, 0))
    settlement.done = list(done)
    for place in chunk.unsure:
        _later(context, settlement, place)
    looked = {(c.side.other, c.source.row) for c in chunk.creates}
    settled = {
        *((s.other, r) for s, r in settlement.creations_done),
        *settlement.due,
        *(p for p, _, _ in settlement.retries),
    }
    for place in looked - settled:
        _again(context, settlement, place)
    for side, port in context.ports.items():
        if port.survivors:
            known = context.state.records.known(port.reader, sorted(port.survivors))
            settlement.due += [(side, found.row) for found in known.values()]
            port.survivors.clear()


def _again(context: Context, settlement: Settlement, place: Place) -> None:
    """Due again at once, unless this run has tried often enough."""
    turns = context.turns[place] = context.turns.get(place, 0) + 1
    if turns < MOST_TURNS:
        settlement.due.append(place)
    else:
        _later(context, settlement, place)


def _later(context: Context, settlement: Settlement, place: Place) -> None:
    """Due again after a while, longer each time."""
    tried = context.state.links.attempts(context.sync.id, [place]).get(place, 0)
    wait = min(RETRY_AFTER * 2**tried, 3600.0) * (0.8 + 0.4 * context.world.jitter())
    at = context.world.now().timestamp() + wait
    settlement.retries.append((place, at, tried + 1))
