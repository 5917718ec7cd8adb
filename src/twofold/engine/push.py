"""Send writes in batches, and learn what became of each of them.

A call that failed as a whole is remembered, what was already answered is kept, and the caller
stores it before the run ends.
"""

from __future__ import annotations

from collections.abc import Sequence

from msgspec import Struct, structs

from twofold.core.errors import Issue
from twofold.core.records import Record
from twofold.core.schema import Op
from twofold.engine.context import Context
from twofold.engine.port import Port
from twofold.kit.contract import Result, Status, Write
from twofold.kit.errors import ConnectorError, OutcomeUnknown


class Answer(Struct):
    """What became of one write."""

    status: Status
    id: str | None = None
    held: Record | None = None
    """The record after the write; None where it is gone again or was not written."""
    certain: bool = False
    """``held`` is exactly our write; otherwise somebody may have edited it since."""
    issue: Issue | None = None
    refused: tuple[str, ...] = ()
    """Fields that were left out because the app refuses them (D10)."""
    unsent: bool = False
    """The app was not even asked; it stays due."""


class Pushed(Struct):
    """The answers in the order of the writes, and the error that cut the sending short."""

    answers: list[Answer]
    error: ConnectorError | None = None


async def push(context: Context, port: Port, writes: Sequence[Write]) -> Pushed:
    """Send writes of one op; after an error, the rest are answered as not sent."""
    pushed = Pushed([])
    if not writes:
        return pushed
    size = port.batch(writes[0].op)
    for start in range(0, len(writes), size):
        part = writes[start : start + size]
        if pushed.error is not None:
            pushed.answers += _unsent(part, None)
            continue
        context.state.links.check(context.sync.id, context.fence)
        sent = await _send(context, port, part)
        pushed.answers += sent.answers
        pushed.error = sent.error
    return pushed


async def _send(context: Context, port: Port, writes: Sequence[Write]) -> Pushed:
    """Send one batch. Once it has been answered, nothing that follows can make that unsaid."""
    try:
        results = list(await port.connector.push(port.name, writes))
    except OutcomeUnknown as error:
        return Pushed([Answer(Status.UNKNOWN, issue=error.issue) for _ in writes], error)
    except ConnectorError as error:
        return Pushed(_unsent(writes, error), error)
    context.world.step(f"{port.side} pushed")
    context.count(f"{port.side} writes", sum(r.status is Status.OK for r in results))
    if port.type.atomic and len(writes) > 1 and not _applied(results):
        return await _bisect(context, port, writes)
    answers = [_answer(result) for result in results]
    cut_short = await _send_without_refused(context, port, writes, results, answers)
    await _read_back(context, port, writes, results, answers)
    return Pushed(answers, cut_short)


def _unsent(writes: Sequence[Write], error: ConnectorError | None) -> list[Answer]:
    issue = None if error is None else error.issue
    return [Answer(Status.RETRY, issue=issue, unsent=True) for _ in writes]


def _applied(results: Sequence[Result]) -> bool:
    """Whether an atomic batch was, or may have been, applied."""
    return any(result.status in {Status.OK, Status.UNKNOWN} for result in results)


async def _bisect(context: Context, port: Port, writes: Sequence[Write]) -> Pushed:
    """One bad item fails the batch: halve it until the bad one is alone."""
    middle = len(writes) // 2
    first = await _send(context, port, writes[:middle])
    if first.error is not None:
        return Pushed(first.answers + _unsent(writes[middle:], None), first.error)
    second = await _send(context, port, writes[middle:])
    return Pushed(first.answers + second.answers, second.error)


async def _send_without_refused(
    context: Context,
    port: Port,
    writes: Sequence[Write],
    results: list[Result],
    answers: list[Answer],
) -> ConnectorError | None:
    """A value that the app refuses fails that field alone: send the others once more (D10)."""
    again: list[tuple[int, Write, str]] = []
    for position, (write, result) in enumerate(zip(writes, results, strict=True)):
        name = result.issue.field if result.issue else None
        if _is_of_value(write, result) and name in write.fields and len(write.fields) > 1:
            rest = {k: v for k, v in write.fields.items() if k != name}
            expected = {k: v for k, v in write.expected.items() if k != name}
            # Another payload needs another reference: the app may remember the first one.
            smaller = structs.replace(
                write, ref=f"{write.ref}-{name}", fields=rest, expected=expected
            )
            again.append((position, smaller, str(name)))
    if not again:
        return None
    try:
        second = await port.connector.push(port.name, [write for _, write, _ in again])
    except ConnectorError as error:
        for position, _, _ in again:
            unknown = isinstance(error, OutcomeUnknown)
            answers[position].status = Status.UNKNOWN if unknown else Status.INVALID
        return error
    context.world.step(f"{port.side} pushed again")
    for (position, _, name), result in zip(again, second, strict=True):
        refusal = answers[position].issue
        if result.status is Status.OK:
            results[position] = result
            answers[position] = _answer(result)
            answers[position].issue, answers[position].refused = refusal, (name,)
        elif result.status is Status.UNKNOWN:
            results[position], answers[position] = result, _answer(result)
    return None


def _is_of_value(write: Write, result: Result) -> bool:
    """Whether one value was refused: of a new record, a value that another one has is more (D8)."""
    taken = result.status is Status.DUPLICATE and write.op is Op.UPDATE
    return taken or result.status is Status.INVALID


def _answer(result: Result) -> Answer:
    held = result.stored if result.status is Status.OK else None
    return Answer(result.status, result.id, held, held is not None, result.issue)


async def _read_back(
    context: Context,
    port: Port,
    writes: Sequence[Write],
    results: Sequence[Result],
    answers: list[Answer],
) -> None:
    """Look at what was written where the answer did not show it: apps rewrite what they get."""
    absent = [
        (i, str(answer.id or writes[i].id))
        for i, answer in enumerate(answers)
        if answer.status is Status.OK and answer.held is None
    ]
    if not absent:
        return
    try:
        found = await port.get([record_id for _, record_id in absent])
    except ConnectorError:
        # Written, but not seen: the note stays, and the next run looks again.
        for i, _ in absent:
            answers[i].status = Status.UNKNOWN
        return
    context.world.step(f"{port.side} read back")
    for i, record_id in absent:
        records = found.get(record_id)
        answer = answers[i]
        answer.id = record_id
        if records and records[0].id == record_id:  # else it was merged into another one
            answer.held = records[0]
            answer.certain = (
                results[i].version is not None
                and port.exact_versions
                and results[i].version == records[0].version
            )
