"""What a column holds: its kind, and its values in the driver's form and in ours.

Every value that a driver gives is decoded leniently: SQLite stores any value in any column, and
MariaDB dates may be impossible. What cannot be read as the column's kind is given as text, as it
stands; the core then says that it does not fit, and it never counts as blank.

Date-times without a zone count as UTC, both ways.
"""

from __future__ import annotations

import math
import re
import uuid
from collections.abc import Callable
from datetime import UTC, date, datetime, timedelta
from decimal import Decimal, InvalidOperation
from typing import Any

import sqlalchemy as sa
from msgspec import Struct
from sqlalchemy.dialects import mysql, postgresql

from twofold.core.schema import Field, Option
from twofold.core.values import Kind, Value

Decoder = Callable[[Any], Value]
Encoder = Callable[[Any], Any]


class Misfit(Exception):
    """A value that a column does not take; ``expected`` completes "it expects …"."""

    def __init__(self, expected: str) -> None:
        self.expected = expected
        super().__init__(expected)


class Column(Struct, frozen=True):
    """One column of a table, ready to read and write."""

    field: Field
    position: int
    """In the table, from 0."""
    decode: Decoder
    encode: Encoder
    """A value of ours, not None → the driver's. Raises Misfit."""
    parse: Callable[[str], Any]
    """Text, as in ids, → the driver's. Raises Misfit."""

    @property
    def name(self) -> str:
        """The column's name, which is the field's."""
        return self.field.name


_INTEGER = re.compile(r"-?\d{1,19}\Z", re.ASCII)
_JULIAN_UNIX = 2440587.5
"""The Julian day of 1970-01-01T00:00Z."""
_LAST_JULIAN_DAY = 5373484.5
"""Of 9999-12-31, the largest that SQLite's date functions take; larger numbers are seconds."""
_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
_TRUE = frozenset({"1", "t", "true", "y", "yes", "on"})
_FALSE = frozenset({"0", "f", "false", "n", "no", "off"})


# --- types → kinds ------------------------------------------------------------------------


def kind_of(type_: sa.types.TypeEngine[Any]) -> Kind | None:
    """The kind of a column type; None where its values are none of ours."""
    if isinstance(type_, postgresql.DOMAIN):
        return kind_of(type_.data_type)
    if isinstance(type_, mysql.SET | mysql.BIT):
        return None
    if isinstance(type_, mysql.TINYINT) and type_.display_width == 1:
        return Kind.BOOL  # MariaDB's BOOLEAN is a synonym of TINYINT(1)
    return next((kind for base, kind in _KINDS if isinstance(type_, base)), None)


_KINDS: tuple[tuple[type[Any], Kind], ...] = (
    (sa.Enum, Kind.CHOICE),
    (sa.Boolean, Kind.BOOL),
    (sa.Integer, Kind.INT),
    (mysql.YEAR, Kind.INT),
    (sa.Numeric, Kind.DECIMAL),
    (sa.Float, Kind.DECIMAL),
    (sa.DateTime, Kind.DATETIME),
    (sa.Date, Kind.DATE),
    (sa.Uuid, Kind.TEXT),
    (sa.String, Kind.TEXT),
)


def options_of(type_: sa.types.TypeEngine[Any]) -> tuple[Option, ...]:
    """The choices of an enumeration."""
    if isinstance(type_, postgresql.DOMAIN):
        return options_of(type_.data_type)
    if not isinstance(type_, sa.Enum):
        return ()
    return tuple(Option(value, value) for value in type_.enums)


def length_of(type_: sa.types.TypeEngine[Any]) -> int | None:
    """The most characters that a text column takes; None = no limit known."""
    length: Any = getattr(type_, "length", None)
    if isinstance(type_, sa.Enum) or not isinstance(length, int) or length <= 0:
        return None
    return length


def integer_bits(type_: sa.types.TypeEngine[Any], family: str) -> int:
    """How wide an integer column is; SQLite's are 64 bits wide whatever they are called."""
    if family == "sqlite" or isinstance(type_, sa.BigInteger):
        return 64
    if isinstance(type_, mysql.TINYINT):
        return 8
    return 16 if isinstance(type_, sa.SmallInteger) else 32


# --- the driver's values → ours -------------------------------------------------------------


def decoder(kind: Kind) -> Decoder:
    """The lenient reader of a kind: never raises, None stays None."""
    return _DECODERS[kind]


def _text(value: Any) -> Value:
    if value is None or type(value) is str:
        return value
    if isinstance(value, bytes | bytearray):
        return value.decode("utf-8", "replace")
    return value.isoformat() if isinstance(value, date) else str(value)


