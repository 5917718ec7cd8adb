"""Rules by what the apps declare today: an option that was added, a length that was widened.

What is gone, or of another kind, is for a brake; what a write may not name any more is for a person
who edits the sync: both stay as they were.
"""

from __future__ import annotations

from collections.abc import Mapping

from msgspec import structs

from twofold.core.mappings import FieldMapping, Rules
from twofold.core.parts import find_field
from twofold.core.records import Side
from twofold.core.schema import Field, ObjectType


def as_declared(rules: Rules, types: Mapping[Side, ObjectType]) -> Rules:
    """The rules with the fields that the apps declare now; the same where nothing moved."""
    known = {
        side: structs.replace(
            rules.type_of(side),
            fields=tuple(_now(field, types[side]) for field in rules.type_of(side).fields),
        )
        for side in Side
    }
    renewed = structs.replace(
        rules,
        hub=known[Side.HUB],
        app=known[Side.APP],
        mappings=tuple(_mapping(m, known) for m in rules.mappings),
    )
    return rules if renewed == rules else renewed


def _now(known: Field, declared: ObjectType) -> Field:
    now = declared.field(known.name)
    if now is None or (now.kind, now.multi) != (known.kind, known.multi):
        return known
    lost = (known.creatable and not now.creatable) or (known.updatable and not now.updatable)
    return known if lost or now.unmappable != known.unmappable else now


def _mapping(mapping: FieldMapping, types: Mapping[Side, ObjectType]) -> FieldMapping:
    hub, app = (find_field(types[side], mapping.end(side).name) for side in Side)
    return structs.replace(mapping, hub=hub or mapping.hub, app=app or mapping.app)
