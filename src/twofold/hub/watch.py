"""Notice at once that something changed in a hub's file, whichever process changed it."""

from __future__ import annotations

import sqlite3
from pathlib import Path

from twofold.database.sqlite import Database
from twofold.hub.schema import NUMBERS
from twofold.hub.tables import APPLICATION_ID, MIGRATIONS

_NEWEST = "SELECT coalesce(max(sequence), 0) FROM record WHERE type = ?"


class Watch:
    """A reader of a hub that asks only whether, and of which types, records changed."""

    def __init__(self, path: Path) -> None:
        self._database = Database(path, MIGRATIONS, application_id=APPLICATION_ID)
        self._version = -1
        self._newest = dict.fromkeys(NUMBERS, 0)
        self.changed()

    def changed(self) -> frozenset[str]:
        """The object types that changed since the last call; a few microseconds for none.

        ``PRAGMA data_version`` moves when another connection commits
        (https://sqlite.org/pragma.html#pragma_data_version).
        """
        try:
            version = self._one("PRAGMA data_version")
            if version == self._version:
                return frozenset()
            newest = {name: self._one(_NEWEST, number) for name, number in NUMBERS.items()}
        except sqlite3.OperationalError:  # busy for a moment: the next call sees it
            return frozenset()
        before, self._version, self._newest = self._newest, version, newest
        return frozenset(name for name, found in newest.items() if found != before[name])

    def close(self) -> None:
        """Close the file."""
        self._database.close()

    def _one(self, query: str, *values: int) -> int:
        found: int = self._database.connection.execute(query, values).fetchone()[0]
        return found
