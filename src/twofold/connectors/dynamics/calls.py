"""How the API answers: bodies, refusals, and what a response says about budgets.

Rows "Base URL", "Headers", "Limits" and "Errors" of the facts: "Compose HTTP requests and handle
errors" and "Service protection API limits" of the documentation.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import UTC, datetime
from email.utils import parsedate_to_datetime
from typing import Any, TypeVar

import msgspec
from msgspec import Struct

from twofold.connectors.dynamics.batches import Part, Reply, packed, unpacked
from twofold.kit.contract import Http, Pause, Response
from twofold.kit.errors import Misunderstood, OutcomeUnknown, SchemaChanged, Stop, Unavailable

APP = "dynamics"
ROOT = "/api/data/v9.2"
REQUESTS, AT_ONCE = "requests", "at once"
ANNOTATION = "Microsoft.Dynamics.CRM.lookuplogicalname"
"""Says of which table the record is that a lookup names."""
ODATA = {"OData-Version": "4.0", "OData-MaxVersion": "4.0", "Accept": "application/json"}
TOO_MANY_AT_ONCE = "0x80072326"
_NO_SUCH_COLUMN = frozenset({"0x80060888", "0x80041103"})
T = TypeVar("T")


class Refusal(Struct, frozen=True):
    """Why something is refused."""

    code: str = ""
    message: str = ""


class _Body(Struct, frozen=True):
    error: Refusal = Refusal()


class Refused(Exception):
    """The API understood, and does not do it."""

    def __init__(self, status: int, refusal: Refusal) -> None:
        super().__init__(refusal.code)
        self.status = status
        self.refusal = refusal

    @property
    def reason(self) -> str:
        """Why, in a few words."""
        return said(self.refusal) or f"status {self.status}"


class Rows(Struct, frozen=True):
    """One page of an answer."""

    value: Sequence[Mapping[str, Any]]
    next_link: str | None = msgspec.field(name="@odata.nextLink", default=None)
    delta_link: str | None = msgspec.field(name="@odata.deltaLink", default=None)


class Calls:
    """Requests to one environment."""

    def __init__(self, http: Http) -> None:
        self._http = http

    async def get(
        self, path: str, kind: type[T], prefer: str = "", **params: str
    ) -> tuple[T, Response]:
        """Read; the answer with its body as that type.

        ``path``: an address that the API gave, or one below its root.

        Raises:
            ConnectorError: see ``Http``.
            Stop: this account may not.
            SchemaChanged: a column or table that was asked for is not there.
            Refused: what was asked for is not there.
        """
        headers = {**ODATA, "Prefer": prefer} if prefer else ODATA
        address = path if "://" in path else f"{ROOT}/{path}"
        asked = {f"${name}": value for name, value in params.items()} or None
        response = await self._http.send("GET", address, headers=headers, params=asked)
        return _body(response, kind), response

    async def rows(self, path: str, **params: str) -> list[Mapping[str, Any]]:
        """All rows of an answer, page by page; raises as ``get``."""
        page, _ = await self.get(path, Rows, annotated(), **params)
        found = list(page.value)
        while page.next_link:
            page, _ = await self.get(page.next_link, Rows, annotated())
            found += page.value
        return found

    async def batch(self, parts: Sequence[Part], *, safe: bool = False) -> Sequence[Reply]:
        """Several requests in one, each with its own answer, in order; raises as ``get``.

        ``safe``: all of them only read. Raises OutcomeUnknown where writes may have happened.
        """
        kind, content = packed(ROOT, parts)
        headers = {**ODATA, "Content-Type": kind, "Prefer": "odata.continue-on-error"}
        response = await self._http.send(
            "POST", f"{ROOT}/$batch", headers=headers, content=content, safe=safe
        )
        if response.status >= 500:
            reason = f"it answers with the server error {response.status}"
            raise Unavailable(APP, reason) if safe else OutcomeUnknown(APP, reason)
        if response.status >= 300:
            _refuse(response.status, response.content)
        try:
            return unpacked(response.headers.get("content-type", ""), response.content)
        except ValueError as error:
            if safe:
                raise Misunderstood(APP, str(error)) from None
            raise OutcomeUnknown(APP, str(error)) from None


def annotated(*more: str) -> str:
    """What the API should prefer: names of tables beside lookups, and what else is said."""
    return ", ".join([f'odata.include-annotations="{ANNOTATION}"', *more])


def decoded(content: bytes, kind: type[T]) -> T:
    """A body of that type. Raises Misunderstood."""
    try:
        return msgspec.json.decode(content, type=kind)
    except (msgspec.DecodeError, UnicodeDecodeError, RecursionError):
        raise Misunderstood(APP, "a body of another form") from None


def refusal_of(content: bytes) -> Refusal:
    """Why something is refused; empty where it is not said."""
    try:
        return msgspec.json.decode(content, type=_Body).error
    except (msgspec.DecodeError, UnicodeDecodeError, RecursionError):
        return Refusal()


def said(refusal: Refusal) -> str:
    """The words of a refusal, in one line."""
    return " ".join(refusal.message.split())[:200].rstrip(".")


def _body(response: Response, kind: type[T]) -> T:
    if response.status >= 500:
        raise Unavailable(APP, f"it answers with the server error {response.status}")
    if response.status >= 300:
        _refuse(response.status, response.content)
    return decoded(response.content, kind)


def _refuse(status: int, content: bytes) -> None:
    refusal = refusal_of(content)
    if status == 403:
        raise Stop("TF-A03", app=APP, action=said(refusal) or "do this")
    if status < 400:
        raise Misunderstood(APP, f"status {status}")
    if refusal.code in _NO_SUCH_COLUMN:
        raise SchemaChanged("TF-F33", app=APP, object_type="its tables", reason=said(refusal))
    raise Refused(status, refusal)


def pauses(response: Response) -> Sequence[Pause]:
    """What a response says about budgets: the service protects itself by status 429.

    Its Retry-After is read by the kit. The counters in its headers are those of one of several
    servers, so they say nothing of what is left.
    """
    if response.status != 429:
        return ()
    crowded = refusal_of(response.content[:10_000]).code == TOO_MANY_AT_ONCE
    return (Pause(AT_ONCE if crowded else REQUESTS, refused=True),)


def server_time(response: Response) -> datetime:
    """When the API answered, by its own clock: a clock of ours that is wrong loses nothing.

    Raises:
        Misunderstood: it does not say (RFC 9110, section 6.6.1: a server must).
    """
    try:
        found = parsedate_to_datetime(response.headers.get("date", ""))
    except ValueError:
        raise Misunderstood(APP, "an answer without its time") from None
    return found if found.tzinfo is not None else found.replace(tzinfo=UTC)
