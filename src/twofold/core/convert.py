"""What a mapping does with values: see edits, compare the sides, write one into the other.

A conversion is compiled once per sync and mapping, because its functions run for every field of
every record.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from datetime import date, datetime
from decimal import Decimal
from zoneinfo import ZoneInfo

from msgspec import Struct

from twofold.core import normalize
from twofold.core.mappings import Blanks, Direction, FieldMapping
from twofold.core.normalize import Canonical, Canonicalizer, canonicalizer
from twofold.core.options import joined, labels_of, paired_options
from twofold.core.records import Side
from twofold.core.schema import Field
from twofold.core.type_matrix import Shape, cell, shape, travels
from twofold.core.values import Kind, Value
from twofold.core.writing import Writer, writer


class Conversion(Struct, frozen=True):
    """One mapping, ready to run."""

    name: str
    """Of the mapping."""
    direction: Direction | None
    """What is left after the sync, the mapping, the matrix and read-only ends; None = nothing may
    travel, for the reason that ``check`` gives."""
    own: Mapping[Side, Canonicalizer]
    """Canonical in that side's own kind: to see edits against *seen*."""
    shared: Mapping[Side, Canonicalizer]
    """Comparable across the sides: equal exactly when both hold the same thing."""
    write: Mapping[Side, Writer]
    """``write[Side.APP](hub_value)``: what to write into the app. Raises TwofoldError TF-R01 where
    the value does not fit."""
    fields: Mapping[Side, str]
    """The field's name on each side."""
    creatable: Mapping[Side, bool]
    """Whether a create may name the field on that side."""
    updatable: Mapping[Side, bool]
    """Whether an update may name it."""
    blanks: Blanks


def conversion(
    mapping: FieldMapping, rules_direction: Direction, timezone: str, region: str
) -> Conversion:
    """Compile one mapping of a sync of that direction, time zone and phone region.

    Raises:
        zoneinfo.ZoneInfoNotFoundError: there is no such time zone; ``check`` says so before.
    """
    zone = ZoneInfo(timezone)
    return Conversion(
        mapping.name,
        travels(mapping, rules_direction),
        own={side: canonicalizer(mapping.end(side), region) for side in Side},
        shared=_shared(mapping, zone, region),
        write={side: writer(mapping, side, zone) for side in Side},
        fields={side: mapping.end(side).name for side in Side},
        creatable={side: mapping.end(side).creatable for side in Side},
        updatable={side: mapping.end(side).updatable for side in Side},
        blanks=mapping.blanks,
    )


def _shared(mapping: FieldMapping, zone: ZoneInfo, region: str) -> Mapping[Side, Canonicalizer]:
    shapes = {side: shape(mapping.end(side)) for side in Side}
    if set(shapes.values()) == {Shape.DATE, Shape.DATETIME}:
        days = {Shape.DATE: normalize.day, Shape.DATETIME: lambda v: _local_day(v, zone)}
        return {side: days[shapes[side]] for side in Side}
    if set(shapes.values()) <= {Shape.TEXT, Shape.TEXTS}:
        return _shared_text(mapping, region)
    if shapes[Side.HUB] is shapes[Side.APP] and shapes[Side.HUB] in {Shape.CHOICE, Shape.CHOICES}:
        return _shared_choice(mapping, region)
    for side in Side:
        if shapes[side] is Shape.TEXT and cell(mapping).direction:
            source = mapping.end(side.other)
            return {side: _read_back(source, zone), side.other: _as_shown(source)}
    return {side: canonicalizer(mapping.end(side), region) for side in Side}


def _shared_text(mapping: FieldMapping, region: str) -> Mapping[Side, Canonicalizer]:
    """Both sides in the kind that says more: an e-mail in a text field is still an e-mail."""
    kinds = {mapping.hub.kind, mapping.app.kind} - {Kind.TEXT, Kind.URL}
    kind = kinds.pop() if len(kinds) == 1 else Kind.TEXT
    return {
        side: canonicalizer(Field("", "", kind, multi=mapping.end(side).multi), region)
        for side in Side
    }


def _shared_choice(mapping: FieldMapping, region: str) -> Mapping[Side, Canonicalizer]:
    """Both sides in the hub's option values."""
    to_hub = paired_options(mapping.app, mapping.hub)

    def hub_value(value: Value) -> Canonical:
        own = normalize.text(value)
        return to_hub.get(own, own) if isinstance(own, str) else own

    translated = normalize.set_of(hub_value) if mapping.app.multi else hub_value
    return {Side.HUB: canonicalizer(mapping.hub, region), Side.APP: translated}


def _as_shown(source: Field) -> Canonicalizer:
    """What a field turns into on its way to text: for choices the labels, else its own form."""
    if source.kind not in {Kind.CHOICE, Kind.OWNER}:
        return canonicalizer(source)
    labels = labels_of(source)

    def shown(value: Value) -> Canonical:
        return normalize.text(labels.get(value, value) if isinstance(value, str) else value)

    return (lambda value: _pieces(joined(value, labels))) if source.multi else shown


def _pieces(labels: str) -> Canonical:
    return normalize.set_of(normalize.text)(tuple(labels.split(";")))


def _read_back(source: Field, zone: ZoneInfo) -> Canonicalizer:
    """How a text field compares with the field that its values come from.

    A text that says the same number, date or options, in whatever format, is equal.
    """
    parse = _PARSERS.get(shape(source))

    def read(value: Value) -> Canonical:
        form = normalize.text(value)
        if parse is None or not isinstance(form, str):
            return form
        parsed = parse(form, zone)
        return form if parsed is None else parsed

    return read


_NUMBER = re.compile(r"[+-]?\d{1,300}(?:\.\d{1,300})?", re.ASCII)
_DATE = re.compile(r"\d{4}-\d\d-\d\d", re.ASCII)
_DATETIME = re.compile(r"\d{4}-\d\d-\d\d[Tt ]\d\d:\d\d.*", re.ASCII)


def _parse_number(form: str, _zone: ZoneInfo) -> Canonical:
    return Decimal(form) if _NUMBER.fullmatch(form) else None


def _parse_bool(form: str, _zone: ZoneInfo) -> Canonical:
    return form.lower()


def _parse_date(form: str, _zone: ZoneInfo) -> Canonical:
    try:
        return date.fromisoformat(form) if _DATE.fullmatch(form) else None
    except ValueError:
        return None


def _parse_datetime(form: str, zone: ZoneInfo) -> Canonical:
    if not _DATETIME.fullmatch(form):
        return None
    try:
        parsed = datetime.fromisoformat(form.upper())
    except ValueError:
        return None
    return normalize.instant(parsed if parsed.tzinfo else parsed.replace(tzinfo=zone))


def _parse_choices(form: str, _zone: ZoneInfo) -> Canonical:
    return _pieces(form)


_PARSERS: Mapping[Shape, Callable[[str, ZoneInfo], Canonical]] = {
    Shape.NUMBER: _parse_number,
    Shape.BOOL: _parse_bool,
    Shape.DATE: _parse_date,
    Shape.DATETIME: _parse_datetime,
    Shape.CHOICES: _parse_choices,
}


def _local_day(value: Value, zone: ZoneInfo) -> Canonical:
    """The calendar day of a datetime in the sync's time zone."""
    at = normalize.instant(value)
    if not isinstance(at, datetime):
        return at
    try:
        return at.astimezone(zone).date()
    except OverflowError:  # in the first or the last hours of the calendar
        return at.isoformat()
