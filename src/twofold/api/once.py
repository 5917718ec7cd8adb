"""Routes whose errors have one shape, and whose writes may be repeated with the same key."""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Coroutine
from typing import Any

from fastapi import Request, Response
from fastapi.exceptions import RequestValidationError
from fastapi.routing import APIRoute
from starlette.concurrency import run_in_threadpool

from twofold.api.answers import refusal
from twofold.api.calls import COOKIE, identified
from twofold.api.pool import Pool
from twofold.core.errors import TwofoldError

_HEADER = "idempotency-key"
_LONGEST_KEY = 200
_KEPT = 86_400.0
"""Seconds."""
_LARGEST_KEPT = 256 * 1024
_SAFE = frozenset({"GET", "HEAD", "OPTIONS"})

Handler = Callable[[Request], Coroutine[Any, Any, Response]]


class Once(APIRoute):
    """A route of the API."""

    def get_route_handler(self) -> Handler:
        """The route's own handler, with errors in our shape and repeated writes done once."""
        handler = super().get_route_handler()

        async def answered(request: Request) -> Response:
            try:
                return await handler(request)
            except TwofoldError as error:
                return refusal(error)
            except RequestValidationError as error:
                return refusal(TwofoldError("TF-W06", reason=_reason(error)))

        async def once(request: Request) -> Response:
            key = request.headers.get(_HEADER)
            if key is None or request.method in _SAFE:
                return await answered(request)
            if not key or len(key) > _LONGEST_KEY:
                reason = f"an idempotency key has 1 to {_LONGEST_KEY} characters"
                return refusal(TwofoldError("TF-W06", reason=reason))
            try:
                return await _keyed(request, key, answered)
            except TwofoldError as error:
                return refusal(error)

        return once


async def _keyed(request: Request, key: str, answered: Handler) -> Response:
    """Answer a write, or repeat what it was answered before."""
    content = await request.body()
    pool: Pool = request.app.state.pool
    caller = _digest(request.headers.get("authorization", ""), request.cookies.get(COOKIE, ""))
    asked = _digest(request.method, str(request.url), content.hex())

    def begin() -> Response | None:
        with pool.taken() as here:
            identified(here, request)
            now = here.world.now().timestamp()
            known = here.state.access.begin_answer(caller, key, asked, now, now - _KEPT)
        if known is None:
            return None
        if known.request != asked:
            raise TwofoldError("TF-W12")
        if known.status is None:
            raise TwofoldError("TF-W13")
        return Response(
            known.body,
            known.status,
            {"Idempotent-Replay": "true"},
            media_type="application/json",
        )

    def end(status: int | None, body: bytes) -> None:
        with pool.taken() as here:
            here.state.access.end_answer(caller, key, status, body)

    before = await run_in_threadpool(begin)
    if before is not None:
        return before
    answer: Response | None = None
    try:
        answer = await answered(request)
        return answer
    finally:
        status, body = (500, b"") if answer is None else (answer.status_code, bytes(answer.body))
        lasting = status < 500 and len(body) <= _LARGEST_KEPT
        await run_in_threadpool(end, status if lasting else None, body)


def _digest(*parts: str) -> bytes:
    return hashlib.sha256("\0".join(parts).encode("utf-8", "surrogatepass")).digest()


def _reason(error: RequestValidationError) -> str:
    """The first thing that is wrong, without the value."""
    first = error.errors()[0]
    where = ".".join(str(part) for part in first.get("loc", ()))
    return f"{where}: {first.get('msg', 'it is wrong')}"
