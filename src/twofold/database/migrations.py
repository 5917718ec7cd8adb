"""Bring the tables of a database file to the version that this program knows."""

from __future__ import annotations

import sqlite3
from collections.abc import Callable, Iterator, Sequence

from msgspec import Struct

MigrationStep = str | Callable[[sqlite3.Connection], None]


class Migration(Struct, frozen=True):
    """One numbered change of the tables; once released it is never edited."""

    number: int
    """1, 2, 3 …: the ``PRAGMA user_version`` of a file after this migration."""
    name: str
    step: MigrationStep
    """An SQL script, or a function of the connection. Runs inside one transaction, so it must not
    begin or commit one."""

    def apply(self, connection: sqlite3.Connection) -> None:
        """Run the step and move the file's version; the caller owns the transaction."""
        if callable(self.step):
            self.step(connection)
        else:
            for statement in _statements(self.step):
                connection.execute(statement)
        connection.execute(f"PRAGMA user_version = {self.number:d}")


def check_numbers(migrations: Sequence[Migration]) -> None:
    """Raise ValueError unless the migrations are numbered 1, 2, 3 … in order."""
    numbers = [migration.number for migration in migrations]
    if numbers != list(range(1, len(numbers) + 1)):
        raise ValueError(f"migrations must be numbered 1, 2, 3 … in order, not {numbers}")


def _statements(script: str) -> Iterator[str]:
    """Split an SQL script; ``executescript`` would commit the transaction around it first."""
    statement = ""
    for piece in script.split(";"):
        statement += piece + ";"
        if sqlite3.complete_statement(statement):
            yield statement
            statement = ""
