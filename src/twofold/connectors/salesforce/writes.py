"""Writing: collections of two hundred, each record with an answer of its own.

Rows "Batch", "Duplicates" and "Errors" of the facts: "sObject Collections" and "Status Codes and
Error Responses" of the REST API Developer Guide. The answers come in the order of the records.

There is nothing in a collection to compare a version with, so the engine looks right before it
writes.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from typing import Any

from msgspec import Struct

from twofold.connectors.salesforce.calls import APP, Calls, Refusal, Refused
from twofold.connectors.salesforce.values import long_id, written
from twofold.core.errors import Issue, TwofoldError
from twofold.core.schema import Op
from twofold.kit.contract import Result, Status, Write

_PATH = "/composite/sobjects"
_HOLDER = re.compile(r"\b([0-9A-Za-z]{15}(?:[0-9A-Za-z]{3})?)\b")
_TAKEN = frozenset({"DUPLICATE_VALUE", "DUPLICATES_DETECTED", "DUPLICATE_EXTERNAL_ID"})
_AGAIN = frozenset({"UNABLE_TO_LOCK_ROW", "SERVER_UNAVAILABLE", "ROW_LOCK_TIMEOUT"})
_MISSING = frozenset({"ENTITY_IS_DELETED", "NOT_FOUND"})
_DENIED = frozenset(
    {
        "INSUFFICIENT_ACCESS_OR_READONLY",
        "INSUFFICIENT_ACCESS_ON_CROSS_REFERENCE_ENTITY",
        "CANNOT_INSERT_UPDATE_ACTIVATE_ENTITY",
    }
)
_EXPECTED = {
    "STRING_TOO_LONG": "a shorter text",
    "INVALID_EMAIL_ADDRESS": "an e-mail address",
    "INVALID_OR_NULL_FOR_RESTRICTED_PICKLIST": "one of its options",
    "BAD_VALUE_FOR_RESTRICTED_PICKLIST": "one of its options",
    "REQUIRED_FIELD_MISSING": "a value",
    "NUMBER_OUTSIDE_VALID_RANGE": "a number within its range",
    "INVALID_FIELD_FOR_INSERT_UPDATE": "a field that may be written",
}


class Answer(Struct, frozen=True):
    """What became of one record."""

    success: bool
    id: str | None = None
    errors: Sequence[Refusal] = ()


class Writer:
    """Writes records of one object."""

    def __init__(self, calls: Calls, obj: str) -> None:
        self._calls = calls
        self._obj = obj

    async def push(self, writes: Sequence[Write]) -> Sequence[Result]:
        """One result per write, in order."""
        if not writes:
            return []
        try:
            answers = await self._sent(writes)
        except Refused as refused:
            if len(writes) == 1:
                return [self._result(writes[0], Answer(False, errors=(refused.refusal,)))]
            middle = len(writes) // 2  # one that cannot be read refuses the whole collection
            return [*await self.push(writes[:middle]), *await self.push(writes[middle:])]
        if len(answers) != len(writes):
            return [Result(write.ref, Status.UNKNOWN, write.id) for write in writes]
        return [self._result(w, answer) for w, answer in zip(writes, answers, strict=True)]

    async def _sent(self, writes: Sequence[Write]) -> Sequence[Answer]:
        if writes[0].op is Op.ARCHIVE:
            ids = ",".join(str(write.id) for write in writes)
            return await self._calls.change(
                "DELETE", _PATH, None, list[Answer], ids=ids, allOrNone="false"
            )
        method = "POST" if writes[0].op is Op.CREATE else "PATCH"
        body = {"allOrNone": False, "records": [self._record(write) for write in writes]}
        return await self._calls.change(method, _PATH, body, list[Answer])

    def _record(self, write: Write) -> dict[str, Any]:
        record: dict[str, Any] = {"attributes": {"type": self._obj}}
        if write.id is not None:
            record["id"] = write.id
        record.update((name, written(value)) for name, value in write.fields.items())
        record.update((name, None) for name, _ in write.dissociate)
        record.update((name, target.id) for name, target in write.associate)
        return record

    def _result(self, write: Write, answer: Answer) -> Result:
        if answer.success:
            made = long_id(answer.id) if answer.id else write.id
            return Result(write.ref, Status.OK, made)
        refusal = answer.errors[0] if answer.errors else Refusal()
        code = refusal.code
        if code in _AGAIN:
            return Result(write.ref, Status.RETRY, write.id, issue=_raw("TF-R03", refusal, None))
        gone = code in _MISSING or (code == "INVALID_CROSS_REFERENCE_KEY" and not refusal.fields)
        if gone and write.op is not Op.CREATE:
            return Result(write.ref, Status.MISSING, write.id)
        if code in _TAKEN:
            return Result(write.ref, Status.DUPLICATE, write.id, issue=_taken(write, refusal))
        field = next((name for name in refusal.fields if name in write.fields), None)
        if code in _DENIED:
            return Result(write.ref, Status.DENIED, write.id, issue=_raw("TF-R03", refusal, field))
        if field is not None and code in _EXPECTED:
            shown = str(written(write.fields[field]))[:60]
            facts = {"field": field, "value": shown, "expected": _EXPECTED[code]}
            issue = _with_words(TwofoldError("TF-R01", **facts), refusal)
            return Result(write.ref, Status.INVALID, write.id, issue=issue)
        named = field or next(iter(refusal.fields), None)
        return Result(write.ref, Status.INVALID, write.id, issue=_raw("TF-R03", refusal, named))


def _taken(write: Write, refusal: Refusal) -> Issue:
    """Which record holds the value, where the message names one."""
    ids = [long_id(found) for found in _HOLDER.findall(refusal.message) if found[:3].isalnum()]
    holder = next((i for i in ids if len(i) == 18 and any(c.isdigit() for c in i[:3])), None)
    named = [name for name in refusal.fields if name in write.fields]
    mentioned = [name for name in write.fields if name in refusal.message]
    field = (named or mentioned or ["value"])[0]
    return _with_words(TwofoldError("TF-R02", field=field, other_id=holder), refusal)


def _raw(code: str, refusal: Refusal, field: str | None) -> Issue:
    reason = " ".join(refusal.message.split())[:200].rstrip(".") or refusal.code or "no reason"
    return _with_words(TwofoldError(code, app=APP, reason=reason, field=field), refusal)


def _with_words(error: TwofoldError, refusal: Refusal) -> Issue:
    issue = error.issue
    words = f"{refusal.code}: {refusal.message}"[:500]
    return Issue(issue.code, issue.sentence, issue.field, issue.other_id, words)
