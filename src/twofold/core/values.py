"""What a field may hold, and what counts as blank."""

from __future__ import annotations

from datetime import date, datetime
from decimal import Decimal
from enum import StrEnum

Scalar = str | int | Decimal | bool | date | datetime
Value = Scalar | tuple[Scalar, ...] | None
"""A value as the engine sees it. Encodings of an app ("a;b", option ids, "true", epoch
milliseconds) stay inside its connector. Datetimes are aware; numbers are int or Decimal."""


class Kind(StrEnum):
    """The kind of value that a field holds (the rows and columns of the type matrix, F4–F11)."""

    TEXT = "text"
    INT = "int"
    DECIMAL = "decimal"
    BOOL = "bool"
    DATE = "date"
    DATETIME = "datetime"
    CHOICE = "choice"
    OWNER = "owner"
    EMAIL = "email"
    PHONE = "phone"
    URL = "url"


TEXT_KINDS = frozenset({Kind.TEXT, Kind.EMAIL, Kind.PHONE, Kind.URL})
"""Kinds that count as text in the type matrix (D16)."""
NUMBER_KINDS = frozenset({Kind.INT, Kind.DECIMAL})


def is_blank(value: Value) -> bool:
    """Whether a value is blank (D2): null, empty or white-space text, the empty set.

    0 and false are values.
    """
    if value is None:
        return True
    if isinstance(value, str):
        return not value or value.isspace()
    return value == ()


def as_text(value: Value) -> str:
    """Any value as one text; numbers through Decimal, which no number of digits can stall."""
    if isinstance(value, tuple):
        return "; ".join(map(as_text, value))
    if isinstance(value, int) and not isinstance(value, bool):
        value = Decimal(value)
    return str(value)
