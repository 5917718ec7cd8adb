"""Sign-ins by an app's own page that are under way: what is known until the person comes back."""

from __future__ import annotations

from twofold.database.sqlite import Database

TABLES = """
-- Sign-ins under way. All that belongs to one is sealed; times are seconds since 1970.
CREATE TABLE sign_ins (
    state BLOB PRIMARY KEY,         -- SHA-256 of what the person comes back with
    sealed BLOB NOT NULL,
    expires REAL NOT NULL
) WITHOUT ROWID;
"""


class SignIns:
    """The sign-ins of an installation."""

    def __init__(self, database: Database) -> None:
        self._database = database

    def begin(self, state: bytes, sealed: bytes, now: float, expires: float) -> None:
        """Keep one; those that are over are forgotten."""
        with self._database.transaction() as db:
            db.execute("DELETE FROM sign_ins WHERE expires <= ?", (now,))
            db.execute("INSERT INTO sign_ins VALUES (?, ?, ?)", (state, sealed, expires))

    def take(self, state: bytes, now: float) -> bytes | None:
        """What was kept, which counts once only; None: there is none, or it is over."""
        with self._database.transaction() as db:
            query = "DELETE FROM sign_ins WHERE state = ? RETURNING sealed, expires"
            found = db.execute(query, (state,)).fetchone()
        return None if found is None or found[1] <= now else found[0]
