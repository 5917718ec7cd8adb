"""The mappings that a connector ships, for the fields that both sides have (F1)."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Protocol

import msgspec

from twofold.core.mappings import Direction, FieldMapping
from twofold.core.schema import ObjectType
from twofold.core.type_matrix import travels


class DefaultPair(Protocol):
    """One line of a connector's default field mappings, as its manifest declares it."""

    @property
    def hub_field(self) -> str:
        """The field of the hub."""

    @property
    def app_field(self) -> str:
        """The field of the app."""

    @property
    def to_hub(self) -> bool:
        """Whether it goes to the hub."""

    @property
    def to_app(self) -> bool:
        """Whether it goes to the app."""


def default_mappings(
    defaults: Iterable[DefaultPair], hub: ObjectType, app: ObjectType
) -> tuple[FieldMapping, ...]:
    """Return the default mappings that work between these two object types.

    A default is an offer: it is skipped where a field does not exist, is mapped by an earlier
    default, or cannot be mapped to the other, and goes one way only where one end cannot take it.
    """
    mappings: list[FieldMapping] = []
    for default in defaults:
        here, there = hub.field(default.hub_field), app.field(default.app_field)
        asked = _direction(default)
        if here is None or there is None or asked is None:
            continue
        if any(here.name == m.hub.name or there.name == m.app.name for m in mappings):
            continue
        mapping = FieldMapping(here, there, asked)
        left = travels(mapping)
        if left is not None:
            mappings.append(msgspec.structs.replace(mapping, direction=left))
    return tuple(mappings)


def _direction(default: DefaultPair) -> Direction | None:
    if default.to_hub and default.to_app:
        return Direction.BOTH
    if default.to_hub:
        return Direction.TO_HUB
    return Direction.TO_APP if default.to_app else None
