"""How the API answers: bodies, refusals, and what a response says about budgets.

Rows "List", "Limits" and "Errors" of the facts: "Query", "Status Codes and Error Responses" and
"Limits" of the REST API Developer Guide.
"""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from datetime import UTC, datetime, timedelta
from email.utils import parsedate_to_datetime
from typing import Any, TypeVar

import msgspec
from msgspec import Struct

from twofold.kit.contract import Http, Pause, Response
from twofold.kit.errors import Misunderstood, OutcomeUnknown, SchemaChanged, Stop, Unavailable

APP = "salesforce"
VERSION = "v62.0"
ROOT = f"/services/data/{VERSION}"
DAY = "requests a day"
_USED = re.compile(r"api-usage=(\d+)/(\d+)")
_WAIT = timedelta(minutes=15)
"""The limit of a day is a rolling one, and no answer says when there is room again."""
_SPENT = b"REQUEST_LIMIT_EXCEEDED"
T = TypeVar("T")


class Refusal(Struct, frozen=True, rename="camel"):
    """One error; collections name its code ``statusCode``, everything else ``errorCode``."""

    message: str = ""
    error_code: str = ""
    status_code: str = ""
    fields: Sequence[str] = ()

    @property
    def code(self) -> str:
        """Which error it is."""
        return self.status_code or self.error_code


class Refused(Exception):
    """The API understood, and does not do it."""

    def __init__(self, status: int, refusal: Refusal) -> None:
        super().__init__(refusal.code)
        self.status = status
        self.refusal = refusal


class Rows(Struct, frozen=True, rename="camel"):
    """A page of a query's answer."""

    records: Sequence[Mapping[str, Any]]
    done: bool = True


class Calls:
    """Requests to one org."""

    def __init__(self, http: Http) -> None:
        self._http = http

    async def get(self, path: str, kind: type[T], **params: str) -> tuple[T, Response]:
        """Read; the answer with its body as that type.

        Raises:
            ConnectorError: see ``Http``.
            Stop: this account may not.
            Refused: what was asked for is not there.
        """
        response = await self._http.send("GET", f"{ROOT}{path}", params=params or None)
        return _body(response, kind, safe=True), response

    async def query(self, soql: str, *, gone: bool = False) -> tuple[Rows, Response]:
        """The rows of a query; ``gone``: those in the recycle bin and merged ones, too."""
        return await self.get("/queryAll" if gone else "/query", Rows, q=soql)

    async def ask(self, path: str, body: Any, kind: type[T]) -> T:
        """Read by a POST, which may be repeated; raises as ``get``."""
        response = await self._http.send("POST", f"{ROOT}{path}", json=body, safe=True)
        return _body(response, kind, safe=True)

    async def change(self, method: str, path: str, body: Any, kind: type[T], **params: str) -> T:
        """Write; raises as ``get``, and OutcomeUnknown where it may have happened."""
        response = await self._http.send(method, f"{ROOT}{path}", json=body, params=params or None)
        return _body(response, kind, safe=False)


def _body(response: Response, kind: type[T], *, safe: bool) -> T:
    status = response.status
    if status < 300:
        try:
            return msgspec.json.decode(response.content, type=kind)
        except (msgspec.DecodeError, UnicodeDecodeError, RecursionError):
            raise Misunderstood(APP, f"status {status} with another body") from None
    if status >= 500:
        reason = f"it answers with the server error {status}"
        raise Unavailable(APP, reason) if safe else OutcomeUnknown(APP, reason)
    refusal = _refusal(response)
    if status == 403:
        raise Stop("TF-A03", app=APP, action=refusal.message[:200].rstrip(".") or "do this")
    if refusal.code in {"INVALID_TYPE", "INVALID_FIELD"}:
        reason = refusal.message.strip().splitlines()[-1][:200].rstrip(".")
        raise SchemaChanged("TF-F33", app=APP, object_type="its objects", reason=reason)
    if status < 400:
        raise Misunderstood(APP, f"status {status}")
    raise Refused(status, refusal)


def _refusal(response: Response) -> Refusal:
    try:
        found = msgspec.json.decode(response.content, type=list[Refusal])
    except (msgspec.DecodeError, UnicodeDecodeError, RecursionError):
        return Refusal()
    return found[0] if found else Refusal()


def pauses(response: Response) -> Sequence[Pause]:
    """What a response says about the budget of the day; a spent one is told with status 403."""
    found = []
    used = _USED.search(response.headers.get("sforce-limit-info", ""))
    if used:
        most = float(used[2][:15])
        left = max(0.0, most - float(used[1][:15]))
        found.append(Pause(DAY, remaining=left, granted=most))
    if response.status == 403 and _SPENT in response.content[:10_000]:
        now = _date(response) or datetime.now(UTC)
        found.append(Pause(DAY, remaining=0.0, until=now + _WAIT, refused=True))
    return found


def server_time(response: Response) -> datetime:
    """When the app answered, by its own clock: a clock of ours that is wrong loses nothing.

    Raises:
        Misunderstood: it does not say (RFC 9110, section 6.6.1: a server must).
    """
    found = _date(response)
    if found is None:
        raise Misunderstood(APP, "an answer without its time")
    return found


def _date(response: Response) -> datetime | None:
    try:
        found = parsedate_to_datetime(response.headers.get("date", ""))
    except ValueError:
        return None
    return found if found.tzinfo is not None else found.replace(tzinfo=UTC)
