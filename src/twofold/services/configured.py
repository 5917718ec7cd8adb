"""A sync as a person configured it: nothing of the vendor's schema."""

from __future__ import annotations

from msgspec import Struct

from twofold.core.mappings import CustomMatching, Direction, Matching
from twofold.core.records import Side
from twofold.services.installation import Installation
from twofold.store.syncs import Sync


class Mapped(Struct, frozen=True):
    """Two fields, or two associations, that hold the same."""

    hub: str
    app: str
    direction: Direction = Direction.BOTH


class Configured(Struct, frozen=True):
    """One sync."""

    name: str
    connection: str
    enabled: bool
    hub_type: str
    app_type: str
    direction: Direction
    default_side: Side
    matching: Matching | CustomMatching
    require_email: bool
    timezone: str
    region: str
    mappings: tuple[Mapped, ...]
    associations: tuple[Mapped, ...]


def configured(here: Installation, sync: Sync) -> Configured:
    """What a person configured for a sync."""
    rules = sync.rules
    return Configured(
        sync.name,
        here.state.syncs.connection(sync.connection).label,
        sync.enabled,
        rules.hub.name,
        rules.app.name,
        rules.direction,
        rules.default_side,
        rules.matching,
        rules.require_email,
        rules.timezone,
        rules.region,
        tuple(Mapped(m.hub.name, m.app.name, m.direction) for m in rules.mappings),
        tuple(Mapped(m.hub, m.app) for m in rules.associations),
    )
