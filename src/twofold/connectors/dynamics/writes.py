"""Writing: one batch, each record with an answer of its own.

Rows "Write single", "$batch", "Concurrency", "Types" and "Errors" of the facts.

- A change names the version that it was planned against; one without a version says "if it is
  there", as the API would make a record of a change to none.
- A new record gets its id from us, made of the write's name: the same write sent twice is refused
  as a duplicate of itself, and makes no second record.
"""

from __future__ import annotations

import uuid
from collections.abc import Sequence
from typing import Any

import msgspec

from twofold.connectors.dynamics.batches import Part, Reply
from twofold.connectors.dynamics.calls import APP, Calls, Refusal, refusal_of, said
from twofold.connectors.dynamics.schema import OWNER, OWNERS, navigation
from twofold.connectors.dynamics.tables import Listed, Table
from twofold.connectors.dynamics.values import is_id, written
from twofold.core.errors import Issue, TwofoldError
from twofold.core.schema import ObjectType, Op
from twofold.kit.contract import Result, Status, Write

_NAMES = uuid.UUID("6f0f1c0e-6b7f-5e2d-9d2e-1f7a3c5b8d40")
_BIND = "@odata.bind"
_BACK = {"Prefer": "return=representation"}
_TAKEN = frozenset({"0x80040237", "0x80060892", "0x80040333"})
"""DuplicateRecord, DuplicateRecordEntityKey, DuplicateRecordsFound."""
_AGAIN = frozenset({"0x80072321", "0x80072322", "0x80072326", "0x80044151", "0x80071151"})
"""Service protection, and a row that somebody else has locked."""
_EXPECTED = {"0x80044331": "a shorter text", "0x80048408": "one of its options"}


class Writer:
    """Writes records of one table."""

    def __init__(
        self, calls: Calls, table: Table, kind: ObjectType, known: dict[str, Listed]
    ) -> None:
        self._calls = calls
        self._table = table
        self._kind = kind
        self._known = known

    async def push(self, writes: Sequence[Write]) -> Sequence[Result]:
        """One result per write, in order."""
        if not writes:
            return []
        odd = [w for w in writes if w.op is not Op.CREATE and not is_id(str(w.id))]
        sent = [write for write in writes if write not in odd]
        replies = await self._calls.batch([self._part(write) for write in sent]) if sent else []
        results = {write.ref: Result(write.ref, Status.MISSING, write.id) for write in odd}
        for at, write in enumerate(sent):
            unknown = Result(write.ref, Status.UNKNOWN, write.id)
            fits = len(replies) == len(sent)
            results[write.ref] = await self._result(write, replies[at]) if fits else unknown
        return [results[write.ref] for write in writes]

    def _part(self, write: Write) -> Part:
        table = self._table
        one = f"{table.entity_set}({write.id})"
        version = write.if_version if self._kind.conditional else None
        if write.op is Op.DELETE:
            return Part("DELETE", one, {"If-Match": version} if version else {})
        body = self._body(write)
        if write.op is Op.CREATE:
            made = {table.id: _own_id(write), **body}
            return Part("POST", f"{table.entity_set}?$select={table.id}", _BACK, made)
        headers = {**_BACK, "If-Match": version or "*"}
        return Part("PATCH", f"{one}?$select={table.id}", headers, body)

    def _body(self, write: Write) -> dict[str, Any]:
        body: dict[str, Any] = {}
        for name, value in write.fields.items():
            if name == OWNER:
                body |= {OWNER + _BIND: f"/{OWNERS}({value})"} if value else {}
            else:
                body[name] = written(self._kind.field(name), value)
        for name, _ in write.dissociate:
            body[self._bound(name)] = None
        for name, end in write.associate:
            body[self._bound(name)] = f"/{self._set(name)}({end.id})"
        return body

    def _bound(self, association: str) -> str:
        return navigation(self._table, association, self._to(association)) + _BIND

    def _set(self, association: str) -> str:
        listed = self._known.get(self._to(association))
        return (listed.entity_set_name if listed is not None else None) or association

    def _to(self, association: str) -> str:
        tie = self._kind.association(association)
        return tie.target if tie is not None else ""

    async def _result(self, write: Write, reply: Reply) -> Result:
        record_id = _own_id(write) if write.op is Op.CREATE else write.id
        if reply.status < 300:
            return Result(write.ref, Status.OK, record_id, _version(reply))
        if reply.status >= 500:
            return Result(write.ref, Status.UNKNOWN, write.id)
        refusal = refusal_of(reply.content)
        if refusal.code in _TAKEN and write.op is Op.CREATE and await self._is_there(write):
            return Result(write.ref, Status.OK, record_id)
        return _refused(write, reply.status, refusal)

    async def _is_there(self, write: Write) -> bool:
        """Whether this create was applied before."""
        path = f"{self._table.entity_set}({_own_id(write)})?$select={self._table.id}"
        (reply,) = await self._calls.batch([Part("GET", path)], safe=True)
        return reply.status == 200


def _own_id(write: Write) -> str:
    return str(uuid.uuid5(_NAMES, write.ref))


def _version(reply: Reply) -> str | None:
    try:
        found = msgspec.json.decode(reply.content, type=dict[str, Any]).get("@odata.etag")
    except (msgspec.DecodeError, UnicodeDecodeError):
        return None
    return str(found) if found else None


def _refused(write: Write, status: int, refusal: Refusal) -> Result:
    field = _named(write, refusal)
    if status == 429 or refusal.code in _AGAIN:
        return Result(write.ref, Status.RETRY, write.id, issue=_raw("TF-R03", refusal, None))
    if refusal.code in _TAKEN:
        issue = _issue(TwofoldError("TF-R02", field=field or "value", other_id=None), refusal)
        return Result(write.ref, Status.DUPLICATE, write.id, issue=issue)
    if status == 412:
        return Result(write.ref, Status.CONFLICT, write.id)
    if status == 404 and write.op is not Op.CREATE and not _is_elsewhere(write, refusal):
        return Result(write.ref, Status.MISSING, write.id)
    if status == 403:
        return Result(write.ref, Status.DENIED, write.id, issue=_raw("TF-R03", refusal, field))
    if field is not None and refusal.code in _EXPECTED:
        shown = str(write.fields[field])[:60]
        facts = {"field": field, "value": shown, "expected": _EXPECTED[refusal.code]}
        issue = _issue(TwofoldError("TF-R01", **facts), refusal)
        return Result(write.ref, Status.INVALID, write.id, issue=issue)
    return Result(write.ref, Status.INVALID, write.id, issue=_raw("TF-R03", refusal, field))


def _named(write: Write, refusal: Refusal) -> str | None:
    """The field of the write that a message names, between quotes or as a word."""
    words = refusal.message.replace("'", " ").replace('"', " ").replace(",", " ").split()
    return next((word.strip(".:()") for word in words if word.strip(".:()") in write.fields), None)


def _is_elsewhere(write: Write, refusal: Refusal) -> bool:
    """Whether what is missing is the target of an association."""
    ends = {target.id for _, target in write.associate}
    return any(end in refusal.message.lower() for end in ends)


def _raw(code: str, refusal: Refusal, field: str | None) -> Issue:
    reason = said(refusal) or refusal.code or "no reason"
    return _issue(TwofoldError(code, app=APP, reason=reason, field=field), refusal)


def _issue(error: TwofoldError, refusal: Refusal) -> Issue:
    issue = error.issue
    words = f"{refusal.code}: {refusal.message}"[:500]
    return Issue(issue.code, issue.sentence, issue.field, issue.other_id, words)
