"""What a column takes and how it is stored. Row "Types" of the facts."""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from datetime import UTC, date, datetime
from typing import Any

from twofold.simulators.dynamics.tables import Column, Table

_FIRST_DAY = date(1753, 1, 1)
_LARGEST = {"Money": 922_337_203_685_477, "Decimal": 100_000_000_000, "Integer": 2**31 - 1}
_ID = re.compile(r"[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}")


class Wrong(Exception):
    """A request that is refused, with its status and code."""

    def __init__(self, status: int, code: str, message: str) -> None:
        super().__init__(message)
        self.status = status
        self.code = code
        self.message = message


def stored(table: Table, column: Column, value: Any) -> Any:
    """A value as it is kept. Raises Wrong."""
    if value is None or value == "":
        return None
    return _CHECKS[column.type](table, column, value)


def stamped(at: datetime) -> str:
    """A time as the API shows it, whole seconds."""
    return at.astimezone(UTC).strftime("%Y-%m-%dT%H:%M:%SZ")


def _unfit(column: Column, value: Any, kind: str) -> Wrong:
    text = f"Cannot convert the literal '{str(value)[:60]}' to the expected type '{kind}'"
    return Wrong(400, "0x80048d19", f"Error identified in Payload: {text} of '{column.name}'.")


def _text(table: Table, column: Column, value: Any) -> str:
    if not isinstance(value, str):
        raise _unfit(column, value, "Edm.String")
    if "\x00" in value:
        raise Wrong(400, "0x80040203", f"'{column.name}' holds an invalid character: 0x00.")
    if len(value) > (column.length or 100):
        text = f"The length of the '{column.name}' attribute of the '{table.name}' entity exceeded"
        text = f"{text} the maximum allowed length of '{column.length or 100}'."
        raise Wrong(400, "0x80044331", f"A validation error occurred. {text}")
    return value


def _number(table: Table, column: Column, value: Any) -> float | int:
    whole = column.type == "Integer"
    fits = isinstance(value, int if whole else int | float) and not isinstance(value, bool)
    if not fits:
        raise _unfit(column, value, "Edm.Int32" if whole else "Edm.Decimal")
    if abs(value) > _LARGEST[column.type]:
        text = f"A validation error occurred. The value of '{column.name}' on record of type"
        raise Wrong(400, "0x80044330", f"{text} '{table.name}' is outside the valid range.")
    return int(value) if whole else round(float(value), 2)


def _truth(table: Table, column: Column, value: Any) -> bool:
    if not isinstance(value, bool):
        raise _unfit(column, value, "Edm.Boolean")
    return value


def _choice(table: Table, column: Column, value: Any) -> int:
    if not isinstance(value, int) or isinstance(value, bool):
        raise _unfit(column, value, "Edm.Int32")
    allowed = [number for number, _ in column.options]
    if value not in allowed:
        text = f"The value {value} of '{column.name}' on record of type '{table.name}' is outside"
        text = f"{text} the valid range. Accepted Values: {','.join(map(str, allowed))}"
        raise Wrong(400, "0x80048408", f"A validation error occurred. {text}")
    return value


def _choices(table: Table, column: Column, value: Any) -> str:
    if not isinstance(value, str) or not re.fullmatch(r"-?\d+(,-?\d+)*", value):
        raise _unfit(column, value, "a text of numbers and commas")
    found = dict.fromkeys(_choice(table, column, int(part)) for part in value.split(","))
    return ",".join(map(str, sorted(found)))


def _time(table: Table, column: Column, value: Any) -> str:
    kind = "Edm.Date" if column.day else "Edm.DateTimeOffset"
    try:
        moment = datetime.fromisoformat(str(value))
    except ValueError:
        raise _unfit(column, value, kind) from None
    if (len(str(value)) != 10) if column.day else (moment.tzinfo is None):
        raise _unfit(column, value, kind)
    if moment.date() < _FIRST_DAY:
        text = f"DateTime is less than minimum value supported by '{column.name}'."
        raise Wrong(400, "0x80040239", text)
    return moment.date().isoformat() if column.day else stamped(moment)


def _id(table: Table, column: Column, value: Any) -> str:
    if not isinstance(value, str) or not _ID.fullmatch(value.lower()):
        raise _unfit(column, value, "Edm.Guid")
    return value.lower()


_CHECKS: Mapping[str, Callable[[Table, Column, Any], Any]] = {
    "String": _text,
    "Memo": _text,
    "Integer": _number,
    "Money": _number,
    "Decimal": _number,
    "Boolean": _truth,
    "Picklist": _choice,
    "State": _choice,
    "Status": _choice,
    "MultiSelectPicklist": _choices,
    "DateTime": _time,
    "Uniqueidentifier": _id,
}
