"""Values between Twofold and the API.

Row "Types" of the facts: "Column data types" and "Web API types and operations".
"""

from __future__ import annotations

import re
from datetime import UTC, date, datetime
from decimal import Decimal
from typing import Any

from twofold.core.schema import Field
from twofold.core.values import Kind, Scalar, Value

_ID = re.compile(r"[0-9a-fA-F]{8}(-[0-9a-fA-F]{4}){3}-[0-9a-fA-F]{12}", re.ASCII)


def is_id(text: str) -> bool:
    """Whether a text could be the id of a record."""
    return _ID.fullmatch(text) is not None


def written(field: Field | None, value: Value) -> Any:
    """A value as the API takes it in JSON; null clears. ``field``: None of one that is unknown."""
    if isinstance(value, tuple):
        return ",".join(str(part) for part in value) or None
    if isinstance(value, datetime):
        return moment(value)
    if isinstance(value, date):
        return value.isoformat()
    if isinstance(value, Decimal):
        return int(value) if value == value.to_integral_value() else float(value)
    if field is not None and field.kind is Kind.CHOICE and isinstance(value, str):
        return int(value) if _is_number(value) else value  # what is no option is the API's to say
    return value


def moment(value: datetime) -> str:
    """A time as the API and its filters write it: whole seconds, in UTC."""
    return value.astimezone(UTC).strftime("%Y-%m-%dT%H:%M:%SZ")


def quoted(text: str) -> str:
    """A text as a literal of a filter (OData 4.0 URL Conventions, section 5.1.1.6.1)."""
    return "'" + text.replace("'", "''") + "'"


def read(field: Field, value: Any) -> Value:
    """A field's value; what its own kind does not fit is nothing that we can show."""
    if value is None or value == "":
        return None
    if field.multi:
        parts = dict.fromkeys(part.strip() for part in str(value).split(","))
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
    """A time as the API shows it; raises ValueError."""
    found = datetime.fromisoformat(text)
    return found if found.tzinfo is not None else found.replace(tzinfo=UTC)


def _is_number(text: str) -> bool:
    return text.lstrip("-").isascii() and text.lstrip("-").isdecimal()
