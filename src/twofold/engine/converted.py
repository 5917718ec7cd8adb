"""What an app converted keeps its twin: a lead that became a contact is the same person (S9)."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from twofold.core.associations import field_name
from twofold.core.records import Side
from twofold.engine.context import Context
from twofold.store.syncs import Sync
from twofold.store.types import Place, Stored


def keep_twins(context: Context, places: Sequence[Place]) -> list[tuple[Stored, Stored]]:
    """Pairs (hub, app) of unlinked records: the app's was made of one that is linked elsewhere.

    They come before any match key, and a pair that a person has cut stays apart.
    """
    rules = context.sync.rules
    declared = rules.app.association(rules.app.origin)
    before = None if declared is None else _sync_of(context, declared.target)
    if before is None:
        return []
    pairs: list[tuple[Stored, Stored]] = []
    taken: set[Place] = set()
    found = (*_made_of(context, before, places), *_made_into(context, before, places))
    for hub, app in found:
        ends: set[Place] = {(Side.HUB, hub.row), (Side.APP, app.row)}
        if taken.isdisjoint(ends) and _are_free(context, hub, app):
            pairs.append((hub, app))
            taken |= ends
    return pairs


def _sync_of(context: Context, app_type: str) -> Sync | None:
    """The sync of this connection that keeps the app's other type with the same type of the hub."""
    wanted = (context.sync.connection, context.sync.rules.hub.name, app_type)
    for other in context.state.syncs.all():
        if (other.connection, other.rules.hub.name, other.rules.app.name) == wanted:
            return other
    return None


def _made_of(
    context: Context, before: Sync, places: Sequence[Place]
) -> Iterator[tuple[Stored, Stored]]:
    """By what a record of the app says that it was made of."""
    name = field_name(context.sync.rules.app.origin)
    stored = context.state.records.stored(row for side, row in places if side is Side.APP)
    made = {str(lead): one for one in stored.values() if (lead := one.record.fields.get(name))}
    if not made:
        return
    twins = context.state.links.twins(before.reader(Side.APP), made, before.id, Side.APP)
    for lead, hub_id in twins.items():
        hub = context.state.records.find(context.sync.reader(Side.HUB), hub_id)
        if hub is not None:
            yield hub, made[lead]


def _made_into(
    context: Context, before: Sync, places: Sequence[Place]
) -> Iterator[tuple[Stored, Stored]]:
    """By what the app says that a record of the hub's former twin was made into."""
    becomes = before.rules.app.becomes
    rows = [row for side, row in places if side is Side.HUB]
    if not (becomes and rows):
        return
    for link in context.state.links.of(before.id, Side.HUB, rows):
        made = link.app.record.fields.get(field_name(becomes))
        reader = context.sync.reader(Side.APP)
        app = context.state.records.find(reader, str(made)) if made else None
        if app is not None:
            yield link.hub, app


def _are_free(context: Context, hub: Stored, app: Stored) -> bool:
    """Whether both are there, have no twin in this sync, and nobody cut them from each other."""
    sync, links = context.sync.id, context.state.links
    if hub.gone or app.gone or app.row in context.refused_of(Side.HUB, hub.row):
        return False
    return not (links.of(sync, Side.HUB, [hub.row]) or links.of(sync, Side.APP, [app.row]))
