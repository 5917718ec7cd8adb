"""What can go wrong with a database file, as coded errors."""

from __future__ import annotations

import errno
import shutil
import sqlite3
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from twofold.core.errors import TwofoldError

_NO_ROOM = 1024 * 1024
"""Bytes. With less free than this, a failed read or write of SQLite is taken as a full disk:
it reports a shared-memory file that cannot grow as an input/output error only."""

_REMEDIES = {
    sqlite3.SQLITE_BUSY: "TF-S01",
    sqlite3.SQLITE_LOCKED: "TF-S01",
    sqlite3.SQLITE_CORRUPT: "TF-S02",
    sqlite3.SQLITE_NOTADB: "TF-S04",
    sqlite3.SQLITE_FULL: "TF-S05",
    sqlite3.SQLITE_READONLY: "TF-S06",
    sqlite3.SQLITE_CANTOPEN: "TF-S08",
    sqlite3.SQLITE_PERM: "TF-S08",
    sqlite3.SQLITE_IOERR: "TF-S08",
    sqlite3.SQLITE_PROTOCOL: "TF-S01",
}
"""Primary result codes of SQLite (https://sqlite.org/rescode.html) by our codes. What is missing
here (a constraint, a bad statement) is no condition of the file and stays what it is."""


class DatabaseError(TwofoldError):
    """The database file cannot be used as asked; the transaction, if any, was rolled back."""


def coded(error: sqlite3.Error, path: Path | None) -> DatabaseError | None:
    """Return the coded form of an error of SQLite, or None where it is not about the file."""
    result = getattr(error, "sqlite_errorcode", None)
    code = None if result is None else _REMEDIES.get(result & 0xFF)
    if code is None:
        return None
    if code == "TF-S08" and path is not None:
        if not path.parent.is_dir():
            return DatabaseError("TF-S07", path=named(path), folder=str(path.parent))
        if _disk_is_full(path):
            code = "TF-S05"
    return DatabaseError(code, path=named(path), reason=str(error))


@contextmanager
def coding(path: Path | None) -> Iterator[None]:
    """Code the errors of reads that no transaction surrounds.

    Raises:
        DatabaseError: in place of an error of SQLite about the file.
    """
    try:
        yield
    except sqlite3.Error as error:
        remedy = coded(error, path)
        if remedy is None:
            raise
        raise remedy from error


def coded_os(error: OSError, path: Path) -> DatabaseError:
    """Return the coded form of a failure to make or open the file itself."""
    if isinstance(error, FileNotFoundError):
        return DatabaseError("TF-S07", path=named(path), folder=str(path.parent))
    if error.errno in (errno.ENOSPC, errno.EDQUOT):
        code = "TF-S05"
    elif error.errno == errno.EROFS:
        code = "TF-S06"
    else:
        code = "TF-S08"
    return DatabaseError(code, path=named(path), reason=error.strerror or type(error).__name__)


def named(path: Path | None) -> str:
    """How messages name a database."""
    return "the database in memory" if path is None else str(path)


def _disk_is_full(path: Path) -> bool:
    try:
        return shutil.disk_usage(path.parent).free < _NO_ROOM
    except OSError:
        return False
