"""What is written: a value as the user sees it on one side, in the form of the other side (D16).

A value that does not fit its field is TF-R01: that field fails, the rest of the record travels.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from datetime import UTC, date, datetime
from decimal import Decimal
from zoneinfo import ZoneInfo

from twofold.core import normalize
from twofold.core.errors import TwofoldError
from twofold.core.mappings import FieldMapping
from twofold.core.options import joined, labels_of, translator
from twofold.core.parts import parts_of, plain_name, plain_value, whole_of
from twofold.core.records import Side
from twofold.core.schema import Field
from twofold.core.transforms import NoFit, Text
from twofold.core.type_matrix import Shape, cell, shape
from twofold.core.values import Kind, Value, as_text, is_blank

Writer = Callable[[Value], Value]

_LEAST, _MOST = -(2**63), 2**63 - 1
_MOST_DIGITS = 300
_MOST_SHOWN = 100


def writer(mapping: FieldMapping, side: Side, zone: ZoneInfo, region: str = "") -> Writer:
    """Return the function that turns a value of the other side into one for ``side``."""
    source, target = mapping.end(side.other), mapping.end(side)
    pair = (shape(source), shape(target))
    if cell(mapping).direction is None or pair[1] is Shape.LIST:
        return _refuse(target, "nothing from the other side")
    if mapping.transforms:
        return _guarded(target, _transformed(mapping, side, region))
    if pair[1] is Shape.TEXT:
        return _guarded(target, _to_text(source, target, zone))
    if pair[1] is Shape.TEXTS:
        return _guarded(target, _each(_to_text(source, target, zone)))
    if pair[1] is Shape.CHOICES:
        return _guarded(target, _each(_to_choice(mapping, side)))
    if pair[1] in {Shape.CHOICE, Shape.OWNER}:
        return _guarded(target, _to_choice(mapping, side))
    if pair[1] is Shape.DATE:
        return _guarded(target, lambda value: _day_of(value, target, zone))
    if pair[1] is Shape.DATETIME:
        return _guarded(target, lambda value: _start_of(value, target, zone))
    return _guarded(target, _CHECKED[target.kind](target))


def _guarded(target: Field, convert: Writer) -> Writer:
    """Clear with None, unless the field cannot be empty."""

    def write(value: Value) -> Value:
        if not is_blank(value):
            return convert(value)
        if not target.nullable:
            raise _unfit(target, value, "a value, because it cannot be empty")
        return None

    return write


def _unfit(target: Field, value: Value, expected: str) -> TwofoldError:
    return TwofoldError(
        "TF-R01",
        field=plain_name(target.name),
        value=as_text(plain_value(value))[:_MOST_SHOWN],
        expected=expected,
    )


def _refuse(target: Field, expected: str) -> Writer:
    def write(value: Value) -> Value:
        raise _unfit(target, value, expected)

    return write


def _each(convert: Writer) -> Writer:
    def write(value: Value) -> Value:
        members = value if isinstance(value, tuple) else (value,)
        written = (convert(member) for member in members if not is_blank(member))
        return tuple(v for v in written if v is not None and not isinstance(v, tuple))

    return write


def _to_text(source: Field, target: Field, zone: ZoneInfo) -> Writer:
    labels = labels_of(source)

    def write(value: Value) -> Value:
        if isinstance(value, str) and not labels:
            return _fitting(value.strip(), target, value)
        return _fitting(_plain(value, target, labels, zone), target, value)

    return write


def _plain(value: Value, target: Field, labels: Mapping[str, str], zone: ZoneInfo) -> str:
    """D16: option label, ISO 8601, plain decimal, true or false."""
    if isinstance(value, str):
        return labels.get(value, value).strip()
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, int | Decimal):
        return _decimal_text(value, target)
    if isinstance(value, datetime):
        return _local(value, target, zone).isoformat()
    if isinstance(value, date):
        return value.isoformat()
    return joined(value, labels)


def _decimal_text(value: int | Decimal, target: Field) -> str:
    if _endless(value):
        raise _unfit(target, value, f"a number of at most {_MOST_DIGITS} digits")
    return f"{Decimal(value):f}"


def _endless(number: int | Decimal) -> bool:
    """Whether a number is none, or would fill a page: 1E+999999 takes a megabyte to write out."""
    exact = Decimal(number)
    return not exact.is_finite() or abs(exact.adjusted()) > _MOST_DIGITS


def _fitting(text: str, target: Field, value: Value) -> str:
    if target.max_length is not None and len(text) > target.max_length:
        raise _unfit(target, value, f"at most {target.max_length} characters")
    if "\0" in text or (not text.isascii() and _SURROGATE.search(text)):
        raise _unfit(target, value, "text without broken characters")
    return text


_SURROGATE = re.compile("[\ud800-\udfff]")


def crossing(mapping: FieldMapping, side: Side, region: str) -> Text | None:
    """What all transforms together make of a text on its way to a side; it raises NoFit.

    None where nothing may travel that way.
    """
    steps = [transform.toward(side, region) for transform in mapping.transforms]
    if side is Side.HUB:
        steps.reverse()
    if None in steps:
        return None

    def cross(text: str) -> str:
        for step in steps:
            text = step(text) if step is not None else text
        return text

    return cross


def _transformed(mapping: FieldMapping, side: Side, region: str) -> Writer:
    target, cross = mapping.end(side), crossing(mapping, side, region)
    if cross is None:
        return _refuse(target, "nothing from the other side")

    def write(value: Value) -> Value:
        try:
            text = cross(as_text(value))
        except NoFit as error:
            facts = {
                "field": plain_name(target.name),
                "value": as_text(plain_value(value))[:_MOST_SHOWN],
            }
            raise TwofoldError("TF-R13", **facts, expected=error) from None
        return _fitting_whole(text, target, value)

    return write


def _fitting_whole(text: str, target: Field, value: Value) -> Value:
    """A text that fits its field, part by part."""
    if not target.parts:
        fitting = _fitting(text.strip(), target, value)
        if not fitting and not target.nullable:
            raise _unfit(target, value, "a value, because it cannot be empty")
        return fitting or None
    texts = parts_of(text)
    texts += [""] * (len(target.parts) - len(texts))
    for part, own in zip(target.parts, texts, strict=True):
        if not own and not part.nullable:
            raise _unfit(part, value, "a value, because it cannot be empty")
        _fitting(own, part, value)
    return whole_of(texts)


def _to_choice(mapping: FieldMapping, side: Side) -> Writer:
    target, find = mapping.end(side), translator(mapping, side)

    def write(value: Value) -> Value:
        found = find(as_text(value).strip())
        if found is None:
            code = "TF-R12" if target.kind is Kind.OWNER else "TF-R11"
            facts = {
                "field": plain_name(target.name),
                "value": as_text(plain_value(value))[:_MOST_SHOWN],
            }
            raise TwofoldError(code, **facts, known=_one_of(target))
        return _fitting(found, target, value)

    return write


def _one_of(target: Field) -> str:
    shown = [option.label for option in target.options[:10]]
    more = "" if len(target.options) <= len(shown) else ", …"
    return f"{', '.join(shown) or 'none'}{more}"


def _day_of(value: Value, target: Field, zone: ZoneInfo) -> Value:
    if isinstance(value, datetime):
        return _local(value, target, zone).date()
    if isinstance(value, date):
        return value
    raise _unfit(target, value, "a date")


def _start_of(value: Value, target: Field, zone: ZoneInfo) -> Value:
    """A datetime as it is; of a date, its first moment in the sync's time zone."""
    if isinstance(value, datetime):
        return value if value.tzinfo else value.replace(tzinfo=UTC)
    if not isinstance(value, date):
        raise _unfit(target, value, "a date and time")
    # Where clocks skip midnight, fold=0 counts with the offset before the change (PEP 495), and
    # the detour through UTC lands on the first moment after it.
    try:
        start = datetime(value.year, value.month, value.day, tzinfo=zone).astimezone(UTC)
        if start.astimezone(zone).date() == value:
            return start
    except OverflowError:
        pass
    raise _unfit(target, value, f"a day that exists in {zone.key}")


