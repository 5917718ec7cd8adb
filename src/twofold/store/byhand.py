"""Links that a person makes and cuts (M7), and the pairs that matching must leave apart.

All that a person decides at once is one transaction. It takes the fence from a run under way, so
that no chunk which was loaded before can settle over it; what that run noted is recovered as after
a crash.
"""

from __future__ import annotations

import sqlite3
from collections.abc import Iterable, Iterator, Sequence
from typing import NamedTuple

from twofold.core.errors import TwofoldError
from twofold.core.health import State
from twofold.core.records import Side
from twofold.database.sqlite import Database
from twofold.store.codec import as_json
from twofold.store.foreseen import forget_foreseen
from twofold.store.gone import count, wake_waiting
from twofold.store.records import as_stored
from twofold.store.settling import forget_singles
from twofold.store.types import Stored


class Pair(NamedTuple):
    """Two records, by their rows."""

    hub: int
    app: int

    def end(self, side: Side) -> int:
        """The row on that side."""
        return self.hub if side is Side.HUB else self.app


class Orders(NamedTuple):
    """What a person decided at once. Cuts come first."""

    made: Sequence[Pair] = ()
    cut: Sequence[Pair] = ()
    """Linked or not: matching leaves them apart from now on."""
    allowed: Sequence[Pair] = ()
    """No longer apart; matching decides again."""


class Listed(NamedTuple):
    """One pair of a list."""

    hub: Stored
    app: Stored
    state: int | None
    """Of the link; None for a pair that was cut apart."""


_RECORD = "{0}.row, {0}.id, {0}.version, {0}.shown, {0}.gone, {0}.into_id"
_BOTH = f"{_RECORD.format('h')}, {_RECORD.format('a')}"


class ByHand:
    """What people decided about pairs, of all syncs."""

    def __init__(self, database: Database) -> None:
        self._database = database
        self._connection = database.connection

    def refused(self, sync: int, hub_rows: Iterable[int]) -> dict[int, set[int]]:
        """App rows by hub row: pairs that were cut apart."""
        found: dict[int, set[int]] = {}
        rows = self._connection.execute(
            "SELECT hub, app FROM refusals WHERE sync = ? AND NOT lifted"
            " AND hub IN (SELECT value FROM json_each(?))",
            (sync, as_json(list(hub_rows))),
        )
        for hub, app in rows:
            found.setdefault(hub, set()).add(app)
        return found

    def refused_of(self, sync: int, side: Side, row: int, *, ever: bool = False) -> list[int]:
        """The rows of the other side that a record is cut from; ``ever``: or once was."""
        found = self._connection.execute(
            f"SELECT {side.other.value} FROM refusals WHERE sync = ? AND {side.value} = ?"
            " AND lifted <= ? ORDER BY 1",
            (sync, row, ever),
        )
        return [other for (other,) in found]

    def any_refused(self, sync: int) -> bool:
        """Whether any pair of a sync was ever cut apart."""
        found = self._connection.execute("SELECT 1 FROM refusals WHERE sync = ? LIMIT 1", (sync,))
        return found.fetchone() is not None

    def twin(self, sync: int, side: Side, row: int) -> int | None:
        """The row that a record of a side is linked to."""
        found = self._connection.execute(
            f"SELECT {side.other.value} FROM links WHERE sync = ? AND {side.value} = ?", (sync, row)
        ).fetchone()
        return None if found is None else int(found[0])

    def being_made(self, sync: int, side: Side, row: int) -> bool:
        """Whether a twin of this record was being made, and nobody knows yet what became of it."""
        return _being_made(self._connection, sync, side, row)

    def links(self, sync: int, after: int = 0) -> Iterator[Listed]:
        """All links by hub row, behind one; streamed."""
        found = self._connection.execute(
            f"SELECT l.state, {_BOTH} FROM links l JOIN records h ON h.row = l.hub"
            " JOIN records a ON a.row = l.app WHERE l.sync = ? AND l.hub > ?"
            " ORDER BY l.hub",
            (sync, after),
        )
        return (Listed(as_stored(*r[1:7]), as_stored(*r[7:]), r[0]) for r in found)

    def apart(self, sync: int, after: int = 0) -> Iterator[Listed]:
        """All pairs that were cut apart, by hub row, behind one; streamed."""
        found = self._connection.execute(
            f"SELECT {_BOTH} FROM refusals f JOIN records h ON h.row = f.hub"
            " JOIN records a ON a.row = f.app WHERE f.sync = ? AND NOT f.lifted AND f.hub > ?"
            " ORDER BY f.hub, f.app",
            (sync, after),
        )
        return (Listed(as_stored(*r[:6]), as_stored(*r[6:]), None) for r in found)

    def unlinked(self, sync: int, side: Side) -> Iterator[Stored]:
        """The records of a side that exist and have no link; streamed."""
        found = self._connection.execute(
            f"SELECT {_RECORD.format('r')} FROM syncs s"
            f" JOIN records r ON r.reader = s.{side}_reader AND r.gone = 0"
            f" LEFT JOIN links l ON l.sync = s.id AND l.{side} = r.row"
            " WHERE s.id = ? AND l.sync IS NULL ORDER BY r.row",
            (sync,),
        )
        return (as_stored(*row) for row in found)

    def decide(self, sync: int, orders: Orders, hashes: Iterable[int]) -> None:
        """Carry out everything that a person decided, or nothing.

        ``hashes``: the match keys of all records concerned; unlinked records that share one become
        due, as what was ambiguous may now be clear.

        Raises:
            TwofoldError: TF-M20, a record was linked, deleted or is being created meanwhile.
        """
        with self._database.durable_transaction() as db:
            db.execute("UPDATE syncs SET fence = fence + 1 WHERE id = ?", (sync,))
            for pair in orders.cut:
                _cut(db, sync, pair)
            for pair in orders.allowed:
                _allow(db, sync, pair)
            for pair in orders.made:
                _make(db, sync, pair)
            _wake_sharing(db, sync, hashes)


