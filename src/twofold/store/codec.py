"""Fields as bytes: JSON that says of each value what it is, so that reading needs no schema."""

from __future__ import annotations

from collections.abc import Callable
from datetime import date, datetime
from decimal import Decimal
from typing import Any

import orjson

from twofold.core.records import Fields
from twofold.core.values import Value

_OPTIONS = orjson.OPT_PASSTHROUGH_DATETIME | orjson.OPT_SORT_KEYS
_LONG = 1 << 63


def encode(fields: Fields) -> bytes:
    """Values by name as bytes; equal fields give equal bytes."""
    try:
        return orjson.dumps(fields, _tag, _OPTIONS)
    except TypeError:  # an integer beyond 64 bits
        return orjson.dumps({k: _shorten(v) for k, v in fields.items()}, _tag, _OPTIONS)


def decode(data: bytes) -> dict[str, Value]:
    """The inverse of ``encode``."""
    fields: dict[str, Any] = orjson.loads(data)
    for name, value in fields.items():
        if type(value) is dict or type(value) is list:
            fields[name] = _restore(value)
    return fields


def _tag(value: object) -> dict[str, str]:
    if isinstance(value, Decimal):
        return {"n": str(value)}
    if isinstance(value, datetime):
        return {"t": value.isoformat()}
    if isinstance(value, date):
        return {"d": value.isoformat()}
    raise TypeError(f"no value of a record: {type(value).__name__}")


def _shorten(value: Value) -> object:
    if type(value) is int and not -_LONG <= value < _LONG:
        return {"i": str(value)}
    return value


_RESTORE: dict[str, Callable[[str], Any]] = {
    "n": Decimal,
    "t": datetime.fromisoformat,
    "d": date.fromisoformat,
    "i": int,
}


def _restore(value: Any) -> Any:
    if type(value) is list:
        return tuple(map(_restore, value))
    if type(value) is dict:
        ((tag, text),) = value.items()
        return _RESTORE[tag](text)
    return value