def _int(value: Any) -> Value:
    if value is None or type(value) is int:
        return value
    if isinstance(value, bool):
        return int(value)
    if isinstance(value, float | Decimal) and math.isfinite(value):
        return int(value) if value == int(value) else Decimal(str(value))
    text = _text(value)
    return int(text) if isinstance(text, str) and _INTEGER.match(text.strip()) else text


def _decimal(value: Any) -> Value:
    if value is None or isinstance(value, bool):
        return value
    try:
        number = Decimal(value if isinstance(value, int | Decimal) else str(_text(value)).strip())
    except InvalidOperation:
        return _text(value)
    return number if number.is_finite() else str(value)


def _bool(value: Any) -> Value:
    if value is None or isinstance(value, bool):
        return value
    word = str(_text(value)).strip().lower()
    return word in _TRUE if word in _TRUE | _FALSE else _text(value)


def _datetime(value: Any) -> Value:
    if value is None:
        return None
    moment = instant(value)
    return _text(value) if moment is None else moment


def _date(value: Any) -> Value:
    if value is None or (isinstance(value, date) and not isinstance(value, datetime)):
        return value
    moment = instant(value)
    return _text(value) if moment is None else moment.date()


_DECODERS: dict[Kind, Decoder] = {
    Kind.TEXT: _text,
    Kind.CHOICE: _text,
    Kind.INT: _int,
    Kind.DECIMAL: _decimal,
    Kind.BOOL: _bool,
    Kind.DATE: _date,
    Kind.DATETIME: _datetime,
}


def instant(value: Any) -> datetime | None:
    """The point in time that a driver's value stands for; None where it stands for none.

    Text in the forms of ISO 8601 (a slash counts as a hyphen), seconds or milliseconds since 1970,
    or a Julian day: the forms that SQLite's documentation names for dates.
    """
    try:
        if isinstance(value, datetime):
            return value.replace(tzinfo=UTC) if value.tzinfo is None else value.astimezone(UTC)
        if isinstance(value, date):
            return datetime(value.year, value.month, value.day, tzinfo=UTC)
        if isinstance(value, int | float) and not isinstance(value, bool):
            return _EPOCH + timedelta(seconds=_seconds(value))
        text = str(_text(value)).strip().replace("/", "-")
        return instant(datetime.fromisoformat(text))
    except (ValueError, OverflowError):
        return None


def _seconds(number: Any) -> float:
    """Seconds since 1970 of a number in one of SQLite's forms."""
    if isinstance(number, float) and 0 < number <= _LAST_JULIAN_DAY:
        return float((number - _JULIAN_UNIX) * 86400)
    return float(number / 1000 if abs(number) > 1e11 else number)


def like(sample: Any, moment: datetime) -> Any:
    """A point in time in the form of a sample from the same column, so that the two compare."""
    if isinstance(sample, datetime):
        return moment if sample.tzinfo is not None else moment.replace(tzinfo=None)
    if isinstance(sample, int | float):
        seconds = moment.timestamp()
        if isinstance(sample, float) and 0 < sample <= _LAST_JULIAN_DAY:
            return seconds / 86400 + _JULIAN_UNIX
        if abs(sample) > 1e11:
            return int(seconds * 1000)
        return int(seconds) if isinstance(sample, int) else seconds
    written = sqlite_text(moment)
    return written.replace(" ", "T") if "T" in str(sample) else written


def sqlite_text(moment: datetime) -> str:
    """A point in time as SQLite's own functions write it: in UTC, a space between the parts."""
    naive = moment.astimezone(UTC).replace(tzinfo=None)
    return naive.isoformat(" ", "microseconds" if naive.microsecond else "seconds")


# --- our values → the driver's ---------------------------------------------------------------


def encoder(field: Field, type_: sa.types.TypeEngine[Any], family: str) -> Encoder:
    """The writer of a column; strict, because a database that converts silently loses data."""
    if field.kind is Kind.INT:
        return _integers(integer_bits(type_, family), getattr(type_, "unsigned", False))
    if field.kind is Kind.TEXT:
        return _uuids if _is_uuid(type_, family) else _texts(field.max_length)
    if field.kind is Kind.CHOICE:
        return _choices(frozenset(option.value for option in field.options))
    if family == "sqlite":
        return _SQLITE_ENCODERS[field.kind]
    if field.kind is Kind.DATETIME and getattr(type_, "timezone", False):
        return _aware
    return _ENCODERS[field.kind]


def _is_uuid(type_: sa.types.TypeEngine[Any], family: str) -> bool:
    return family == "postgresql" and isinstance(type_, sa.Uuid)


def _texts(limit: int | None) -> Encoder:
    def encode(value: Any) -> str:
        if not isinstance(value, str):
            raise Misfit("text")
        if limit is not None and len(value) > limit:
            raise Misfit(f"at most {limit} characters")
        if not value.isascii():
            try:
                value.encode()
            except UnicodeEncodeError:
                raise Misfit("text that can be written as UTF-8") from None
        return value

    return encode


