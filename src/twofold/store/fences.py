"""Who may write for a sync: a number that moves whenever what a worker knows is out of date."""

from __future__ import annotations

import sqlite3
from collections.abc import Sequence
from typing import NamedTuple

from twofold.store.errors import FenceLost


class Hold(NamedTuple):
    """What a worker that runs a sync holds."""

    sync: int
    fence: int


def check_fence(db: sqlite3.Connection, sync: int, fence: int) -> None:
    """Raise FenceLost unless this worker still holds the sync."""
    found = db.execute("SELECT fence FROM syncs WHERE id = ?", (sync,)).fetchone()
    if found is None or found[0] != fence:
        raise FenceLost


def check_hold(db: sqlite3.Connection, hold: Hold | None) -> None:
    """Raise FenceLost unless what is held, if anything is, still counts."""
    if hold is not None:
        check_fence(db, hold.sync, hold.fence)


def disturb(db: sqlite3.Connection, readers: Sequence[int], but: int | None = None) -> None:
    """Take the fence from all syncs that share a reader, and so have a run start its slice again.

    A run knows who else listens to its readers, and what they read, from its start: it must not
    store a page for a listener that it does not know. Runs inside the transaction of the change.
    """
    for reader in readers:
        db.execute(
            "UPDATE syncs SET fence = fence + 1 WHERE id IS NOT ?"
            " AND (hub_reader = ? OR app_reader = ?)",
            (but, reader, reader),
        )
