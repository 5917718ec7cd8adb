"""Fields made of two others, such as a full name of first and last name (F17).

To the sync such a field is one field like any other: its value is the two texts with a separator
that no text of an app may hold, its name is their names with the same separator. Where the app is
read and written, the two are put together and taken apart again.
"""

from __future__ import annotations

from collections.abc import Sequence

from twofold.core.schema import Field, ObjectType
from twofold.core.values import Value, as_text, is_blank

SEPARATOR = "\x1f"
"""The unit separator of ASCII, which is white space to Python: parts that are all blank are blank
together."""


def made_of(parts: Sequence[Field]) -> Field:
    """The field that these make together."""
    return Field(
        SEPARATOR.join(part.name for part in parts),
        " + ".join(part.label for part in parts),
        parts[0].kind,
        multi=any(part.multi for part in parts),
        creatable=all(part.creatable for part in parts),
        updatable=all(part.updatable for part in parts),
        required=any(part.required for part in parts),
        nullable=all(part.nullable for part in parts),
        labeled=any(part.labeled for part in parts),
        unmappable=next((part.unmappable for part in parts if part.unmappable), ""),
        parts=tuple(parts),
    )


def part_names(name: str) -> tuple[str, ...]:
    """The names of the fields that a field is made of; its own, where it is made of none."""
    return tuple(name.split(SEPARATOR))


def find_field(object_type: ObjectType, name: str) -> Field | None:
    """The field of that name; ``firstname+lastname`` is made of the two."""
    found = object_type.field(name)
    if found is not None or ("+" not in name and SEPARATOR not in name):
        return found
    parts = [object_type.field(part) for part in name.replace("+", SEPARATOR).split(SEPARATOR)]
    known = [part for part in parts if part is not None]
    return made_of(known) if len(known) == len(parts) else None


def plain_name(name: str) -> str:
    """A field's name as people write it: ``firstname+lastname``."""
    return name.replace(SEPARATOR, "+")


def plain_value(value: Value) -> Value:
    """A value for people: the parts of a whole with a plus between them."""
    if isinstance(value, str) and SEPARATOR in value:
        return " + ".join(parts_of(value))
    return value


def parts_of(text: str) -> list[str]:
    """The parts of a value, without white space around them."""
    return [part.strip() for part in text.split(SEPARATOR)]


def whole_of(parts: Sequence[Value]) -> str:
    """One value of several."""
    return SEPARATOR.join("" if is_blank(part) else _clean(part) for part in parts)


def _clean(part: Value) -> str:
    return as_text(part).replace(SEPARATOR, " ").strip()
