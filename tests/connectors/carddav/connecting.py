"""The connector over the kit's own HTTP, with a clock that never waits."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager
from datetime import UTC, datetime, timedelta

from twofold.connectors.carddav import CardDav
from twofold.kit.auth import BasicAuth
from twofold.kit.budgets import Budgets
from twofold.kit.http import AioHttp, Bounds


class HastyClock:
    """Waiting takes no time, and then the time has passed."""

    def __init__(self) -> None:
        self._waited = timedelta(0)

    def now(self) -> datetime:
        return datetime.now(UTC) + self._waited

    async def sleep(self, seconds: float) -> None:
        self._waited += timedelta(seconds=seconds)
        await asyncio.sleep(0)

    def jitter(self) -> float:
        return 0.5


@asynccontextmanager
async def connected(
    settings: Mapping[str, str], bounds: Bounds | None = None
) -> AsyncIterator[CardDav]:
    clock = HastyClock()
    budgets = Budgets("carddav", CardDav.manifest.limits, clock)
    auth = BasicAuth("carddav", settings["user"], settings["password"])
    http = AioHttp("carddav", settings["url"], clock, budgets, auth=auth, bounds=bounds)
    connector = CardDav(settings, http)
    http.pauses = connector.pauses
    try:
        yield connector
    finally:
        await http.close()
