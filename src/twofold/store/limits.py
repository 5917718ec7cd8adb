"""What is remembered of records beyond links, because a sync's limits depend on it (L4–L7)."""

from __future__ import annotations

import sqlite3
from collections.abc import Iterable, Iterator, Mapping, Sequence

import msgspec
import orjson
from msgspec import Struct

from twofold.core.mappings import Rules
from twofold.core.records import Side
from twofold.database.sqlite import Database
from twofold.store.records import as_stored
from twofold.store.types import Place, Revisit, Stored


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


class Revised(Struct):
    """What new limits mean for one record."""

    place: Place
    due: bool
    """The answer is another one."""
    revisit: float | None = None
    """When it may change by time alone, in seconds since 1970."""
    entered: bool = False


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
            values = (sync, side.value, orjson.dumps(rows[side]).decode())
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

    def each(self, sync: int) -> Iterator[tuple[Stored | None, Stored | None]]:
        """All living pairs and unlinked records of a sync, one by one: (hub, app)."""
        record = "{0}.row, {0}.id, {0}.version, {0}.shown, {0}.gone, {0}.into_id"
        for row in self._connection.execute(
            f"SELECT {record.format('h')}, {record.format('a')} FROM syncs s"
            " JOIN records h ON h.reader = s.hub_reader AND h.gone = 0"
            " LEFT JOIN links l ON l.sync = s.id AND l.hub = h.row"
            " LEFT JOIN records a ON a.row = l.app AND a.gone = 0 WHERE s.id = ?",
            (sync,),
        ):
            yield as_stored(*row[:6]), None if row[6] is None else as_stored(*row[6:])
        for row in self._connection.execute(
            f"SELECT {record.format('a')} FROM syncs s"
            " JOIN records a ON a.reader = s.app_reader AND a.gone = 0"
            " LEFT JOIN links l ON l.sync = s.id AND l.app = a.row"
            " LEFT JOIN records h ON h.row = l.hub AND h.gone = 0"
            " WHERE s.id = ? AND h.row IS NULL",
            (sync,),
        ):
            yield None, as_stored(*row)

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

    def revise(self, sync: int, rules: Rules, revised: Iterable[Revised]) -> None:
        """Replace the rules of a sync by such with other limits; a run starts its slice again.

        ``revised`` may read the store while it is taken.
        """
        with self._database.transaction() as db:
            db.execute(
                "UPDATE syncs SET config = ?, fence = fence + 1 WHERE id = ?",
                (msgspec.json.encode(rules).decode(), sync),
            )
            for table in ("revisits", "entered"):
                db.execute(f"DELETE FROM {table} WHERE sync = ?", (sync,))
            if not rules.from_now_on:
                db.execute(
                    "INSERT OR IGNORE INTO due SELECT sync, side, row FROM earlier WHERE sync = ?",
                    (sync,),
                )
                db.execute("DELETE FROM earlier WHERE sync = ?", (sync,))
            for one in revised:
                _revise(db, sync, one)


def _revise(db: sqlite3.Connection, sync: int, one: Revised) -> None:
    place = (sync, one.place[0].value, one.place[1])
    if one.due:
        db.execute("INSERT OR IGNORE INTO due VALUES (?, ?, ?)", place)
    if one.revisit is not None:
        db.execute("INSERT INTO revisits VALUES (?, ?, ?, ?)", (*place, one.revisit))
    if one.entered:
        db.execute("INSERT INTO entered VALUES (?, ?, ?)", place)


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
