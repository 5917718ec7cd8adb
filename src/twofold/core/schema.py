"""What a side says about itself: object types, their fields, associations and capabilities."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import timedelta
from enum import StrEnum

import msgspec
from msgspec import Struct

from twofold.core.values import Kind


class Op(StrEnum):
    """What a write may do."""

    CREATE = "create"
    UPDATE = "update"
    ARCHIVE = "archive"
    DELETE = "delete"


class Feed(StrEnum):
    """How an object type reports its changes."""

    LOG = "log"
    """The server keeps the position: a delta link, a sync token, a journal."""
    WATERMARK = "watermark"
    """Modified at or after t; the connector applies overlap and keyset paging."""
    SNAPSHOT = "snapshot"
    """Nothing: every pull is a full listing, and the engine compares."""


class Option(Struct, frozen=True):
    """One choice of a choice field: what the API sends, and what a person sees."""

    value: str
    label: str
    active: bool = True
    email: str = ""
    """Of an owner: what pairs the people of both sides (F13)."""


class Field(Struct, frozen=True):
    """One named value of a record, as its app declares it."""

    name: str
    label: str
    kind: Kind
    multi: bool = False
    creatable: bool = True
    updatable: bool = True
    """Creatable and not updatable = may be written once."""
    required: bool = False
    """A create without it is refused, and there is no default."""
    unique: bool = False
    nullable: bool = True
    max_length: int | None = None
    """In characters; None = no limit known."""
    options: tuple[Option, ...] = ()
    closed: bool = True
    """Values outside the options are refused."""
    computed: str = ""
    """Either "calculation" or "score": read-only, made by the app."""
    silent: bool = False
    """May change without a change event (formula, roll-up)."""
    labeled: bool = False
    """The value carries a label (home, work): default mappings only (F7)."""
    unmappable: str = ""
    """The reason why this field cannot be mapped at all (F9)."""
    textual: bool = True
    """Of an app's choice or owner: what it shows to people can be had as text (F5)."""
    native: str = ""
    """The app's own name for the type."""
    parts: tuple[Field, ...] = ()
    """Of a field that a mapping makes of two others; see `twofold.core.parts`."""

    @property
    def read_only(self) -> bool:
        """Whether no write may name this field."""
        return not (self.creatable or self.updatable)


class Association(Struct, frozen=True):
    """A relation from an object type to another one of the same app."""

    name: str
    target: str
    """The name of the object type that it points to."""
    many: bool = False
    primary: bool = False
    """One of many can be marked primary."""
    writable: bool = True
    labels: bool = False
    """Targets carry labels ("decision maker")."""


class ObjectType(Struct, frozen=True):
    """Contacts, companies, deals … of one app, with what can be done to them."""

    name: str
    label: str
    fields: tuple[Field, ...]
    associations: tuple[Association, ...] = ()
    keys: tuple[str, ...] = ()
    """Fields accepted by ``get(key=)``."""
    feed: Feed = Feed.SNAPSHOT
    resolution: timedelta = timedelta(0)
    """Of versions: where it is not zero, two edits may carry an equal version."""
    lag: timedelta = timedelta(0)
    """How late a change may appear in ``pull``."""
    retention: timedelta | None = None
    """Life of a cursor; past it ``pull`` raises CursorExpired."""
    deletes: bool = False
    """``pull`` reports deletes between full listings."""
    merges: bool = False
    """``pull`` reports merges."""
    ops: frozenset[Op] = frozenset()
    batch: Mapping[Op, int] = msgspec.field(default_factory=dict)
    """Most items in one push, by op; 1 where not named."""
    atomic: bool = False
    """One bad item fails the batch: the engine bisects."""
    conditional: bool = False
    """Honors ``Write.if_version``."""
    becomes: str = ""
    """The association that names what a record was converted into, which is of another object
    type (S9). A converted record stays readable."""
    origin: str = ""
    """The association that names what a record was converted from."""
    idempotent: bool = False
    """A create with a repeated ``Write.ref`` is not applied twice, ever."""

    def field(self, name: str) -> Field | None:
        """The field of that name, or None."""
        return next((f for f in self.fields if f.name == name), None)

    def association(self, name: str) -> Association | None:
        """The association of that name, or None."""
        return next((a for a in self.associations if a.name == name), None)
