"""Update linked records: note, write, confirm."""

from __future__ import annotations

from collections.abc import Sequence

from msgspec import Struct, field

from twofold.core.associations import kept_name
from twofold.core.errors import Issue
from twofold.core.forms import arrived
from twofold.core.links import Note, Sent
from twofold.core.plan import Update, field_values
from twofold.core.records import Record, Side
from twofold.core.schema import Op
from twofold.core.values import Value
from twofold.engine.chunk import PairWork
from twofold.engine.context import Context
from twofold.engine.port import Port
from twofold.engine.push import Answer, push
from twofold.kit.contract import Status, Write
from twofold.kit.errors import ConnectorError


class PairOutcome(Struct):
    """What became of the updates of one pair."""

    pair: PairWork
    written: dict[Side, dict[str, Value]] = field(default_factory=dict)
    """By side and mapping name: what the side now holds of what we wrote."""
    held: dict[Side, Record] = field(default_factory=dict)
    """Records as they are after the write."""
    failed: set[str] = field(default_factory=set)
    """Mappings whose write did not happen."""
    issues: list[Issue] = field(default_factory=list)
    unknown: bool = False
    """A write may or may not have happened: the note stays."""
    stale: bool = False
    """Read again, merge again."""
    later: bool = False
    """Not applied; try again."""
    unsent: bool = False
    """The app was not even asked."""
    taken: bool = False
    """Another record has a unique value; it may be about to give it away."""
    answered: set[Side] = field(default_factory=set)

    @property
    def complete(self) -> bool:
        """Every update of the pair was answered."""
        return {u.side for u in self.pair.plan.updates} <= self.answered

    @property
    def sent(self) -> dict[Side, dict[str, Value]]:
        """By side and mapping name: what was written, but for what did not happen."""
        return {
            u.side: {n: v for n, v in u.values.items() if n not in self.failed}
            for u in self.pair.plan.updates
        }


def note_of(context: Context, pair: PairWork) -> Note:
    """What is about to be written, and what it was decided on."""
    decided = {d.name: d for d in pair.plan.merge.decisions}
    return {
        u.side: {
            c.name: Sent(
                u.values[c.name],
                decided[c.name].source,
                pair.end(u.side).record.fields.get(c.fields[u.side]),
            )
            for c in context.program.conversions
            if c.name in u.values
        }
        for u in pair.plan.updates
    }


async def update(
    context: Context, side: Side, outcomes: Sequence[PairOutcome]
) -> ConnectorError | None:
    """Send the updates of one side; returns the error that cut it short."""
    port = context.ports[side]
    todo = [
        (outcome, u) for outcome in outcomes for u in outcome.pair.plan.updates if u.side is side
    ]
    if not todo:
        return None
    if not port.type.conditional:
        try:
            todo = await _unmoved(context, port, todo)
        except ConnectorError as error:
            return error
    writes = [_write(context, outcome.pair, u) for outcome, u in todo]
    pushed = await push(context, port, writes)
    for (outcome, u), answer in zip(todo, pushed.answers, strict=True):
        _take(context, outcome, u, answer)
    await _look_again(context, port, todo, pushed.answers)
    return pushed.error


def _write(context: Context, pair: PairWork, u: Update) -> Write:
    fields = field_values(context.program, u.side, u.values)
    return Write(
        ref=f"{context.sync.id}-{pair.hub.row}-{pair.app.row}-{u.side}-{u.record.version or ''}",
        op=Op.UPDATE,
        id=u.record.id,
        fields=fields,
        associate=u.associate,
        dissociate=u.dissociate,
        if_version=u.record.version,
        expected={name: u.record.fields.get(name) for name in fields},
    )


async def _unmoved(
    context: Context, port: Port, todo: Sequence[tuple[PairOutcome, Update]]
) -> list[tuple[PairOutcome, Update]]:
    """The app compares no versions: look right before writing, and merge again if it moved."""
    answered = await port.refresh([u.record.id for _, u in todo])
    context.world.step(f"{port.side} looked before update")
    kept = []
    for outcome, u in todo:
        now = answered.get(u.record.id)
        if now is not None and _same_in_program(context, port.side, u.record, now):
            kept.append((outcome, u))
        else:
            outcome.stale = True
            outcome.failed.update(u.values)
            outcome.answered.add(u.side)
    return kept


def _same_in_program(context: Context, side: Side, planned: Record, now: Record) -> bool:
    return all(
        c.own[side](planned.fields.get(c.fields[side]))
        == c.own[side](now.fields.get(c.fields[side]))
        for c in context.program.conversions
    )


def _take(context: Context, outcome: PairOutcome, u: Update, answer: Answer) -> None:
    """Keep one answer."""
    outcome.answered.add(u.side)
    if answer.status is Status.OK and answer.held is not None:
        _take_held(context, outcome, u, answer, answer.held)
        return
    outcome.failed.update(u.values)
    if u.associate or u.dissociate:
        written = {name for name, _ in (*u.associate, *u.dissociate)}
        mappings = context.sync.rules.associations
        outcome.failed.update(kept_name(m, u.side) for m in mappings if m.end(u.side) in written)
    if answer.status is Status.UNKNOWN:
        outcome.unknown = True
    elif answer.status in {Status.CONFLICT, Status.MISSING, Status.OK}:
        outcome.stale = True
    elif answer.unsent:
        outcome.unsent = True
    elif answer.status is Status.RETRY:
        outcome.later = True
    elif answer.issue is not None:
        outcome.issues.append(answer.issue)
        outcome.taken = outcome.taken or answer.status is Status.DUPLICATE
    context.count(f"{u.side} {answer.status}")


def _take_held(
    context: Context, outcome: PairOutcome, u: Update, answer: Answer, held: Record
) -> None:
    side = u.side
    outcome.held[side] = held
    written = outcome.written.setdefault(side, {})
    for c in context.program.conversions:
        if c.name not in u.values:
            continue
        if c.fields[side] in answer.refused:
            outcome.failed.add(c.name)
            continue
        now = held.fields.get(c.fields[side])
        # What is not surely ours counts as somebody's edit, and travels like one.
        ours = answer.certain or arrived(c.own[side], now, u.values[c.name])
        written[c.name] = now if ours else u.values[c.name]
        outcome.stale = outcome.stale or not ours
    if answer.issue is not None:
        outcome.issues.append(answer.issue)
        outcome.taken = outcome.taken or answer.issue.code == "TF-R02"
    context.count(f"{side} updated")


async def _look_again(
    context: Context,
    port: Port,
    todo: Sequence[tuple[PairOutcome, Update]],
    answers: Sequence[Answer],
) -> None:
    """After a refusal for staleness, see what the side shows now."""
    moved = [
        u.record.id
        for (_, u), answer in zip(todo, answers, strict=True)
        if answer.status in {Status.CONFLICT, Status.MISSING}
    ]
    try:
        await port.refresh(moved)
    except ConnectorError:
        return  # still due: the next run reads it
    if moved:
        context.world.step(f"{port.side} looked again")
