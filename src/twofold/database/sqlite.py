"""One SQLite file: opened with care, written by transactions, its failures coded.

::

    database = Database(path, MIGRATIONS, application_id=0x5477466C)
    with database.transaction() as connection:
        connection.execute("INSERT …")
"""

from __future__ import annotations

import os
import sqlite3
import time
from collections.abc import Iterator, Sequence
from contextlib import AbstractContextManager, contextmanager, suppress
from pathlib import Path
from types import TracebackType

from twofold.database.errors import DatabaseError, coded, coded_os, named
from twofold.database.migrations import Migration, check_numbers

__all__ = ["Database", "DatabaseError", "Migration"]

WAIT = 5.0
"""Seconds that a statement waits for another writer before the file counts as locked."""


class Database:
    """One SQLite file with one writer.

    ``connection`` is in autocommit mode: writes belong in ``transaction()``, and reads that must
    agree with each other in ``reading()``. The object may move between threads, but only one may
    use it at a time. Other processes may have the same file open: readers never wait, and writers
    wait for each other for up to ``wait`` seconds.

    Raises (from the constructor and from both context managers):
        DatabaseError: TF-S01 locked · TF-S02 damaged · TF-S03 of a newer version · TF-S04 not ours
            · TF-S05 disk full · TF-S06 read-only · TF-S07 folder missing · TF-S08 not accessible.
    """

    connection: sqlite3.Connection

    def __init__(
        self,
        path: Path | None,
        migrations: Sequence[Migration],
        *,
        application_id: int,
        read_only: bool = False,
        wait: float = WAIT,
    ) -> None:
        """Open the file, make it where it is missing, and bring its tables up to date.

        ``path=None`` opens an empty database in memory. ``application_id`` is the 32-bit number in
        the file's header that says whose file it is.
        """
        check_numbers(migrations)
        self.path = path
        connection = _connect(path, read_only, wait)
        self.rewire(connection)
        try:
            with self._mapped:
                self._admit(migrations, application_id, read_only)
                if not read_only:
                    self._use_wal(wait)
                    self._migrate(migrations, application_id)
                connection.execute("PRAGMA foreign_keys = ON")
        except BaseException:
            self.close()
            raise

    def rewire(self, connection: sqlite3.Connection) -> None:
        """Work through another connection to the same file, e.g. one that fails on purpose."""
        self.connection = connection
        self._writing = _Transaction(connection, self.path, "BEGIN IMMEDIATE")
        self._reading = _Transaction(connection, self.path, "BEGIN")
        self._mapped = _Mapped(connection, self.path)

    @classmethod
    def from_template(cls, image: bytes) -> Database:
        """Open a copy of ``image()`` in memory, without running a migration again."""
        database = cls(None, (), application_id=0)
        database.connection.deserialize(image)
        return database

    def image(self) -> bytes:
        """The whole database as bytes, for ``from_template``."""
        return self.connection.serialize()

    def transaction(self) -> AbstractContextManager[sqlite3.Connection]:
        """``BEGIN IMMEDIATE`` … ``COMMIT``; ``ROLLBACK`` on any exception, cancellation included.

        Transactions do not nest.
        """
        return self._writing

    @contextmanager
    def durable_transaction(self) -> Iterator[sqlite3.Connection]:
        """A transaction that has reached the disk when it ends, also should the power fail.

        The others reach it soon after, in order (https://sqlite.org/pragma.html#pragma_synchronous):
        for what a later reading would bring again.
        """
        self.connection.execute("PRAGMA synchronous = FULL")
        try:
            with self._writing as connection:
                yield connection
        finally:
            self.connection.execute("PRAGMA synchronous = NORMAL")

    @contextmanager
    def overwriting(self) -> Iterator[None]:
        """What is deleted within the block is overwritten in the file, and leaves its log.

        Where others read all the while, the log is emptied by them later. See
        https://sqlite.org/pragma.html#pragma_secure_delete and #pragma_wal_checkpoint.
        """
        self.connection.execute("PRAGMA secure_delete = ON")
        try:
            yield
        finally:
            self.connection.execute("PRAGMA secure_delete = OFF")
            self.connection.execute("PRAGMA wal_checkpoint(TRUNCATE)").fetchall()

    def reading(self) -> AbstractContextManager[sqlite3.Connection]:
        """A read transaction: all its statements see the file as it was at the first of them."""
        return self._reading

    def check(self) -> None:
        """Read the whole file and raise TF-S02 where its structure is damaged. Slow."""
        with self._mapped as connection:
            (verdict,) = connection.execute("PRAGMA quick_check(1)").fetchone()
        if verdict != "ok":
            raise DatabaseError("TF-S02", path=named(self.path), reason=verdict)

    def close(self) -> None:
        """Close the file. Closing twice is harmless."""
        self.connection.close()

    def _admit(self, migrations: Sequence[Migration], application_id: int, read_only: bool) -> None:
        """Check whose file this is before the first byte of it is changed."""
        newest = len(migrations)
        with self._reading as connection:
            (found,) = connection.execute("PRAGMA application_id").fetchone()
            (tables,) = connection.execute("SELECT count(*) FROM sqlite_schema").fetchone()
            version = self._version(newest)
        if found != application_id and (found or tables):
            reason = "it is another program's database"
            raise DatabaseError("TF-S04", path=named(self.path), reason=reason)
        if read_only and version < newest:
            reason = f"its tables are of version {version}, and {newest} is needed"
            raise DatabaseError("TF-S06", path=named(self.path), reason=reason)

    def _use_wal(self, wait: float) -> None:
        """Switch a new file to write-ahead logging, once for all connections.

        The switch needs the file alone, and SQLite refuses it at once, without waiting, while
        another connection writes; two processes may be making the same file.
        """
        deadline = time.monotonic() + wait
        while True:
            try:
                self.connection.execute("PRAGMA journal_mode = WAL")
                break
            except sqlite3.OperationalError as error:
                busy = error.sqlite_errorcode & 0xFF == sqlite3.SQLITE_BUSY
                if not busy or time.monotonic() > deadline:
                    raise
                time.sleep(0.01)
        self.connection.execute("PRAGMA synchronous = NORMAL")

    def _migrate(self, migrations: Sequence[Migration], application_id: int) -> None:
        newest = len(migrations)
        for migration in migrations[self._version(newest) :]:
            with self._writing as connection:
                if self._version(newest) < migration.number:  # another process may have been faster
                    connection.execute(f"PRAGMA application_id = {application_id:d}")
                    migration.apply(connection)

    def _version(self, newest: int) -> int:
        version: int = self.connection.execute("PRAGMA user_version").fetchone()[0]
        if version > newest:
            raise DatabaseError("TF-S03", path=named(self.path), version=version, newest=newest)
        return version


