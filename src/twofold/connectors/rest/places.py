"""Values in JSON by their place: ``attributes.email`` is within ``attributes``."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import UTC, date
from decimal import Decimal
from typing import Any

import msgspec

from twofold.core.schema import Field
from twofold.core.values import Scalar, Value
from twofold.kit.cells import Unfit, as_text, checked, decoded

_DECODER: msgspec.json.Decoder[Any] = msgspec.json.Decoder(float_hook=Decimal)
_ENCODER = msgspec.json.Encoder(decimal_format="number")


def parsed(content: bytes) -> Any:
    """JSON as plain data, its numbers exact. Raises ValueError."""
    try:
        return _DECODER.decode(content)
    except (msgspec.DecodeError, ArithmeticError, RecursionError) as error:
        raise ValueError("it is no JSON") from error


def written(body: Any) -> bytes:
    """Plain data as JSON."""
    return _ENCODER.encode(body)


def found(data: Any, place: str) -> Any:
    """What is at a place; None where nothing is. The empty place is the whole."""
    for name in place.split(".") if place else ():
        data = data.get(name) if isinstance(data, Mapping) else None
    return data


def put(data: dict[str, Any], place: str, value: Any) -> None:
    """Put a value at a place; what is around it is made."""
    *around, last = place.split(".")
    for name in around:
        data = data.setdefault(name, {})
    data[last] = value


def value_of(record: Any, place: str, field: Field) -> Value:
    """The value of a field. Never raises: what does not fit is given as text."""
    cell = found(record, place)
    return decoded(str(cell) if isinstance(cell, Mapping) else cell, field, UTC)


def sent(value: Value, field: Field) -> Any:
    """A value as JSON takes it. Raises Unfit."""
    fit = checked(value, field)
    if fit is None:
        return None
    members = fit if isinstance(fit, tuple) else (fit,)
    known = {option.value for option in field.options}
    for member in members:
        if known and member not in known:
            raise Unfit(f"one of {', '.join(sorted(known))}")
    plain = [_plain(member) for member in members]
    return plain if isinstance(fit, tuple) else plain[0]


def _plain(value: Scalar) -> Any:
    return as_text(value) if isinstance(value, date) else value
