"""Values between Twofold and the API, and the two lengths of an id.

Row "Encoding" of the facts: "Primitive Data Types" and "Field Types" of the Object Reference.
"""

from __future__ import annotations

from datetime import UTC, date, datetime
from decimal import Decimal
from typing import Any

from twofold.core.schema import Field
from twofold.core.values import Kind, Scalar, Value

_LETTERS = "ABCDEFGHIJKLMNOPQRSTUVWXYZ012345"


def long_id(record_id: str) -> str:
    """An id with its check characters; 15 characters and 18 name the same record.

    Each of the three characters behind tells which of five letters are capitals.
    """
    if len(record_id) != 15 or not (record_id.isascii() and record_id.isalnum()):
        return record_id
    parts = (record_id[start : start + 5] for start in (0, 5, 10))
    checks = (sum(letter.isupper() << at for at, letter in enumerate(part)) for part in parts)
    return record_id + "".join(_LETTERS[check] for check in checks)


def is_id(text: str) -> bool:
    """Whether a text could be the id of a record."""
    return len(text) == 18 and text.isascii() and text.isalnum()


def written(value: Value) -> Any:
    """A value as the API takes it in JSON; null clears."""
    if isinstance(value, tuple):
        return ";".join(str(written(part)) for part in value) or None
    if isinstance(value, datetime):
        return moment(value)
    if isinstance(value, date):
        return value.isoformat()
    if isinstance(value, Decimal):
        return int(value) if value == value.to_integral_value() else float(value)
    return value


def moment(value: datetime) -> str:
    """A time as the API and its queries write it: milliseconds, in UTC."""
    return value.astimezone(UTC).strftime("%Y-%m-%dT%H:%M:%S.") + (
        f"{value.microsecond // 1000:03d}Z"
    )


def quoted(text: str) -> str:
    """A text as a literal of SOQL ("Quoted String Escape Sequences" of its reference)."""
    escaped = text.replace("\\", "\\\\").replace("'", "\\'")
    return "'" + escaped.replace("\n", "\\n").replace("\r", "\\r") + "'"


def read(field: Field, value: Any) -> Value:
    """A field's value; what its own kind does not fit is nothing that we can show."""
    if value is None or value == "":
        return None
    if field.multi:
        parts = dict.fromkeys(part.strip() for part in str(value).split(";"))
        return tuple(part for part in parts if part) or None
    try:
        return _one(field.kind, value)
    except (ValueError, ArithmeticError):
        return None


def _one(kind: Kind, value: Any) -> Scalar:
    if kind is Kind.BOOL:
        return bool(value)
    if kind is Kind.INT:
        return int(value)
    if kind is Kind.DECIMAL:
        return Decimal(str(value))
    if kind is Kind.DATE:
        return date.fromisoformat(str(value)[:10])
    if kind is Kind.DATETIME:
        return instant(str(value))
    return str(value)


def instant(text: str) -> datetime:
    """A time as the API shows it, with ``+0000``; raises ValueError."""
    found = datetime.fromisoformat(text)
    return found if found.tzinfo is not None else found.replace(tzinfo=UTC)
