"""What a history is played in: a clock, two apps and the rules between them.

A new kind of configuration: a field of ``script.SyncScript`` (or ``AppScript``) that is off by
default, a line in ``draw`` that sometimes turns it on, and its meaning in ``build_rules`` here (or
in ``apps``). Where it changes what may happen, ``oracle`` or ``promises`` learn of it.
"""

from __future__ import annotations

from collections.abc import Callable
from datetime import datetime, timedelta

from msgspec import Struct
from tests.simulation.apps import FIELDS, SimulatedApp, build_app, build_types
from tests.simulation.braking import rules_of
from tests.simulation.limits import limited
from tests.simulation.mapped import widened, with_mappings
from tests.simulation.script import Script, SyncScript

from twofold.core.mappings import (
    AssociationMapping,
    Blanks,
    Direction,
    FieldMapping,
    Matching,
    Rules,
    When,
)
from twofold.core.records import Side
from twofold.core.schema import ObjectType

MATCHING = {
    "contact": Matching.CONTACTS,
    "company": Matching.COMPANIES,
    "deal": Matching.NONE,
}
CLEARED = ("notes", "phone")
"""Fields that people clear."""


class SimulatedWorld:
    """Time that moves only when the history says so, and steps that may crash."""

    def __init__(self, start: datetime) -> None:
        self.time = start
        """By our clock, which somebody may set back."""
        self.apps_time = start
        self.on_step: Callable[[str], None] = lambda what: None

    def now(self) -> datetime:
        return self.time

    def advance(self, seconds: float) -> None:
        """Time passes everywhere; a negative number sets back our own clock only."""
        self.time += timedelta(seconds=seconds)
        self.apps_time += timedelta(seconds=max(0, seconds))

    async def sleep(self, seconds: float) -> None:
        self.advance(seconds)

    def jitter(self) -> float:
        return 0.5

    def step(self, what: str) -> None:
        self.on_step(what)


class Setup(Struct):
    """Two apps and the syncs between them."""

    apps: dict[Side, SimulatedApp]
    types: dict[Side, dict[str, ObjectType]]
    rules: list[Rules]
    script: Script

    @property
    def objects(self) -> tuple[str, ...]:
        """The object types that are synced."""
        return self.script.sync.types


def build(script: Script, world: SimulatedWorld) -> Setup:
    """Make what a script describes."""
    types = {side: build_types(script.side(side)) for side in Side}
    for side, mine in types.items():
        mine["contact"] = widened(side, mine["contact"], script.sync)
    clock = lambda: world.apps_time  # noqa: E731
    apps = {side: build_app(side, script.side(side), types[side], clock) for side in Side}
    rules = [build_rules(name, script.sync, types) for name in script.sync.types]
    rules = [_of_contacts(r, script.sync) if r.hub.name == "contact" else r for r in rules]
    return Setup(apps, types, rules, script)


def _of_contacts(rules: Rules, sync: SyncScript) -> Rules:
    return with_mappings(limited(rules, sync), sync)


def build_rules(name: str, sync: SyncScript, types: dict[Side, dict[str, ObjectType]]) -> Rules:
    """The rules of one sync."""
    ends = {side: types[side][name] for side in Side}
    return Rules(
        hub=ends[Side.HUB],
        app=ends[Side.APP],
        mappings=tuple(_mapping(field, sync, ends) for field in FIELDS[name]),
        direction=sync.direction,
        default_side=sync.default,
        matching=MATCHING[name],
        associations=tuple(
            AssociationMapping(a.name, a.name, a.target, a.target)
            for a in ends[Side.HUB].associations
            if a.target in sync.types
        ),
        require_email=sync.require_email and name == "contact",
        deletes=sync.deletes,
        brakes=rules_of(sync.brakes),
    )


def _mapping(name: str, sync: SyncScript, ends: dict[Side, ObjectType]) -> FieldMapping:
    hub, app = (ends[side].field(name) for side in Side)
    assert hub is not None
    assert app is not None
    clears = sync.clears and name in CLEARED
    return FieldMapping(
        hub,
        app,
        direction=dict(sync.one_way).get(name, Direction.BOTH),
        blanks=Blanks.CLEAR if clears else Blanks.NEVER_ERASE,
        when=dict(sync.when).get(name, When.ALWAYS),
        default_side=dict(sync.wins).get(name),
    )
