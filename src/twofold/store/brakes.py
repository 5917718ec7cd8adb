"""What a brake goes by, and what a person allowed in spite of it."""

from __future__ import annotations

import sqlite3
from collections.abc import Collection, Mapping

import msgspec
import orjson
from msgspec import Struct

from twofold.core.guards import Brake, BrakeName
from twofold.core.mappings import Rules
from twofold.core.parts import part_names
from twofold.database.sqlite import Database
from twofold.store.codec import as_json
from twofold.store.fences import disturb
from twofold.store.syncs import RunStatus


class Override(Struct, frozen=True):
    """A person's yes, in spite of a brake."""

    brake: str
    number: int
    """What the brake had counted: the yes holds up to this."""
    sentence: str
    """What the person was told."""
    at: float
    """Seconds since 1970."""
    who: str
    used: float | None
    """When a run under it came to rest; None = it is in force."""


class BrakeLog:
    """Brakes and their overrides, of all syncs."""

    def __init__(self, database: Database) -> None:
        self._database = database
        self._connection = database.connection

    def overridden(self, sync: int, brake: BrakeName) -> int | None:
        """Up to which count a brake is overridden now; None where it is not."""
        found: int | None = self._connection.execute(
            "SELECT max(number) FROM overrides WHERE sync = ? AND used IS NULL AND brake = ?",
            (sync, brake.value),
        ).fetchone()[0]
        return found

    def override(self, sync: int, brake: BrakeName, status: RunStatus, at: float, who: str) -> None:
        """Store a person's yes to what a sync is paused by, and let it run again."""
        with self._database.transaction() as db:
            _record(db, sync, brake, status.number, status.sentence, at, who)
            db.execute("UPDATE syncs SET status = '' WHERE id = ?", (sync,))

    def allow(self, sync: int, brake: Brake, at: float, who: str) -> None:
        """Store a yes that a person gave before the brake was pulled."""
        with self._database.transaction() as db:
            _record(db, sync, brake.name, brake.number, brake.sentence, at, who)

    def rest(self, sync: int, now: float) -> None:
        """A run came to rest: overrides are used up, and from now on much is unexpected."""
        open_, settled = self._connection.execute(
            "SELECT EXISTS (SELECT 1 FROM overrides WHERE sync = ?1 AND used IS NULL),"
            " settled FROM syncs WHERE id = ?1",
            (sync,),
        ).fetchone()
        if settled and not open_:
            return
        with self._database.transaction() as db:
            db.execute("UPDATE syncs SET settled = 1 WHERE id = ?", (sync,))
            db.execute("UPDATE overrides SET used = ? WHERE sync = ? AND used IS NULL", (now, sync))

    def settled(self, sync: int) -> tuple[bool, int]:
        """Whether a run has ever come to rest, and how many pairs there are."""
        settled, paired = self._connection.execute(
            "SELECT settled, paired FROM syncs WHERE id = ?", (sync,)
        ).fetchone()
        return bool(settled), paired

    def described(self, sync: int) -> float:
        """When the sync was last compared with what the apps declare, seconds since 1970."""
        found: float = self._connection.execute(
            "SELECT described FROM syncs WHERE id = ?", (sync,)
        ).fetchone()[0]
        return found

    def set_described(self, sync: int, now: float) -> None:
        """The apps declare what the sync needs, as of now."""
        with self._database.transaction() as db:
            db.execute("UPDATE syncs SET described = ? WHERE id = ?", (now, sync))

    def take_over(self, sync: int, rules: Rules, gone: Mapping[int, Collection[str]]) -> None:
        """Go on by what the apps declare now; ``gone``: by reader, what is to be read no more."""
        with self._database.transaction() as db:
            db.execute(
                "UPDATE syncs SET config = ?, fence = fence + 1 WHERE id = ?",
                (msgspec.json.encode(rules).decode(), sync),
            )
            for reader, names in gone.items():
                _narrow(db, reader, names)
            disturb(db, list(gone))

    def history(self, sync: int) -> list[Override]:
        """All overrides of a sync, the latest first."""
        found = self._connection.execute(
            "SELECT brake, number, sentence, at, who, used FROM overrides WHERE sync = ?"
            " ORDER BY id DESC",
            (sync,),
        )
        return [Override(*row) for row in found]


def _record(
    db: sqlite3.Connection,
    sync: int,
    brake: BrakeName,
    number: int,
    sentence: str,
    at: float,
    who: str,
) -> None:
    db.execute(
        "INSERT INTO overrides (sync, brake, number, sentence, at, who) VALUES (?, ?, ?, ?, ?, ?)",
        (sync, brake.value, number, sentence, at, who),
    )


def _narrow(db: sqlite3.Connection, reader: int, names: Collection[str]) -> None:
    """What nobody can read any more is not asked for."""
    for column in ("fields", "associations"):
        (text,) = db.execute(f"SELECT {column} FROM readers WHERE id = ?", (reader,)).fetchone()
        left = [n for n in orjson.loads(text) if not set(part_names(n)) & set(names)]
        db.execute(f"UPDATE readers SET {column} = ? WHERE id = ?", (as_json(left), reader))