class _Mapped:
    """Turns errors of SQLite about the file into coded ones. Entered anew by each ``with``."""

    __slots__ = ("_connection", "_path")

    def __init__(self, connection: sqlite3.Connection, path: Path | None) -> None:
        self._connection = connection
        self._path = path

    def __enter__(self) -> sqlite3.Connection:
        return self._connection

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        if isinstance(error, sqlite3.Error):
            self._raise_coded(error)

    def _raise_coded(self, error: sqlite3.Error) -> None:
        remedy = coded(error, self._path)
        if remedy is not None:
            raise remedy from error


class _Transaction(_Mapped):
    """A class, not a generator: half the overhead around the smallest transactions."""

    __slots__ = ("_begin",)

    def __init__(self, connection: sqlite3.Connection, path: Path | None, begin: str) -> None:
        super().__init__(connection, path)
        self._begin = begin

    def __enter__(self) -> sqlite3.Connection:
        try:
            self._connection.execute(self._begin)
        except sqlite3.Error as error:
            self._raise_coded(error)
            raise
        return self._connection

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        if error is None:
            try:
                self._connection.execute("COMMIT")
            except BaseException as refusal:
                self._rollback()
                if isinstance(refusal, sqlite3.Error):
                    self._raise_coded(refusal)
                raise
            return
        self._rollback()
        if isinstance(error, sqlite3.Error):
            self._raise_coded(error)

    def _rollback(self) -> None:
        if self._connection.in_transaction:  # SQLite ends it by itself after some errors
            self._connection.execute("ROLLBACK")


def _connect(path: Path | None, read_only: bool, wait: float) -> sqlite3.Connection:
    if path is None:
        return sqlite3.connect(":memory:", isolation_level=None, check_same_thread=False)
    try:
        if not path.exists() and not read_only:
            _make(path)
        mode = "ro" if read_only else "rw"
        location = f"{path.absolute().as_uri()}?mode={mode}"
        return sqlite3.connect(
            location, uri=True, isolation_level=None, timeout=wait, check_same_thread=False
        )
    except OSError as error:
        raise coded_os(error, path) from error
    except sqlite3.Error as error:
        raise coded(error, path) or error from error


def _make(path: Path) -> None:
    """Make the file for its owner's eyes only, as it will hold personal data.

    Never open a file that exists: closing it again would drop the locks that another connection
    of this process holds on it (POSIX advisory locks, https://sqlite.org/howtocorrupt.html 2.2).
    """
    with suppress(FileExistsError):
        os.close(os.open(path, os.O_RDWR | os.O_CREAT | os.O_EXCL, 0o600))
