"""The API as an ASGI application over one hub's file."""

from __future__ import annotations

import re
import threading
import uuid
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from datetime import UTC, datetime
from pathlib import Path
from typing import Any
from urllib.parse import parse_qs

import orjson
from msgspec import Struct
from starlette.concurrency import run_in_threadpool
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import compile_path
from starlette.types import Receive, Scope, Send

from twofold.core.errors import TwofoldError
from twofold.database.errors import coding
from twofold.hub.api import tokens
from twofold.hub.api.calls import Answer, Call, Operation
from twofold.hub.api.faults import Fault, invalid
from twofold.hub.api.operations import OPERATIONS, needed
from twofold.hub.api.realism import Broken, Meter, Realism
from twofold.hub.api.tokens import Token
from twofold.hub.crm import Hub

_KEPT = 8
_MOST_PARAMETERS = 1_000
_UNIQUE = {"contact": ("email",)}
"""What no two contacts share that are written through the API."""
_PAGE = b"<html><head><title>502 Bad Gateway</title></head><body>Bad Gateway</body></html>"


class _Route(Struct, frozen=True):
    method: str
    pattern: re.Pattern[str]
    operation: Operation
    area: str


class Api:
    """An ASGI application; ``close`` it."""

    def __init__(
        self,
        path: Path,
        *,
        realism: Realism | None = None,
        clock: Callable[[], datetime] = lambda: datetime.now(UTC),
        log: Callable[..., None] = lambda *_, **__: None,
    ) -> None:
        """``log``: told of what was not expected."""
        self.realism = realism or Realism()
        self._hubs = _Hubs(path, clock)
        self._clock = clock
        self._log = log
        limits = self.realism.limits
        self._meter = None if limits is None else Meter(limits, clock)
        self._routes = [
            _Route(one.method, compile_path(path)[0], one.operation, one.area)
            for one in OPERATIONS
            for path in one.paths
        ]

    def close(self) -> None:
        """Close the hub's file."""
        self._hubs.close()

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """One request."""
        request = Request(scope, receive)
        correlation = str(uuid.uuid4())
        headers: dict[str, str] = {"X-HubSpot-Correlation-Id": correlation}
        try:
            answer = await self._answered(request, headers)
        except Fault as fault:
            headers.update(fault.headers)
            answer = Answer(fault.status, fault.body(correlation))
        except TwofoldError as error:
            status = 413 if error.code == "TF-W09" else 503
            told = Fault(status, "INTERNAL_ERROR", error.sentence)
            answer = Answer(status, told.body(correlation))
        except Exception as error:  # noqa: BLE001 whatever it was, the client gets its shape
            self._log("hub api failed", kind=type(error).__name__, at=_place(error))
            told = Fault(500, "INTERNAL_ERROR", "internal error")
            answer = Answer(500, told.body(correlation))
        await _response(answer, headers)(scope, receive, send)

    async def _answered(self, request: Request, headers: dict[str, str]) -> Answer:
        content = await request.body()
        broken = self.realism.next_broken(request.scope["path"])
        if broken is not None and not broken.after_doing:
            return _failed(broken)
        answer = await run_in_threadpool(self._done, request, content, headers)
        return answer if broken is None else _failed(broken)

    def _done(self, request: Request, content: bytes, headers: dict[str, str]) -> Answer:
        """Find out who asks, count the request, and do it."""
        with self._hubs.taken() as hub:
            now = self._clock()
            query = _parameters(request.scope["query_string"].decode("latin-1"))
            if request.scope["path"].startswith("/oauth/"):
                route, path = self._routed(request)
                return route.operation(Call(hub, path, query, content, now, self.realism))
            token = _known(hub, request.headers.get("authorization", ""), now)
            if self._meter is not None:
                search = request.scope["path"].endswith("/search")
                headers.update(self._meter.count(token.name, search=search))
            route, path = self._routed(request)
            call = Call(hub, path, query, content, now, self.realism)
            _allow(token, needed(call, route.area))
            if request.method not in {"GET", "DELETE"}:
                _demand_json(request, content)
            return route.operation(call)

    def _routed(self, request: Request) -> tuple[_Route, Mapping[str, str]]:
        path = request.scope["path"].rstrip("/")
        allowed = []
        for route in self._routes:
            match = route.pattern.match(path)
            if match and route.method == request.method:
                return route, match.groupdict()
            if match:
                allowed.append(route.method)
        if allowed:
            message = f"{request.method} is not supported here"
            raise Fault(405, "METHOD_NOT_ALLOWED", message, headers={"Allow": ", ".join(allowed)})
        raise Fault(404, "NOT_FOUND", "There is no resource at this path")


