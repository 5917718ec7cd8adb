"""Readers, and what each side showed when it was last read."""

from __future__ import annotations

import sqlite3
from collections import defaultdict
from collections.abc import Iterable, Iterator, Mapping, Sequence
from functools import lru_cache

import orjson

from twofold.core.records import Record
from twofold.database.sqlite import Database
from twofold.store.codec import as_json, decode
from twofold.store.earlier import no_longer_earlier
from twofold.store.errors import FenceLost
from twofold.store.fences import Hold, check_hold, disturb
from twofold.store.gone import come_back, is_linked, leave, mark_due
from twofold.store.keys import move_keys
from twofold.store.types import Known, Page, Reader, Sighting, Stored, Subscriber

_READER = (
    "id, connection, object_type, fields, associations, cursor, scanning, complete, live, scanned,"
    " swept"
)
_BLOCK = 13
"""A block of scan marks covers 2**13 rows, one kilobyte."""
_BYTES, _WITHIN = 1 << _BLOCK - 3, (1 << _BLOCK) - 1


class Records:
    """Observations. Nothing here knows a rule."""

    def __init__(self, database: Database) -> None:
        self._database = database
        self._connection = database.connection

    # --- readers ----------------------------------------------------------------------------

    def reader(self, reader_id: int) -> Reader:
        """A reader by its id."""
        row = self._connection.execute(
            f"SELECT {_READER} FROM readers WHERE id = ?", (reader_id,)
        ).fetchone()
        return _reader(row)

    def find_reader(self, connection: int, object_type: str) -> Reader | None:
        """The reader of an object type, if a sync ever needed it."""
        row = self._connection.execute(
            f"SELECT {_READER} FROM readers WHERE connection = ? AND object_type = ?",
            (connection, object_type),
        ).fetchone()
        return None if row is None else _reader(row)

    def widen(
        self,
        connection: int,
        object_type: str,
        fields: Sequence[str],
        associations: Sequence[str],
    ) -> Reader:
        """Make the reader, or have it read these fields too; new fields mean a new full listing."""
        found = self.find_reader(connection, object_type)
        if found is None:
            with self._database.transaction() as db:
                db.execute(
                    "INSERT INTO readers (connection, object_type, fields, associations)"
                    " VALUES (?, ?, ?, ?)",
                    (connection, object_type, as_json(fields), as_json(associations)),
                )
            return self._the(connection, object_type)
        wider = tuple(dict.fromkeys((*found.fields, *fields)))
        more = tuple(dict.fromkeys((*found.associations, *associations)))
        if (wider, more) != (found.fields, found.associations):
            with self._database.transaction() as db:
                db.execute(
                    "UPDATE readers SET fields = ?, associations = ? WHERE id = ?",
                    (as_json(wider), as_json(more), found.id),
                )
                disturb(db, (found.id,))
                # Equal digests and versions no longer mean that all that is asked is known.
                db.execute(
                    "UPDATE records SET digest = NULL, version = NULL WHERE reader = ?",
                    (found.id,),
                )
                _restart(db, found.id)
        return self._the(connection, object_type)

    def restart(self, reader_id: int) -> None:
        """Forget the cursor: the next page begins a full listing."""
        with self._database.transaction() as db:
            _restart(db, reader_id)

    def _the(self, connection: int, object_type: str) -> Reader:
        found = self.find_reader(connection, object_type)
        assert found is not None
        return found

    # --- looking up -------------------------------------------------------------------------

    def known(self, reader_id: int, ids: Sequence[str]) -> dict[str, Known]:
        """Row, digest and version of those records that were ever seen."""
        query = "SELECT id, row, digest, version, gone, looked FROM records WHERE reader = ? AND id"
        found = self._connection.execute(
            f"{query} IN (SELECT value FROM json_each(?))", (reader_id, as_json(ids))
        ).fetchall()
        for odd in (i for i in ids if "\0" in i):  # json_each ends a text at its first NUL
            found += self._connection.execute(f"{query} = ?", (reader_id, odd)).fetchall()
        return {
            i: Known(row, digest, version, bool(gone), looked)
            for i, row, digest, version, gone, looked in found
        }

    def unmoved(
        self, reader_id: int, ids: Sequence[str], marks: Sequence[int | str | None], *, by: str
    ) -> list[int] | None:
        """The rows of a page where each of its records exists as it is known, else None.

        One cheap question, as most pages of a full listing are like that. ``marks`` are the digests
        or versions that the page shows, ``by`` says which: "digest" or "version".
        """
        asked = as_json(ids)
        if "\\u0000" in asked:  # json_each ends a text at its first NUL
            return None
        found: list[tuple[int, int | str | None]] = self._connection.execute(
            f"SELECT row, {by} FROM json_each(?) AS asked CROSS JOIN records"
            " ON reader = ? AND records.id = asked.value WHERE gone = 0",
            (asked, reader_id),
        ).fetchall()
        if len(found) != len(ids) or [mark for _, mark in found] != marks:
            return None
        return [row for row, _ in found]

    def stored(self, rows: Iterable[int]) -> dict[int, Stored]:
        """Records by row, decoded."""
        found = self._connection.execute(
            "SELECT row, id, version, shown, gone, into_id FROM records"
            " WHERE row IN (SELECT value FROM json_each(?))",
            (as_json(list(rows)),),
        )
        return {row[0]: as_stored(*row) for row in found}

    def find(self, reader_id: int, record_id: str) -> Stored | None:
        """A record by its id, living or gone, decoded; None where it was never seen."""
        row = self._connection.execute(
            "SELECT row, id, version, shown, gone, into_id FROM records"
            " WHERE reader = ? AND id = ?",
            (reader_id, record_id),
        ).fetchone()
        return None if row is None else as_stored(*row)

    def merged(self, reader_id: int, ids: Iterable[str]) -> list[int]:
        """The rows of records that were merged into one of these, maybe by way of others."""
        found = self._connection.execute(
            "WITH RECURSIVE lost (row, id) AS ("
            " SELECT row, id FROM records WHERE into_id IS NOT NULL AND reader = ?1"
            " AND into_id IN (SELECT value FROM json_each(?2))"
            " UNION SELECT r.row, r.id FROM lost JOIN records r ON r.into_id IS NOT NULL"
            " AND r.reader = ?1 AND r.into_id = lost.id) SELECT row FROM lost",
            (reader_id, as_json(list(ids))),
        )
        return [row for (row,) in found]

    def shown(self, rows: Iterable[int]) -> dict[int, bytes]:
        """What records showed, by row, as stored."""
        found = self._connection.execute(
            "SELECT row, shown FROM records WHERE row IN (SELECT value FROM json_each(?))",
            (as_json(list(rows)),),
        )
        return dict(found.fetchall())

    def since(self, reader_id: int, row: int) -> list[Stored]:
        """Living records that were first seen after that row, decoded."""
        found = self._connection.execute(
            "SELECT row, id, version, shown, gone, into_id FROM records"
            " WHERE row > ? AND reader = ? AND gone = 0",
            (row, reader_id),
        )
        return [as_stored(*r) for r in found]

    def living(self, reader_id: int) -> Iterator[Stored]:
        """All records of a reader that exist, decoded one by one, in the order of their rows."""
        found = self._connection.execute(
            # In the order of the file: by the index on ids, each would be looked up on its own.
            "SELECT row, id, version, shown, gone, into_id FROM records NOT INDEXED"
            " WHERE reader = ? AND gone = 0",
            (reader_id,),
        )
        return (as_stored(*r) for r in found)

    def moves(self, readers: tuple[int, int]) -> tuple[int, int]:
        """How often each reader has stored something new."""
        found = [
            self._connection.execute("SELECT moves FROM readers WHERE id = ?", (r,)).fetchone()[0]
            for r in readers
        ]
        return found[0], found[1]

    def newest(self) -> int:
        """The highest row so far."""
        found = self._connection.execute("SELECT max(row) FROM records").fetchone()[0]
        return found or 0

    # --- pages ------------------------------------------------------------------------------

    def take_page(
        self,
        reader: Reader,
        page: Page,
        subscribers: Sequence[Subscriber],
        hold: Hold | None = None,
    ) -> None:
        """Store a page with its cursor, and mark what changed as due, in one transaction.

        Raises:
            FenceLost: somebody else has moved this reader's cursor since ``reader`` was read, or
                ``hold`` is lost.
        """
        scanning = reader.scanning
        if page.listing and page.last:
            scanning = 2
        with self._database.transaction() as db:
            check_hold(db, hold)
            moved = db.execute(
                "UPDATE readers SET cursor = ?, scanning = ? WHERE id = ? AND cursor IS ?",
                (page.cursor, scanning, reader.id, reader.cursor),
            )
            if moved.rowcount != 1:
                raise FenceLost
            if page.sightings:
                see(db, reader.id, page.sightings, subscribers)
            if page.gone:
                leave(db, reader.id, page.gone, subscribers, page.keys_gone)
            if page.listing:
                rows = [*page.unchanged, *(s.row for s in page.sightings if s.row is not None)]
                added = mark(db, reader.id, rows)
                db.execute(
                    "UPDATE readers SET scanned = scanned + ? WHERE id = ?", (added, reader.id)
                )

    def end_listing(
        self,
        reader: Reader,
        gone: Sequence[tuple[int, str | None]],
        subscribers: Sequence[Subscriber],
        keys: Sequence[Sequence[Sequence[int]]],
        now: float,
        hold: Hold | None = None,
    ) -> None:
        """The full listing is over: what it did not show is gone."""
        with self._database.transaction() as db:
            check_hold(db, hold)
            db.execute(
                "UPDATE readers SET scanning = 0, complete = 1, scanned = 0, swept = ?"
                " WHERE id = ?",
                (now, reader.id),
            )
            db.execute("DELETE FROM scan_marks WHERE reader = ?", (reader.id,))
            if gone:
                leave(db, reader.id, gone, subscribers, keys)

    def refresh(
        self,
        reader_id: int,
        sightings: Sequence[Sighting],
        gone: Sequence[tuple[int, str | None]],
        keys_gone: Sequence[Sequence[Sequence[int]]],
        subscribers: Sequence[Subscriber],
        hold: Hold | None = None,
        looked: float = 0.0,
    ) -> None:
        """Store what a look at single records showed.

        ``looked``: when that was, in seconds since 1970, where the feed lags behind it.
        """
        with self._database.transaction() as db:
            check_hold(db, hold)
            see(db, reader_id, sightings, subscribers)
            if gone:
                leave(db, reader_id, gone, subscribers, keys_gone)
                db.executemany(
                    "UPDATE records SET looked = ? WHERE row = ?", [(looked, r) for r, _ in gone]
                )

    def learn_merges(self, merges: Mapping[int, str], subscribers: Sequence[Subscriber]) -> None:
        """Records that only seemed deleted: row → the id that each was merged into."""
        with self._database.transaction() as db:
            db.executemany(
                "UPDATE records SET into_id = ? WHERE row = ? AND gone",
                [(into, row) for row, into in merges.items()],
            )
            for subscriber in subscribers:
                linked = [row for row in merges if is_linked(db, subscriber, row)]
                mark_due(db, subscriber, linked)

    # --- full listings ----------------------------------------------------------------------

    def marked(self, reader_id: int) -> dict[int, int]:
        """The marks of the full listing under way: block → bits as one integer."""
        found = self._connection.execute(
            "SELECT block, bits FROM scan_marks WHERE reader = ?", (reader_id,)
        )
        return {block: int.from_bytes(bits, "little") for block, bits in found}

    def unmarked(self, reader_id: int) -> list[tuple[int, str]]:
        """(row, id) of living records that the full listing under way has not shown."""
        marks = self.marked(reader_id)
        found = self._connection.execute(
            "SELECT row, id FROM records WHERE reader = ? AND gone = 0", (reader_id,)
        )
        return [(row, i) for row, i in found if not _bit(marks, row)]


