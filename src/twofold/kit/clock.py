"""Time and chance, as far as the kit needs them: tests and simulations put their own in."""

from __future__ import annotations

from datetime import datetime
from typing import Protocol


class Clock(Protocol):
    """What tells the time, waits, and spreads retries."""

    def now(self) -> datetime:
        """The time, aware."""
        ...

    async def sleep(self, seconds: float) -> None:
        """Wait."""
        ...

    def jitter(self) -> float:
        """A number between 0 and 1."""
        ...
