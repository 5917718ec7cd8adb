"""What is remembered of records beyond links, because a sync's limits depend on it (L4–L7)."""

from __future__ import annotations

import sqlite3
from collections.abc import Iterable, Mapping, Sequence

from msgspec import Struct

from twofold.core.records import Side
from twofold.database.sqlite import Database
from twofold.store.codec import as_json
from twofold.store.types import Place, Revisit


class Remembered(Struct, frozen=True):
    """What is remembered of one record."""

    reason: str | None = None
    """Why a person excluded it; None = nobody did."""
    until: float | None = None
    """When it takes part again, in seconds since 1970; None = when a person says so."""
    earlier: bool = False
    """It was there before the sync began, and did not change since."""
    entered: bool = False
    """It met its limit when it was last worked on."""


class Limits:
    """What limits need, of all syncs."""

    def __init__(self, database: Database) -> None:
        self._database = database
        self._connection = database.connection

    # --- looking up -------------------------------------------------------------------------

    def any_by_hand(self, sync: int) -> bool:
        """Whether a person excluded any record."""
        found = self._connection.execute(
            "SELECT 1 FROM exclusions WHERE sync = ? LIMIT 1", (sync,)
        ).fetchone()
        return found is not None

    def of(self, sync: int, places: Iterable[Place]) -> dict[Place, Remembered]:
        """What is remembered of these records; nothing of most."""
        rows: dict[Side, list[int]] = {side: [] for side in Side}
        for side, row in places:
            rows[side].append(row)
        found: dict[Place, Remembered] = {}
        for side in Side:
            values = (sync, side.value, as_json(rows[side]))
            where = "sync = ? AND side = ? AND row IN (SELECT value FROM json_each(?))"
            for row, reason, until, earlier, entered in self._connection.execute(
                "SELECT row, max(reason), max(until), max(earlier), max(entered) FROM ("
                f"SELECT row, reason, until, 0 AS earlier, 0 AS entered FROM exclusions"
                f" WHERE {where}"
                f" UNION ALL SELECT row, NULL, NULL, 1, 0 FROM earlier WHERE {where}"
                f" UNION ALL SELECT row, NULL, NULL, 0, 1 FROM entered WHERE {where})"
                " GROUP BY row",
                values * 3,
            ):
                found[side, row] = Remembered(reason, until, bool(earlier), bool(entered))
        return found

    # --- writing ----------------------------------------------------------------------------

    def exclude(self, sync: int, places: Sequence[Place], reason: str, until: float | None) -> None:
        """Exclude records by hand, until a moment or until they are included again."""
        with self._database.transaction() as db:
            db.executemany(
                "REPLACE INTO exclusions (sync, side, row, reason, until) VALUES (?, ?, ?, ?, ?)",
                [(sync, side.value, row, reason, until) for side, row in places],
            )
            _look_again(db, sync, places)

    def include(self, sync: int, places: Sequence[Place]) -> bool:
        """Let records take part again; whether any was excluded by hand."""
        with self._database.transaction() as db:
            gone = 0
            for side, row in places:
                gone += db.execute(
                    "DELETE FROM exclusions WHERE sync = ? AND side = ? AND row = ?",
                    (sync, side.value, row),
                ).rowcount
            if gone:
                _look_again(db, sync, places)
        return gone > 0


def _look_again(db: sqlite3.Connection, sync: int, places: Sequence[Place]) -> None:
    """They are due, and a run that knows nothing of this starts its slice again."""
    db.execute("UPDATE syncs SET fence = fence + 1 WHERE id = ?", (sync,))
    db.executemany(
        "INSERT OR IGNORE INTO due VALUES (?, ?, ?)",
        [(sync, side.value, row) for side, row in places],
    )


def settle_limits(
    db: sqlite3.Connection,
    sync: int,
    revisits: Sequence[Revisit],
    entered: Mapping[Place, bool],
) -> None:
    """What a chunk learned of its records. Runs inside a transaction."""
    for (side, row), at in revisits:
        if at is None:
            db.execute(
                "DELETE FROM revisits WHERE sync = ? AND side = ? AND row = ?",
                (sync, side.value, row),
            )
        else:
            db.execute("REPLACE INTO revisits VALUES (?, ?, ?, ?)", (sync, side.value, row, at))
    for (side, row), inside in entered.items():
        change = (
            "INSERT OR IGNORE INTO entered VALUES (?, ?, ?)"
            if inside
            else "DELETE FROM entered WHERE sync = ? AND side = ? AND row = ?"
        )
        db.execute(change, (sync, side.value, row))
