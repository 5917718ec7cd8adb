"""Values and records between the hub and the API, where every property is text or null."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from datetime import UTC, date, datetime, timedelta
from decimal import Decimal, InvalidOperation
from typing import Any

from email_validator import EmailNotValidError, validate_email

from twofold.core.records import Record
from twofold.core.schema import Field
from twofold.core.values import Kind, Scalar, Value
from twofold.hub.api.faults import Fault, invalid
from twofold.hub.api.kinds import ID, MERGED, Type
from twofold.hub.writing import EPOCH

_STAGE = "lifecyclestage"
_LONGEST_NUMBER = 60
"""Digits on either side of the point."""
Texts = Mapping[str, str | None]


def moment(value: datetime) -> str:
    """A time as the API writes it: milliseconds, in UTC."""
    text = value.astimezone(UTC).isoformat(timespec="milliseconds")
    return text.replace("+00:00", "Z")


def text_of(value: Value) -> str | None:
    """A value as the API writes it."""
    if value is None:
        return None
    if isinstance(value, tuple):
        return ";".join(text_of(item) or "" for item in value)
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, datetime):
        return moment(value)
    if isinstance(value, Decimal):
        return format(value, "f")
    return value.isoformat() if isinstance(value, date) else str(value)


def properties(kind: Type, record: Record, names: Iterable[str], merged: str) -> dict[str, Any]:
    """The named properties of a record; one that the hub does not have is left out.

    ``merged``: ids of the records that were merged into it, as the property holds them.
    """
    assert record.modified is not None
    only_here: dict[str, str | None] = {
        ID: record.id,
        kind.modified: moment(record.modified),
        MERGED: merged or None,
    }
    found = {}
    for name in names:
        if name in only_here:
            found[name] = only_here[name]
        elif name in record.fields:
            found[name] = text_of(record.fields[name])
    return found


def values(kind: Type, texts: Texts, current: Record | None) -> dict[str, Value]:
    """Values of the hub from those that a write sends; an empty one clears.

    ``current``: the record as it is, for what is added to what it holds.

    Raises:
        Fault: 400, a property that there is not or a value that it does not take.
    """
    found: dict[str, Value] = {}
    for name, text in texts.items():
        field = kind.field(name)
        if field is None:
            message = f'Property "{name[:100]}" does not exist'
            raise invalid(message, "PROPERTY_DOESNT_EXIST", propertyName=name)
        if field.read_only:
            message = f'"{name}" is a read only property; its value cannot be set.'
            raise invalid(message, "READ_ONLY_VALUE", propertyName=name)
        before = None if current is None else current.fields.get(name)
        if name == _STAGE and _backwards(field, before, text):
            continue
        found[name] = value_of(field, text, before)
    return found


def value_of(field: Field, text: str | None, before: Value = None) -> Value:
    """One value; a leading semicolon adds to the several that a property holds."""
    if text is None or not text.strip():
        return None
    if not field.multi:
        return _single(field, text)
    added = tuple(_single(field, part.strip()) for part in text.split(";") if part.strip())
    held = before if text.startswith(";") and isinstance(before, tuple) else ()
    return tuple(dict.fromkeys((*held, *added)))


def _single(field: Field, text: str) -> Scalar:
    try:
        if field.kind is Kind.CHOICE and text not in {option.value for option in field.options}:
            raise _unfit(field, text, "INVALID_OPTION", "is not one of the allowed options")
        if field.kind is Kind.EMAIL:
            validate_email(text, check_deliverability=False, test_environment=True)
        parse = _PARSERS.get(field.kind)
        return text if parse is None else parse(text.strip())
    except EmailNotValidError:
        raise _unfit(field, text, "INVALID_EMAIL", "is not a valid e-mail address") from None
    except (ValueError, InvalidOperation, OverflowError):
        reason = f"INVALID_{field.kind.name}"
        raise _unfit(field, text, reason, f"is not a valid {field.kind.value}") from None


def _unfit(field: Field, text: str, reason: str, words: str) -> Fault:
    message = f'Property values were not valid: {field.name}: "{text[:60]}" {words}'
    return invalid(message, reason, propertyName=field.name)


def _truth(text: str) -> bool:
    if text.lower() not in {"true", "false"}:
        raise ValueError(text)
    return text.lower() == "true"


def day(text: str) -> date:
    """A date, or midnight in UTC as milliseconds since 1970; raises ValueError."""
    if text.lstrip("-").isdecimal():
        found = _since(text)
        if found.time() != datetime.min.time():
            raise ValueError(text)
        return found.date()
    return date.fromisoformat(text[:10] if text.endswith("T00:00:00.000Z") else text)


def instant(text: str) -> datetime:
    """A time, or milliseconds since 1970; raises ValueError."""
    if text.lstrip("-").isdecimal():
        return _since(text)
    found = datetime.fromisoformat(text)
    return found if found.tzinfo is not None else found.replace(tzinfo=UTC)


def _since(text: str) -> datetime:
    if len(text) > 16:
        raise ValueError(text)
    return EPOCH + timedelta(milliseconds=int(text))


def number(text: str) -> Decimal:
    """A number that is not absurdly long; raises ValueError or ArithmeticError."""
    found = Decimal(text)
    if not found.is_finite() or abs(found.adjusted()) > _LONGEST_NUMBER:
        raise ValueError(text)
    return found


def _integer(text: str) -> int:
    found = number(text)
    if found != found.to_integral_value() or found.adjusted() > 18:
        raise ValueError(text)
    return int(found)


_PARSERS: Mapping[Kind, Callable[[str], Scalar]] = {
    Kind.BOOL: _truth,
    Kind.INT: _integer,
    Kind.DECIMAL: number,
    Kind.DATE: day,
    Kind.DATETIME: instant,
}


def _backwards(field: Field, before: Value, text: str | None) -> bool:
    """Whether a write would set a lifecycle stage back, which is passed over in silence."""
    order = [option.value for option in field.options]
    return before in order and text in order and order.index(text) < order.index(str(before))
