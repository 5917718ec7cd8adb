"""What a person configures for one sync: directions, mappings, the default app, the rules."""

from __future__ import annotations

from collections.abc import Mapping
from enum import StrEnum

from msgspec import Struct

from twofold.core.filters import NO_FILTER, Filter, Leaving
from twofold.core.records import Side
from twofold.core.schema import Field, ObjectType
from twofold.core.transforms import Transform


class Direction(StrEnum):
    """Which way data may travel (S2)."""

    BOTH = "both"
    TO_HUB = "to_hub"
    TO_APP = "to_app"

    def reaches(self, side: Side) -> bool:
        """Whether values may be written to that side."""
        return self is Direction.BOTH or self is RECEIVING[side]

    def narrowed(self, other: Direction) -> Direction | None:
        """What both directions allow; None when they exclude each other."""
        if self is Direction.BOTH or self is other:
            return other
        return self if other is Direction.BOTH else None


RECEIVING: Mapping[Side, Direction] = {
    Side.HUB: Direction.TO_HUB,
    Side.APP: Direction.TO_APP,
}
"""The one-way direction that ends at a side."""


class Blanks(StrEnum):
    """What clearing a field does to its twin (D3)."""

    NEVER_ERASE = "never_erase"
    CLEAR = "clear"


class When(StrEnum):
    """When a mapping writes (F12)."""

    ALWAYS = "always"
    IF_EMPTY = "if_empty"
    """Only into a blank field."""
    ON_CREATE = "on_create"
    """Only into a record that is being made."""


class FieldMapping(Struct, frozen=True):
    """A field on each side that hold the same thing."""

    hub: Field
    app: Field
    direction: Direction = Direction.BOTH
    """As configured; a read-only end narrows it (F8)."""
    blanks: Blanks = Blanks.NEVER_ERASE
    when: When = When.ALWAYS
    default_side: Side | None = None
    """Whose value wins a conflict in this field; None = the sync's default app."""
    options: tuple[tuple[str, str], ...] = ()
    """Options or owners that a person paired by hand, as values (hub, app) (F10, F13)."""
    hub_fallback: str = ""
    """The hub's owner or option for what has no pair; empty = such a value fails its field."""
    app_fallback: str = ""
    transforms: tuple[Transform, ...] = ()
    """In the order from the hub to the app."""
    enabled: bool = True
    """A mapping that is turned off keeps *seen*, and goes on from there (D7)."""

    def fallback(self, side: Side) -> str:
        """What a side is given where an option or owner has no pair."""
        return self.hub_fallback if side is Side.HUB else self.app_fallback

    def end(self, side: Side) -> Field:
        """The field on that side."""
        return self.hub if side is Side.HUB else self.app

    @property
    def name(self) -> str:
        """How people and stores name this mapping: by its hub field, unique in a sync (F3)."""
        return self.hub.name


class Constant(Struct, frozen=True):
    """What a new record of a side is given in a field that no mapping fills (F14, F17)."""

    side: Side
    field: str
    """By name."""
    text: str
    """As a person writes it; see `twofold.core.constants`."""


class Targets(StrEnum):
    """Which targets of an association sync (A4, A5)."""

    PRIMARY = "primary"
    """The primary one; without one the only one, else none."""
    ALL = "all"
    """Every one, with its labels."""


class AssociationMapping(Struct, frozen=True):
    """An association that both sides have, e.g. the company of a contact (A1, A4)."""

    hub: str
    app: str
    """Association names on each side."""
    hub_target: str
    app_target: str
    """Object types at the far end, whose own sync provides the links."""
    targets: Targets = Targets.PRIMARY

    def end(self, side: Side) -> str:
        """The association's name on that side."""
        return self.hub if side is Side.HUB else self.app

    def target(self, side: Side) -> str:
        """The object type at the far end on that side."""
        return self.hub_target if side is Side.HUB else self.app_target


class Matching(StrEnum):
    """The matching presets (M2, M3, M5, M9)."""

    CONTACTS = "contacts"
    COMPANIES = "companies"
    COMPANIES_STRICT = "companies_strict"
    """Name and domain must not disagree; pairs that do are left for a person."""
    PRODUCTS = "products"
    NONE = "none"


class CustomMatching(Struct, frozen=True):
    """Matching rules of a person's own (M5), strongest first."""

    rules: tuple[tuple[str, ...], ...]
    """Each names mappings; two records agree in a rule when they agree in all of them."""


class Deletes(StrEnum):
    """What a record that was deleted on one side does to its twin (R8)."""

    IGNORE = "ignore"
    """The twin stays, excluded, and nothing is made again."""
    APPROVE = "approve"
    """A person is asked about each; then as ``ARCHIVE`` where the app can, else as ``DELETE``."""
    ARCHIVE = "archive"
    DELETE = "delete"


class Brakes(Struct, frozen=True):
    """How much of what is known a run may touch before a person is asked (R9), 0.2 for 20 %."""

    deletes: float = 0.2
    creates: float = 0.5
    changes: float = 0.5


class MostCreates(Struct, frozen=True):
    """The most records that one run may make on a side (S8); null = no limit."""

    hub: int | None = None
    app: int | None = None

    def of(self, side: Side) -> int | None:
        """The limit of a side."""
        return self.hub if side is Side.HUB else self.app

    @property
    def none(self) -> bool:
        """Whether no side has one."""
        return self.hub is None and self.app is None


class Rules(Struct, frozen=True):
    """Everything that the core needs to know about one sync."""

    hub: ObjectType
    app: ObjectType
    mappings: tuple[FieldMapping, ...]
    direction: Direction = Direction.BOTH
    default_side: Side = Side.HUB
    """The default app: its value wins a conflict (S3)."""
    matching: Matching | CustomMatching = Matching.NONE
    associations: tuple[AssociationMapping, ...] = ()
    require_email: bool = False
    """L1: only records with a valid e-mail address are sent."""
    constants: tuple[Constant, ...] = ()
    timezone: str = "UTC"
    region: str = ""
    """ISO 3166 code of phone numbers without a country; empty = unknown."""
    hub_filter: Filter = NO_FILTER
    """Which of its records the hub sends to the app (L2)."""
    app_filter: Filter = NO_FILTER
    """Which of its records the app sends to the hub (L2)."""
    leaving: Leaving = Leaving.STOP
    """What happens to a synced record that no longer meets its filter (L4, L5)."""
    stages: tuple[str, ...] = ()
    """S9: the lifecycle stages of the hub whose records belong to this sync, by value or label.
    What this sync makes in the hub gets the first one, unless it is given another. Empty = all."""
    from_now_on: bool = False
    """L7: only records that were made or changed after both sides were first read are sent."""

    most_creates: MostCreates = MostCreates()
    """How many records one run may make; the rest is held for a person (S8)."""

    def filter_of(self, side: Side) -> Filter:
        """What the records of that side must meet to be sent."""
        return self.hub_filter if side is Side.HUB else self.app_filter

    deletes: Deletes = Deletes.IGNORE
    brakes: Brakes = Brakes()

    def type_of(self, side: Side) -> ObjectType:
        """The object type on that side."""
        return self.hub if side is Side.HUB else self.app
