"""Deletes come last: look, derive again, note, remove, store (R8).

So do the archived twins of records that left their limit (L5).

Nothing is removed on the strength of an old reading: both records are looked at right before, and
whoever came back, was merged or was edited meanwhile is not removed. A run that is killed in here
leaves a note, and the next one looks again: what is gone by then is done.
"""

from __future__ import annotations

from collections.abc import Sequence

from msgspec import Struct, structs

from twofold.core.errors import Issue, sentence
from twofold.core.health import Outcome, State
from twofold.core.records import Side
from twofold.core.schema import Op
from twofold.engine.context import Context
from twofold.engine.ended import Ended, plan_ended, plan_left
from twofold.engine.parts import Gate
from twofold.engine.push import Answer, push
from twofold.kit.contract import Status, Write
from twofold.store.types import LinkRow, Phase, RemovalRow, Stored

AT_ONCE = 100
"""Records looked at and noted together."""
SENT = (Phase.STAGED, Phase.APPROVED, Phase.SENDING)


class _Work(Struct):
    """One twin that goes now."""

    ended: Ended
    row: RemovalRow
    twin: Stored
    before: Phase


async def remove(context: Context, gate: Gate | None = None) -> bool:
    """Remove the twins of deleted records; False where there was nothing to look at.

    Raises:
        ConnectorError: a call failed as a whole; everything that was answered is stored.
        FenceLost: another worker took over.
    """
    rows = context.state.removals.open(context.sync.id, *SENT)
    if gate is not None:
        links = {x.hub.row: x for x in _links(context, rows)}
        rows = [r for r in rows if r.hub in links and gate.removes(context, links[r.hub], r)]
    for start in range(0, len(rows), AT_ONCE):
        await _remove(context, rows[start : start + AT_ONCE])
    return bool(rows)


async def _remove(context: Context, rows: Sequence[RemovalRow]) -> None:
    await _look(context, _links(context, rows))
    works, kept = _derived(context, rows)
    ended = {one.link.hub.row for one in [*kept, *(work.ended for work in works)]}
    back = [row.hub for row in rows if row.hub not in ended]  # both are there
    for side in Side:
        for op in (Op.ARCHIVE, Op.DELETE):
            await _send(
                context, side, op, [w for w in works if (w.row.side, w.row.op) == (side, op)]
            )
    if kept or back:
        due = [one.link.hub.row for one in kept if one.removal is None]
        context.state.removals.settle(
            context.sync.id,
            context.fence,
            [one.removal for one in kept if one.removal is not None],
            {
                one.link.hub.row: (one.outcome, one.link.state)
                for one in kept
                if one.outcome is not None
            },
            [*due, *back],
            context.moment(),
        )
        context.world.step("removals derived again")


def _links(context: Context, rows: Sequence[RemovalRow]) -> list[LinkRow]:
    return context.state.links.of(context.sync.id, Side.HUB, [row.hub for row in rows])


async def _look(context: Context, links: Sequence[LinkRow]) -> None:
    """See what both ends show now, the deleted one too: it may be back, or merged."""
    for side in Side:
        port = context.ports[side]
        ends = [x.hub if side is Side.HUB else x.app for x in links]
        gone = [end for end in ends if end.gone and end.into_id is None]
        if gone:
            await port.learn_merges(gone)
        await port.refresh([end.record.id for end in ends])
        context.world.step(f"{side} looked before removals")


def _derived(context: Context, rows: Sequence[RemovalRow]) -> tuple[list[_Work], list[Ended]]:
    """What still goes by what was just seen, and what has changed."""
    links = _links(context, rows)
    ended = plan_ended(context, [x for x in links if x.hub.gone or x.app.gone])
    whole = [x for x in links if not (x.hub.gone or x.app.gone)]
    if whole:
        past = context.limits.past((side, x.end(side).row) for x in whole for side in Side)
        ended += plan_left(context, whole, past)
    works: list[_Work] = []
    kept: list[Ended] = []
    for one in ended:
        row = one.removal
        if row is None or one.over or row.phase not in SENT or one.outcome is None:
            kept.append(one)
            continue
        twin = one.link.app if row.side is Side.APP else one.link.hub
        phase = row.phase if row.phase is not Phase.SENDING else Phase.APPROVED
        works.append(_Work(one, row, twin, phase))
    return works, kept


async def _send(context: Context, side: Side, op: Op, works: Sequence[_Work]) -> None:
    """Note, remove and store: the twins of one side."""
    if not works:
        return
    port = context.ports[side]
    sending = [structs.replace(work.row, phase=Phase.SENDING) for work in works]
    context.state.removals.keep(context.sync.id, context.fence, sending)
    context.world.step("removals noted")
    pushed = await push(context, port, [_write(context, work) for work in works])
    answers = list(zip(works, pushed.answers, strict=True))
    gone = {work.twin.record.id: None for work, answer in answers if _is_gone(answer)}
    port.store([], gone)
    context.world.step(f"{side} removals stored")
    _settle(context, answers)
    moved = [w.twin.record.id for w, answer in answers if answer.status is Status.CONFLICT]
    if pushed.error is not None:
        raise pushed.error
    await port.refresh(moved)


def _write(context: Context, work: _Work) -> Write:
    row, twin = work.row, work.twin.record
    ref = f"{context.sync.id}-{row.hub}-{row.side}-{row.op}-{twin.version or ''}"
    return Write(ref=ref, op=row.op, id=twin.id, if_version=twin.version)


def _is_gone(answer: Answer) -> bool:
    """Removed, or removed before: a repeated delete finds nothing."""
    return answer.status is Status.MISSING or (answer.status is Status.OK and answer.held is None)


def _settle(context: Context, answers: Sequence[tuple[_Work, Answer]]) -> None:
    """Store what became of each."""
    rows: list[RemovalRow] = []
    outcomes: dict[int, tuple[Outcome, int]] = {}
    for work, answer in answers:
        phase = _phase_after(work, answer)
        rows.append(structs.replace(work.row, phase=phase))
        if phase is Phase.REFUSED:
            outcomes[work.row.hub] = (_refusal(context, work, answer), work.ended.link.state)
        verb = f"{work.row.op}d" if work.row.op is Op.ARCHIVE else "deleted"
        context.count(
            f"{work.row.side} {verb if phase is Phase.OVER else 'removal ' + answer.status}"
        )
    context.state.removals.settle(
        context.sync.id, context.fence, rows, outcomes, moment=context.moment()
    )
    context.world.step("removals settled")


def _phase_after(work: _Work, answer: Answer) -> Phase:
    if _is_gone(answer):
        return Phase.OVER
    if answer.status in {Status.OK, Status.UNKNOWN}:  # answered as done, and it still shows
        return Phase.SENDING
    if answer.status in {Status.CONFLICT, Status.RETRY}:
        return work.before
    return Phase.REFUSED


def _refusal(context: Context, work: _Work, answer: Answer) -> Outcome:
    app = context.ports[work.row.side].app
    reason = "it did not say why" if answer.issue is None else answer.issue.sentence.rstrip(".")
    text = sentence("TF-D05", {"app": app, "op": work.row.op.value, "reason": reason})
    raw = "" if answer.issue is None else answer.issue.raw
    return Outcome(State.FAILING, (Issue("TF-D05", text, raw=raw),))
