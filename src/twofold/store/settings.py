"""What a person set for the whole installation: one JSON value for each name."""

from __future__ import annotations

from typing import TypeVar

import msgspec

from twofold.database.sqlite import Database

TABLES = """
-- What a person set for the whole installation.
CREATE TABLE settings (
    name TEXT PRIMARY KEY,
    value TEXT NOT NULL             -- JSON
) WITHOUT ROWID;
"""

T = TypeVar("T")


class Settings:
    """The settings of an installation."""

    def __init__(self, database: Database) -> None:
        self._database = database
        self._connection = database.connection

    def get(self, name: str, default: T) -> T:
        """A setting, as the type of its default, which it is while nobody has set it."""
        found = self._connection.execute(
            "SELECT value FROM settings WHERE name = ?", (name,)
        ).fetchone()
        return default if found is None else msgspec.json.decode(found[0], type=type(default))

    def put(self, name: str, value: object) -> None:
        """Set a setting."""
        with self._database.transaction() as db:
            db.execute("REPLACE INTO settings VALUES (?, ?)", (name, _text(value)))


def _text(value: object) -> str:
    return msgspec.json.encode(value).decode()
