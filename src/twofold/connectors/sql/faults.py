"""What a database means when it refuses: its drivers' error codes in our words.

Sources: SQLite "Result and Error Codes"; PostgreSQL manual, appendix A (SQLSTATE); MariaDB
knowledge base, "MariaDB Error Code Reference".
"""

from __future__ import annotations

import re
from enum import StrEnum
from typing import Any

import sqlalchemy as sa

from twofold.core.errors import TwofoldError
from twofold.kit.errors import AccessDenied, Misunderstood, SchemaChanged, Stop, Unavailable


class Fault(StrEnum):
    """Why a statement, or a whole call, failed."""

    TAKEN = "a unique value is taken"
    BLANK = "a column needs a value"
    REFERENCE = "another table refers to this row, or the row it refers to does not exist"
    UNFIT = "a value does not fit its column"
    FORBIDDEN = "this account may not do that"
    BUSY = "another program holds a lock"
    FULL = "the disk or the database is full"
    GONE = "a table or column no longer exists"
    SIGN_IN = "the sign-in was refused"
    DAMAGED = "the file is damaged, or is not a database"
    LOST = "there is no connection"
    OTHER = "another reason"


OF_ONE_RECORD = frozenset(
    {Fault.TAKEN, Fault.BLANK, Fault.REFERENCE, Fault.UNFIT, Fault.FORBIDDEN, Fault.OTHER}
)
"""Faults that one record of a batch may have alone; all others concern the whole call."""

_SQLITE = {
    "SQLITE_CONSTRAINT_UNIQUE": Fault.TAKEN,
    "SQLITE_CONSTRAINT_PRIMARYKEY": Fault.TAKEN,
    "SQLITE_CONSTRAINT_ROWID": Fault.TAKEN,
    "SQLITE_CONSTRAINT_NOTNULL": Fault.BLANK,
    "SQLITE_CONSTRAINT_FOREIGNKEY": Fault.REFERENCE,
    "SQLITE_CONSTRAINT_CHECK": Fault.UNFIT,
    "SQLITE_CONSTRAINT_DATATYPE": Fault.UNFIT,
    "SQLITE_MISMATCH": Fault.UNFIT,
    "SQLITE_TOOBIG": Fault.UNFIT,
    "SQLITE_READONLY": Fault.FORBIDDEN,
    "SQLITE_AUTH": Fault.FORBIDDEN,
    "SQLITE_PERM": Fault.SIGN_IN,
    "SQLITE_BUSY": Fault.BUSY,
    "SQLITE_LOCKED": Fault.BUSY,
    "SQLITE_FULL": Fault.FULL,
    "SQLITE_IOERR": Fault.LOST,
    "SQLITE_CANTOPEN": Fault.LOST,
    "SQLITE_CORRUPT": Fault.DAMAGED,
    "SQLITE_NOTADB": Fault.DAMAGED,
    "SQLITE_FORMAT": Fault.DAMAGED,
}
"""By extended name, else by its first two words."""

_SQLSTATE = {
    "23505": Fault.TAKEN,
    "23502": Fault.BLANK,
    "23503": Fault.REFERENCE,
    "23001": Fault.REFERENCE,
    "23514": Fault.UNFIT,
    "22": Fault.UNFIT,
    "42501": Fault.FORBIDDEN,
    "25006": Fault.FORBIDDEN,
    "40": Fault.BUSY,
    "55": Fault.BUSY,
    "57014": Fault.BUSY,
    "53100": Fault.FULL,
    "53": Fault.LOST,
    "57P": Fault.LOST,
    "08": Fault.LOST,
    "28": Fault.SIGN_IN,
    "3D": Fault.SIGN_IN,
    "42P01": Fault.GONE,
    "42703": Fault.GONE,
    "3F": Fault.GONE,
    "58": Fault.LOST,
    "XX001": Fault.DAMAGED,
    "XX002": Fault.DAMAGED,
}
"""By the whole state, else its first three or two characters (the class)."""

