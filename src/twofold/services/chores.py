"""What a worker does beside running syncs: it tells people of trouble, and forgets what is old."""

from __future__ import annotations

import asyncio
import sqlite3
import time
from collections.abc import Callable
from contextlib import suppress
from datetime import timedelta

from twofold.database.errors import DatabaseError
from twofold.services import alerts, history
from twofold.services.installation import Installation

Log = Callable[..., None]

_EVERY = 10.0
"""Seconds between two looks at what is to be told."""
_FORGET_EVERY = 3_600.0
"""Seconds between two times of forgetting."""
_CHARTED = timedelta(days=8)
"""How long counters of charts are kept: the longest chart shows seven days."""


async def serve(here: Installation, stop: asyncio.Event, log: Log) -> None:
    """Do the chores until asked to stop."""
    forgotten = -_FORGET_EVERY
    while not stop.is_set():
        more = False
        try:
            alerts.watch(here)
            await alerts.deliver(here, log)
            if time.monotonic() - forgotten >= _FORGET_EVERY:
                more = forget(here)  # a piece at a time, so that nobody waits for long
                forgotten = forgotten if more else time.monotonic()
        except (DatabaseError, sqlite3.Error) as error:
            log("state not usable", reason=str(error))
        except Exception as error:  # noqa: BLE001 (syncs run on, whatever becomes of the chores)
            log("chores failed", kind=type(error).__name__)
        with suppress(TimeoutError):
            await asyncio.wait_for(stop.wait(), 0.5 if more else _EVERY)


def forget(here: Installation) -> bool:
    """Forget some of what is old; True where there may be more."""
    here.state.throughput.prune((here.world.now() - _CHARTED).timestamp())
    return history.prune(here)
