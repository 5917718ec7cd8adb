"""Live numbers: server-sent events with the status and the counts of every sync."""

from __future__ import annotations

import asyncio
import contextlib
from collections.abc import AsyncIterator, Callable, Sequence

import msgspec
from fastapi import APIRouter, Request
from fastapi.responses import StreamingResponse
from starlette.concurrency import run_in_threadpool

from twofold.api.answers import encoded
from twofold.api.calls import identified
from twofold.api.once import Once
from twofold.api.pool import Pool
from twofold.services import health
from twofold.services.access import Who
from twofold.services.health import Moment

router = APIRouter(route_class=Once, tags=["health"])

LOOK_EVERY = 1.0
"""Seconds between two looks, shared by all who listen."""
_KEEP_ALIVE = 15
"""Looks without news after which a comment is sent, so that nobody takes the line for dead."""


Shape = Callable[[Sequence[Moment]], bytes]
"""Makes the text that one kind of listener gets."""


class Live:
    """The newest numbers, for as many listeners as there are, by one look at a time."""

    def __init__(self, pool: Pool) -> None:
        self._pool = pool
        self._news = asyncio.Condition()
        self._listeners = 0
        self._number = 0
        self._moments: Sequence[Moment] = ()
        self._texts: dict[Shape, bytes] = {}
        self._task: asyncio.Task[None] | None = None

    async def listen(self, request: Request, shape: Shape) -> AsyncIterator[bytes]:
        """Events until the listener is gone or may no longer listen.

        ``shape`` is one function for all listeners of a kind, so that its text is made once.
        """
        self._listeners += 1
        if self._task is None or self._task.done():
            self._task = asyncio.create_task(self._look())
        seen, quiet = -1, 0
        try:
            while not await request.is_disconnected():
                if self._number != seen:
                    seen, quiet = self._number, 0
                    yield b"event: syncs\ndata: " + self._text(shape) + b"\n\n"
                elif quiet >= _KEEP_ALIVE:
                    quiet = 0
                    if not await run_in_threadpool(self._may, request):
                        return
                    yield b": still here\n\n"
                quiet += 1
                with contextlib.suppress(TimeoutError):
                    async with asyncio.timeout(LOOK_EVERY), self._news:
                        await self._news.wait()
        finally:
            self._listeners -= 1

    async def _look(self) -> None:
        while self._listeners > 0:
            with contextlib.suppress(Exception):  # the next look tries again
                moments = await run_in_threadpool(self._now)
                if moments != self._moments:
                    self._moments, self._texts = moments, {}
                    self._number += 1
                    async with self._news:
                        self._news.notify_all()
            await asyncio.sleep(LOOK_EVERY)

    def _now(self) -> Sequence[Moment]:
        with self._pool.taken() as here:
            return health.moments(here)

    def _text(self, shape: Shape) -> bytes:
        if shape not in self._texts:
            self._texts[shape] = shape(self._moments)
        return self._texts[shape]

    def _may(self, request: Request) -> bool:
        with self._pool.taken() as here, contextlib.suppress(Exception):
            identified(here, request)
            return True
        return False


def by_name(moments: Sequence[Moment]) -> bytes:
    """Status and counts of each sync, by the sync's name."""
    return encoded(
        {
            moment.status.sync: {
                "status": msgspec.to_builtins(moment.status),
                "counts": msgspec.to_builtins(moment.counts),
            }
            for moment in moments
        }
    )


@router.get("/events", response_class=StreamingResponse)
async def events(request: Request) -> StreamingResponse:
    """Stream the status and the counts of every sync whenever they change."""

    def allowed() -> Who:
        pool: Pool = request.app.state.pool
        with pool.taken() as here:
            return identified(here, request)

    await run_in_threadpool(allowed)
    live: Live = request.app.state.live
    return StreamingResponse(
        live.listen(request, by_name),
        media_type="text/event-stream",
        headers={"X-Accel-Buffering": "no"},
    )
