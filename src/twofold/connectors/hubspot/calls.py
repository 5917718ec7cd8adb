"""How the API answers: bodies, refusals, and what a response says about budgets.

Rows "Errors" and "Limits" of the facts: "Error handling" and "Usage guidelines" of the reference.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import UTC, datetime, timedelta
from email.utils import parsedate_to_datetime
from typing import Any, TypeVar

import msgspec
from msgspec import Struct

from twofold.kit.contract import Http, Pause, Response
from twofold.kit.errors import Misunderstood, OutcomeUnknown, SchemaChanged, Stop, Unavailable

APP = "hubspot"
TEN_SECONDS, DAY, SEARCHES = "requests", "requests a day", "searches"
_POLICIES = {"TEN_SECONDLY_ROLLING": TEN_SECONDS, "DAILY": DAY, "SECONDLY": SEARCHES}
_LOCKED, _MIGRATING = 423, 477
_WAITS = {DAY: timedelta(minutes=15), SEARCHES: timedelta(seconds=1)}
"""The day ends at midnight in the account's time zone, which no answer tells."""
_NO_SEARCH = {SEARCHES: 0.0}
T = TypeVar("T")


class Detail(Struct, frozen=True, rename="camel"):
    """One of the errors in a refusal."""

    message: str = ""
    code: str = ""
    category: str = ""
    context: Mapping[str, Any] = {}


class Refusal(Struct, frozen=True, rename="camel"):
    """The body of an answer that says no; everything may be absent."""

    message: str = ""
    category: str = ""
    policy_name: str = ""
    context: Mapping[str, Any] = {}
    errors: Sequence[Detail] = ()

    def named(self, name: str) -> list[str]:
        """What the context says under a name, here or in one of the errors."""
        for context in (self.context, *(error.context for error in self.errors)):
            found = context.get(name)
            if found:
                return [str(one) for one in found] if isinstance(found, list) else [str(found)]
        return []

    @property
    def codes(self) -> set[str]:
        """All codes and categories."""
        return {self.category, *(e.code for e in self.errors), *(e.category for e in self.errors)}


class Refused(Exception):
    """The API understood, and does not do it: a status between 400 and 499."""

    def __init__(self, status: int, refusal: Refusal) -> None:
        super().__init__(refusal.category)
        self.status = status
        self.refusal = refusal


class Calls:
    """Requests to one account."""

    def __init__(self, http: Http) -> None:
        self._http = http

    async def get(self, path: str, kind: type[T], **params: str) -> tuple[T, Response]:
        """Read; the answer with its body as that type.

        Raises:
            ConnectorError: see ``Http``.
            Stop: this account may not.
            Refused: what was asked for is not there.
        """
        response = await self._http.send("GET", path, params=params, cost=_NO_SEARCH)
        return self._body(response, kind, safe=True), response

    async def ask(self, path: str, body: Any, kind: type[T]) -> T:
        """Read by a POST, which may be repeated; raises as ``get``."""
        response = await self._http.send("POST", path, json=body, cost=_NO_SEARCH, safe=True)
        return self._body(response, kind, safe=True)

    async def search(self, path: str, body: Any, kind: type[T]) -> tuple[T, Response]:
        """Search, which has a budget of its own; as ``get``."""
        response = await self._http.send("POST", path, json=body, safe=True)
        return self._body(response, kind, safe=True), response

    async def change(self, path: str, body: Any, kind: type[T]) -> T:
        """Write; raises as ``get``, and OutcomeUnknown where it may have happened."""
        response = await self._http.send("POST", path, json=body, cost=_NO_SEARCH)
        return self._body(response, kind, safe=False)

    def _body(self, response: Response, kind: type[T], *, safe: bool) -> T:
        status = response.status
        if status < 300:
            return _decoded(response, kind)
        if status >= 500:
            reason = f"it answers with the server error {status}"
            raise Unavailable(APP, reason) if safe else OutcomeUnknown(APP, reason)
        refusal = refusal_of(response)
        if status == 403:
            scopes = refusal.named("requiredGranularScopes") or refusal.named("requiredScopes")
            action = f"do this; it needs {', '.join(scopes)}" if scopes else "do this"
            raise Stop("TF-A03", app=APP, action=action)
        if status < 400:
            raise Misunderstood(APP, f"status {status}")
        raise Refused(status, refusal)


def _decoded(response: Response, kind: type[T]) -> T:
    if kind is type(None) or response.status == 204:
        return kind()
    try:
        return msgspec.json.decode(response.content, type=kind)
    except (msgspec.DecodeError, UnicodeDecodeError, RecursionError):
        raise Misunderstood(APP, f"status {response.status} with another body") from None


def refusal_of(response: Response) -> Refusal:
    """What a refusal says; nothing where its body is a page of a proxy."""
    try:
        return msgspec.json.decode(response.content, type=Refusal)
    except (msgspec.DecodeError, UnicodeDecodeError, RecursionError):
        return Refusal()


def absent(kind: str, refused: Refused) -> SchemaChanged:
    """An object that there no longer is, or never was."""
    reason = refused.refusal.message[:200].rstrip(".") or f"status {refused.status}"
    return SchemaChanged("TF-F33", app=APP, object_type=kind, reason=reason)


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


def pauses(response: Response) -> Sequence[Pause]:
    """What a response says about budgets; searches tell nothing until they are refused."""
    headers = response.headers
    found = [
        Pause(name, remaining=_number(headers.get(left)), granted=_number(headers.get(most)))
        for name, left, most in (
            (TEN_SECONDS, "x-hubspot-ratelimit-remaining", "x-hubspot-ratelimit-max"),
            (DAY, "x-hubspot-ratelimit-daily-remaining", "x-hubspot-ratelimit-daily"),
        )
        if left in headers
    ]
    found = [_with_end(pause, response) for pause in found]
    if response.status in {429, _LOCKED, _MIGRATING}:
        found.append(_refused(response))
    return found


def _with_end(pause: Pause, response: Response) -> Pause:
    """A budget that is used up comes back in a while, and not only when its whole time is over."""
    at, wait = _date(response), _WAITS.get(pause.limit)
    return pause if at is None or wait is None else msgspec.structs.replace(pause, until=at + wait)


def _refused(response: Response) -> Pause:
    """This request was refused. There need be no Retry-After; a lock lasts two seconds at least."""
    policy = refusal_of(response).policy_name if response.status == 429 else ""
    name = _POLICIES.get(policy, TEN_SECONDS)
    wait = timedelta(seconds=2) if response.status == _LOCKED else _WAITS.get(name)
    at = _date(response)
    return Pause(name, until=None if at is None or wait is None else at + wait, refused=True)


def _number(text: str | None) -> float | None:
    return float(text) if text is not None and text.isascii() and text.isdecimal() else None
