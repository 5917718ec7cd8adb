"""Up to a hundred records in one request.

What cannot be done with one of them is told by its trace id, with status 207. A create of which an
input has no trace id is done as a whole or not at all.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any, TypeVar

from msgspec import Struct

from twofold.core.records import Record
from twofold.hub.api import objects, reading, wire
from twofold.hub.api.calls import Answer, Call
from twofold.hub.api.faults import NOT_FOUND, Fault, invalid, refused
from twofold.hub.api.kinds import ID, Type
from twofold.hub.api.objects import New, Texts
from twofold.hub.api.reading import Seen
from twofold.hub.properties import Refused
from twofold.hub.tables import Gone
from twofold.hub.writing import Writing, shown

MOST = 100
T = TypeVar("T")


class Named(Struct, frozen=True):
    """A record that is meant."""

    id: str


class Change(Struct, frozen=True, rename="camel"):
    """A record and what changes of it."""

    id: str
    properties: Texts
    id_property: str | None = None
    object_write_trace_id: str | None = None


class Creates(Struct, frozen=True):
    """Records to make."""

    inputs: list[New]


class Updates(Struct, frozen=True):
    """Records to change, or to make where they are not there."""

    inputs: list[Change]


class Reads(Struct, frozen=True, rename="camel"):
    """Records to read."""

    inputs: list[Named]
    properties: list[str] = []
    id_property: str | None = None


class Archives(Struct, frozen=True):
    """Records to take away."""

    inputs: list[Named]


Done = tuple[Record, Texts, dict[str, Any]]
"""The record after its change, what was written, and what the answer adds."""


def create(call: Call) -> Answer:
    """Make records."""
    kind, inputs = call.kind, _limited(call.body(Creates).inputs)
    traces = [given.object_write_trace_id for given in inputs]

    def one(writing: Writing, given: New) -> Done:
        return shown(objects.made(writing, kind, given)), given.properties, {}

    whole = None in traces
    return _written(call, kind, list(zip(inputs, traces, strict=True)), one, 201, whole=whole)


def update(call: Call) -> Answer:
    """Change records."""
    kind, inputs = call.kind, _distinct(call.body(Updates).inputs)

    def one(writing: Writing, given: Change) -> Done:
        record_id = objects.resolved(call.hub, kind, given.id, given.id_property)
        draft = objects.changed(writing, kind, record_id, given.properties)
        return shown(draft), given.properties, {}

    return _written(call, kind, _traced(inputs), one, 200)


def upsert(call: Call) -> Answer:
    """Change records by a unique property, and make those that are not there."""
    kind, inputs = call.kind, _distinct(call.body(Updates).inputs)

    def one(writing: Writing, given: Change) -> Done:
        by = given.id_property
        if by is None or by == ID:
            raise invalid("Upserts name a unique property in idProperty", "INVALID_ID_PROPERTY")
        held = objects.find(call.hub, kind, [given.id], by).get(given.id)
        if held is not None:
            draft = objects.changed(writing, kind, held.id, given.properties)
            return shown(draft), given.properties, {"new": False}
        texts = {by: given.id, **given.properties}
        return shown(objects.made(writing, kind, New(texts))), texts, {"new": True}

    return _written(call, kind, _traced(inputs), one, 200)


def read(call: Call) -> Answer:
    """Read records; those that are not there are named in one error."""
    kind, given = call.kind, call.body(Reads)
    ids = [one.id for one in _limited(given.inputs)]
    archived = call.flag("archived")
    if archived:
        found = reading.archived(call.hub, kind, ids)
    else:
        found = objects.find(call.hub, kind, ids, given.id_property)
    names = objects.complete(kind, call.realism.left(given.properties))
    results = [
        reading.told(call.hub, kind, Seen(found[asked], archived), names)
        for asked in dict.fromkeys(ids)
        if asked in found
    ]
    gone = [asked for asked in dict.fromkeys(ids) if asked not in found]
    message = f"Could not get some {kind.plural}: they may be deleted, or never were"
    errors = [Fault(404, NOT_FOUND, message, context={"ids": gone}).item(None)] if gone else []
    return _answer(call, 200, results, errors)


def archive(call: Call) -> Answer:
    """Take records away; nobody minds those that are gone already."""
    kind, inputs = call.kind, _limited(call.body(Archives).inputs)
    with call.hub.writing() as writing:
        for given in inputs:
            objects.removed(writing, kind, given.id, Gone.ARCHIVED)
    return Answer(204)


def _written(
    call: Call,
    kind: Type,
    inputs: Sequence[tuple[T, str | None]],
    change: Callable[[Writing, T], Done],
    status: int,
    *,
    whole: bool = False,
) -> Answer:
    """Make all changes in one transaction. ``whole``: the first refusal undoes all."""
    done: list[tuple[Done, str | None]] = []
    errors: list[dict[str, Any]] = []
    with call.hub.writing() as writing:
        for given, trace in inputs:
            try:
                done.append((change(writing, given), trace))
            except (Refused, Fault) as error:
                known = getattr(given, "id", "")
                fault = error if isinstance(error, Fault) else refused(kind.name, known, error)
                if whole or (trace is None and fault.category != NOT_FOUND):
                    raise fault from error
                errors.append(fault.item(trace))
    results = []
    for (record, texts, more), trace in done:
        traced = {} if trace is None else {"objectWriteTraceId": trace}
        told = objects.answered(call.hub, kind, record, texts)
        results.append({**told, **more, **traced})
    return _answer(call, status, results, errors)


def _answer(
    call: Call, status: int, results: list[dict[str, Any]], errors: list[dict[str, Any]]
) -> Answer:
    if call.realism.unordered:
        results.reverse()
    at = wire.moment(call.now)
    body: dict[str, Any] = {
        "status": "COMPLETE",
        "results": results,
        "startedAt": at,
        "completedAt": at,
    }
    if errors:
        status = 207
        body |= {"numErrors": len(errors), "errors": errors}
    return Answer(status, body)


def _traced(inputs: Sequence[Change]) -> list[tuple[Change, str | None]]:
    return [(given, given.object_write_trace_id) for given in inputs]


def _limited(inputs: list[T]) -> list[T]:
    if not inputs:
        raise invalid("The batch has no inputs", "INVALID_INPUTS")
    if len(inputs) > MOST:
        message = f"Batch size is limited to {MOST}, and {len(inputs)} inputs came"
        raise invalid(message, "BATCH_SIZE_EXCEEDED")
    return inputs


def _distinct(inputs: list[Change]) -> list[Change]:
    names = {(given.id_property, given.id.casefold()) for given in _limited(inputs)}
    if len(names) < len(inputs):
        raise invalid("Duplicate IDs found in batch input", "DUPLICATE_IDS")
    return inputs