_MARIADB = {
    Fault.TAKEN: (1062, 1169, 1557, 1586),
    Fault.BLANK: (1048, 1364, 1263),
    Fault.REFERENCE: (1216, 1217, 1451, 1452),
    Fault.UNFIT: (1264, 1265, 1292, 1366, 1367, 1406, 1411, 1690, 3819, 4025),
    Fault.FORBIDDEN: (1142, 1143, 1227, 1290, 1369, 1370, 1792, 1836),
    Fault.BUSY: (1205, 1213, 1317, 1969, 3024),
    Fault.FULL: (1021, 1114),
    Fault.SIGN_IN: (1044, 1045, 1049, 1130, 1251, 1698, 2059),
    Fault.GONE: (1054, 1146),
    Fault.LOST: (0, 1040, 1053, 1080, 1927, *range(1158, 1162), *range(2002, 2015), 2055, 4031),
    Fault.DAMAGED: (1034, 1035, 1194, 1195),
}
_BY_NUMBER = {number: fault for fault, numbers in _MARIADB.items() for number in numbers}


def cause_of(error: BaseException) -> BaseException:
    """The driver's own error inside SQLAlchemy's."""
    return getattr(error, "orig", None) or error


def fault_of(error: BaseException) -> Fault:
    """Say what kind of refusal an error of a driver (or SQLAlchemy's wrapping of it) is."""
    if isinstance(error, sa.exc.PendingRollbackError | sa.exc.ResourceClosedError):
        return Fault.LOST  # the connection broke under an earlier statement
    cause = cause_of(error)
    name = getattr(cause, "sqlite_errorname", None)
    if name is not None:
        short = "_".join(str(name).split("_")[:2])
        return _SQLITE.get(name) or _SQLITE.get(short, Fault.OTHER)
    if isinstance(cause, OSError | UnicodeDecodeError):
        return Fault.LOST if isinstance(cause, OSError) else Fault.DAMAGED
    first: Any = cause.args[0] if cause.args else None
    if isinstance(first, dict):
        state = str(first.get("C", ""))
        return next((_SQLSTATE[k] for k in (state, state[:3], state[:2]) if k in _SQLSTATE), _OTHER)
    if isinstance(first, int):
        return _BY_NUMBER.get(first, Fault.OTHER)
    # Without a server's code the driver itself gave up: sockets, timeouts, closed connections.
    return Fault.LOST if type(cause).__name__ == "InterfaceError" else Fault.OTHER


_OTHER = Fault.OTHER


def message_of(error: BaseException) -> str:
    """The database's own sentence, shortened, without the statement and its parameters."""
    cause = cause_of(error)
    first: Any = cause.args[0] if cause.args else ""
    if isinstance(first, dict):
        text = first.get("M", "")
    elif isinstance(first, int) and len(cause.args) > 1:
        text = cause.args[1]
    else:
        text = first
    return " ".join(str(text).split())[:300].rstrip(".") or type(cause).__name__


def call_failure(error: BaseException, app: str) -> TwofoldError:
    """The error of ours for a call that failed as a whole; nothing of it was applied.

    The password never shows: no message of a server repeats it, and the address is not quoted.
    """
    fault = fault_of(error)
    if fault is Fault.SIGN_IN:
        return AccessDenied(app, message_of(error))
    if fault is Fault.FORBIDDEN:
        return Stop("TF-A03", app=app, action=f"do this ({message_of(error)})")
    if fault is Fault.GONE:
        return SchemaChanged("TF-F30", app=app, reason=message_of(error))
    if fault is Fault.DAMAGED:
        return Misunderstood(app, f"{fault} ({message_of(error)})")
    if fault is Fault.OTHER:
        return Misunderstood(app, message_of(error))
    return Unavailable(app, f"{fault} ({message_of(error)})")


def column_of(error: BaseException) -> str | None:
    """The column that the database names in its refusal; None where it names none."""
    first: Any = cause_of(error).args[0] if cause_of(error).args else None
    if isinstance(first, dict):
        named = first.get("c")
        return None if named is None else str(named)
    found = _NAMED.search(message_of(error))
    return None if found is None else found.group(1)


_NAMED = re.compile(
    r"(?:NOT NULL constraint failed: .*?\.(?=[^.]*\Z)|(?:column|field) (?:`[^`]*`\.)*[`'])"
    r"([^`'.]+)",
    re.IGNORECASE,
)
"""As SQLite says it, ``NOT NULL constraint failed: t.c``, or MariaDB, ``column `d`.`t`.`c` ``."""
