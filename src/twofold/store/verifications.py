"""How far the rolling comparison of all linked pairs has come, and what it found (R10)."""

from __future__ import annotations

from msgspec import Struct

from twofold.core.records import Side
from twofold.database.sqlite import Database
from twofold.store.codec import as_json
from twofold.store.fences import check_fence
from twofold.store.types import Place


class Verification(Struct, frozen=True):
    """Where the comparison of one sync stands. Times are seconds since 1970."""

    position: int
    """The hub row of the last pair that was compared."""
    advanced: float
    began: float
    """When the round under way began."""
    ended: float | None
    """When a round last ended: every pair was compared since the one before."""
    checked: int
    drift: int


class Verifications:
    """The comparisons of all syncs."""

    def __init__(self, database: Database) -> None:
        self._database = database
        self._connection = database.connection

    def of(self, sync: int) -> Verification | None:
        """Where a sync stands; None before it was first compared."""
        found = self._connection.execute(
            "SELECT position, advanced, began, ended, checked, drift FROM verifications"
            " WHERE sync = ?",
            (sync,),
        ).fetchone()
        return None if found is None else Verification(*found)

    def pairs(self, sync: int, after: int, limit: int) -> list[Place]:
        """The hub's ends of some pairs of which both records exist, behind a row."""
        found = self._connection.execute(
            "SELECT l.hub FROM links l JOIN records h ON h.row = l.hub AND h.gone = 0"
            " JOIN records a ON a.row = l.app AND a.gone = 0"
            " WHERE l.sync = ? AND l.hub > ? ORDER BY l.hub LIMIT ?",
            (sync, after, limit),
        )
        return [(Side.HUB, row) for (row,) in found]

    def paired(self, sync: int) -> int:
        """How many pairs there are to compare."""
        found: int = self._connection.execute(
            "SELECT paired FROM syncs WHERE id = ?", (sync,)
        ).fetchone()[0]
        return found

    def awaited(self, sync: int, side: Side, rows: list[int]) -> set[int]:
        """Which of these records are due, or are to be tried again."""
        wanted = as_json(rows)
        found = self._connection.execute(
            "SELECT row FROM due WHERE sync = ?1 AND side = ?2"
            " AND row IN (SELECT value FROM json_each(?3))"
            " UNION SELECT row FROM retries WHERE sync = ?1 AND side = ?2"
            " AND row IN (SELECT value FROM json_each(?3))",
            (sync, side.value, wanted),
        )
        return {row for (row,) in found}

    def advance(self, sync: int, fence: int, now: Verification, due: list[int]) -> None:
        """Store how far it has come; ``due``: hub rows of pairs to be planned again."""
        with self._database.transaction() as db:
            check_fence(db, sync, fence)
            db.execute(
                "REPLACE INTO verifications"
                " (sync, position, advanced, began, ended, checked, drift)"
                " VALUES (?, ?, ?, ?, ?, ?, ?)",
                (
                    sync,
                    now.position,
                    now.advanced,
                    now.began,
                    now.ended,
                    now.checked,
                    now.drift,
                ),
            )
            db.executemany(
                "INSERT OR IGNORE INTO due VALUES (?, 'hub', ?)", [(sync, row) for row in due]
            )
