"""The disk under the state: statements that fail, and what is left when the power is cut.

The state is one SQLite database in write-ahead mode with ``synchronous=NORMAL``: a transaction is
on the disk when a later one with ``synchronous=FULL`` is, or by chance before. So a power cut keeps
everything up to the last such transaction, and any number of those after it, in order
(https://sqlite.org/pragma.html#pragma_synchronous).
"""

from __future__ import annotations

import sqlite3
from collections.abc import Callable
from typing import Any, cast

from twofold.database.sqlite import Database
from twofold.store.state import State


class PowerCut(BaseException):
    """The machine lost its power at this very instant."""


class Disk:
    """Stands before the connection of a state for one round."""

    def __init__(self, state: State, on_statement: Callable[[], bool]) -> None:
        """``on_statement`` says whether the statement that comes now must fail."""
        self.real: sqlite3.Connection = state.database.connection
        self._on_statement = on_statement
        self._durable = False
        self._before: bytes | None = None
        self.left = [self.real.serialize()]
        """What the disk may hold after a power cut: the last safe image, then each later one."""
        self._database = state.database
        self._database.rewire(cast("sqlite3.Connection", self))
        self.state = State(self._database)
        """The state, on this disk."""

    def close(self) -> State:
        """The state without this disk."""
        self._database.rewire(self.real)
        return State(self._database)

    def after_power_cut(self, pick: int) -> State:
        """What a restarted machine finds."""
        image = self.left[pick % len(self.left)]
        return State(Database.from_template(image))

    def execute(self, statement: str, values: Any = ()) -> sqlite3.Cursor:
        """Like the connection's own."""
        if statement.startswith("PRAGMA synchronous"):
            self._durable = statement.endswith("FULL")
        elif statement == "ROLLBACK":
            return self._rolled_back()
        elif self._on_statement():
            raise self._full()
        if statement.startswith("BEGIN"):
            self._before = self.real.serialize()
        done = self.real.execute(statement, values)
        if statement == "COMMIT":
            image = self.real.serialize()
            self.left = [image] if self._durable else [*self.left, image]
        return done

    def executemany(self, statement: str, values: Any) -> sqlite3.Cursor:
        """Like the connection's own."""
        if self._on_statement():
            raise self._full()
        return self.real.executemany(statement, values)

    def __getattr__(self, name: str) -> Any:
        return getattr(self.real, name)

    def _rolled_back(self) -> sqlite3.Cursor:
        done = self.real.execute("ROLLBACK")
        assert self._before == self.real.serialize(), "a transaction that failed left something"
        return done

    @staticmethod
    def _full() -> sqlite3.OperationalError:
        error = sqlite3.OperationalError("database or disk is full")
        error.sqlite_errorcode = sqlite3.SQLITE_FULL
        return error
