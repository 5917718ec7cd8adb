"""How many requests each connection sent on each day, and the share of the day's that is kept."""

from __future__ import annotations

from twofold.database.sqlite import Database

TABLES = """
-- Requests that a connection sent, by day since 1970 (UTC).
CREATE TABLE requests_sent (
    connection INTEGER NOT NULL,
    day INTEGER NOT NULL,
    count INTEGER NOT NULL,
    PRIMARY KEY (connection, day)
) WITHOUT ROWID;
-- The share of an app's limit per day that is left to others who use the account.
ALTER TABLE connections ADD COLUMN reserve REAL NOT NULL DEFAULT 0.2;
"""
_DAY = 86_400
_KEPT = 31
"""Days."""


class Spending:
    """The requests of all connections."""

    def __init__(self, database: Database) -> None:
        self._database = database
        self._connection = database.connection

    def add(self, connection: int, at: float, count: int) -> None:
        """Count requests that were sent at a moment, in seconds since 1970."""
        day = int(at) // _DAY
        with self._database.transaction() as db:
            db.execute(
                "INSERT INTO requests_sent (connection, day, count) VALUES (?, ?, ?)"
                " ON CONFLICT (connection, day) DO UPDATE SET count = count + excluded.count",
                (connection, day, count),
            )
            db.execute("DELETE FROM requests_sent WHERE day < ?", (day - _KEPT,))

    def on_day(self, connection: int, at: float) -> int:
        """Requests of the day of a moment, in seconds since 1970."""
        row = self._connection.execute(
            "SELECT count FROM requests_sent WHERE connection = ? AND day = ?",
            (connection, int(at) // _DAY),
        ).fetchone()
        return 0 if row is None else int(row[0])

    def reserve(self, connection: int) -> float:
        """The share, from 0 to 1, of an app's limit per day that is left to others."""
        found: float = self._connection.execute(
            "SELECT reserve FROM connections WHERE id = ?", (connection,)
        ).fetchone()[0]
        return found

    def keep(self, connection: int, share: float) -> None:
        """Set that share; it counts from the next run on."""
        with self._database.transaction() as db:
            db.execute("UPDATE connections SET reserve = ? WHERE id = ?", (share, connection))
