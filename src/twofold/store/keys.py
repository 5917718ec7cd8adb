"""The match keys of a sync's records: 64-bit hashes that propose who may be the same.

A sync has none before both its first readings have ended. Then they are made all at once, in their
own order: one by one they would each touch another page of the table.
"""

from __future__ import annotations

import sqlite3
from collections.abc import Iterable, Mapping, Sequence

from twofold.core.health import State
from twofold.core.records import Side
from twofold.store.foreseen import any_foreseen, foresee, forget_foreseen, unsettle
from twofold.store.types import Sighting, Subscriber

Keys = Mapping[Side, Iterable[tuple[int, int]]]
"""By side: (match key hash, row) of all living records, in any order."""


def fill_keys(db: sqlite3.Connection, sync: int, keys: Keys) -> None:
    """Store all match keys of a sync. Runs inside a transaction.

    They are sorted outside of memory, which they might not fit into.
    """
    db.execute("CREATE TEMP TABLE unsorted_keys (hash INTEGER, side TEXT, row INTEGER)")
    for side, found in keys.items():
        db.executemany(f"INSERT INTO unsorted_keys VALUES (?, '{side.value}', ?)", found)
    db.execute(
        "INSERT OR IGNORE INTO match_keys (sync, hash, side, row)"
        " SELECT ?, hash, side, row FROM unsorted_keys ORDER BY hash, side, row",
        (sync,),
    )
    db.execute("DROP TABLE unsorted_keys")
    foresee(db, sync)


def move_keys(
    db: sqlite3.Connection, subscriber: Subscriber, items: Sequence[tuple[Sighting, int]]
) -> None:
    """Keep the match keys in step; whoever shared a key that was dropped becomes due."""
    sync, side = subscriber.sync, subscriber.side.value
    ahead = any_foreseen(db, sync)
    dropped: list[tuple[int, int, str, int]] = []
    added: list[tuple[int, int, str, int]] = []
    for sighting, position in items:
        now = sighting.keys[position]
        before = sighting.keys_before[position] if sighting.keys_before else ()
        if not before:
            added += [(sync, key, side, sighting.row or 0) for key in now]
        elif now != before:
            dropped += [(sync, k, side, sighting.row or 0) for k in before if k not in now]
            added += [(sync, k, side, sighting.row or 0) for k in now if k not in before]
    if ahead:
        forget_foreseen(db, sync, [(subscriber.side, row) for *_, row in (*dropped, *added)])
        unsettle(db, sync, [key for _, key, _, _ in added])
    drop_keys(db, dropped)
    added.sort()
    db.executemany("INSERT OR IGNORE INTO match_keys VALUES (?, ?, ?, ?)", added)


def drop_keys(db: sqlite3.Connection, dropped: Sequence[tuple[int, int, str, int]]) -> None:
    """Forget (sync, key, side, row).

    Unlinked records that share such a key become due, and pairs that fail: it may have been taken.
    """
    db.executemany(
        "DELETE FROM match_keys WHERE sync = ? AND hash = ? AND side = ? AND row = ?", dropped
    )
    db.executemany(
        "INSERT OR IGNORE INTO due SELECT k.sync, k.side, k.row FROM match_keys k"
        " JOIN singles s ON s.sync = k.sync AND s.side = k.side AND s.row = k.row"
        " WHERE k.sync = ? AND k.hash = ?",
        [(sync, key) for sync, key, _, _ in dropped],
    )
    for side in Side:
        db.executemany(
            "INSERT OR IGNORE INTO due SELECT k.sync, k.side, k.row FROM match_keys k"
            f" JOIN links l ON l.sync = k.sync AND l.{side.value} = k.row AND l.state = ?"
            f" WHERE k.sync = ? AND k.hash = ? AND k.side = '{side.value}'",
            [(int(State.FAILING), sync, key) for sync, key, _, _ in dropped],
        )
