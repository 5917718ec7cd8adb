"""What a side shows: records."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime
from enum import StrEnum

import msgspec
from msgspec import Struct

from twofold.core.values import Value

Fields = Mapping[str, Value]
"""Values by field name, in the side's own form. A field that was not read is absent."""


class Side(StrEnum):
    """The two roles within one sync. Both are the same type: the hub is a connector too."""

    HUB = "hub"
    APP = "app"

    other: Side
    """The opposite side: set once, as it is asked several times for each record."""


Side.HUB.other, Side.APP.other = Side.APP, Side.HUB


class RecordRef(Struct, frozen=True):
    """The full name of a record; a bare id may exist on both sides."""

    side: Side
    object_type: str
    id: str


class Target(Struct, frozen=True):
    """The far end of an association."""

    id: str
    primary: bool = False
    labels: tuple[str, ...] = ()


class Record(Struct, frozen=True):
    """One contact, company or deal, as one side last showed it."""

    id: str
    fields: Fields
    version: str | None = None
    """An etag, revision or modified time, to detect a lost update: compared for equality only."""
    associations: Mapping[str, tuple[Target, ...]] = msgspec.field(default_factory=dict)
    """All targets by association name; an association that was not read is absent."""
    digest: int | None = None
    """Signed 64-bit hash of what ``pull`` would deliver; None where this answer cannot tell."""
    modified: datetime | None = None
