"""What a history is played in: a clock, two apps with drawn capabilities, and the rules."""

from __future__ import annotations

from collections.abc import Callable
from datetime import datetime, timedelta
from random import Random

from msgspec import Struct, structs

from twofold.core.mappings import (
    AssociationMapping,
    Direction,
    FieldMapping,
    Matching,
    Rules,
)
from twofold.core.records import Side
from twofold.core.schema import Feed, ObjectType, Op
from twofold.kit.memory import Habits, MemoryApp
from twofold.kit.memory.shapes import company, contact

CONTACT_FIELDS = ("email", "firstname", "notes", "phone", "visits", "date_of_birth")
COMPANY_FIELDS = ("name", "domain", "phone", "numberofemployees")
TAGS = {"contact": "visits", "company": "numberofemployees"}
"""A field that only the creator sets, to know records again on both sides."""


class SimulatedWorld:
    """Time that moves only when the history says so, and steps that may crash."""

    def __init__(self, start: datetime, random: Random) -> None:
        self.time = start
        self.random = random
        self.on_step: Callable[[str], None] = lambda what: None

    def now(self) -> datetime:
        return self.time

    async def sleep(self, seconds: float) -> None:
        self.time += timedelta(seconds=seconds)

    def jitter(self) -> float:
        return self.random.random()

    def step(self, what: str) -> None:
        self.on_step(what)


class Setup(Struct):
    """Two apps and the syncs between them."""

    apps: dict[Side, MemoryApp]
    rules: list[Rules]
    """Companies before contacts."""


def draw_setup(random: Random, world: SimulatedWorld) -> Setup:
    """Draw capabilities, habits and rules."""
    types: dict[Side, dict[str, ObjectType]] = {}
    apps: dict[Side, MemoryApp] = {}
    for side in Side:
        types[side] = _draw_types(random)
        apps[side] = MemoryApp(
            list(types[side].values()),
            page_size=random.choice((1, 2, 5, 50)),
            clock=world.now,
            name=str(side),
            habits=Habits(
                stored=random.random() < 0.6,
                bodies=random.random() < 0.7,
                holders=random.random() < 0.7,
            ),
        )
    direction = random.choice([Direction.BOTH] * 3 + [Direction.TO_HUB, Direction.TO_APP])
    default = random.choice(list(Side))
    rules = [_contact_rules(types, direction, default, random)]
    if random.random() < 0.5:
        rules.insert(0, _company_rules(types, direction, default))
    return Setup(apps, rules)


def _draw_types(random: Random) -> dict[str, ObjectType]:
    feed = random.choice(list(Feed))
    coarse = feed is Feed.WATERMARK and random.random() < 0.5
    size = random.choice((1, 3, 10))
    common = {
        "feed": feed,
        "deletes": feed is Feed.LOG,
        "resolution": timedelta(seconds=1 if coarse else 0),
        "lag": timedelta(seconds=random.choice((0, 2)) if feed is Feed.WATERMARK else 0),
        "conditional": not coarse and random.random() < 0.8,
        "idempotent": random.random() < 0.5,
        "atomic": random.random() < 0.2,
        "batch": {Op.CREATE: size, Op.UPDATE: size},
    }
    keyed = random.random() < 0.7
    people = contact(**common)
    firms = company(**common)
    if not keyed:
        people, firms = structs.replace(people, keys=()), structs.replace(firms, keys=())
    return {"contact": people, "company": firms}


def _mappings(
    types: dict[Side, dict[str, ObjectType]], name: str, fields: tuple[str, ...]
) -> tuple[FieldMapping, ...]:
    made = []
    for field in fields:
        hub, app = (types[side][name].field(field) for side in Side)
        assert hub is not None
        assert app is not None
        made.append(FieldMapping(hub, app))
    return tuple(made)


def _contact_rules(
    types: dict[Side, dict[str, ObjectType]],
    direction: Direction,
    default: Side,
    random: Random,
) -> Rules:
    return Rules(
        hub=types[Side.HUB]["contact"],
        app=types[Side.APP]["contact"],
        mappings=_mappings(types, "contact", CONTACT_FIELDS),
        direction=direction,
        default_side=default,
        matching=Matching.CONTACTS,
        associations=(AssociationMapping("company", "company", "company", "company"),),
        require_email=random.random() < 0.3,
    )


def _company_rules(
    types: dict[Side, dict[str, ObjectType]], direction: Direction, default: Side
) -> Rules:
    return Rules(
        hub=types[Side.HUB]["company"],
        app=types[Side.APP]["company"],
        mappings=_mappings(types, "company", COMPANY_FIELDS),
        direction=direction,
        default_side=default,
        matching=Matching.COMPANIES,
    )
