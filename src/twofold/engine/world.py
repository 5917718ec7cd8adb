"""All that a simulation replaces: time, chance, and the moments between two effects."""

from __future__ import annotations

import asyncio
import gc
import random
import time
from datetime import UTC, datetime
from typing import Protocol


class World(Protocol):
    """What the engine knows of the outside, apart from connectors and the store."""

    def now(self) -> datetime:
        """The time, aware."""
        ...

    async def sleep(self, seconds: float) -> None:
        """Wait."""
        ...

    def jitter(self) -> float:
        """A number between 0 and 1, to spread retries."""
        ...

    def step(self, what: str) -> None:
        """Called between any two effects: a simulation crashes or edits here."""
        ...


def calm_collector() -> None:
    """Have Python look for cycles seldom, and never among what is loaded by now.

    A run makes and drops millions of records, none of them in a cycle. Called once by a program
    that runs syncs, after its imports.
    """
    gc.freeze()
    gc.set_threshold(100_000, 50, 50)


class RealWorld:
    """The machine that we run on."""

    def now(self) -> datetime:
        """The clock of the machine."""
        return datetime.fromtimestamp(time.time(), UTC)

    async def sleep(self, seconds: float) -> None:
        """Give way to other work."""
        await asyncio.sleep(seconds)

    def jitter(self) -> float:
        """Nothing secret depends on it."""
        return random.random()  # noqa: S311

    def step(self, what: str) -> None:
        """Nothing happens between two effects here."""
