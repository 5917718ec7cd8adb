"""Explain one record: the filter, the match, every field, and what comes next (H4).

Derived from what is stored, by the same functions that the engine plans with. Nothing is written
and no app is called.
"""

from __future__ import annotations

from collections.abc import Iterable

from msgspec import Struct

from twofold.core.associations import kept_name
from twofold.core.errors import Issue
from twofold.core.health import Outcome
from twofold.core.mappings import Matching
from twofold.core.matching import level_names
from twofold.core.merge import Reason
from twofold.core.parts import plain_name, plain_value
from twofold.core.plan import Create, PairPlan, Update
from twofold.core.records import Side
from twofold.core.values import Value, is_blank
from twofold.engine.chunk import Chunk, assemble
from twofold.engine.context import Context
from twofold.engine.run import open_ports
from twofold.services.finding import standings
from twofold.services.installation import Installation
from twofold.services.records import called
from twofold.store.outcomes import Standing
from twofold.store.types import Stored

_WAITS = "waits until the record at its far end is linked"
_BLANK = "blank"
_NOT_COMPARED = "not compared: there is no record on the other side"
PHRASES = (_WAITS, _BLANK, _NOT_COMPARED)
"""What a line may give as its reason besides a `twofold.core.merge.Reason`."""


class FieldLine(Struct, frozen=True):
    """One mapping of the record: what both sides show, and what is done about it."""

    field: str
    hub: Value
    app: Value
    reason: str
    to: Side | None = None
    """The side that will be written, if any."""
    value: Value = None
    """What will be written."""
    issue: Issue | None = None


class Explanation(Struct, frozen=True):
    """Everything that decides about one pair or one unlinked record."""

    sync: str
    name: str
    hub_id: str | None
    app_id: str | None
    state: str
    filter: str
    match: str
    fields: tuple[FieldLine, ...]
    next: str
    issues: tuple[Issue, ...] = ()
    candidates: tuple[str, ...] = ()


async def explain(
    here: Installation, name: str, text: str, side: Side | None = None
) -> list[Explanation]:
    """Explain the records of a sync that have this id, or carry this match key.

    Raises:
        TwofoldError: TF-U06, there is no such sync; TF-U12, it has no such record.
    """
    sync = here.sync(name)
    async with here.both_sides(sync) as connectors:
        ports = open_ports(here.state, sync, connectors, here.world)
        context = Context(here.state, here.world, sync, ports, sync.fence)
        return [_explained(context, standing) for standing in standings(here, sync, text, side)]


def _explained(context: Context, standing: Standing) -> Explanation:
    hub, app = standing.hub, standing.app
    chunk = assemble(context, [standing.place])
    pair = next((p for p in chunk.all_pairs if _is(p.hub, hub) or _is(p.app, app)), None)
    if pair is not None:
        hub, app = pair.hub, pair.app
    plan = None if pair is None else pair.plan
    create = next((c.create for c in chunk.creates if c.source.row == standing.place[1]), None)
    outcome = _outcome(standing, plan, chunk)
    return Explanation(
        sync=context.sync.name,
        name=called(context.sync, hub, app),
        hub_id=None if hub is None else hub.record.id,
        app_id=None if app is None else app.record.id,
        state=standing.outcome.state.label,
        filter=_filter(context, hub, app),
        match=_match(context, standing, hub, app, bool(create)),
        fields=tuple(_fields(context, hub, app, plan, create)),
        next=_next(context, standing, plan, create),
        issues=outcome.issues,
        candidates=outcome.candidates,
    )


def _is(stored: Stored, other: Stored | None) -> bool:
    return other is not None and stored.row == other.row


def _outcome(standing: Standing, plan: PairPlan | None, chunk: Chunk) -> Outcome:
    """What is stored, or what the next run would find where nothing is stored yet."""
    if standing.outcome.issues:
        return standing.outcome
    if plan is not None:
        return plan.outcome
    planned = [o for place, o, _ in chunk.singles if place == standing.place]
    planned += [ended.outcome for ended in chunk.ended if ended.outcome is not None]
    return planned[0] if planned else standing.outcome


