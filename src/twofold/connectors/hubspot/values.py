"""Values between Twofold and the API, where every property is text or null.

Row "Encoding" of the facts: "Properties" of the reference.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from datetime import UTC, date, datetime, timedelta
from decimal import Decimal, InvalidOperation

from twofold.core.schema import Field
from twofold.core.values import Kind, Scalar, Value

_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
_MILLISECOND = timedelta(milliseconds=1)


def written(value: Value) -> str:
    """A value as the API takes it; the empty text clears."""
    if value is None:
        return ""
    if isinstance(value, tuple):
        return ";".join(map(written, value))
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, datetime):
        return moment(value)
    if isinstance(value, Decimal):
        return format(value, "f")
    return value.isoformat() if isinstance(value, date) else str(value)


def moment(value: datetime) -> str:
    """A time as the API writes it: milliseconds, in UTC."""
    return value.astimezone(UTC).isoformat(timespec="milliseconds").replace("+00:00", "Z")


def milliseconds(value: datetime) -> int:
    """A time as searches compare it."""
    return (value - _EPOCH) // _MILLISECOND


def read(field: Field, text: str | None) -> Value:
    """A property's value; text that its own kind does not fit is nothing that we can show."""
    if not text:
        return None
    if field.multi:
        parts = dict.fromkeys(part.strip() for part in text.split(";"))
        return tuple(part for part in parts if part) or None
    parse = _PARSERS.get(field.kind)
    if parse is None:
        return text
    try:
        return parse(text)
    except (ValueError, OverflowError, InvalidOperation):
        return None


def instant(text: str) -> datetime:
    """A time, in ISO 8601 or as milliseconds since 1970; raises ValueError."""
    if text.lstrip("-").isdecimal():
        return _EPOCH + int(text[:17]) * _MILLISECOND
    found = datetime.fromisoformat(text)
    return found if found.tzinfo is not None else found.replace(tzinfo=UTC)


def _day(text: str) -> date:
    """A date, as a day or as midnight in UTC."""
    return date.fromisoformat(text) if len(text) == 10 and "-" in text else instant(text).date()


def _number(text: str) -> Decimal:
    found = Decimal(text)
    if not found.is_finite():
        raise ValueError(text)
    return found


def _truth(text: str) -> bool:
    if text.lower() not in {"true", "false"}:
        raise ValueError(text)
    return text.lower() == "true"


_PARSERS: Mapping[Kind, Callable[[str], Scalar]] = {
    Kind.BOOL: _truth,
    Kind.DECIMAL: _number,
    Kind.DATE: _day,
    Kind.DATETIME: instant,
}
