"""Cells ↔ values: what a file or JSON holds, and what it means as a field of some kind.

Reading is lenient: a cell that is not what its column's kind says is given as text, as it stands,
and the core then says that it does not fit. Writing is strict.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from datetime import UTC, date, datetime, time, tzinfo
from decimal import Decimal
from typing import Any

from twofold.core.schema import Field
from twofold.core.values import TEXT_KINDS, Kind, Scalar, Value, is_blank

_INTEGER = re.compile(r"[+-]?\d{1,30}", re.ASCII)
_DECIMAL = re.compile(r"[+-]?(\d{1,30}(\.\d{0,30})?|\.\d{1,30})", re.ASCII)
_WORDS = {
    **dict.fromkeys(("true", "yes", "1"), True),
    **dict.fromkeys(("false", "no", "0"), False),
}
_FORMULA = re.compile(r"'*[=+\-@\t\r]")
"""What a spreadsheet program takes for a formula when it opens a text file
(https://owasp.org/www-community/attacks/CSV_Injection), with the sign that says it is none."""
_HARMLESS = re.compile(r"[+-][\d\s().,/-]*")
"""Numbers and phone numbers begin like formulas, and are better left alone."""


class Unfit(Exception):
    """A value that a cell cannot hold; ``expected`` completes "it expects …"."""

    def __init__(self, expected: str) -> None:
        self.expected = expected
        super().__init__(expected)


def guarded(text: str) -> str:
    """A text that no spreadsheet program takes for a formula: an apostrophe before it says so."""
    looks_so = _FORMULA.match(text) is not None and _HARMLESS.fullmatch(text) is None
    return f"'{text}" if looks_so else text


def unguarded(text: str) -> str:
    """The inverse of ``guarded``; other apostrophes stay."""
    return text[1:] if text.startswith("'") and guarded(text[1:]) == text else text


# --- reading --------------------------------------------------------------------------------------


def decoded(cell: Any, field: Field, zone: tzinfo) -> Value:
    """What a cell means as a value of this field. Never raises."""
    if isinstance(cell, list):
        members = [decoded(member, field, zone) for member in cell]
        return tuple(m for m in members if m is not None and not isinstance(m, tuple)) or None
    if cell is None or is_blank(cell):
        return None
    found = _READERS[field.kind](cell, zone) if field.kind in _READERS else None
    return shown(cell) if found is None else found


def shown(cell: Any) -> str:
    """A cell as text, however it is kept: 7.0 in a spreadsheet is 7 to its reader."""
    if isinstance(cell, bool):
        return "true" if cell else "false"
    if isinstance(cell, float):
        return str(int(cell)) if cell.is_integer() and abs(cell) < 1e15 else repr(cell)
    if isinstance(cell, Decimal):
        return format(cell, "f")
    if isinstance(cell, datetime):
        return str(cell.date()) if cell.time() == time() else cell.isoformat()
    return str(cell)


def _int(cell: Any, zone: tzinfo) -> Scalar | None:
    if isinstance(cell, int):
        return None if isinstance(cell, bool) else cell
    text = shown(cell).strip()
    return int(text) if _INTEGER.fullmatch(text) else None


def _decimal(cell: Any, zone: tzinfo) -> Scalar | None:
    if isinstance(cell, bool):
        return None
    if isinstance(cell, float | int | Decimal):
        number = Decimal(repr(cell)) if isinstance(cell, float) else Decimal(cell)
        return number if number.is_finite() else None
    text = shown(cell).strip()
    return Decimal(text) if _DECIMAL.fullmatch(text) else None


def _bool(cell: Any, zone: tzinfo) -> Scalar | None:
    return cell if isinstance(cell, bool) else _WORDS.get(shown(cell).strip().casefold())


def _date(cell: Any, zone: tzinfo) -> Scalar | None:
    if isinstance(cell, datetime):
        return cell.date()
    try:
        return cell if isinstance(cell, date) else date.fromisoformat(shown(cell).strip())
    except ValueError:
        return None


def _datetime(cell: Any, zone: tzinfo) -> Scalar | None:
    if isinstance(cell, date) and not isinstance(cell, datetime):
        cell = datetime.combine(cell, time())
    try:
        found = cell if isinstance(cell, datetime) else datetime.fromisoformat(shown(cell).strip())
        return (found if found.tzinfo else found.replace(tzinfo=zone)).astimezone(UTC)
    except (ValueError, OverflowError):
        return None


_READERS: Mapping[Kind, Callable[[Any, tzinfo], Scalar | None]] = {
    Kind.INT: _int,
    Kind.DECIMAL: _decimal,
    Kind.BOOL: _bool,
    Kind.DATE: _date,
    Kind.DATETIME: _datetime,
}


def kind_of(cell: Any) -> Kind | None:
    """The kind of a cell that has a type of its own; None of a blank, text of a mixture."""
    if cell is None or is_blank(cell):
        return None
    if isinstance(cell, bool):
        return Kind.BOOL
    if isinstance(cell, int) or (isinstance(cell, float) and cell.is_integer()):
        return Kind.INT
    if isinstance(cell, float | Decimal):
        return Kind.DECIMAL
    if isinstance(cell, datetime):
        return Kind.DATE if cell.time() == time() else Kind.DATETIME
    return Kind.DATE if isinstance(cell, date) else Kind.TEXT


_WIDER = {
    frozenset({Kind.INT, Kind.DECIMAL}): Kind.DECIMAL,
    frozenset({Kind.DATE, Kind.DATETIME}): Kind.DATETIME,
}


def wider(one: Kind | None, other: Kind | None) -> Kind | None:
    """The kind of a column that holds cells of both."""
    if one is None or other is None or one is other:
        return other if one is None else one
    return _WIDER.get(frozenset({one, other}), Kind.TEXT)


# --- writing --------------------------------------------------------------------------------------


def checked(value: Value, field: Field) -> Value:
    """A value that fits the field's kind.

    Raises:
        Unfit: it does not.
    """
    if is_blank(value):
        return None
    if isinstance(value, tuple) != field.multi:
        raise Unfit("several values" if field.multi else "one value")
    members = value if isinstance(value, tuple) else (value,)
    for member in members:
        fits, expected = _FITS[field.kind]
        if not fits(member):
            raise Unfit(expected)
        if isinstance(member, str) and len(member) > (field.max_length or len(member)):
            raise Unfit(f"at most {field.max_length} characters")
    return value


def as_text(value: Scalar) -> str:
    """A value as the text of a cell; ISO 8601 for times, which are in UTC."""
    if isinstance(value, datetime):
        return value.astimezone(UTC).isoformat().replace("+00:00", "Z")
    return shown(value)


def _is_text(value: Any) -> bool:
    if not isinstance(value, str) or "\x00" in value:
        return False
    return not any("\ud800" <= character <= "\udfff" for character in value)


def _is_number(value: Any) -> bool:
    return _is_int(value) or (isinstance(value, Decimal) and value.is_finite())


def _is_int(value: Any) -> bool:
    return isinstance(value, int) and not isinstance(value, bool)


_TEXT: tuple[Callable[[Any], bool], str] = (_is_text, "text that can be written to a file")
_FITS: Mapping[Kind, tuple[Callable[[Any], bool], str]] = {
    **dict.fromkeys(TEXT_KINDS | {Kind.CHOICE, Kind.OWNER}, _TEXT),
    Kind.INT: (_is_int, "a whole number"),
    Kind.DECIMAL: (_is_number, "a number"),
    Kind.BOOL: (lambda value: isinstance(value, bool), "yes or no"),
    Kind.DATE: (lambda v: isinstance(v, date) and not isinstance(v, datetime), "a date"),
    Kind.DATETIME: (
        lambda value: isinstance(value, datetime) and value.tzinfo is not None,
        "a time with its zone",
    ),
}
