"""A Dynamics 365 environment for tests: the simulator on a real socket, and connectors to it."""

from __future__ import annotations

from contextlib import AsyncExitStack
from datetime import UTC, datetime, timedelta

from twofold.connectors.dynamics import Dynamics
from twofold.kit.auth import BearerAuth
from twofold.kit.budgets import Budgets
from twofold.kit.http import AioHttp, Bounds
from twofold.simulators.dynamics import Environment, Realism, Server

OVERLAP = timedelta(seconds=10)


class Clock:
    """The environment's time and the kit's: waiting moves it."""

    def __init__(self) -> None:
        self.time = datetime(2026, 3, 1, 9, tzinfo=UTC)

    def now(self) -> datetime:
        return self.time

    async def sleep(self, seconds: float) -> None:
        self.move(seconds)

    def jitter(self) -> float:
        return 0.5

    def move(self, seconds: float) -> None:
        self.time += timedelta(seconds=seconds)


class Account:
    """One environment, its clock, and connectors with small pages."""

    def __init__(self, stack: AsyncExitStack, size: int = 3) -> None:
        self.clock = Clock()
        self.environment = Environment(self.clock.now)
        self.server = Server(self.environment, Realism(token=30 * 86_400.0))
        self.size = size
        self.url = ""
        self._stack = stack

    async def start(self) -> None:
        """Listen; stopped with the stack."""
        self.url = await self.server.start()
        self._stack.push_async_callback(self.server.stop)

    def connect(self) -> Dynamics:
        """A connector with an access token of its own."""
        budgets = Budgets("dynamics", Dynamics.manifest.limits, self.clock, timedelta(days=2))
        auth = BearerAuth("dynamics", self.server.token())
        bounds = Bounds(tries=3)
        http = AioHttp("dynamics", self.url, self.clock, budgets, auth=auth, bounds=bounds)
        connector = Dynamics({"url": self.url}, http, size=self.size, overlap=OVERLAP)
        http.pauses = connector.pauses
        self._stack.push_async_callback(http.close)
        return connector
