"""Verification in histories (R10): what no feed ever told is found, counted and put right.

Comparing runs amid all the trouble of a history, right behind runs that came to rest. At the end,
in calm, it must find nothing that was missed; then values change behind the backs of the feeds.
"""

from __future__ import annotations

from random import Random
from typing import TYPE_CHECKING, NamedTuple

from msgspec import structs
from tests.simulation.broken import Broken
from tests.simulation.limit_promises import sends
from tests.simulation.oracle import token, way
from tests.simulation.script import Script
from tests.simulation.users import new_value

from twofold.core.health import State
from twofold.core.mappings import FieldMapping, Rules, When
from twofold.core.records import Side
from twofold.core.schema import Feed
from twofold.core.values import Value

if TYPE_CHECKING:
    from tests.simulation.history import History

NAME = "verification"
SHARE = 0.3
"""Of the histories, those in which pairs are compared."""
SLIPS = {"contact": "firstname", "company": "phone", "deal": "dealname"}
"""What changes behind the back of a feed: no key, and nothing that a limit asks for."""
MOST = 6
"""Values that change behind the back of a feed."""


class Slip(NamedTuple):
    """A value that changed and was never told."""

    rules: Rules
    side: Side
    ids: dict[Side, str]
    field: str
    value: Value


def draw_verification(seed: int, script: Script) -> Script:
    """Sometimes: comparisons behind runs, and what only they can find."""
    random = Random(f"verification {seed}")
    if random.random() >= SHARE:
        return script
    rounds = [structs.replace(r, verify=random.random() < 0.5) for r in script.rounds]
    sync = structs.replace(script.sync, verifies=True)
    return structs.replace(script, sync=sync, rounds=tuple(rounds))


def drift_is_found(history: History) -> int:
    """Nothing was missed that a feed tells; what it does not tell is found, and travels."""
    if not history.script.sync.verifies:
        return 0
    for sync in history.syncs:
        found = history.verify(sync)
        if found is None or found.drift:
            raise Broken(NAME, f"sync {sync} had missed something in calm: {found}")
    slips = [slip for sync, rules in _syncs(history) for slip in _slip(history, sync, rules)]
    for sync, rules in _syncs(history):
        found = history.verify(sync)
        mine = sum(slip.rules is rules for slip in slips)
        # By a clock that was set back, all of it is too new to be missed; it is read all the same.
        least = mine if history.world.time == history.world.apps_time else 0
        if found is None or not least <= found.drift <= mine:
            raise Broken(NAME, f"{mine} values changed untold in sync {sync}, and {found}")
    history.settle()
    for slip in slips:
        _has_travelled(history, slip)
    return len(history.syncs)


def _syncs(history: History) -> list[tuple[int, Rules]]:
    return list(zip(history.syncs, history.setup.rules, strict=True))


def _slip(history: History, sync: int, rules: Rules) -> list[Slip]:
    """Values change on one side of some pairs, and no feed ever tells."""
    field = SLIPS[rules.hub.name]
    mapping = next(m for m in rules.mappings if m.name == field)
    slips: list[Slip] = []
    for number, (ids, state) in enumerate(history.pairs(sync)):
        side = tuple(Side)[number % 2]
        told = rules.type_of(side).feed is Feed.SNAPSHOT  # each of its readings is a comparison
        if state is not State.IN_SYNC or told or len(slips) >= MOST:
            continue
        if not _travels(history, rules, mapping, side, ids):
            continue
        slip = Slip(rules, side, ids, field, new_value(field, 90_000 + number))
        history.setup.apps[side].slip(rules.hub.name, ids[side], {field: slip.value})
        slips.append(slip)
    return slips


def _travels(
    history: History, rules: Rules, mapping: FieldMapping, side: Side, ids: dict[Side, str]
) -> bool:
    """Whether the next value of this side in that field reaches the other one.

    Where the two differ by now, a rule may have it stay so, whatever one of them shows next.
    """
    direction = way(rules, mapping)
    if direction is None or not direction.reaches(side.other) or mapping.when is not When.ALWAYS:
        return False
    obj = rules.hub.name
    both = {s: history.setup.apps[s].read(obj, ids[s]) for s in Side}
    held = {token(r.fields.get(mapping.name)) for r in both.values() if r is not None}
    record = both[side]
    if record is None or len(held) > 1:
        return False
    return obj != "contact" or sends(history, rules, side, record)


def _has_travelled(history: History, slip: Slip) -> None:
    obj, other = slip.rules.hub.name, slip.side.other
    held = history.setup.apps[other].read(obj, slip.ids[other])
    value = None if held is None else held.fields.get(slip.field)
    if token(value) != token(slip.value):
        raise Broken(NAME, f"{slip.value!r} was found, and the other side holds {value!r}")
