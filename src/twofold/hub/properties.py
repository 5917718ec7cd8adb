"""Property values: what the hub accepts, and the one form in which it keeps each.

Kept as JSON: text, whole numbers and booleans as they are; decimals as text without trailing
zeros; dates and times as ISO 8601, times in UTC. A blank is not kept at all.
"""

from __future__ import annotations

from collections.abc import Callable, Collection, Mapping
from datetime import UTC, date, datetime
from decimal import Decimal
from typing import Any

from twofold.core.errors import TwofoldError
from twofold.core.records import Fields
from twofold.core.schema import Field, ObjectType
from twofold.core.values import TEXT_KINDS, Kind, Value
from twofold.hub.schema import APP, FULL_NAME, OBJECT_TYPES
from twofold.kit.contract import Status

Properties = dict[str, Any]
"""Kept values by property name; a blank property is absent."""

Owners = Callable[[], Collection[str]]
"""Ids of the owners that records may be given to."""

_SHOWN = 60
"""Characters of a refused value that its issue repeats."""
_ITEMS = 1000
"""Values that a property with several of them holds."""
_DIGITS = 38
"""Of a decimal, on each side of its point."""


class Refused(TwofoldError):
    """One write that the hub does not apply."""

    def __init__(self, status: Status, code: str, /, **facts: object) -> None:
        self.status = status
        super().__init__(code, **facts)


class _Unfit(Exception):
    """The message says what the property expects instead."""


def cleaned(kind: ObjectType, fields: Fields, owners: Owners) -> Properties:
    """Return the values in the form in which they are kept; None clears a property.

    Raises:
        Refused: an unknown or read-only property, or a value that it does not take.
    """
    cleaners = _CLEANERS[kind.name]
    result: Properties = {}
    for name, value in fields.items():
        clean = cleaners.get(name)
        if clean is None:
            raise _no_such_property(kind, name)
        try:
            result[name] = None if value is None else clean(value, owners)
        except _Unfit as unfit:
            shown = value if value is None else str(value)[:_SHOWN]
            raise Refused(
                Status.INVALID, "TF-R01", field=name, value=shown, expected=str(unfit)
            ) from None
    return result


def merged(kind: ObjectType, current: Properties, changes: Properties) -> Properties:
    """Return the properties after a change, calculated ones included."""
    result = {**current, **changes}
    if None in changes.values():
        result = {name: value for name, value in result.items() if value is not None}
    if kind.name == "contact":
        names = [result[part] for part in ("firstname", "lastname") if part in result]
        full = " ".join(names) or result.get("email")
        if full:
            result[FULL_NAME] = full
        else:
            result.pop(FULL_NAME, None)
    return result


def decoder(kind: ObjectType, names: Collection[str]) -> Callable[[Properties], dict[str, Value]]:
    """Return a function from kept properties to the values of the named fields, blanks included."""
    blank: dict[str, Value] = dict.fromkeys(names)
    special = tuple(
        (field.name, decode)
        for field in kind.fields
        if field.name in blank and (decode := _decoder(field)) is not None
    )
    everything = {field.name for field in kind.fields if not field.silent} <= blank.keys()

    def decoded(properties: Properties) -> dict[str, Value]:
        if everything:
            values = {**blank, **properties}
        else:
            get = properties.get
            values = {name: get(name) for name in blank}
        for name, decode in special:
            value = values[name]
            if value is not None:
                values[name] = decode(value)
        return values

    return decoded


def kept_datetime(moment: datetime) -> str:
    """The form in which times are kept."""
    return moment.astimezone(UTC).isoformat()


def key_form(field: str, value: str) -> str:
    """The form in which key values are compared; host names have no case, nor has e-mail here."""
    return value if field == "name" else value.casefold()


# --- one cleaner per property ----------------------------------------------------------------

_Clean = Callable[[Any, Owners], Any]


def _no_such_property(kind: ObjectType, name: str) -> Refused:
    if kind.field(name) is None:
        return Refused(Status.INVALID, "TF-F01", object_type=kind.name, field=name)
    return Refused(Status.INVALID, "TF-R03", app=APP, reason=f"{name} is read-only", field=name)


