"""What the memory app refuses, and in which words."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from datetime import UTC, date, datetime
from decimal import Decimal

from twofold.core.errors import Issue, sentence
from twofold.core.records import Fields
from twofold.core.schema import Field, ObjectType
from twofold.core.values import TEXT_KINDS, Kind, Scalar, Value, is_blank

_SHOWN = 60
"""Characters of a refused value that its issue repeats."""


def issue(
    code: str, *, field: str | None = None, other_id: str | None = None, **facts: object
) -> Issue:
    """An issue whose sentence is built from the registry."""
    filled = {"field": field, "other_id": other_id, **facts}
    return Issue(code, sentence(code, filled), field, other_id)


def refused_fields(
    app: str, kind: ObjectType, fields: Fields, *, creating: bool, inside: bool
) -> Issue | None:
    """Why these values cannot be written, or None.

    ``inside``: the app itself or its user writes, who may also fill read-only fields.
    """
    for name, value in fields.items():
        field = kind.field(name)
        if field is None:
            return issue("TF-F01", object_type=kind.name, field=name)
        if not (inside or (field.creatable if creating else field.updatable)):
            return issue("TF-R03", app=app, reason=f"{name} is read-only", field=name)
        found = _refused_value(app, field, value, creating)
        if found is not None:
            return found
    if creating and not inside:
        for field in kind.fields:
            if field.required and is_blank(fields.get(field.name)):
                return issue("TF-R04", app=app, field=field.name)
    return None


def _refused_value(app: str, field: Field, value: Value, creating: bool) -> Issue | None:
    if is_blank(value):
        needed = field.required or not field.nullable
        return issue("TF-R04", app=app, field=field.name) if needed and not creating else None
    if isinstance(value, tuple) != field.multi:
        expected = "several values" if field.multi else "one value"
        return _unfit(field, value, expected)
    items = value if isinstance(value, tuple) else (value,)
    for item in items:
        expected = _expectation(field, item)
        if expected:
            return _unfit(field, item, expected)
    return None


def _unfit(field: Field, value: Value, expected: str) -> Issue:
    shown = value[:_SHOWN] if isinstance(value, str) else value
    return issue("TF-R01", field=field.name, value=shown, expected=expected)


def _expectation(field: Field, item: object) -> str:
    """What the field expects instead of this item; empty where it is fine."""
    fits, expected = _FITS[field.kind]
    if not fits(item):
        return expected
    if isinstance(item, str) and field.max_length is not None and len(item) > field.max_length:
        return f"at most {field.max_length} characters"
    if field.options and field.closed and item not in {o.value for o in field.options}:
        return "one of its options"
    return ""


def _is_text(item: object) -> bool:
    """Text that every encoding can carry: no NUL, no half of a surrogate pair."""
    if not isinstance(item, str) or "\x00" in item:
        return False
    try:
        item.encode()
    except UnicodeEncodeError:
        return False
    return True


def _is_int(item: object) -> bool:
    return isinstance(item, int) and not isinstance(item, bool)


def _is_decimal(item: object) -> bool:
    return _is_int(item) or (isinstance(item, Decimal) and item.is_finite())


def _is_date(item: object) -> bool:
    return isinstance(item, date) and not isinstance(item, datetime)


def _is_datetime(item: object) -> bool:
    return isinstance(item, datetime) and item.tzinfo is not None


_TEXT: tuple[Callable[[object], bool], str] = (_is_text, "text without NUL characters")
_FITS: Mapping[Kind, tuple[Callable[[object], bool], str]] = {
    **dict.fromkeys(TEXT_KINDS | {Kind.CHOICE, Kind.OWNER}, _TEXT),
    Kind.INT: (_is_int, "a whole number"),
    Kind.DECIMAL: (_is_decimal, "a number"),
    Kind.BOOL: (lambda item: isinstance(item, bool), "yes or no"),
    Kind.DATE: (_is_date, "a date"),
    Kind.DATETIME: (_is_datetime, "a time with its zone"),
}


def canonical(field: Field, value: Value) -> Value:
    """A checked value as the app keeps it: times in UTC, numbers of one type, one blank."""
    if is_blank(value):
        return None
    if isinstance(value, tuple):
        return tuple(_canonical_item(field.kind, item) for item in value)
    return _canonical_item(field.kind, value) if value is not None else None


def _canonical_item(kind: Kind, item: Scalar) -> Scalar:
    if isinstance(item, datetime):
        return item.astimezone(UTC)
    if kind is Kind.DECIMAL and isinstance(item, int):
        return Decimal(item)
    return item