def mark(db: sqlite3.Connection, reader_id: int, rows: Iterable[int]) -> int:
    """Mark rows as shown by the listing under way; returns how many were not marked before."""
    wanted: defaultdict[int, bytearray] = defaultdict(lambda: bytearray(_BYTES))
    for row in rows:
        wanted[row >> _BLOCK][(row & _WITHIN) >> 3] |= 1 << (row & 7)
    added = 0
    for block, marks in wanted.items():
        bits = int.from_bytes(marks, "little")
        found = db.execute(
            "SELECT bits FROM scan_marks WHERE reader = ? AND block = ?", (reader_id, block)
        ).fetchone()
        before = int.from_bytes(found[0], "little") if found else 0
        added += (bits & ~before).bit_count()
        db.execute(
            "REPLACE INTO scan_marks (reader, block, bits) VALUES (?, ?, ?)",
            (reader_id, block, (before | bits).to_bytes(_BYTES, "little")),
        )
    return added


def see(
    db: sqlite3.Connection,
    reader_id: int,
    sightings: Sequence[Sighting],
    subscribers: Sequence[Subscriber],
    quiet: int | None = None,
) -> None:
    """Store what records showed; new ones get their row. Runs inside a transaction.

    Before what a side shows moves, *seen* is copied out of it where a link had left it there.
    ``quiet``: a sync for which these are its own writes, so they do not become due.
    """
    new = [s for s in sightings if s.row is None]
    # A record that is back carries match keys again, whether or not it changed meanwhile.
    moved = [s for s in sightings if s.row is not None and (s.was_gone or s.before != s.shown)]
    same = [s for s in sightings if s.row is not None and not s.was_gone and s.before == s.shown]
    if new:
        _insert(db, reader_id, new)
    db.executemany(
        "UPDATE records SET digest = coalesce(?, digest), version = ? WHERE row = ?",
        [(s.digest, s.version, s.row) for s in same],
    )
    for position, subscriber in enumerate(subscribers):
        _copy_out(db, subscriber, moved)
        move_keys(db, subscriber, [(s, position) for s in (*new, *moved)])
        if subscriber.marks and subscriber.sync != quiet:
            mark_due(db, subscriber, [s.row for s in (*new, *moved) if s.row is not None])
            if subscriber.from_now_on:
                no_longer_earlier(db, subscriber, moved)
    db.executemany(
        "UPDATE records SET digest = ?, version = ?, shown = ? WHERE row = ?",
        [(s.digest, s.version, s.shown, s.row) for s in moved],
    )
    db.executemany(
        "UPDATE records SET looked = ? WHERE row = ?",
        [(s.looked, s.row) for s in sightings if s.looked],
    )
    returned = [s.row for s in sightings if s.was_gone and s.row is not None]
    if returned:
        come_back(db, subscribers, returned)
    if new or moved or returned:
        db.execute(
            "UPDATE readers SET live = live + ?, moves = moves + 1 WHERE id = ?",
            (len(new) + len(returned), reader_id),
        )


