"""Alerts: what stands of each, and messages until they are delivered."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from msgspec import Struct

from twofold.core.alerts import Standing, Trigger
from twofold.database.sqlite import Database

TABLES = """
-- What alerts have begun, by sync. Times are seconds since 1970.
CREATE TABLE alerts (
    sync INTEGER NOT NULL,
    trigger_name TEXT NOT NULL,
    since REAL NOT NULL,
    told REAL NOT NULL,
    number INTEGER NOT NULL,
    PRIMARY KEY (sync, trigger_name)
) WITHOUT ROWID;

-- Messages that are not delivered yet.
CREATE TABLE outbox (
    id INTEGER PRIMARY KEY,
    channel TEXT NOT NULL,          -- mail or webhook
    subject TEXT NOT NULL,
    body TEXT NOT NULL,
    at REAL NOT NULL,               -- when it is tried next, seconds since 1970
    attempts INTEGER NOT NULL DEFAULT 0,
    trouble TEXT NOT NULL DEFAULT ''
);
"""


class Letter(Struct, frozen=True):
    """A message on its way."""

    id: int
    channel: str
    subject: str
    body: str
    attempts: int


class Alerts:
    """The alerts of all syncs."""

    def __init__(self, database: Database) -> None:
        self._database = database
        self._connection = database.connection

    def standing(self, sync: int) -> dict[Trigger, Standing]:
        """What is known of a sync's triggers."""
        found = self._connection.execute(
            "SELECT trigger_name, since, told, number FROM alerts WHERE sync = ?", (sync,)
        )
        return {Trigger(name): Standing(*rest) for name, *rest in found}

    def settle(
        self,
        sync: int,
        standing: Mapping[Trigger, Standing],
        letters: Sequence[tuple[str, str, str]],
        now: float,
    ) -> None:
        """Store what stands, with what is to be sent of it: (channel, subject, body)."""
        with self._database.transaction() as db:
            db.execute("DELETE FROM alerts WHERE sync = ?", (sync,))
            db.executemany(
                "INSERT INTO alerts VALUES (?, ?, ?, ?, ?)",
                [(sync, t.value, s.since, s.told, s.number) for t, s in standing.items()],
            )
            db.executemany(
                "INSERT INTO outbox (channel, subject, body, at) VALUES (?, ?, ?, ?)",
                [(*letter, now) for letter in letters],
            )

    def due(self, now: float, limit: int = 20) -> list[Letter]:
        """Messages that are to be sent now, oldest first."""
        found = self._connection.execute(
            "SELECT id, channel, subject, body, attempts FROM outbox WHERE at <= ?"
            " ORDER BY id LIMIT ?",
            (now, limit),
        )
        return [Letter(*row) for row in found]

    def delivered(self, letter: int) -> None:
        """A message was taken, or is given up."""
        with self._database.transaction() as db:
            db.execute("DELETE FROM outbox WHERE id = ?", (letter,))

    def failed(self, letter: int, at: float, trouble: str) -> None:
        """A message was not taken: try again at a moment, in seconds since 1970."""
        with self._database.transaction() as db:
            db.execute(
                "UPDATE outbox SET at = ?, attempts = attempts + 1, trouble = ? WHERE id = ?",
                (at, trouble, letter),
            )

    def waiting(self) -> tuple[int, str]:
        """How many messages are not delivered yet, and what was the matter with the last one."""
        number, trouble = self._connection.execute(
            "SELECT count(*), coalesce((SELECT trouble FROM outbox WHERE trouble <> ''"
            " ORDER BY id DESC LIMIT 1), '') FROM outbox"
        ).fetchone()
        return int(number), str(trouble)
