"""How many records were brought in step in each minute: counters that settling keeps."""

from __future__ import annotations

import sqlite3

from twofold.database.sqlite import Database

TABLES = """
-- Records that were brought in step, by minute since 1970.
CREATE TABLE throughput (
    sync INTEGER NOT NULL,
    minute INTEGER NOT NULL,
    count INTEGER NOT NULL,
    PRIMARY KEY (sync, minute)
) WITHOUT ROWID;
"""

MINUTE = 60


def count_settled(db: sqlite3.Connection, sync: int, at: float, number: int) -> None:
    """Count records that were settled at a moment, in seconds since 1970. In a transaction."""
    if number:
        db.execute(
            "INSERT INTO throughput (sync, minute, count) VALUES (?, ?, ?)"
            " ON CONFLICT (sync, minute) DO UPDATE SET count = count + excluded.count",
            (sync, int(at) // MINUTE, number),
        )


class Throughput:
    """The counters of all syncs."""

    def __init__(self, database: Database) -> None:
        self._database = database
        self._connection = database.connection

    def counts(self, sync: int, since: float, step: int) -> dict[int, int]:
        """How many in each step of so many minutes, by its first minute since 1970.

        ``since``: seconds since 1970. Steps in which nothing was settled are left out.
        """
        found = self._connection.execute(
            "SELECT minute / ?1 * ?1, sum(count) FROM throughput WHERE sync = ?2 AND minute >= ?3"
            " GROUP BY 1 ORDER BY 1",
            (step, sync, int(since) // MINUTE),
        )
        return dict(found.fetchall())

    def prune(self, before: float) -> None:
        """Forget what is older than a moment, in seconds since 1970."""
        with self._database.transaction() as db:
            db.execute("DELETE FROM throughput WHERE minute < ?", (int(before) // MINUTE,))