def _local(value: datetime, target: Field, zone: ZoneInfo) -> datetime:
    at = normalize.instant(value)
    try:
        if isinstance(at, datetime):
            return at.astimezone(zone)
    except OverflowError:
        pass
    raise _unfit(target, value, "a time within the years 1 to 9999")


def _whole(target: Field) -> Writer:
    def write(value: Value) -> Value:
        if isinstance(value, bool) or not isinstance(value, int | Decimal) or _endless(value):
            raise _unfit(target, value, "a whole number")
        if not _LEAST <= value <= _MOST or value != int(value):
            raise _unfit(target, value, "a whole number of at most 64 bits")
        return int(value)

    return write


def _decimal(target: Field) -> Writer:
    def write(value: Value) -> Value:
        if isinstance(value, bool) or not isinstance(value, int | Decimal) or _endless(value):
            raise _unfit(target, value, f"a number of at most {_MOST_DIGITS} digits")
        return value

    return write


def _truth(target: Field) -> Writer:
    def write(value: Value) -> Value:
        if not isinstance(value, bool):
            raise _unfit(target, value, "true or false")
        return value

    return write


_CHECKED: Mapping[Kind, Callable[[Field], Writer]] = {
    Kind.INT: _whole,
    Kind.DECIMAL: _decimal,
    Kind.BOOL: _truth,
}
