"""What an app lets us ask per time, shared by everybody who uses one connection.

Rates follow the generic cell rate algorithm: a limit is one moment in time, the theoretical
arrival of the next request. A fifth of the permits may be used at once, the other four fifths
arrive evenly, so that no window of the declared length sees more than was declared (costs being
whole numbers).
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Iterable, Mapping, Sequence
from contextlib import AbstractAsyncContextManager
from datetime import UTC, datetime, timedelta
from types import TracebackType

from msgspec import Struct

from twofold.kit.clock import Clock
from twofold.kit.contract import Limit, Pause
from twofold.kit.errors import LimitUntil

_AT_ONCE = 0.2
"""The share of the permits that need not wait for their turn."""
_LONG_AGO = datetime(1970, 1, 1, tzinfo=UTC)


RESERVE = 0.2
"""The share of a limit per day that is left to others who use the same account."""
_DAY = timedelta(days=1)
_LOOK_AGAIN = timedelta(hours=1)
"""How long nothing is sent once only the reserve is left, where the app names no moment."""


class Ledger(Struct, frozen=True):
    """What belongs to one account beside its limits."""

    spend: Callable[[int], None]
    """Told how many requests were sent."""
    reserve: float = RESERVE


class _Rate:
    """One limit on requests (or points, tokens) per time."""

    def __init__(self, limit: Limit) -> None:
        self.limit = limit
        self.blocked_until = _LONG_AGO
        self._arrival = _LONG_AGO
        self.grant(limit.permits)

    def grant(self, permits: float) -> None:
        """Go by another number of permits than was declared."""
        self._interval = self.limit.per / (permits * (1 - _AT_ONCE))
        self._tolerance = max(0.0, permits * _AT_ONCE - 1) * self._interval

    def earliest(self, now: datetime, cost: float) -> datetime:
        """When the next request may go."""
        turn = self._arrival + (cost - 1) * self._interval - self._tolerance
        return max(turn, self.blocked_until, now)

    def take(self, due: datetime, cost: float) -> None:
        """Use up permits for a request that goes then."""
        self._arrival = max(self._arrival, due) + cost * self._interval


class Budgets:
    """All limits of one connection."""

    def __init__(
        self,
        app: str,
        limits: Iterable[Limit],
        clock: Clock,
        patience: timedelta = timedelta(seconds=30),
        reserve: float = 0.0,
    ) -> None:
        """``patience``: the longest wait within one request; beyond it LimitUntil is raised.

        ``reserve``: the share, from 0 to 1, of limits per day or longer that is not used.
        """
        self._app = app
        self._clock = clock
        self._patience = patience
        self._reserve = reserve
        declared = [self._lessened(limit) for limit in limits]
        self._rates = {limit.name: _Rate(limit) for limit in declared if not limit.concurrent}
        self._slots = {
            limit.name: asyncio.Semaphore(max(1, int(limit.permits)))
            for limit in declared
            if limit.concurrent
        }
        self._blocked_until = _LONG_AGO

    def _lessened(self, limit: Limit) -> Limit:
        """A limit without what is kept for others."""
        if limit.concurrent or limit.per < _DAY or not self._reserve:
            return limit
        return Limit(limit.name, limit.permits * (1 - self._reserve), limit.per)

    def request(self, cost: Mapping[str, float] | None = None) -> AbstractAsyncContextManager[None]:
        """Hold what one request needs while it is under way; a limit not named costs 1.

        Raises:
            LimitUntil: the turn comes later than we may wait. Nothing is used up.
        """
        return _Held(self, cost or {})

    async def take(self, costs: Mapping[str, float]) -> None:
        """Take a slot of each kind, and wait for the turn; takes nothing where that fails."""
        taken: list[asyncio.Semaphore] = []
        try:
            for slots in self._slots.values():
                await slots.acquire()
                taken.append(slots)
            await self._turn(costs)
        except BaseException:
            for slots in taken:
                slots.release()
            raise

    def give_back(self) -> None:
        """Leave the slots of one request to others."""
        for slots in self._slots.values():
            slots.release()

    async def _turn(self, costs: Mapping[str, float]) -> None:
        """Wait until every rate allows the request. Turns are given in the order of asking."""
        now = self._clock.now()
        asked = [
            (rate, cost) for name, rate in self._rates.items() if (cost := costs.get(name, 1.0))
        ]
        due = max([self._blocked_until, now, *(rate.earliest(now, cost) for rate, cost in asked)])
        self._check(due)
        for rate, cost in asked:
            rate.take(due, cost)
        while due > (now := self._clock.now()):
            await self._clock.sleep((due - now).total_seconds())
            # The app may have blocked us in the meantime.
            blocked = [rate.blocked_until for rate, _ in asked]
            due = max([due, self._blocked_until, *blocked])
            self._check(due)

    def _check(self, due: datetime) -> None:
        """Raise LimitUntil where a wait until then is too long for one request."""
        if due - self._clock.now() > self._patience:
            raise LimitUntil(self._app, due)

    def learn(self, pauses: Sequence[Pause]) -> None:
        """Follow what a response said, for everybody who shares these budgets."""
        for pause in pauses:
            rate = self._rates.get(pause.limit)
            if rate is not None and pause.granted is not None and pause.granted >= 1:
                rate.grant(pause.granted)
            if rate is None:
                continue
            used_up = pause.remaining is not None and pause.remaining < 1
            if pause.refused or used_up:
                until = pause.until or self._clock.now() + rate.limit.per
                rate.blocked_until = max(rate.blocked_until, until)
            elif pause.remaining is not None and pause.remaining <= self._kept(rate.limit):
                until = pause.until or self._clock.now() + _LOOK_AGAIN
                rate.blocked_until = max(rate.blocked_until, until)

    def _kept(self, limit: Limit) -> float:
        """How many of a limit's permits are for others; the limit is without them."""
        if limit.per < _DAY or not self._reserve:
            return 0.0
        return limit.permits / (1 - self._reserve) * self._reserve

    def block(self, until: datetime) -> None:
        """Send nothing before then: the app said so without naming a limit."""
        self._blocked_until = max(self._blocked_until, until)


class _Held:
    """What one request holds: a class, since a generator costs several times as much."""

    __slots__ = ("_budgets", "_costs")

    def __init__(self, budgets: Budgets, costs: Mapping[str, float]) -> None:
        self._budgets = budgets
        self._costs = costs

    async def __aenter__(self) -> None:
        await self._budgets.take(self._costs)

    async def __aexit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self._budgets.give_back()
