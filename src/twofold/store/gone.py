"""Records that leave and come back, and what that does to pairs, counters and what is due.

All of it inside a transaction.
"""

from __future__ import annotations

import sqlite3
from collections.abc import Iterable, Mapping, Sequence

from twofold.store.codec import as_json
from twofold.store.foreseen import forget_foreseen
from twofold.store.keys import drop_keys
from twofold.store.types import Phase, Subscriber


def leave(
    db: sqlite3.Connection,
    reader_id: int,
    gone: Sequence[tuple[int, str | None]],
    subscribers: Sequence[Subscriber],
    keys: Sequence[Sequence[Sequence[int]]],
) -> None:
    """Mark living records as gone: (row, the id it was merged into). Runs inside a transaction.

    ``keys``: per record, per subscriber, the match keys that it carried; records that share one
    become due, as what was ambiguous may now be clear.
    """
    db.executemany(
        "UPDATE records SET gone = 1, into_id = ? WHERE row = ?", [(into, r) for r, into in gone]
    )
    db.execute(
        "UPDATE readers SET live = live - ?, moves = moves + 1 WHERE id = ?",
        (len(gone), reader_id),
    )
    for position, subscriber in enumerate(subscribers):
        sync, side = subscriber.sync, subscriber.side
        carried = [
            (sync, key, side, row)
            for (row, _), k in zip(gone, keys, strict=True)
            for key in k[position]
        ]
        forget_foreseen(db, sync, [(side, row) for row, _ in gone])
        drop_keys(db, carried)
        for row, _ in gone:
            found = db.execute(
                "DELETE FROM singles WHERE sync = ? AND side = ? AND row = ? RETURNING state",
                (sync, side, row),
            ).fetchone()
            if found:
                count(db, sync, {found[0]: -1})
            _repair_pairs(db, subscriber, row, -1)
        db.executemany(
            "DELETE FROM due WHERE sync = ? AND side = ? AND row = ?",
            [(sync, side, row) for row, _ in gone],
        )
        if subscriber.marks:
            mark_due(db, subscriber, [row for row, _ in gone if is_linked(db, subscriber, row)])


def come_back(
    db: sqlite3.Connection, subscribers: Sequence[Subscriber], rows: Sequence[int]
) -> None:
    """Records that were gone are back."""
    db.executemany(
        "UPDATE records SET gone = 0, into_id = NULL WHERE row = ?", [(r,) for r in rows]
    )
    for subscriber in subscribers:
        for row in rows:
            _repair_pairs(db, subscriber, row, 1)


def _repair_pairs(db: sqlite3.Connection, subscriber: Subscriber, row: int, delta: int) -> None:
    """A linked record left or came back: its pair has one living end less or more."""
    end = subscriber.side.value
    found = db.execute(
        f"SELECT state, {subscriber.side.other.value} FROM links WHERE sync = ? AND {end} = ?",
        (subscriber.sync, row),
    ).fetchone()
    if found is None:
        return
    state, twin = found
    alive = db.execute("SELECT gone = 0 FROM records WHERE row = ?", (twin,)).fetchone()[0]
    if alive:
        db.execute("UPDATE syncs SET paired = paired + ? WHERE id = ?", (delta, subscriber.sync))
        if delta > 0:  # whole again: what was deleted is back, and its twin stays
            _forget_removal(db, subscriber, row)
            wake_waiting(db, [row, twin])
        return
    count(db, subscriber.sync, {state: delta})
    if delta < 0:  # both are gone: there is nothing left to tell of
        db.execute(
            f"UPDATE links SET outcome = NULL WHERE sync = ? AND {end} = ?",
            (subscriber.sync, row),
        )


def _forget_removal(db: sqlite3.Connection, subscriber: Subscriber, row: int) -> None:
    """But for one on its way: its twin may be gone already, and we only have not looked yet."""
    db.execute(
        "DELETE FROM removals WHERE sync = ?1 AND phase <> ?3 AND hub ="
        f" (SELECT hub FROM links WHERE sync = ?1 AND {subscriber.side.value} = ?2)",
        (subscriber.sync, row, int(Phase.SENDING)),
    )


def is_linked(db: sqlite3.Connection, subscriber: Subscriber, row: int) -> bool:
    """Whether a record of this subscriber has a link."""
    found = db.execute(
        f"SELECT 1 FROM links WHERE sync = ? AND {subscriber.side.value} = ?",
        (subscriber.sync, row),
    ).fetchone()
    return found is not None


def mark_due(db: sqlite3.Connection, subscriber: Subscriber, rows: Iterable[int]) -> None:
    """These records must be planned again."""
    db.executemany(
        "INSERT OR IGNORE INTO due VALUES (?, ?, ?)",
        [(subscriber.sync, subscriber.side.value, row) for row in rows],
    )


def wake_waiting(db: sqlite3.Connection, rows: Sequence[int]) -> None:
    """Records that are linked now may be the far end that associations waited for."""
    if rows and db.execute("SELECT 1 FROM waits LIMIT 1").fetchone():
        db.execute(
            "INSERT OR IGNORE INTO due SELECT w.sync, w.side, w.row FROM json_each(?) j"
            " JOIN records r ON r.row = j.value"
            " JOIN waits w ON w.reader = r.reader AND w.target = r.id",
            (as_json(list(rows)),),
        )


def count(db: sqlite3.Connection, sync: int, deltas: Mapping[int, int]) -> None:
    """Move the counters of a sync."""
    db.executemany(
        "INSERT INTO counters (sync, state, count) VALUES (?, ?, ?)"
        " ON CONFLICT (sync, state) DO UPDATE SET count = count + excluded.count",
        [(sync, state, delta) for state, delta in deltas.items() if delta],
    )