def _parameters(query: str) -> dict[str, list[str]]:
    try:
        return parse_qs(query, keep_blank_values=True, max_num_fields=_MOST_PARAMETERS)
    except ValueError:
        raise invalid("The query has too many parameters", "INVALID_PARAMETER") from None


def _place(error: BaseException) -> str:
    """Where it happened, without a value of anything."""
    at = error.__traceback__
    while at is not None and at.tb_next is not None:
        at = at.tb_next
    return "" if at is None else f"{at.tb_frame.f_code.co_name}:{at.tb_lineno}"


class _Hubs:
    """Open hubs: each request has one to itself while it works."""

    def __init__(self, path: Path, clock: Callable[[], datetime]) -> None:
        self._path = path
        self._clock = clock
        self._free: list[Hub] = []
        self._lock = threading.Lock()

    @contextmanager
    def taken(self) -> Iterator[Hub]:
        with self._lock:
            hub = self._free.pop() if self._free else None
        if hub is None:
            hub = Hub.open(self._path, clock=self._clock, unique=_UNIQUE)
        try:
            with coding(self._path):
                yield hub
        finally:
            with self._lock:
                keep = len(self._free) < _KEPT
                if keep:
                    self._free.append(hub)
            if not keep:
                hub.close()

    def close(self) -> None:
        with self._lock:
            free, self._free = self._free, []
        for hub in free:
            hub.close()


def _known(hub: Hub, header: str, now: datetime) -> Token:
    """The token of a request.

    Raises:
        Fault: 401, there is none that counts.
    """
    scheme, _, secret = header.partition(" ")
    token = tokens.find(hub, secret.strip()) if scheme.lower() == "bearer" else None
    if token is None:
        message = "Authentication credentials not found, or not valid."
        raise Fault(401, "INVALID_AUTHENTICATION", message)
    if token.expires is not None and token.expires <= now.timestamp():
        raise Fault(401, "EXPIRED_AUTHENTICATION", "The access token expired.")
    return token


def _allow(token: Token, scopes: Sequence[str]) -> None:
    lacking = tokens.lacking(token, scopes)
    if lacking:
        message = (
            "This app hasn't been granted all required scopes to make this call: "
            + ", ".join(lacking)
        )
        context = {"requiredGranularScopes": lacking}
        raise Fault(403, "MISSING_SCOPES", message, context=context, reason="MISSING_SCOPES")


def _demand_json(request: Request, content: bytes) -> None:
    kind = request.headers.get("content-type", "").partition(";")[0].strip().lower()
    if content and kind != "application/json":
        raise Fault(415, "UNSUPPORTED_MEDIA_TYPE", "The body must be application/json")


def _failed(broken: Broken) -> Answer:
    category = "RATE_LIMITS" if broken.status == 429 else "INTERNAL_ERROR"
    named = {"policyName": broken.policy} if broken.policy else {}
    fault = Fault(broken.status, category, "A fault on purpose", headers=broken.headers)
    fault.more.update(named)
    if broken.html:
        return Answer(broken.status, _PAGE)
    raise fault


def _response(answer: Answer, headers: Mapping[str, str]) -> Response:
    body: Any = answer.body
    if body is None:
        return Response(status_code=answer.status, headers=headers)
    if isinstance(body, bytes):
        return Response(body, answer.status, headers, media_type="text/html")
    return Response(orjson.dumps(body), answer.status, headers, media_type="application/json")