def _integers(bits: int, unsigned: bool) -> Encoder:
    low, high = (0, (1 << bits) - 1) if unsigned else (-(1 << bits - 1), (1 << bits - 1) - 1)

    def encode(value: Any) -> int:
        if isinstance(value, Decimal) and value.is_finite() and value == value.to_integral_value():
            value = int(value)
        if isinstance(value, bool) or not isinstance(value, int):
            raise Misfit("a whole number")
        if not low <= value <= high:
            raise Misfit(f"a whole number from {low} to {high}")
        return value

    return encode


def _choices(values: frozenset[str]) -> Encoder:
    def encode(value: Any) -> str:
        if value not in values:
            raise Misfit(f"one of {', '.join(sorted(values)[:20])}")
        return str(value)

    return encode


def _uuids(value: Any) -> uuid.UUID:
    try:
        return uuid.UUID(value)
    except (ValueError, AttributeError, TypeError):
        raise Misfit("a UUID") from None


def _decimals(value: Any) -> Decimal:
    if isinstance(value, bool) or not isinstance(value, int | Decimal):
        raise Misfit("a number")
    number = Decimal(value)
    if not number.is_finite():
        raise Misfit("a finite number")
    return number


def _bools(value: Any) -> bool:
    if not isinstance(value, bool):
        raise Misfit("true or false")
    return value


def _dates(value: Any) -> date:
    if not isinstance(value, date) or isinstance(value, datetime):
        raise Misfit("a date")
    return value


def _aware(value: Any) -> datetime:
    if not isinstance(value, datetime) or value.tzinfo is None:
        raise Misfit("a point in time with its zone")
    try:
        return value.astimezone(UTC)
    except OverflowError:
        raise Misfit("a point in time from year 1 to 9999") from None


def _naive(value: Any) -> datetime:
    return _aware(value).replace(tzinfo=None)


_ENCODERS: dict[Kind, Encoder] = {
    Kind.DECIMAL: _decimals,
    Kind.BOOL: _bools,
    Kind.DATE: _dates,
    Kind.DATETIME: _naive,
}
_SQLITE_ENCODERS: dict[Kind, Encoder] = {
    # As text: the column's numeric affinity then makes it a number, and any other keeps it exact.
    Kind.DECIMAL: lambda value: str(_decimals(value)),
    Kind.BOOL: lambda value: int(_bools(value)),
    Kind.DATE: lambda value: _dates(value).isoformat(),
    Kind.DATETIME: lambda value: sqlite_text(_aware(value)),
}


# --- text, as in ids → the driver's ------------------------------------------------------------


def parser(kind: Kind, type_: sa.types.TypeEngine[Any], family: str) -> Callable[[str], Any]:
    """The reader of a value that was written as text by ``as_text``; raises Misfit."""
    if family == "sqlite":
        # SQLite compares by the column's affinity; a number column may hold text as well.
        return _number_or_text if kind in {Kind.INT, Kind.DECIMAL, Kind.BOOL} else _plain
    if kind is Kind.TEXT and _is_uuid(type_, family):
        return _uuids
    if kind is Kind.INT:
        fit = _integers(integer_bits(type_, family), getattr(type_, "unsigned", False))
        return lambda text: fit(_whole(text))
    return _PARSERS[kind]


def as_text(value: Any) -> str:
    """A driver's value as text: the form that ids are made of."""
    return value.isoformat() if isinstance(value, date) else str(value)


def _plain(text: str) -> str:
    """Text that a driver can send: no half of a surrogate pair, and no NUL (PostgreSQL)."""
    if "\x00" in text or (not text.isascii() and any("\ud800" <= c <= "\udfff" for c in text)):
        raise Misfit("text that can be written as UTF-8")
    return text


def _number_or_text(text: str) -> Any:
    whole = _INTEGER.match(text) and abs(int(text)) < 1 << 63
    return int(text) if whole else _plain(text)


def _whole(text: str) -> int:
    if not _INTEGER.match(text):
        raise Misfit("a whole number")
    return int(text)


def _from(read: Callable[[str], Any], expected: str) -> Callable[[str], Any]:
    def parse(text: str) -> Any:
        try:
            return read(text)
        except (ValueError, InvalidOperation):
            raise Misfit(expected) from None

    return parse


_PARSERS: dict[Kind, Callable[[str], Any]] = {
    Kind.TEXT: _plain,
    Kind.CHOICE: _plain,
    Kind.DECIMAL: _from(Decimal, "a number"),
    Kind.BOOL: lambda text: text.strip().lower() in _TRUE,
    Kind.DATE: _from(date.fromisoformat, "a date"),
    Kind.DATETIME: _from(datetime.fromisoformat, "a point in time"),
}
