"""What the API answers where it does not do what was asked."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from twofold.hub.properties import Refused
from twofold.kit.contract import Status

Context = Mapping[str, Sequence[str]]

VALIDATION = "VALIDATION_ERROR"
NOT_FOUND = "OBJECT_NOT_FOUND"
CONFLICT = "CONFLICT"

_REASONS = {
    "TF-F01": "PROPERTY_DOESNT_EXIST",
    "TF-R01": "INVALID_VALUE",
    "TF-R03": "READ_ONLY_VALUE",
}


class Fault(Exception):
    """A refusal: a status of HTTP, a category for programs, a sentence for people."""

    def __init__(
        self,
        status: int,
        category: str,
        message: str,
        *,
        context: Context | None = None,
        reason: str = "",
        headers: Mapping[str, str] | None = None,
        **more: str,
    ) -> None:
        """``reason``: the code of the one detail; ``more``: members of this refusal alone."""
        super().__init__(message)
        self.status = status
        self.category = category
        self.message = message
        self.context = dict(context or {})
        self.reason = reason
        self.headers = dict(headers or {})
        self.more = more

    def body(self, correlation: str) -> dict[str, Any]:
        """The whole answer."""
        found: dict[str, Any] = {
            "status": "error",
            "message": self.message,
            "correlationId": correlation,
            "category": self.category,
            **self.more,
        }
        if self.context:
            found["context"] = self.context
        if self.reason:
            detail = {"message": self.message, "code": self.reason, "context": self.context}
            found["errors"] = [detail]
        return found

    def item(self, trace: str | None) -> dict[str, Any]:
        """As one of several errors in the answer to a batch."""
        traced = {} if trace is None else {"objectWriteTraceId": [trace]}
        return {
            "status": "error",
            "category": self.category,
            "message": self.message,
            "context": {**self.context, **traced},
        }


def invalid(message: str, reason: str = "", **context: str) -> Fault:
    """What was sent is not as it must be."""
    named = {name: [value] for name, value in context.items()}
    return Fault(400, VALIDATION, message, context=named, reason=reason)


def missing(kind: str, *ids: str) -> Fault:
    """There is no such record."""
    message = f"Object not found. objectId are usually numeric. There is no {kind} like that."
    return Fault(404, NOT_FOUND, message, context={"ids": ids})


def refused(kind: str, record_id: str, refusal: Refused) -> Fault:
    """What the hub itself does not accept, in the API's words."""
    issue = refusal.issue
    if refusal.status is Status.MISSING:
        return missing(kind, record_id)
    if refusal.status is Status.DUPLICATE:
        other = str(refusal.facts["other_id"])
        message = f"{kind.capitalize()} already exists. Existing ID: {other}"
        return Fault(409, CONFLICT, message, context={"existingId": [other]})
    reason = _REASONS.get(issue.code, "INVALID_VALUE")
    field = str(refusal.facts.get("field", ""))
    return invalid(issue.sentence, reason, propertyName=field)