def _cut(db: sqlite3.Connection, sync: int, pair: Pair) -> None:
    _unlink(db, sync, pair)
    db.execute("REPLACE INTO refusals VALUES (?, ?, ?, 0)", (sync, *pair))
    _plan_again(db, sync, pair)


def _allow(db: sqlite3.Connection, sync: int, pair: Pair) -> None:
    db.execute(
        "UPDATE refusals SET lifted = 1 WHERE sync = ? AND hub = ? AND app = ?", (sync, *pair)
    )
    _plan_again(db, sync, pair)


def _make(db: sqlite3.Connection, sync: int, pair: Pair) -> None:
    """Link two unlinked records; a link to a record that is gone stands in nobody's way."""
    _allow(db, sync, pair)
    for side in Side:
        row = pair.end(side)
        if _gone(db, row) or _being_made(db, sync, side, row):
            raise TwofoldError("TF-M20")
        held = db.execute(
            f"SELECT hub, app FROM links WHERE sync = ? AND {side.value} = ?", (sync, row)
        ).fetchone()
        if held == pair:
            return
        if held is not None and not _gone(db, Pair(*held).end(side.other)):
            raise TwofoldError("TF-M20")
        if held is not None:
            _unlink(db, sync, Pair(*held))
        forget_singles(db, sync, side, [row])
    db.execute(
        "INSERT INTO links (sync, hub, app, state, agreed_hub, agreed_app)"
        " VALUES (?, ?, ?, ?, ?, ?)",
        (sync, *pair, int(State.WAITING), b"{}", b"{}"),
    )
    count(db, sync, {int(State.WAITING): 1})
    db.execute("UPDATE syncs SET paired = paired + 1 WHERE id = ?", (sync,))
    wake_waiting(db, pair)


def _unlink(db: sqlite3.Connection, sync: int, pair: Pair) -> None:
    found = db.execute(
        "DELETE FROM links WHERE sync = ? AND hub = ? AND app = ? RETURNING state", (sync, *pair)
    ).fetchone()
    if found is None:
        return
    db.execute("DELETE FROM removals WHERE sync = ? AND hub = ?", (sync, pair.hub))
    dead = sum(_gone(db, row) for row in pair)
    if dead == 0:
        db.execute("UPDATE syncs SET paired = paired - 1 WHERE id = ?", (sync,))
    if dead < len(pair):
        count(db, sync, {found[0]: -1})


def _plan_again(db: sqlite3.Connection, sync: int, pair: Pair) -> None:
    """Both records become due now, whatever they waited for, and are matched anew."""
    forget_foreseen(db, sync, list(zip(Side, pair, strict=True)))
    for side in Side:
        place = (sync, side.value, pair.end(side))
        for table in ("retries", "waits"):
            db.execute(f"DELETE FROM {table} WHERE sync = ? AND side = ? AND row = ?", place)
        if not _gone(db, pair.end(side)):
            db.execute("INSERT OR IGNORE INTO due VALUES (?, ?, ?)", place)


def _wake_sharing(db: sqlite3.Connection, sync: int, hashes: Iterable[int]) -> None:
    db.executemany(
        "INSERT OR IGNORE INTO due SELECT k.sync, k.side, k.row FROM match_keys k"
        " JOIN singles s ON s.sync = k.sync AND s.side = k.side AND s.row = k.row"
        " WHERE k.sync = ? AND k.hash = ?",
        ((sync, key) for key in hashes),
    )


def _gone(db: sqlite3.Connection, row: int) -> bool:
    found = db.execute("SELECT gone FROM records WHERE row = ?", (row,)).fetchone()
    return found is None or bool(found[0])


def _being_made(db: sqlite3.Connection, sync: int, side: Side, row: int) -> bool:
    found = db.execute(
        "SELECT 1 FROM creations WHERE sync = ? AND side = ? AND source = ?",
        (sync, side.other.value, row),
    )
    return found.fetchone() is not None
