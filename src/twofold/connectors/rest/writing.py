"""Writes as requests, and what the answers to them mean."""

from __future__ import annotations

from typing import Any
from urllib.parse import quote

from twofold.connectors.rest.definition import ObjectOf, Request
from twofold.connectors.rest.places import found, parsed, put, sent, written
from twofold.core.errors import Issue, TwofoldError
from twofold.core.schema import ObjectType, Op
from twofold.core.values import is_blank
from twofold.kit.cells import Unfit
from twofold.kit.contract import Http, Response, Result, Status, Write
from twofold.kit.errors import OutcomeUnknown, Retry

_MOST_REASON = 200
"""Characters of an app's own words."""
_STATUSES = {
    403: (Status.DENIED, "TF-A03"),
    404: (Status.MISSING, "TF-R06"),
    409: (Status.DUPLICATE, "TF-R02"),
    410: (Status.MISSING, "TF-R06"),
    412: (Status.CONFLICT, "TF-R05"),
}
"""RFC 9110, section 15.5; 409 where a value is taken, as most apps use it."""


class Writer:
    """Writes to one object type."""

    def __init__(self, app: str, obj: str, one: ObjectOf, kind: ObjectType, http: Http) -> None:
        self._app = app
        self._obj = obj
        self._one = one
        self._kind = kind
        self._http = http

    async def carried_out(self, write: Write) -> Result:
        """One write; what goes wrong with it concerns no other one."""
        one = self._one
        request = {Op.CREATE: one.create, Op.UPDATE: one.update, Op.DELETE: one.delete}.get(
            write.op
        )
        if request is None:
            return self._refused(write, Status.DENIED, "TF-A03", action=f"{write.op} {self._obj}")
        body, refusal = self._body(write)
        if refusal is not None:
            return Result(write.ref, Status.INVALID, write.id, issue=refusal)
        try:
            response = await self._sent(write, request, body)
        except OutcomeUnknown as error:
            return Result(write.ref, Status.UNKNOWN, write.id, issue=error.issue)
        except Retry as error:
            return Result(write.ref, Status.RETRY, write.id, issue=error.issue)
        return self._meaning(write, response)

    def _body(self, write: Write) -> tuple[dict[str, Any], Issue | None]:
        body: dict[str, Any] = {}
        creating = write.op is Op.CREATE
        for name, value in write.fields.items():
            field = self._kind.field(name)
            if field is None:
                return {}, TwofoldError("TF-F01", object_type=self._obj, field=name).issue
            if not (field.creatable if creating else field.updatable):
                reason = f"{name} is read-only"
                return {}, TwofoldError("TF-R03", app=self._app, reason=reason, field=name).issue
            if field.required and is_blank(value):
                return {}, TwofoldError("TF-R04", app=self._app, field=name).issue
            try:
                put(body, self._one.fields[name].at or name, sent(value, field))
            except Unfit as unfit:
                facts = {"value": value, "expected": unfit.expected}
                return {}, TwofoldError("TF-R01", field=name, **facts).issue
        for field in self._kind.fields if creating else ():
            if field.required and is_blank(write.fields.get(field.name)):
                return {}, TwofoldError("TF-R04", app=self._app, field=field.name).issue
        return self._tied(write, body)

    def _tied(self, write: Write, body: dict[str, Any]) -> tuple[dict[str, Any], Issue | None]:
        """The ids of associations: what is added comes after what is removed."""
        changes = [(name, None) for name, _ in write.dissociate]
        for name, target in (*changes, *((n, t.id) for n, t in write.associate)):
            if name not in self._one.associations:
                return {}, TwofoldError("TF-F01", object_type=self._obj, field=name).issue
            put(body, self._one.associations[name].at, target)
        return body, None

    async def _sent(self, write: Write, request: Request, body: dict[str, Any]) -> Response:
        headers = {"Content-Type": "application/json"}
        if write.if_version is not None and self._one.if_match:
            headers["If-Match"] = write.if_version
        if write.op is Op.CREATE and self._one.repeat:
            headers[self._one.repeat] = write.ref
        whole: dict[str, Any] = {}
        if self._one.record:
            put(whole, self._one.record, body)
        path = request.path.replace("{id}", quote(write.id or "", safe=""))
        content = None if write.op is Op.DELETE else written(whole or body)
        repeatable = write.op is not Op.CREATE or bool(self._one.repeat)
        return await self._http.send(
            request.method, path.lstrip("/"), headers=headers, content=content, safe=repeatable
        )

    def _meaning(self, write: Write, response: Response) -> Result:
        if response.status in _STATUSES:
            status, code = _STATUSES[response.status]
            facts = {"field": "a value that is unique", "other_id": "another record"}
            return self._refused(write, status, code, action=f"{write.op} {self._obj}", **facts)
        if response.status >= 500:
            reason = f"it answers with the server error {response.status}"
            issue = TwofoldError("TF-C03", app=self._app, reason=reason).issue
            return Result(write.ref, Status.UNKNOWN, write.id, issue=issue)
        if response.status >= 300:
            return self._refused(write, Status.INVALID, "TF-R03", reason=_words(response))
        made = write.id or self._made(response)
        if made is None:
            reason = "it does not say the new record's id"
            issue = TwofoldError("TF-C03", app=self._app, reason=reason).issue
            return Result(write.ref, Status.UNKNOWN, issue=issue)
        return Result(write.ref, Status.OK, made)

    def _made(self, response: Response) -> str | None:
        try:
            row = found(parsed(response.content), self._one.record)
        except ValueError:
            return None
        record_id = found(row, self._one.id)
        return str(record_id) if isinstance(record_id, str | int) else None

    def _refused(self, write: Write, status: Status, code: str, **facts: object) -> Result:
        issue = TwofoldError(code, app=self._app, **facts).issue
        plain = Issue(issue.code, issue.sentence)  # which field it is, the app does not say
        return Result(write.ref, status, write.id, issue=plain)


def _words(response: Response) -> str:
    """What the app says, on one line."""
    text = response.content[: 4 * _MOST_REASON].decode("utf-8", "replace")
    words = " ".join(text.split())[:_MOST_REASON]
    return f"it answers {response.status}: {words}" if words else f"it answers {response.status}"
