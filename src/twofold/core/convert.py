"""What a mapping does with values: see edits, compare the sides, write one into the other.

A conversion is compiled once per sync and mapping, because its functions run for every field of
every record.
"""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime
from zoneinfo import ZoneInfo

from msgspec import Struct

from twofold.core import normalize
from twofold.core.mappings import Blanks, Direction, FieldMapping, When
from twofold.core.normalize import Canonical, Canonicalizer, canonicalizer
from twofold.core.options import joined, labels_of, translator
from twofold.core.records import Side
from twofold.core.schema import Field
from twofold.core.text_forms import PARSERS, pieces
from twofold.core.transforms import NoFit, Text
from twofold.core.type_matrix import Shape, cell, shape, travels
from twofold.core.values import Kind, Value, as_text, is_blank
from twofold.core.writing import Writer, crossing, writer


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
    when: When = When.ALWAYS
    default: Side | None = None
    """Whose value wins a conflict; None = the sync's default app."""
    paused: bool = False
    """Turned off: nothing travels, and *seen* stays."""
    plain: bool = True
    """Values that look alike are the same thing. Not so with transforms, owners, which go by
    another id on each side, and options that a person paired by hand."""


def conversion(
    mapping: FieldMapping, rules_direction: Direction, timezone: str, region: str
) -> Conversion:
    """Compile one mapping of a sync of that direction, time zone and phone region.

    Raises:
        zoneinfo.ZoneInfoNotFoundError: there is no such time zone; ``check`` says so before.
    """
    zone = ZoneInfo(timezone)
    left = travels(mapping, rules_direction)
    return Conversion(
        mapping.name,
        left,
        own={side: canonicalizer(mapping.end(side), region) for side in Side},
        shared=_shared(mapping, left, zone, region),
        write={side: writer(mapping, side, zone, region) for side in Side},
        fields={side: mapping.end(side).name for side in Side},
        creatable={side: mapping.end(side).creatable for side in Side},
        updatable={side: mapping.end(side).updatable for side in Side},
        blanks=mapping.blanks,
        when=mapping.when,
        default=mapping.default_side,
        paused=not mapping.enabled,
        plain=not (mapping.transforms or mapping.options or mapping.hub.kind is Kind.OWNER),
    )


def _shared(
    mapping: FieldMapping, left: Direction | None, zone: ZoneInfo, region: str
) -> Mapping[Side, Canonicalizer]:
    shapes = {side: shape(mapping.end(side)) for side in Side}
    if mapping.transforms:
        return _shared_transformed(mapping, left, region)
    if set(shapes.values()) == {Shape.DATE, Shape.DATETIME}:
        days = {Shape.DATE: normalize.day, Shape.DATETIME: lambda v: _local_day(v, zone)}
        return {side: days[shapes[side]] for side in Side}
    if set(shapes.values()) <= {Shape.TEXT, Shape.TEXTS}:
        return _shared_text(mapping, region)
    if shapes[Side.HUB] is shapes[Side.APP] and shapes[Side.HUB] in _PAIRED:
        return _shared_choice(mapping, left)
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


_PAIRED = frozenset({Shape.CHOICE, Shape.CHOICES, Shape.OWNER})


def _shared_choice(mapping: FieldMapping, left: Direction | None) -> Mapping[Side, Canonicalizer]:
    """Both sides in the options of one side: in those of the receiving side where it is one-way.

    What has no pair equals nothing of the other side.
    """
    base = Side.HUB if left is Direction.TO_HUB else Side.APP
    there, back = translator(mapping, base), translator(mapping, base.other)

    def own(value: str) -> str:
        """A fallback stands for several: there and back again, all of these are one."""
        returned = back(value) if left is Direction.BOTH else None
        found = None if returned is None else there(returned)
        return value if found is None else found

    def translated(value: str) -> str:
        found = there(value)
        return f"{base.other}\0{value}" if found is None else own(found)

    find = {base: _of_option(own), base.other: _of_option(translated)}
    several = mapping.hub.multi
    return {side: normalize.set_of(find[side]) if several else find[side] for side in Side}


def _of_option(find: Text) -> Canonicalizer:
    def canonical(value: Value) -> Canonical:
        form = normalize.text(value)
        return find(form) if isinstance(form, str) else form

    return canonical


def _shared_transformed(
    mapping: FieldMapping, left: Direction | None, region: str
) -> Mapping[Side, Canonicalizer]:
    """Both sides in the form of one: of the receiving side where it is one-way, else the hub's.

    Two-way, what is in that form already goes there and back once, so that spellings which the
    transform does not tell apart are equal. What a transform has no answer for equals nothing.
    """
    base = Side.APP if left is Direction.TO_APP else Side.HUB
    there = crossing(mapping, base, region)
    back = crossing(mapping, base.other, region) if left is Direction.BOTH else None
    canonical = _text_of(mapping, base, region)

    def own(value: Value) -> Canonical:
        if there is None or back is None or is_blank(value):
            return canonical(value)
        try:
            return canonical(there(back(as_text(value))))
        except NoFit:
            return canonical(value)

    def transformed(value: Value) -> Canonical:
        if there is None or is_blank(value):
            return canonical(value)
        try:
            return canonical(there(as_text(value)))
        except NoFit:
            return f"{base.other}\0{as_text(value)}"

    return {base: own, base.other: transformed}


def _text_of(mapping: FieldMapping, side: Side, region: str) -> Canonicalizer:
    end = mapping.end(side)
    return canonicalizer(end, region) if end.parts else _shared_text(mapping, region)[side]


def _as_shown(source: Field) -> Canonicalizer:
    """What a field turns into on its way to text: for choices the labels, else its own form."""
    if source.kind not in {Kind.CHOICE, Kind.OWNER}:
        return canonicalizer(source)
    labels = labels_of(source)

    def shown(value: Value) -> Canonical:
        return normalize.text(labels.get(value, value) if isinstance(value, str) else value)

    return (lambda value: pieces(joined(value, labels))) if source.multi else shown


def _read_back(source: Field, zone: ZoneInfo) -> Canonicalizer:
    """How a text field compares with the field that its values come from.

    A text that says the same number, date or options, in whatever format, is equal.
    """
    parse = PARSERS.get(shape(source))

    def read(value: Value) -> Canonical:
        form = normalize.text(value)
        if parse is None or not isinstance(form, str):
            return form
        parsed = parse(form, zone)
        return form if parsed is None else parsed

    return read


def _local_day(value: Value, zone: ZoneInfo) -> Canonical:
    """The calendar day of a datetime in the sync's time zone."""
    at = normalize.instant(value)
    if not isinstance(at, datetime):
        return at
    try:
        return at.astimezone(zone).date()
    except OverflowError:  # in the first or the last hours of the calendar
        return at.isoformat()
