"""Fields as bytes: JSON that says of each value what it is, so that reading needs no schema.

What no file can hold is stored in another form, because nothing that an app shows may end a run:
half of a surrogate pair as "\ufffd", and a number that is none (NaN, infinity) as text.
"""

from __future__ import annotations

import re
from collections.abc import Callable
from datetime import date, datetime
from decimal import Decimal
from typing import Any

import orjson

from twofold.core.records import Fields
from twofold.core.values import Value

_OPTIONS = orjson.OPT_PASSTHROUGH_DATETIME | orjson.OPT_SORT_KEYS
_LONG = 1 << 63
_SURROGATE = re.compile("[\ud800-\udfff]")


def encode(fields: Fields) -> bytes:
    """Values by name as bytes; equal fields give equal bytes."""
    try:
        return orjson.dumps(fields, _tag, _OPTIONS)
    except TypeError:  # an integer beyond 64 bits, or broken text
        storable = {storable_text(name): _storable(value) for name, value in fields.items()}
        return orjson.dumps(storable, _tag, _OPTIONS)


def storable_text(text: str) -> str:
    """The text without halves of surrogate pairs, which are no characters (RFC 3629, section 3)."""
    return text if text.isascii() else _SURROGATE.sub("\ufffd", text)


def as_json(value: object) -> str:
    """Names, numbers or settings as JSON text: to be kept, or for SQLite's ``json_each``."""
    return orjson.dumps(value).decode()


def decode(data: bytes) -> dict[str, Value]:
    """The inverse of ``encode``."""
    fields: dict[str, Any] = orjson.loads(data)
    if data.find(b"{", 1) < 0 and b"[" not in data:
        return fields  # the usual case: nothing is nested (one byte is found faster than two)
    for name, value in fields.items():
        if type(value) is dict or type(value) is list:
            fields[name] = _restore(value)
    return fields


def _tag(value: object) -> object:
    if isinstance(value, Decimal):
        return {"n": str(value)} if value.is_finite() else str(value)
    if isinstance(value, datetime):
        return {"t": value.isoformat()}
    if isinstance(value, date):
        return {"d": value.isoformat()}
    raise TypeError(f"no value of a record: {type(value).__name__}")


def _storable(value: Value) -> object:
    if type(value) is tuple:
        return tuple(map(_storable, value))
    if type(value) is str:
        return storable_text(value)
    if type(value) is int and not -_LONG <= value < _LONG:
        return {"i": f"{value:#x}"}  # in base 16, Python sets no limit to the digits
    return value


_RESTORE: dict[str, Callable[[str], Any]] = {
    "n": Decimal,
    "t": datetime.fromisoformat,
    "d": date.fromisoformat,
    "i": lambda text: int(text, 0),
}


def _restore(value: Any) -> Any:
    if type(value) is list:
        return tuple(map(_restore, value))
    if type(value) is dict:
        ((tag, text),) = value.items()
        return _RESTORE[tag](text)
    return value
