"""What was there before a sync 'from now on' began, and did not change since (L7)."""

from __future__ import annotations

import sqlite3
from collections.abc import Sequence

from twofold.core.records import Side
from twofold.store.codec import decode
from twofold.store.types import Sighting, Subscriber


def begin_from_now(db: sqlite3.Connection, sync: int) -> None:
    """Whatever is there when a sync begins is earlier (L7). Runs inside a transaction."""
    for side in Side:
        db.execute(
            f"INSERT OR IGNORE INTO earlier SELECT s.id, '{side.value}', r.row FROM syncs s"
            f" JOIN records r ON r.reader = s.{side.value}_reader AND r.gone = 0 WHERE s.id = ?",
            (sync,),
        )


def no_longer_earlier(
    db: sqlite3.Connection, subscriber: Subscriber, moved: Sequence[Sighting]
) -> None:
    """What changed since the sync began takes part from now on; a field read anew is no change."""
    changed: list[tuple[object, ...]] = []
    for sighting in moved:
        before, now = decode(sighting.before or b"{}"), decode(sighting.shown)
        if sighting.was_gone or any(now.get(name) != value for name, value in before.items()):
            changed.append((subscriber.sync, subscriber.side.value, sighting.row))
    db.executemany("DELETE FROM earlier WHERE sync = ? AND side = ? AND row = ?", changed)