def _text(limit: int) -> _Clean:
    def clean(value: Any, owners: Owners) -> str | None:
        if not isinstance(value, str):
            raise _Unfit("text")
        if len(value) > limit:
            raise _Unfit(f"at most {limit} characters")
        if not value.isprintable() and not _can_be_kept(value):  # the first says yes to most
            raise _Unfit("text without NUL and without halves of characters")
        return None if not value or value.isspace() else value

    return clean


def _can_be_kept(value: str) -> bool:
    """Whether UTF-8 has a form for it, and programs in C do not cut it short."""
    try:
        value.encode()
    except UnicodeEncodeError:
        return False
    return "\x00" not in value


def _integer(value: Any, owners: Owners) -> int:
    if isinstance(value, bool) or not isinstance(value, int) or not -(2**63) <= value < 2**63:
        raise _Unfit("a whole number of at most 64 bits")
    return value


def _decimal(value: Any, owners: Owners) -> str:
    if isinstance(value, bool) or not isinstance(value, int | Decimal):
        raise _Unfit("a number")
    number = Decimal(value)
    if not number.is_finite():
        raise _Unfit("a number")
    if not number:
        return "0"
    _, digits, exponent = number.as_tuple()
    if number.adjusted() >= _DIGITS or len(digits) > 2 * _DIGITS or int(exponent) < -_DIGITS:
        raise _Unfit(f"a number of at most {_DIGITS} digits on each side of the point")
    text = format(number, "f")
    return text.rstrip("0").rstrip(".") if "." in text else text


def _boolean(value: Any, owners: Owners) -> bool:
    if not isinstance(value, bool):
        raise _Unfit("yes or no")
    return value


def _date(value: Any, owners: Owners) -> str:
    if not isinstance(value, date) or isinstance(value, datetime):
        raise _Unfit("a date")
    return value.isoformat()


def _datetime(value: Any, owners: Owners) -> str:
    if not isinstance(value, datetime) or value.tzinfo is None:
        raise _Unfit("a time with its zone")
    try:
        return kept_datetime(value)
    except OverflowError:
        raise _Unfit("a time between the years 1 and 9999 in UTC") from None


def _choice(field: Field) -> _Clean:
    values = {option.value for option in field.options}

    def clean(value: Any, owners: Owners) -> str | None:
        if isinstance(value, str):
            if value in values:
                return value
            if not value or value.isspace():
                return None
        raise _Unfit("one of its options")

    return clean


def _owner(value: Any, owners: Owners) -> str | None:
    if isinstance(value, str):
        if value in owners():
            return value
        if not value or value.isspace():
            return None
    raise _Unfit("the id of an owner")


def _several(clean_one: _Clean) -> _Clean:
    def clean(value: Any, owners: Owners) -> list[Any] | None:
        if not isinstance(value, tuple):
            raise _Unfit("several values")
        if len(value) > _ITEMS:
            raise _Unfit(f"at most {_ITEMS} values")
        items = dict.fromkeys(clean_one(item, owners) for item in value)
        return [item for item in items if item is not None] or None

    return clean


def _cleaner(field: Field) -> _Clean:
    if field.kind in TEXT_KINDS and field.max_length is not None:
        clean = _text(field.max_length)
    elif field.kind is Kind.CHOICE:
        clean = _choice(field)
    else:
        clean = _BY_KIND[field.kind]
    return _several(clean) if field.multi else clean


_BY_KIND: Mapping[Kind, _Clean] = {
    Kind.INT: _integer,
    Kind.DECIMAL: _decimal,
    Kind.BOOL: _boolean,
    Kind.DATE: _date,
    Kind.DATETIME: _datetime,
    Kind.OWNER: _owner,
}


def _decoder(field: Field) -> Callable[[Any], Value] | None:
    """How the kept form becomes a value; None where it is one already."""
    if field.multi:
        return tuple
    return _DECODERS.get(field.kind)


_DECODERS: Mapping[Kind, Callable[[Any], Value]] = {
    Kind.DECIMAL: Decimal,
    Kind.DATE: date.fromisoformat,
    Kind.DATETIME: datetime.fromisoformat,
}

_CLEANERS: Mapping[str, Mapping[str, _Clean]] = {
    kind.name: {field.name: _cleaner(field) for field in kind.fields if not field.read_only}
    for kind in OBJECT_TYPES.values()
}
