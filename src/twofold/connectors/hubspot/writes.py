"""Writing: batches of a hundred, each with a trace id, and what an answer says about each.

Rows "Batch", "Per-item errors" and "Dedup" of the facts: "Batch endpoints" and "Error handling".

A batch of which some fail is answered with 207; answers are not in the order of the inputs, so they
are told apart by trace id, else by id. A batch that is refused as a whole is cut in two until the
record is alone that cannot be written.

There is no version to compare, so the engine looks right before it writes. A lifecycle stage moves
forward only: HubSpot passes over what would set it back, and what it then shows is what counts.
"""

from __future__ import annotations

import re
from collections.abc import Awaitable, Callable, Mapping, Sequence
from typing import Any

from msgspec import Struct

from twofold.connectors.hubspot import paths
from twofold.connectors.hubspot.calls import APP, Calls, Detail, Refusal, Refused
from twofold.connectors.hubspot.objects import Kind
from twofold.connectors.hubspot.records import Shown
from twofold.connectors.hubspot.relations import Relations, Unlabeled
from twofold.connectors.hubspot.values import written
from twofold.core.errors import Issue, TwofoldError
from twofold.core.schema import Op
from twofold.kit.contract import Result, Status, Write

_TRACE = "objectWriteTraceId"
_EXISTING = re.compile(r"Existing ID: (\d+)")
_NAMED = re.compile(r'"name":"(\w+)"')
"""The property in the JSON that a message about values repeats."""
_MISSING = frozenset({"OBJECT_NOT_FOUND"})
_TAKEN = frozenset({"CONFLICT", "DUPLICATE_UNIQUE_PROPERTY_VALUE"})


class Answer(Struct, frozen=True, rename="camel"):
    """The answer to a batch."""

    results: Sequence[Shown] = ()
    errors: Sequence[Detail] = ()


