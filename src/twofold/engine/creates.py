"""Make twins: look, note, write, confirm. A repeated create is never a second record."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import msgspec
import xxhash
from msgspec import Struct

from twofold.core.association_sets import kept_targets, targets_of
from twofold.core.associations import ALL_MARK
from twofold.core.errors import Issue
from twofold.core.forms import arrived
from twofold.core.health import Outcome, State
from twofold.core.plan import excluded, field_values
from twofold.core.records import Record, Side, Target
from twofold.core.schema import Op
from twofold.core.values import Value
from twofold.engine.chunk import CreateWork
from twofold.engine.context import Context
from twofold.engine.port import Port
from twofold.engine.push import Answer, push
from twofold.kit.contract import Status, Write
from twofold.kit.errors import ConnectorError
from twofold.store.codec import decode, encode
from twofold.store.types import Creation


class CreateOutcome(Struct):
    """What became of one create."""

    work: CreateWork
    write: Write
    payload: bytes = b""
    """The very write, as its note tells of it."""
    held: Record | None = None
    """The new record as the app now shows it."""
    written: dict[str, Value] = msgspec.field(default_factory=dict)
    """By mapping name: what the new record holds of what we wrote."""
    certain: bool = False
    """``held`` is exactly our write: all of ``written`` is what it shows."""
    issues: list[Issue] = msgspec.field(default_factory=list)
    blocked: Outcome | None = None
    """Why it was not made, for good."""
    unknown: bool = False
    stale: bool = False
    """Something was found: match again."""
    later: bool = False
    unsent: bool = False
    """The app was not even asked."""
    vanished: bool = False
    """It was made, and somebody deleted it before we could look."""


def look_keys(context: Context, side: Side) -> tuple[str, ...]:
    """The fields of a side by which a record can be looked up before it is made.

    Those that match keys come from, and those that the app keeps unique.
    """
    port = context.ports[side]
    wanted = {"email", "domain", "name"} if port.type.keys else set()
    keys = []
    for c in context.program.conversions:
        field = port.type.field(c.fields[side])
        if field is None or field.name not in port.type.keys:
            continue
        if field.unique or c.fields[Side.HUB] in wanted:
            keys.append(field.name)
    return tuple(keys)


async def look(context: Context, side: Side, works: Sequence[CreateWork]) -> list[CreateWork]:
    """Look on the receiving side right before making records; returns those still to be made.

    What is found and was never read is stored like any other reading, and the source is matched
    again.
    """
    port = context.ports[side]
    kept = list(works)
    mapped = {c.fields[side]: c.name for c in context.program.conversions}
    for key in look_keys(context, side):
        wanted: dict[str, list[int]] = {}
        for work in kept:
            value = work.create.values.get(mapped[key])
            if value is not None:
                wanted.setdefault(str(value), []).append(work.source.row)
        if not wanted:
            continue
        answered = await port.get(list(wanted), key=key)
        records = {r.id: r for found in answered.values() for r in found}
        known = context.state.records.known(port.reader, list(records))
        fresh = [r for i, r in records.items() if i not in known or known[i].gone]
        if not fresh:
            continue
        port.store(fresh, {})
        context.world.step(f"{side} looked before create")
        new = {r.id for r in fresh}
        found_for = {value for value, found in answered.items() if new & {r.id for r in found}}
        again = {row for value in found_for for row in wanted.get(value, ())}
        kept = [w for w in kept if w.source.row not in again]
    return kept


def prepared(context: Context, work: CreateWork) -> CreateOutcome:
    """The very write; the same payload always has the same reference.

    But not where the record was cut from others since, by a person or because its twin is gone: an
    app that never applies a reference twice would answer with the very twin that it was cut from.
    """
    fields = field_values(context.program, work.side, work.create.values)
    constants = context.program.constants[work.side]
    if constants:
        fields = {**constants, **fields}
    associate = work.create.associate
    payload = encode({**fields, **_noted(associate)})
    place = f"{context.sync.id}-{context.sync.rules.app.name}-{work.source.row}-{work.side}"
    apart = context.refused_of(work.side.other, work.source.row, ever=True)
    told = payload + repr(apart).encode() if apart else payload
    if context.remade:
        told += b"again" * context.remade.get((work.side.other, work.source.row), 0)
    ref = f"{place}-{xxhash.xxh3_64_hexdigest(told)}"
    write = Write(ref=ref, op=Op.CREATE, fields=fields, associate=associate)
    return CreateOutcome(work, write, payload)


def creation_of(outcome: CreateOutcome, at: float) -> Creation:
    """The note of a create, made at a time in seconds since 1970."""
    work = outcome.work
    return Creation(
        work.side, work.source.row, outcome.write.ref, outcome.payload, work.source.shown, at
    )


def write_again(creation: Creation) -> tuple[Write, dict[str, Value]]:
    """The very write that a note tells of, and the fields in it."""
    payload = decode(creation.payload)
    fields = {name: value for name, value in payload.items() if not name.startswith("@")}
    associate = tuple(
        (name[1:].removesuffix(ALL_MARK), target)
        for name, value in payload.items()
        if name.startswith("@")
        for target in _as_noted(value)
    )
    return Write(creation.ref, Op.CREATE, fields=fields, associate=associate), fields


def _noted(associate: Sequence[tuple[str, Target]]) -> dict[str, Value]:
    """Associations in the note of a create."""
    by_name: dict[str, list[Target]] = {}
    for name, target in associate:
        by_name.setdefault(name, []).append(target)
    return {f"@{name}{ALL_MARK}": kept_targets(targets) for name, targets in by_name.items()}


def _as_noted(value: Value) -> Sequence[Target]:
    if isinstance(value, tuple):
        return tuple(targets_of(value).values())
    return (Target(str(value), primary=True),)  # as notes were written before


async def create(
    context: Context, side: Side, outcomes: Sequence[CreateOutcome]
) -> ConnectorError | None:
    """Send the creates of one side; returns the error that cut it short."""
    port = context.ports[side]
    pushed = await push(context, port, [outcome.write for outcome in outcomes])
    for outcome, answer in zip(outcomes, pushed.answers, strict=True):
        await _take(context, port, outcome, answer)
    if port.type.idempotent:
        _leave_taken(context, port, outcomes)
    return pushed.error


def _leave_taken(context: Context, port: Port, outcomes: Sequence[CreateOutcome]) -> None:
    """A create that was sent before is answered with what it made then.

    If a person has linked that to another record meanwhile, it is not ours to link: they decide.
    """
    made = {o.held.id: o for o in outcomes if o.held is not None}
    known = context.state.records.known(port.reader, list(made))
    if not known:
        return
    rows = [found.row for found in known.values()]
    taken = context.state.links.linked(context.sync.id, port.side, rows)
    for record_id, found in known.items():
        if found.row in taken:
            outcome = made[record_id]
            outcome.held, outcome.written, outcome.vanished = None, {}, False
            blocked = excluded("TF-X12", app=port.app, candidates=record_id)
            outcome.blocked = Outcome(blocked.state, blocked.issues, (record_id,))


async def _take(context: Context, port: Port, outcome: CreateOutcome, answer: Answer) -> None:
    context.count(f"{port.side} {'created' if answer.held else answer.status}")
    if answer.status is Status.OK and answer.held is not None:
        outcome.held = answer.held
        outcome.certain = answer.certain
        outcome.written = held_values(
            context, port.side, outcome.work.create.values, answer, answer.held
        )
        if answer.issue is not None:
            outcome.issues.append(answer.issue)
    elif answer.status is Status.UNKNOWN:
        outcome.unknown = True
    elif answer.status is Status.OK and answer.id is not None:
        # Link what was sent, so that the deletion is remembered and nothing is made again.
        outcome.held = Record(answer.id, outcome.write.fields)
        outcome.written = dict(outcome.work.create.values)
        outcome.vanished = True
    elif answer.unsent:
        outcome.unsent = True
    elif answer.status in {Status.RETRY, Status.CONFLICT, Status.OK, Status.MISSING}:
        outcome.later = True
    elif answer.status is Status.DUPLICATE:
        await _found_other(context, port, outcome, answer)
    else:
        issue = answer.issue or Issue("TF-R03", "The app refused this record.")
        outcome.blocked = Outcome(State.FAILING, (issue,))


def held_values(
    context: Context, side: Side, sent: Mapping[str, Value], answer: Answer, held: Record
) -> dict[str, Value]:
    """By mapping name: what a record that we just made holds of what we sent.

    What is not surely ours counts as somebody's edit: *seen* is then what we sent.
    """
    written: dict[str, Value] = {}
    for c in context.program.conversions:
        name, field = c.name, c.fields[side]
        if name not in sent or field in answer.refused:
            continue
        now = held.fields.get(field)
        ours = answer.certain or arrived(c.own[side], now, sent[name])
        written[name] = now if ours else sent[name]
    return written


async def _found_other(
    context: Context, port: Port, outcome: CreateOutcome, answer: Answer
) -> None:
    """The app already has a record with this unique value (D8)."""
    other = answer.issue.other_id if answer.issue else None
    known = context.state.records.known(port.reader, [other] if other else [])
    if other is not None and (other not in known or known[other].gone):
        try:
            await port.refresh([other])
        except ConnectorError:
            outcome.later = True
            return
        outcome.stale = True
        return
    blocked = excluded("TF-X12", app=port.app, candidates=other or "unknown")
    outcome.blocked = Outcome(blocked.state, blocked.issues, (other,) if other else ())
