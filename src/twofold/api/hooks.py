"""``/hooks/<connection>``: where apps say that something changed there.

However many calls come, the state is written to a few times a second at most: what calls say is
gathered in memory first. What is lost when the process ends is found by the next poll.
"""

from __future__ import annotations

import asyncio
import time
from collections.abc import Callable, Collection
from datetime import UTC, datetime

from fastapi import APIRouter, Request, Response
from starlette.concurrency import run_in_threadpool

from twofold.api.answers import refusal
from twofold.api.pool import Pool
from twofold.core.errors import TwofoldError
from twofold.kit.hooks import HookCall
from twofold.services import hooks
from twofold.services.hooks import Receiver

router = APIRouter(include_in_schema=False)

GATHER = 0.2
"""Seconds that calls are gathered for before the state is told."""
_KEPT = 5.0
"""Seconds for which a connection's secrets need not be asked for again."""
_MOST_KEPT = 1000

Log = Callable[..., None]


class Intake:
    """All calls of one process."""

    def __init__(self, pool: Pool, log: Log, public: str = "") -> None:
        """``public``: the address by which others know the service; empty: as each call says."""
        self._pool = pool
        self._log = log
        self._public = public.rstrip("/")
        self._receivers: dict[str, tuple[float, Receiver | TwofoldError]] = {}
        self._changed: dict[str, set[str]] = {}
        self._telling: asyncio.Task[None] | None = None

    async def take(self, label: str, request: Request) -> None:
        """Believe a call, or not.

        Raises:
            TwofoldError: TF-U05, TF-W31, nobody takes it; TF-W30, it is not from the app; TF-W09.
        """
        receive = await self._receiver(label)
        call = HookCall(
            request.method,
            self._url(request),
            {name.lower(): value for name, value in request.headers.items()},
            await request.body(),
            datetime.now(UTC),
        )
        try:
            changed = receive(call)
        except TwofoldError:
            raise
        except Exception as error:  # noqa: BLE001 (a connector that stumbles over a stranger)
            self._log("hook not understood", kind=type(error).__name__)
            raise TwofoldError("TF-W30", reason="it cannot be understood") from None
        self._gather(label, changed)

    def _gather(self, label: str, changed: Collection[str]) -> None:
        known = self._changed.get(label)
        if known is None:
            self._changed[label] = set(changed)
        elif known:
            self._changed[label] = known | set(changed) if changed else set()
        if self._telling is None or self._telling.done():
            self._telling = asyncio.create_task(self._tell())

    async def _tell(self) -> None:
        while self._changed:
            await asyncio.sleep(GATHER)
            changed, self._changed = self._changed, {}
            try:
                await run_in_threadpool(self._nudge, changed)
            except TwofoldError as error:
                self._log("hooks not told", code=error.code)

    def _nudge(self, changed: dict[str, set[str]]) -> None:
        with self._pool.taken() as here:
            hooks.nudge(here, changed)

    async def _receiver(self, label: str) -> Receiver:
        until, found = self._receivers.get(label, (0.0, None))
        if found is None or time.monotonic() > until:
            found = await run_in_threadpool(self._load, label)
            if len(self._receivers) >= _MOST_KEPT:
                self._receivers.clear()
            self._receivers[label] = (time.monotonic() + _KEPT, found)
        if isinstance(found, TwofoldError):
            raise found
        return found

    def _load(self, label: str) -> Receiver | TwofoldError:
        try:
            with self._pool.taken() as here:
                return hooks.receiver(here, label)
        except TwofoldError as error:
            return error

    def _url(self, request: Request) -> str:
        if not self._public:
            return str(request.url)
        query = f"?{request.url.query}" if request.url.query else ""
        return f"{self._public}{request.url.path}{query}"


@router.post("/hooks/{label}")
async def hook(label: str, request: Request) -> Response:
    """Take a call; it is answered before anything is read."""
    intake: Intake = request.app.state.intake
    try:
        await intake.take(label, request)
    except TwofoldError as error:
        return refusal(error)
    return Response(status_code=202)