class Writer:
    """Writes records of one object."""

    def __init__(self, calls: Calls, kind: Kind, relations: Relations) -> None:
        self._calls = calls
        self._kind = kind
        self._relations = relations

    async def push(self, writes: Sequence[Write]) -> Sequence[Result]:
        """One result per write, in order."""
        if not writes:
            return []
        do = {Op.CREATE: self._created, Op.UPDATE: self._updated, Op.ARCHIVE: self._archived}
        found = await do[writes[0].op](writes)
        return [found[write.ref] for write in writes]

    async def _created(self, writes: Sequence[Write]) -> dict[str, Result]:
        inputs: dict[str, dict[str, Any]] = {}
        found: dict[str, Result] = {}
        for write in writes:
            try:
                ties = [
                    {"to": {"id": target.id}, "types": await self._relations.types(name, target)}
                    for name, target in write.associate
                ]
            except Unlabeled as error:
                found[write.ref] = _refused(write, _no_label(error))
                continue
            inputs[write.ref] = {"associations": ties, **_input(write)}
        ready = [write for write in writes if write.ref in inputs]
        return found | await self._batched("create", ready, inputs)

    async def _updated(self, writes: Sequence[Write]) -> dict[str, Result]:
        inputs = {w.ref: {"id": w.id, **_input(w)} for w in writes if w.fields}
        filled = [write for write in writes if write.fields]
        found = {w.ref: Result(w.ref, Status.OK, w.id) for w in writes if not w.fields}
        found |= await self._batched("update", filled, inputs)
        related = [
            write
            for write in writes
            if (write.associate or write.dissociate) and found[write.ref].status is Status.OK
        ]
        return found | await self._related(related)

    async def _archived(self, writes: Sequence[Write]) -> dict[str, Result]:
        body = {"inputs": [{"id": write.id} for write in writes]}
        try:
            await self._calls.change(self._path("archive"), body, Answer)
        except Refused as refused:
            return await self._halved(writes, refused, self._archived)
        return {write.ref: Result(write.ref, Status.OK, write.id) for write in writes}

    # --- batches ----------------------------------------------------------------------------

    async def _batched(
        self, what: str, writes: Sequence[Write], inputs: Mapping[str, dict[str, Any]]
    ) -> dict[str, Result]:
        """Send one batch; cut it in two where it is refused as a whole."""
        if not writes:
            return {}
        body = {"inputs": [inputs[write.ref] for write in writes]}
        try:
            answer = await self._calls.change(self._path(what), body, Answer)
        except Refused as refused:
            again = lambda part: self._batched(what, part, inputs)  # noqa: E731
            return await self._halved(writes, refused, again)
        return self._told(writes, answer)

    async def _halved(
        self,
        writes: Sequence[Write],
        refused: Refused,
        again: Callable[[Sequence[Write]], Awaitable[dict[str, Result]]],
    ) -> dict[str, Result]:
        if len(writes) == 1:
            write = writes[0]
            return {write.ref: self._result(write, refused.status, refused.refusal)}
        middle = len(writes) // 2
        return await again(writes[:middle]) | await again(writes[middle:])

    def _path(self, what: str) -> str:
        return paths.objects(self._kind.type_id, f"/batch/{what}")

    def _told(self, writes: Sequence[Write], answer: Answer) -> dict[str, Result]:
        """What became of each write of a batch."""
        by_trace = {row.object_write_trace_id: row for row in answer.results}
        by_id = {row.id: row for row in answer.results}
        refusals: dict[str, Refusal] = {}
        for detail in answer.errors:
            told = Refusal(detail.message, detail.category, context=detail.context)
            names = told.named(_TRACE) or told.named("ids") or told.named("id")
            refusals.update(dict.fromkeys(names, told))
        found = {}
        for write in writes:
            row = by_trace.get(write.ref) or (by_id.get(write.id) if write.id else None)
            refusal = refusals.get(write.ref) or refusals.get(write.id or "")
            if refusal is not None:
                found[write.ref] = self._result(write, 0, refusal)
            elif row is not None:
                version = row.updated_at or None
                found[write.ref] = Result(write.ref, Status.OK, row.id, version)
            else:
                found[write.ref] = Result(write.ref, Status.UNKNOWN, write.id)
        return found

    # --- associations -----------------------------------------------------------------------

    async def _related(self, writes: Sequence[Write]) -> dict[str, Result]:
        """Change associations of records that were written; the version is not the write's then.

        Making and ending an association may be repeated: where some fail, each is sent alone.
        """
        if not writes:
            return {}
        reason = "some associations could not be made"
        try:
            if await self._relations.change(writes):
                return {w.ref: Result(w.ref, Status.OK, w.id) for w in writes}
        except Unlabeled as error:
            reason = _no_label(error)
        except Refused as refused:
            reason = _reason(refused.refusal)
        if len(writes) == 1:
            return {writes[0].ref: _refused(writes[0], reason)}
        found: dict[str, Result] = {}
        for write in writes:
            found |= await self._related([write])
        return found

    # --- refusals ---------------------------------------------------------------------------

    def _result(self, write: Write, status: int, refusal: Refusal) -> Result:
        """What a refusal of one record means."""
        codes = refusal.codes
        if status == 404 or codes & _MISSING:
            if write.op is Op.CREATE:  # what it would be associated with is not there
                return _refused(write, _reason(refusal))
            return Result(write.ref, Status.MISSING, write.id)
        said = _EXISTING.search(refusal.message)
        if status == 409 or codes & _TAKEN or said:
            holder = refusal.named("existingId") or ([said.group(1)] if said else [])
            field = _field(refusal) or ("email" if "email" in write.fields else "value")
            other = holder[0] if holder else None
            error = TwofoldError("TF-R02", field=field, other_id=other)
            return Result(write.ref, Status.DUPLICATE, write.id, issue=_raw(error, refusal))
        name = _field(refusal)
        if name is not None and name in write.fields:
            shown, reason = written(write.fields[name])[:60], _expected(refusal)
            error = TwofoldError("TF-R01", field=name, value=shown, expected=reason)
        else:
            error = TwofoldError("TF-R03", app=APP, reason=_reason(refusal), field=name)
        return Result(write.ref, Status.INVALID, write.id, issue=_raw(error, refusal))


def _input(write: Write) -> dict[str, Any]:
    properties = {name: written(value) for name, value in write.fields.items()}
    return {"properties": properties, _TRACE: write.ref}


def _no_label(error: Unlabeled) -> str:
    return f"it has no association label {error}"


def _refused(write: Write, reason: str) -> Result:
    issue = TwofoldError("TF-R03", app=APP, reason=reason).issue
    return Result(write.ref, Status.INVALID, write.id, issue=issue)


def _raw(error: TwofoldError, refusal: Refusal) -> Issue:
    issue = error.issue
    return Issue(issue.code, issue.sentence, issue.field, issue.other_id, refusal.message[:500])


def _field(refusal: Refusal) -> str | None:
    """The property that a refusal is about."""
    named = refusal.named("propertyName") or _NAMED.findall(refusal.message)
    return named[0] if named else None


def _expected(refusal: Refusal) -> str:
    if "INVALID_OPTION" in refusal.codes or "option" in refusal.message.casefold():
        return "one of its options"
    return _reason(refusal)


def _reason(refusal: Refusal) -> str:
    return " ".join(refusal.message.split())[:200].rstrip(".") or refusal.category or "no reason"
