"""Which pairs of fields can be mapped, and in which direction: the type matrix (F4–F11).

One table, `MATRIX`, read by conversion, validation, docs and tests alike.
"""

from __future__ import annotations

from collections.abc import Mapping
from enum import StrEnum

from msgspec import Struct

from twofold.core.mappings import RECEIVING, Direction, FieldMapping
from twofold.core.records import Side
from twofold.core.schema import Field
from twofold.core.values import NUMBER_KINDS, TEXT_KINDS, Kind


class Shape(StrEnum):
    """What the matrix tells apart; the value is the word for it in sentences."""

    TEXT = "text"
    NUMBER = "number"
    BOOL = "checkbox"
    DATE = "date"
    DATETIME = "date and time"
    CHOICE = "choice"
    OWNER = "owner"
    TEXTS = "several texts"
    CHOICES = "several choices"
    LIST = "several values"
    """Several numbers, dates, checkboxes or owners."""


class Cell(Struct, frozen=True):
    """One cell of the matrix."""

    direction: Direction | None
    """The widest direction; None = the pair is refused."""
    reason: str = ""
    """Why not both ways, as the end of a sentence; empty where both ways are open."""


def shape(field: Field) -> Shape:
    """The row or column of a field."""
    if field.kind in TEXT_KINDS:
        return Shape.TEXTS if field.multi else Shape.TEXT
    if field.multi:
        return Shape.CHOICES if field.kind is Kind.CHOICE else Shape.LIST
    if field.kind in NUMBER_KINDS:
        return Shape.NUMBER
    return _SINGLE[field.kind]


_SINGLE: Mapping[Kind, Shape] = {
    Kind.BOOL: Shape.BOOL,
    Kind.DATE: Shape.DATE,
    Kind.DATETIME: Shape.DATETIME,
    Kind.CHOICE: Shape.CHOICE,
    Kind.OWNER: Shape.OWNER,
}

_BOTH = frozenset(
    {
        (Shape.TEXT, Shape.TEXT),
        (Shape.NUMBER, Shape.NUMBER),
        (Shape.BOOL, Shape.BOOL),
        (Shape.DATE, Shape.DATE),
        (Shape.DATETIME, Shape.DATETIME),
        (Shape.DATE, Shape.DATETIME),
        (Shape.DATETIME, Shape.DATE),
        (Shape.CHOICE, Shape.CHOICE),
        (Shape.CHOICES, Shape.CHOICES),
        (Shape.OWNER, Shape.OWNER),
        (Shape.TEXTS, Shape.TEXTS),
    }
)
"""F4, F10, F11, F13; several texts (labeled values) in default mappings only: see `check`."""

_INTO_TEXT: Mapping[Side, frozenset[Shape]] = {
    Side.HUB: frozenset(
        {Shape.NUMBER, Shape.DATE, Shape.DATETIME, Shape.BOOL, Shape.CHOICE, Shape.OWNER}
    ),
    Side.APP: frozenset(
        {Shape.NUMBER, Shape.DATE, Shape.DATETIME, Shape.BOOL, Shape.CHOICE, Shape.CHOICES}
    ),
}
"""What a text field of a side takes from the other side, one way: F5 and F6."""


_NO_TEXT = {
    Shape.CHOICES: "not every text is a list of options",
    Shape.OWNER: "not every text names an owner",
}


def _cell(hub: Shape, app: Shape) -> Cell:
    if (hub, app) in _BOTH:
        return Cell(Direction.BOTH)
    for side, here, there in ((Side.HUB, hub, app), (Side.APP, app, hub)):
        if here is Shape.TEXT and there in _INTO_TEXT[side]:
            return Cell(RECEIVING[side], _NO_TEXT.get(there, f"not every text is a valid {there}"))
    return Cell(None, _refusal(hub, app))


def _refusal(hub: Shape, app: Shape) -> str:
    pair = {hub, app}
    if pair == {Shape.OWNER, Shape.TEXT}:
        return "an owner becomes text only on its way from the app into the hub"
    if Shape.OWNER in pair:
        return "an owner is a person, who pairs only with an owner of the other side"
    if pair & {Shape.TEXTS, Shape.CHOICES, Shape.LIST}:
        return "a field of several values pairs only choices with choices, or texts with texts"
    if Shape.CHOICE in pair:
        return "a choice takes nothing but its own options"
    return f"a {hub} in the hub and a {app} in the app do not hold the same kind of value"


MATRIX: Mapping[tuple[Shape, Shape], Cell] = {
    (hub, app): _cell(hub, app) for hub in Shape for app in Shape
}
"""By (shape of the hub's field, shape of the app's field)."""


def cell(mapping: FieldMapping) -> Cell:
    """The cell of the matrix that a mapping falls into."""
    shapes = shape(mapping.hub), shape(mapping.app)
    if shapes[0] is Shape.TEXT and shapes[1] in _SHOWN and not mapping.app.textual:
        return Cell(None, f"this app's API does not tell what a {shapes[1]} is called")
    return MATRIX[shapes]


_SHOWN = frozenset({Shape.CHOICE, Shape.OWNER})
"""What becomes text in most apps only: the connector says so (F5)."""


def travels(mapping: FieldMapping, direction: Direction = Direction.BOTH) -> Direction | None:
    """The direction that is left of a mapping in a sync of ``direction``; None = no way is open.

    The sync, the mapping itself, its cell of the matrix, its read-only ends (F8) and transforms
    without inverse (F17) each narrow it.
    """
    allowed = cell(mapping).direction
    if allowed is None or mapping.hub.unmappable or mapping.app.unmappable:
        return None
    left: Direction | None = direction
    for limit in (mapping.direction, allowed, *_away_from_read_only(mapping), *_one_way(mapping)):
        left = left and left.narrowed(limit)
    return left


def _away_from_read_only(mapping: FieldMapping) -> list[Direction]:
    return [RECEIVING[side.other] for side in Side if mapping.end(side).read_only]


def _one_way(mapping: FieldMapping) -> list[Direction]:
    return [RECEIVING[t.to] for t in mapping.transforms if not t.invertible]
