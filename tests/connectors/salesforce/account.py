"""A Salesforce org for tests: the simulator on a real socket, and connectors to it."""

from __future__ import annotations

from contextlib import AsyncExitStack
from datetime import UTC, datetime, timedelta

from twofold.connectors.salesforce import Salesforce
from twofold.kit.auth import BearerAuth
from twofold.kit.budgets import Budgets
from twofold.kit.http import AioHttp, Bounds
from twofold.simulators.salesforce import Org, Server

OVERLAP = timedelta(seconds=10)


class Clock:
    """The org's time and the kit's: waiting moves it."""

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
    """One org, its clock, and connectors with small pages."""

    def __init__(self, stack: AsyncExitStack, size: int = 3) -> None:
        self.clock = Clock()
        self.org = Org(self.clock.now)
        self.server = Server(self.org)
        self.size = size
        self.url = ""
        self._stack = stack

    async def start(self) -> None:
        """Listen; stopped with the stack."""
        self.url = await self.server.start()
        self._stack.push_async_callback(self.server.stop)

    def connect(self) -> Salesforce:
        """A connector with a session of its own."""
        budgets = Budgets("salesforce", Salesforce.manifest.limits, self.clock, timedelta(days=2))
        auth = BearerAuth("salesforce", self.server.session())
        bounds = Bounds(tries=3)
        http = AioHttp("salesforce", self.url, self.clock, budgets, auth=auth, bounds=bounds)
        connector = Salesforce({"url": self.url}, http, size=self.size, overlap=OVERLAP)
        http.pauses = connector.pauses
        self._stack.push_async_callback(http.close)
        return connector
