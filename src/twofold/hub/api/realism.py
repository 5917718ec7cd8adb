"""What makes the API as demanding as the real one: limits, a slow index, faults on purpose.

`twofold up` serves it with the limits of a private app and nothing else; tests switch on more.
"""

from __future__ import annotations

from collections import defaultdict, deque
from collections.abc import Callable, Iterable, Mapping
from datetime import datetime, timedelta

import msgspec
from msgspec import Struct

from twofold.hub.api.faults import Fault

_WINDOW = 10.0


class Limits(Struct, frozen=True):
    """Requests that one token may make."""

    ten_seconds: int = 190
    day: int = 1_000_000
    searches: int = 0
    """Searches of all tokens in a second; 0 = as many as they like."""


class Broken(Struct, frozen=True):
    """One request that fails on purpose."""

    status: int
    part: str = ""
    """Only where the path holds it."""
    html: bool = False
    """A page of a proxy in place of JSON."""
    after_doing: bool = False
    """What was asked is done all the same."""
    headers: Mapping[str, str] = {}
    policy: str = ""
    """Of a 429: the limit that it names."""


class Realism(Struct):
    """All switches; ``broken`` is used up from its start."""

    limits: Limits | None = msgspec.field(default_factory=Limits)
    index_lag: timedelta = timedelta(0)
    """A record that changed less long ago is not found by searches."""
    unordered: bool = False
    """Answers to batches are not in the order of what was sent."""
    broken: list[Broken] = msgspec.field(default_factory=list)
    without: set[str] = msgspec.field(default_factory=set)
    """Properties that there no longer are."""

    def left(self, names: Iterable[str]) -> list[str]:
        """Those of some properties that there still are."""
        return [name for name in names if name not in self.without]

    def next_broken(self, path: str) -> Broken | None:
        """The fault for this request, if one is due."""
        for position, fault in enumerate(self.broken):
            if fault.part in path:
                return self.broken.pop(position)
        return None


class Meter:
    """Counts requests, and refuses those above a limit."""

    def __init__(self, limits: Limits, clock: Callable[[], datetime]) -> None:
        self._limits = limits
        self._clock = clock
        self._recent: dict[str, deque[float]] = defaultdict(deque)
        self._days: dict[str, tuple[int, int]] = {}
        self._searches: deque[float] = deque()

    def count(self, token: str, *, search: bool) -> dict[str, str]:
        """Count a request; returns the headers that tell what is left, of which searches have none.

        Raises:
            Fault: 429, too many.
        """
        now = self._clock().timestamp()
        recent = self._recent[token]
        _forget(recent, now - _WINDOW)
        today = int(now // 86_400)
        day, used = self._days.get(token, (today, 0))
        used = used if day == today else 0
        if used >= self._limits.day:
            raise _too_many("DAILY", "daily", self._headers(len(recent), used))
        if len(recent) >= self._limits.ten_seconds:
            headers = self._headers(len(recent), used)
            raise _too_many("TEN_SECONDLY_ROLLING", "ten_secondly_rolling", headers)
        if search and self._limits.searches:
            _forget(self._searches, now - 1.0)
            if len(self._searches) >= self._limits.searches:
                raise _too_many("SECONDLY", "secondly", {})
            self._searches.append(now)
        recent.append(now)
        self._days[token] = (today, used + 1)
        return {} if search else self._headers(len(recent), used + 1)

    def _headers(self, recent: int, used: int) -> dict[str, str]:
        limits = self._limits
        return {
            "X-HubSpot-RateLimit-Max": str(limits.ten_seconds),
            "X-HubSpot-RateLimit-Remaining": str(limits.ten_seconds - recent),
            "X-HubSpot-RateLimit-Interval-Milliseconds": "10000",
            "X-HubSpot-RateLimit-Daily": str(limits.day),
            "X-HubSpot-RateLimit-Daily-Remaining": str(limits.day - used),
        }


def _forget(times: deque[float], before: float) -> None:
    while times and times[0] <= before:
        times.popleft()


def _too_many(policy: str, words: str, headers: Mapping[str, str]) -> Fault:
    message = f"You have reached your {words} limit."
    return Fault(
        429, "RATE_LIMITS", message, headers=headers, policyName=policy, errorType="RATE_LIMIT"
    )
