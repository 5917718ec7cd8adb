"""Limits of the contacts' sync, each with what it means, said without the product's code."""

from __future__ import annotations

from collections.abc import Callable
from datetime import date
from random import Random

from msgspec import Struct, structs
from tests.simulation.script import Act, Round, Script, SyncScript

from twofold.core.filter_words import parsed
from twofold.core.filters import Filter, Leaving
from twofold.core.mappings import Rules
from twofold.core.records import Fields, Side
from twofold.core.values import is_blank

DAY = 86_400


class Kind(Struct, frozen=True):
    """One limit."""

    lines: tuple[str, ...]
    meets: Callable[[Fields, date], bool]


def _recent(fields: Fields, today: date) -> bool:
    born = fields.get("date_of_birth")
    return isinstance(born, date) and 0 <= (today - born).days <= 2


def _in(fields: Fields, _: date) -> bool:
    return fields.get("lastname") == "in"


LIMITS = {
    "": Kind((), lambda _fields, _today: True),
    "in": Kind(("lastname is in",), _in),
    "not out": Kind(("lastname is not out",), lambda f, _: f.get("lastname") != "out"),
    "both": Kind(
        ("lastname is any of in, also in", "phone is unknown"),
        lambda f, _: f.get("lastname") in {"in", "also in"} and is_blank(f.get("phone")),
    ),
    "either": Kind(
        ("lastname is in", "or", "notes contains 1"),
        lambda f, today: _in(f, today) or "1" in str(f.get("notes") or ""),
    ),
    "recent": Kind(("date_of_birth is in the last 2 days",), _recent),
}
"""By the name in a script; ``lastname`` is not mapped, the others are."""


def limited(rules: Rules, sync: SyncScript) -> Rules:
    """The rules of the contacts' sync with the limits of a script."""
    names = [f.name for f in rules.hub.fields]
    asked: dict[Side, Filter] = {
        side: parsed(LIMITS[name].lines, names)
        for side, name in ((Side.HUB, sync.hub_limit), (Side.APP, sync.app_limit))
    }
    return structs.replace(
        rules, hub_filter=asked[Side.HUB], app_filter=asked[Side.APP], leaving=sync.leaving
    )


def meets(sync: SyncScript, side: Side, fields: Fields, today: date) -> bool:
    """Whether a contact is within the limit of its side."""
    name = sync.hub_limit if side is Side.HUB else sync.app_limit
    return LIMITS[name].meets(fields, today)


def draw_limits(random: Random, script: Script) -> Script:
    """A script with limits on one or both sides, and people who move contacts in and out."""
    hub, app = (random.choice([*LIMITS, "in", "not out"]) for _ in Side)
    leaving = random.choice((Leaving.STOP, Leaving.STOP, Leaving.FINAL, Leaving.KEEP))
    sync = structs.replace(script.sync, hub_limit=hub, app_limit=app, leaving=leaving)
    return structs.replace(
        script, sync=sync, rounds=tuple(_moved(random, one) for one in script.rounds)
    )


def _moved(random: Random, one: Round) -> Round:
    acts = list(one.acts)
    for _ in range(random.randint(0, 8)):
        side = random.choice(tuple(Side))
        move = Act("move", side, "contact", random.randrange(1000), random.randrange(1000))
        acts.insert(random.randint(0, len(acts)), move)
    if random.random() < 0.3:
        side = random.choice(tuple(Side))
        acts.append(Act("by hand", side, "contact", random.randrange(1000), random.randrange(10)))
    wait = one.wait + random.choice((0, 0, DAY, 2 * DAY))
    return structs.replace(one, acts=tuple(acts), wait=wait)
