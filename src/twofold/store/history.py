"""What was written to records: what they held before and after, in which run and by which rule.

A line is stored in the transaction that settles its write. Records that were made in one go have
consecutive rows and share one line, so that a first sync stores one line for each chunk; what they
were made with is what their link agreed on, less what later lines changed.
"""

from __future__ import annotations

import sqlite3
from collections.abc import Iterable, Mapping, Sequence
from itertools import pairwise
from typing import Any

from msgspec import Struct

from twofold.core.records import Fields, Side
from twofold.core.values import Value
from twofold.database.sqlite import Database
from twofold.store.codec import decode, encode
from twofold.store.types import Did, Moment, Place, Written

TABLES = """
-- What was written to records, oldest first.
CREATE TABLE history (
    id INTEGER PRIMARY KEY,
    sync INTEGER NOT NULL,
    run INTEGER NOT NULL,           -- 0 = none that is kept
    at REAL NOT NULL,               -- when it was settled, seconds since 1970
    did INTEGER NOT NULL,           -- see twofold.store.types
    side TEXT NOT NULL,             -- where it was written
    row INTEGER NOT NULL,           -- the record
    last INTEGER NOT NULL,          -- the last of the records that were made in one go, else row
    twin INTEGER,                   -- the record that it was written for
    changes BLOB                    -- by mapping: before, after, what the twin showed, the rule
);
CREATE INDEX history_by_record ON history (sync, did, row);
CREATE INDEX history_by_time ON history (sync, at);
"""


class Change(Struct, frozen=True):
    """One mapped field of a record that was written."""

    name: str
    """Of the mapping; of an association, the name under which the hub keeps it."""
    before: Value
    after: Value
    source: Value
    """What the twin showed when this was decided."""
    rule: str
    """The name of a `twofold.core.merge.Reason`; empty where a write was found to have arrived
    after an interruption."""


class Line(Struct, frozen=True):
    """One line of the history; of records made in one go, one of them."""

    id: int
    sync: int
    run: int
    at: float
    """Seconds since 1970."""
    did: Did
    side: Side
    row: int
    twin: int | None
    changes: tuple[Change, ...]
    shown: Fields
    """What a removed record showed; else empty."""
    last: int
    """The last of the records made in one go."""

    @property
    def place(self) -> Place:
        """The record that was written."""
        return self.side, self.row


def encode_changes(changes: Iterable[Change]) -> bytes:
    """Changes as bytes."""
    flat: dict[str, Value] = {}
    for one in changes:
        flat[f"b:{one.name}"] = one.before
        flat[f"a:{one.name}"] = one.after
        flat[f"s:{one.name}"] = one.source
        flat[f"r:{one.name}"] = one.rule
    return encode(flat)


def decode_changes(data: bytes) -> tuple[Change, ...]:
    """The inverse of ``encode_changes``, in the order of their names."""
    flat = decode(data)
    names = [key[2:] for key in flat if key.startswith("r:")]
    return tuple(
        Change(n, flat[f"b:{n}"], flat[f"a:{n}"], flat[f"s:{n}"], str(flat[f"r:{n}"]))
        for n in names
    )


def keep_history(
    db: sqlite3.Connection, sync: int, moment: Moment, written: Sequence[Written]
) -> None:
    """Store what was written. Runs inside a transaction."""
    db.executemany(
        _INSERT,
        [
            (sync, moment.run, moment.at, w.did, w.side.value, w.row, w.row, w.twin, w.changes)
            for w in written
        ],
    )


def keep_created(
    db: sqlite3.Connection, sync: int, moment: Moment, made: Mapping[Side, Iterable[int]]
) -> None:
    """Store which rows of each side were made: one line for all that follow on each other."""
    lines: list[tuple[object, ...]] = []
    for side, rows in made.items():
        ordered = sorted(rows)
        ends = [n for n, row in enumerate(ordered, 1) if row + 1 not in ordered[n : n + 1]]
        for start, end in pairwise([0, *ends]):
            first, last = ordered[start], ordered[end - 1]
            lines.append((sync, moment.run, moment.at, Did.CREATED, side.value, first, last))
    db.executemany(_INSERT, [(*line, None, None) for line in lines])


class History:
    """The history of all syncs."""

    def __init__(self, database: Database) -> None:
        self._database = database
        self._connection = database.connection

    def of(self, sync: int, rows: Iterable[int]) -> list[Line]:
        """Everything written to some records, newest first."""
        found: list[tuple[Any, ...]] = []
        for row in rows:
            made = self._connection.execute(
                f"SELECT {_COLUMNS} FROM history WHERE sync = ? AND did = 1 AND row <= ?"
                " ORDER BY row DESC LIMIT 1",
                (sync, row),
            ).fetchone()
            if made is not None and row <= made[_LAST]:
                found.append((*made[:_ROW], row, *made[_LAST:]))
            found += self._connection.execute(
                f"SELECT {_COLUMNS} FROM history WHERE sync = ? AND did IN (2, 3, 4) AND row = ?",
                (sync, row),
            )
        return [_line(one) for one in sorted(found, key=lambda one: one[:2], reverse=True)]

    def page(
        self,
        sync: int,
        *,
        before: tuple[float, int] | None,
        limit: int,
        run: int | None = None,
        since: float = 0.0,
        inclusive: bool = False,
    ) -> list[Line]:
        """Lines of a sync, newest first; records that were made in one go are one line.

        ``before``: (at, id) of the line that the page before ended with, which is left out unless
        ``inclusive``; ``since``: seconds since 1970.
        """
        at, line = before or (1e18, 0)
        line += inclusive
        found = self._connection.execute(
            f"SELECT {_COLUMNS} FROM history WHERE sync = ? AND at >= ? AND at <= ?"
            " AND (at < ? OR id < ?) AND (? IS NULL OR run = ?)"
            " ORDER BY at DESC, id DESC LIMIT ?",
            (sync, since, at, at, line, run, run, limit),
        )
        return [_line(row) for row in found]

    def prune(self, before: float, most: int = 10_000) -> int:
        """Forget lines older than a moment, some at a time; returns how many that were."""
        gone = 0
        with self._database.transaction() as db:
            for (sync,) in db.execute("SELECT id FROM syncs").fetchall():
                gone += db.execute(
                    "DELETE FROM history WHERE id IN (SELECT id FROM history"
                    " WHERE sync = ? AND at < ? LIMIT ?)",
                    (sync, before, most - gone),
                ).rowcount
        return gone


_COLUMNS = "at, id, sync, run, did, side, row, last, twin, changes"
_ROW, _LAST = 6, 7
_INSERT = (
    "INSERT INTO history (sync, run, at, did, side, row, last, twin, changes)"
    " VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?)"
)


def _line(found: Sequence[Any]) -> Line:
    at, line, sync, run, did, side, row, last, twin, changes = found
    removed = did in {Did.ARCHIVED, Did.DELETED}
    return Line(
        line,
        sync,
        run,
        at,
        Did(did),
        Side(side),
        row,
        twin,
        () if removed or changes is None else decode_changes(changes),
        decode(changes) if removed and changes is not None else {},
        last,
    )
