"""Set-ups that a person has begun and not saved yet: one per draft, whatever its form."""

from __future__ import annotations

from twofold.database.sqlite import Database

TABLES = """
-- Set-ups of syncs that are under way; nothing syncs by them.
CREATE TABLE drafts (
    id TEXT PRIMARY KEY,
    body BLOB NOT NULL,             -- JSON
    changed REAL NOT NULL           -- seconds since 1970
) WITHOUT ROWID;
"""


class Drafts:
    """All drafts, by an id that nobody can guess."""

    def __init__(self, database: Database) -> None:
        self._database = database

    def get(self, name: str) -> bytes | None:
        """What is kept under an id."""
        query = "SELECT body FROM drafts WHERE id = ?"
        found = self._database.connection.execute(query, (name,)).fetchone()
        return None if found is None else bytes(found[0])

    def all(self) -> list[bytes]:
        """Every draft, the latest first."""
        query = "SELECT body FROM drafts ORDER BY changed DESC"
        return [bytes(body) for (body,) in self._database.connection.execute(query)]

    def put(self, name: str, body: bytes, now: float) -> None:
        """Keep a draft, in place of what it was."""
        with self._database.transaction() as db:
            db.execute("REPLACE INTO drafts VALUES (?, ?, ?)", (name, body, now))

    def remove(self, name: str) -> None:
        """Forget a draft; it may be gone already."""
        with self._database.transaction() as db:
            db.execute("DELETE FROM drafts WHERE id = ?", (name,))

    def remove_older(self, than: float) -> None:
        """Forget what nobody has touched since a moment."""
        with self._database.transaction() as db:
            db.execute("DELETE FROM drafts WHERE changed < ?", (than,))
