"""What a person wants put back, until the next run has dealt with it."""

from __future__ import annotations

import sqlite3
from collections.abc import Iterable, Sequence

from msgspec import Struct

from twofold.core.records import Side
from twofold.core.undo import PutBack
from twofold.database.sqlite import Database
from twofold.store.codec import as_json, decode, encode

TABLES = """
-- Values that a person wants put back; gone once the next run has dealt with the pair.
CREATE TABLE undos (
    sync INTEGER NOT NULL,
    hub INTEGER NOT NULL,           -- the link
    name TEXT NOT NULL,             -- of the mapping
    side TEXT NOT NULL,             -- where it was written
    wish BLOB NOT NULL,             -- what it held before, and what was written
    who TEXT NOT NULL,
    PRIMARY KEY (sync, hub, name)
) WITHOUT ROWID;
"""


class Wish(Struct, frozen=True):
    """What a person wants put back into one end of a link."""

    hub: int
    """The hub row of the link."""
    put_back: PutBack


class Undos:
    """What is to be put back in all syncs."""

    def __init__(self, database: Database) -> None:
        self._database = database
        self._connection = database.connection

    def ask(self, sync: int, wishes: Sequence[Wish], who: str) -> None:
        """Keep what a person wants back; a run under way starts its slice again and does it."""
        with self._database.transaction() as db:
            db.execute("UPDATE syncs SET fence = fence + 1 WHERE id = ?", (sync,))
            db.executemany(
                "REPLACE INTO undos (sync, hub, name, side, wish, who) VALUES (?, ?, ?, ?, ?, ?)",
                [
                    (sync, w.hub, p.name, p.side.value, _encoded(p), who)
                    for w in wishes
                    for p in (w.put_back,)
                ],
            )
            db.executemany(
                "INSERT OR IGNORE INTO due VALUES (?, 'hub', ?)", [(sync, w.hub) for w in wishes]
            )

    def any(self, sync: int) -> bool:
        """Whether anything is to be put back."""
        found = self._connection.execute("SELECT 1 FROM undos WHERE sync = ? LIMIT 1", (sync,))
        return found.fetchone() is not None

    def of(self, sync: int, hubs: Iterable[int]) -> dict[int, list[PutBack]]:
        """What is to be put back into some links, by hub row."""
        found: dict[int, list[PutBack]] = {}
        for hub, name, side, wish in self._connection.execute(
            "SELECT hub, name, side, wish FROM undos WHERE sync = ?"
            " AND hub IN (SELECT value FROM json_each(?))",
            (sync, as_json(list(hubs))),
        ):
            values = decode(wish)
            made = PutBack(Side(side), name, values["value"], values["expects"])
            found.setdefault(hub, []).append(made)
        return found


def forget_undos(db: sqlite3.Connection, sync: int, hubs: Iterable[int]) -> None:
    """These links were dealt with. Runs inside a transaction."""
    db.executemany("DELETE FROM undos WHERE sync = ? AND hub = ?", [(sync, hub) for hub in hubs])


def _encoded(wish: PutBack) -> bytes:
    return encode({"value": wish.value, "expects": wish.expects})
