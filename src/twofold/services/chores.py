"""What a worker does beside running syncs: it forgets what is older than it is to be kept."""

from __future__ import annotations

import asyncio
import sqlite3
from collections.abc import Callable
from contextlib import suppress
from datetime import timedelta

from twofold.database.errors import DatabaseError
from twofold.services import history
from twofold.services.installation import Installation

Log = Callable[..., None]

_EVERY = 3_600.0
"""Seconds between two times of forgetting."""
_CHARTED = timedelta(days=8)
"""How long counters of charts are kept: the longest chart shows seven days."""


async def serve(here: Installation, stop: asyncio.Event, log: Log) -> None:
    """Do the chores until asked to stop."""
    while not stop.is_set():
        more = False
        try:
            more = forget(here)
        except (DatabaseError, sqlite3.Error) as error:
            log("state not usable", reason=str(error))
        with suppress(TimeoutError):  # a piece at a time, so that nobody waits for long
            await asyncio.wait_for(stop.wait(), 0.5 if more else _EVERY)


def forget(here: Installation) -> bool:
    """Forget some of what is old; True where there may be more."""
    here.state.throughput.prune((here.world.now() - _CHARTED).timestamp())
    return history.prune(here)
