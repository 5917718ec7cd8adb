"""What a run counts before it goes on, and the brakes that it pulls (R9).

Counting costs nothing in the usual case: only where more is due than a brake lets through is
everything planned once without being applied.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from datetime import timedelta

from msgspec import Struct

from twofold.core.declared import as_declared
from twofold.core.guards import (
    Brake,
    BrakeName,
    most_writes,
    schema_moved,
    too_many_changes,
    too_many_creates,
    too_many_deletes,
)
from twofold.core.records import Side
from twofold.core.schema import ObjectType
from twofold.engine.braked import Braked
from twofold.engine.chunk import assemble
from twofold.engine.context import Context

AT_ONCE = 1_000
"""Records planned together while counting."""


class Expected(Struct):
    """What a run would write."""

    creates: int = 0
    changes: int = 0


def pull(context: Context, brake: Brake | None) -> None:
    """Stop the run for a brake, unless a person has overridden it for as much as this.

    Raises:
        Braked: the brake is in force.
    """
    if brake is None:
        return
    allowed = context.state.brakes.overridden(context.sync.id, brake.name)
    if allowed is None or brake.number > allowed:
        raise Braked(brake)


def may_be_empty(context: Context) -> bool:
    """Whether a person believes a side that suddenly shows nothing."""
    return context.state.brakes.overridden(context.sync.id, BrakeName.SIDE_EMPTY) is not None


def believed(context: Context, allowed_by: str) -> Callable[[Brake], bool]:
    """What a reading asks before it stops at an empty side.

    ``allowed_by``: who said with this very run that such a side is to be believed, "" for nobody.
    That is an override like any other: recorded where it is needed, and used up with the run.
    """

    def overridden(brake: Brake) -> bool:
        if allowed_by and not may_be_empty(context):
            now = context.world.now().timestamp()
            context.state.brakes.allow(context.sync.id, brake, now, allowed_by)
        return may_be_empty(context)

    return overridden


def guard_writes(context: Context) -> None:
    """Before the first write: far more creates or changes than expected.

    A first sync is expected to write much; so is whatever goes on before it came to rest.

    Raises:
        Braked: a person is asked first.
    """
    rules = context.sync.rules
    settled, pairs = context.state.brakes.settled(context.sync.id)
    least = min(most_writes(share, pairs) for share in (rules.brakes.creates, rules.brakes.changes))
    if not settled or context.state.links.due_count(context.sync.id) <= least:
        return
    expected = _expected(context)
    pull(context, too_many_creates(rules, expected.creates, pairs))
    pull(context, too_many_changes(rules, expected.changes, pairs))


def _expected(context: Context) -> Expected:
    """Plan everything that is due, and apply nothing of it."""
    expected = Expected()
    counted: set[int] = set()
    for side in Side:
        row = 0
        while places := context.state.links.due_after(context.sync.id, side, row, AT_ONCE):
            row = places[-1][1]
            chunk = assemble(context, places)
            # A group of records that share a key comes with each of them: count those of the page.
            here = set(places)
            expected.creates += sum((c.side.other, c.source.row) in here for c in chunk.creates)
            changed = {p.hub.row for p in chunk.pairs if p.plan.updates} - counted
            expected.changes += len(changed)
            counted |= changed
    return expected


def guard_deletes(context: Context) -> None:
    """Before the first delete: too many of all pairs.

    Raises:
        Braked: a person is asked first.
    """
    staged, pairs = context.state.removals.counted(context.sync.id)
    pull(context, too_many_deletes(context.sync.rules, staged, pairs))


async def guard_schema(context: Context, every: timedelta | None) -> bool:
    """Before reading: what the sync uses is gone, or of another kind. None = do not look.

    True: the apps declare something else than before that stops nothing, such as one option more.
    The sync goes by that from now on, and tries again what was failing: begin the slice again.

    Raises:
        Braked: a person is asked first.
        ConnectorError: an app cannot be asked.
    """
    now = context.world.now().timestamp()
    if every is None:
        return False
    if now - context.state.brakes.described(context.sync.id) < every.total_seconds():
        return False
    types = await _declared(context)
    for brake in _moved(context, types).values():
        raise Braked(brake)
    context.state.brakes.set_described(context.sync.id, now)
    renewed = as_declared(context.sync.rules, {s: t for s, t in types.items() if t is not None})
    if renewed is not context.sync.rules:
        context.state.links.wake_failing(context.sync.id)
        context.state.brakes.take_over(context.sync.id, renewed, {})
    context.world.step("schemas looked at")
    return renewed is not context.sync.rules


async def schema_brakes(context: Context) -> Mapping[Side, Brake]:
    """What has moved in what the sync uses of each side."""
    return _moved(context, await _declared(context))


async def _declared(context: Context) -> Mapping[Side, ObjectType | None]:
    found = {}
    for side, port in context.ports.items():
        types = {t.name: t for t in await port.connector.describe()}
        found[side] = types.get(port.name)
    return found


def _moved(context: Context, types: Mapping[Side, ObjectType | None]) -> Mapping[Side, Brake]:
    found: dict[Side, Brake] = {}
    for side, port in context.ports.items():
        brake = schema_moved(context.sync.rules, side, port.app, types[side])
        if brake is not None:
            found[side] = brake
    return found
