"""Links that end, or go on with another record. All of it inside a transaction."""

from __future__ import annotations

import sqlite3
from collections.abc import Sequence

from twofold.core.records import Side
from twofold.store.foreseen import forget_foreseen
from twofold.store.gone import count, wake_waiting
from twofold.store.types import Relink


def cut(db: sqlite3.Connection, sync: int, hub: int) -> None:
    """End a link; its living records become due, to be matched afresh."""
    state, ends = _ended(db, sync, hub)
    alive = [(side, row) for side, row, gone in ends if not gone]
    db.execute("DELETE FROM links WHERE sync = ? AND hub = ?", (sync, hub))
    db.execute("DELETE FROM removals WHERE sync = ? AND hub = ?", (sync, hub))
    if alive:
        count(db, sync, {state: -1})
    if len(alive) == len(ends):
        db.execute("UPDATE syncs SET paired = paired - 1 WHERE id = ?", (sync,))
    for side, row in alive:
        _mark_due(db, sync, side, row)
        db.execute(
            "INSERT INTO remade (sync, side, row, times) VALUES (?, ?, ?, 1)"
            " ON CONFLICT (sync, side, row) DO UPDATE SET times = times + 1",
            (sync, side.value, row),
        )


def relink(db: sqlite3.Connection, sync: int, move: Relink) -> None:
    """Move a link from a merged record to the unlinked one that it was merged into.

    *Seen* stays what the loser last agreed on, so that the two are merged three-way.
    """
    side, loser, survivor = move.side, move.loser, move.survivor
    end, other = side.value, side.other.value
    single = db.execute(
        "DELETE FROM singles WHERE sync = ? AND side = ? AND row = ? RETURNING state",
        (sync, end, survivor),
    ).fetchone()
    if single:
        count(db, sync, {single[0]: -1})
    hub = _hub_of(db, sync, side, loser)
    db.execute("DELETE FROM removals WHERE sync = ? AND hub = ?", (sync, hub))
    # A NULL means what the loser shows: it must not become what the survivor shows.
    note = "NULL" if move.unnoted else "note"
    db.execute(
        f"UPDATE links SET {end} = ?, note = {note}, agreed_{end} = coalesce(agreed_{end},"
        f" (SELECT shown FROM records WHERE row = {end})) WHERE sync = ? AND {end} = ?",
        (survivor, sync, loser),
    )
    (twin,) = db.execute(
        f"SELECT {other} FROM links WHERE sync = ? AND {end} = ?", (sync, survivor)
    ).fetchone()
    db.execute("UPDATE syncs SET paired = paired + 1 WHERE id = ?", (sync,))
    forget_foreseen(db, sync, [(side, survivor)])
    wake_waiting(db, [survivor, twin])
    _mark_due(db, sync, side, survivor)


def _hub_of(db: sqlite3.Connection, sync: int, side: Side, row: int) -> int:
    found: int = db.execute(
        f"SELECT hub FROM links WHERE sync = ? AND {side.value} = ?", (sync, row)
    ).fetchone()[0]
    return found


def _ended(
    db: sqlite3.Connection, sync: int, hub: int
) -> tuple[int, Sequence[tuple[Side, int, bool]]]:
    state, app, hub_gone, app_gone = db.execute(
        "SELECT l.state, l.app, h.gone, a.gone FROM links l JOIN records h ON h.row = l.hub"
        " JOIN records a ON a.row = l.app WHERE l.sync = ? AND l.hub = ?",
        (sync, hub),
    ).fetchone()
    return state, ((Side.HUB, hub, bool(hub_gone)), (Side.APP, app, bool(app_gone)))


def _mark_due(db: sqlite3.Connection, sync: int, side: Side, row: int) -> None:
    db.execute("INSERT OR IGNORE INTO due VALUES (?, ?, ?)", (sync, side.value, row))
