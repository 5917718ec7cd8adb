"""A HubSpot account for tests: the hub's API on a real socket, and connectors to it."""

from __future__ import annotations

from collections.abc import Sequence
from contextlib import AsyncExitStack
from datetime import datetime, timedelta
from typing import Any

from tests.hub_api.serving import Clock, Serving

from twofold.connectors.hubspot import HubSpot
from twofold.kit.auth import BearerAuth
from twofold.kit.budgets import Budgets
from twofold.kit.contract import Response
from twofold.kit.http import AioHttp

LAG = timedelta(seconds=10)


class ServedClock:
    """The server's clock as the kit's: waiting moves it."""

    def __init__(self, clock: Clock) -> None:
        self._clock = clock

    def now(self) -> datetime:
        return self._clock.now

    async def sleep(self, seconds: float) -> None:
        self._clock.move(seconds)

    def jitter(self) -> float:
        return 0.5


class Account:
    """Connectors to one account; what they sent is kept."""

    def __init__(self, serving: Serving, stack: AsyncExitStack, size: int = 3) -> None:
        self.serving = serving
        self.size = size
        self.sent: list[tuple[str, str]] = []
        self.answers: list[Response] = []
        self._stack = stack

    def connect(self, secret: str | None = None) -> HubSpot:
        """A connector with a token."""
        clock = ServedClock(self.serving.clock)
        limits = HubSpot.manifest.limits
        patience = timedelta(days=2)
        budgets = Budgets("hubspot", limits, clock, patience)
        auth = BearerAuth("hubspot", secret or self.serving.secret)
        http = Recorded(self, "hubspot", self.serving.url, clock, budgets, auth=auth)
        connector = HubSpot({"token": "", "url": ""}, http, lag=LAG, size=self.size)
        http.pauses = connector.pauses
        self._stack.push_async_callback(http.close)
        return connector

    def calls(self, part: str) -> Sequence[tuple[str, str]]:
        """The requests whose path holds a part."""
        return [one for one in self.sent if part in one[1]]


class Recorded(AioHttp):
    """The kit's own client, which writes down what it sends."""

    def __init__(self, account: Account, *args: Any, **options: Any) -> None:
        super().__init__(*args, **options)
        self._account = account

    async def send(self, method: str, url: str, **options: Any) -> Response:
        self._account.sent.append((method, url))
        answer = await super().send(method, url, **options)
        self._account.answers.append(answer)
        return answer