def _filter(context: Context, hub: Stored | None, app: Stored | None) -> str:
    ends = ((Side.HUB, hub), (Side.APP, app))
    alive = {side: one for side, one in ends if one is not None and not one.gone}
    places = [(side, one.row) for side, one in alive.items()]
    standing = context.limits.standing(context.limits.past(places), places)
    fields = {side: one.record.fields for side, one in alive.items()}
    scope = context.program.scope(fields.get(Side.HUB), fields.get(Side.APP), standing)
    if scope.exclusion is not None:
        return scope.exclusion.sentence
    return f"takes part; may be written: {' and '.join(f'the {s}' for s in sorted(scope.open))}"


def _match(
    context: Context, standing: Standing, hub: Stored | None, app: Stored | None, alone: bool
) -> str:
    if standing.hub is not None and standing.app is not None:
        return "linked: the two are bound by their ids, whatever changes"
    if hub is not None and app is not None:
        ours = context.key_maker(Side.HUB, hub.record.fields).levels
        theirs = context.key_maker(Side.APP, app.record.fields).levels
        names = level_names(context.sync.rules)
        equal = [n for n, a, b in zip(names, ours, theirs, strict=True) if {*a} & {*b}]
        return f"matches by {equal[0] if equal else 'nothing'}; linked with the next run"
    if standing.outcome.candidates:
        return f"ambiguous: {', '.join(standing.outcome.candidates)} on the other side"
    if context.sync.rules.matching is Matching.NONE:
        return "this sync does not match: every record is its own"
    return "no record of the other side carries one of its match keys" if alone else "not matched"


def _fields(
    context: Context,
    hub: Stored | None,
    app: Stored | None,
    plan: PairPlan | None,
    create: Create | None,
) -> Iterable[FieldLine]:
    values = {
        Side.HUB: {} if hub is None else hub.record.fields,
        Side.APP: {} if app is None else app.record.fields,
    }
    decisions = {} if plan is None else {d.name: d for d in plan.merge.decisions}
    for c in context.program.conversions:
        ours, theirs = (values[side].get(c.fields[side]) for side in Side)
        ours, theirs, name = plain_value(ours), plain_value(theirs), plain_name(c.name)
        decision = decisions.get(c.name)
        if decision is not None:
            value = plain_value(decision.value)
            yield FieldLine(name, ours, theirs, decision.reason, decision.to, value, decision.issue)
        elif create is not None and c.name in create.values:
            written = plain_value(create.values[c.name])
            yield FieldLine(name, ours, theirs, Reason.FILLED, create.side, written)
        else:
            yield FieldLine(name, ours, theirs, _unwritten(plan, create, ours, theirs))
    planned = {} if plan is None else {a.name: a for a in plan.associations}
    for mapping in context.sync.rules.associations:
        name = kept_name(mapping, Side.HUB)
        ours, theirs = (values[side].get(kept_name(mapping, side)) for side in Side)
        found = planned.get(name)
        reason = Reason.EQUAL if found is None else found.reason
        waits = found is not None and bool(found.waits)
        text = _WAITS if waits else reason
        yield FieldLine(name, ours, theirs, text, None if found is None else found.to)


def _unwritten(plan: PairPlan | None, create: Create | None, ours: Value, theirs: Value) -> str:
    if plan is not None:
        return Reason.EQUAL
    if create is not None:
        return _BLANK if is_blank(ours) and is_blank(theirs) else Reason.CLOSED
    return _NOT_COMPARED


def _next(
    context: Context, standing: Standing, plan: PairPlan | None, create: Create | None
) -> str:
    when = "with the next run" if context.sync.enabled else "once the sync is turned on"
    if create is not None:
        return f"It is created in the {create.side} {when}."
    if plan is not None and plan.updates:
        return f"{'; '.join(map(_written, plan.updates))} {when}."
    retry = context.state.outcomes.retry_at(context.sync.id, standing.place)
    if retry is not None:
        return f"It is tried again {when}."
    if standing.outcome.issues:
        return f"{standing.outcome.issues[0].advice}"
    if plan is not None and standing.app is not None and standing.hub is not None:
        agree = not plan.merge.decisions
        return "Nothing to do: both sides agree." if agree else "Nothing, until a side changes."
    return f"It is looked at {when}."


def _written(update: Update) -> str:
    ends = [*update.values, *(f"@{name}" for name, _ in (*update.associate, *update.dissociate))]
    return f"The {update.side}'s {', '.join(ends)} will be written"
