"""Which addresses within the own network an administrator allowed to be reached."""

from __future__ import annotations

from twofold.database.sqlite import Database


class AllowedAddresses:
    """Addresses and blocks of them, as text, each once."""

    def __init__(self, database: Database) -> None:
        self._database = database

    def all(self) -> list[str]:
        """All of them, in order."""
        rows = self._database.connection.execute("SELECT address FROM allowed_addresses ORDER BY 1")
        return [address for (address,) in rows]

    def add(self, address: str) -> None:
        """Allow one; it may be there already."""
        with self._database.transaction() as db:
            db.execute("INSERT OR IGNORE INTO allowed_addresses VALUES (?)", (address,))

    def remove(self, address: str) -> bool:
        """Allow one no more; whether it was there."""
        with self._database.transaction() as db:
            gone = "DELETE FROM allowed_addresses WHERE address = ?"
            return db.execute(gone, (address,)).rowcount == 1