def as_stored(
    row: int, record_id: str, version: str | None, shown: bytes, gone: int, into_id: str | None
) -> Stored:
    """Decode one row of ``records``."""
    return Stored(row, Record(record_id, decode(shown), version), shown, bool(gone), into_id)


def _insert(db: sqlite3.Connection, reader_id: int, new: Sequence[Sighting]) -> None:
    row = db.execute("SELECT coalesce(max(row), 0) FROM records").fetchone()[0]
    for sighting in new:
        row += 1
        sighting.row = row
    db.executemany(
        "INSERT INTO records (row, reader, id, digest, version, shown) VALUES (?, ?, ?, ?, ?, ?)",
        [(s.row, reader_id, s.id, s.digest, s.version, s.shown) for s in new],
    )


def _copy_out(db: sqlite3.Connection, subscriber: Subscriber, moved: Sequence[Sighting]) -> None:
    end = subscriber.side.value
    db.executemany(
        f"UPDATE links SET agreed_{end} = ? WHERE sync = ? AND {end} = ? AND agreed_{end} IS NULL",
        [(s.before, subscriber.sync, s.row) for s in moved],
    )


def _restart(db: sqlite3.Connection, reader_id: int) -> None:
    db.execute(
        "UPDATE readers SET cursor = NULL, scanning = 1, scanned = 0 WHERE id = ?", (reader_id,)
    )
    db.execute("DELETE FROM scan_marks WHERE reader = ?", (reader_id,))


def _bit(marks: Mapping[int, int], row: int) -> bool:
    return bool(marks.get(row >> _BLOCK, 0) >> (row & _WITHIN) & 1)


@lru_cache(256)
def _names(text: str) -> tuple[str, ...]:
    """A JSON list of names; the same for every page of a reading."""
    return tuple(orjson.loads(text))


def _reader(row: Sequence[object]) -> Reader:
    i, connection, object_type, fields, associations, cursor, scanning, complete, live, n, swept = (
        row
    )
    return Reader(
        id=int(str(i)),
        connection=int(str(connection)),
        object_type=str(object_type),
        fields=_names(str(fields)),
        associations=_names(str(associations)),
        cursor=None if cursor is None else str(cursor),
        scanning=int(str(scanning)),
        complete=bool(complete),
        live=int(str(live)),
        scanned=int(str(n)),
        swept=float(str(swept)),
    )
