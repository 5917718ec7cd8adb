"""Brakes: what a sync is paused by, and a person's yes in spite of it (R9)."""

from __future__ import annotations

from collections.abc import Mapping

from msgspec import Struct, structs

from twofold.core.errors import TwofoldError
from twofold.core.guards import BrakeName, brake_of, gone_fields
from twofold.core.mappings import FieldMapping, Rules
from twofold.core.parts import find_field
from twofold.core.records import Side
from twofold.core.schema import ObjectType
from twofold.core.validate import check
from twofold.kit import catalog
from twofold.services.installation import Installation
from twofold.services.proposals import Ground, shipped
from twofold.store.brakes import Override
from twofold.store.syncs import Sync


class Pulled(Struct, frozen=True):
    """A brake that a sync is paused by."""

    sync: str
    brake: BrakeName
    sentence: str
    number: int
    """What it counted."""


def pulled(here: Installation, sync: Sync) -> Pulled | None:
    """The brake that a sync is paused by, if any."""
    name = brake_of(sync.status.code)
    if name is None:
        return None
    return Pulled(sync.name, name, sync.status.sentence, sync.status.number)


async def resume(here: Installation, name: str, brake: BrakeName, *, who: str) -> Sync:
    """Override a brake: the next run goes on, up to what was counted when it was pulled.

    Where a field is gone, the sync goes on without what was mapped to it; where one has changed,
    with what it is now.

    Raises:
        TwofoldError: TF-B10, the sync is not paused by that brake; TF-B11, it cannot go on without
            what is gone; TF-U06, there is no such sync.
    """
    sync = here.sync(name)
    found = pulled(here, sync)
    if found is None or found.brake is not brake:
        status = sync.status.sentence.rstrip(".") or "nothing stops it"
        raise TwofoldError("TF-B10", name=name, brake=brake.value, status=status)
    if brake in {BrakeName.FIELD_GONE, BrakeName.FIELD_CHANGED}:
        await _take_over(here, sync)
    now = here.world.now().timestamp()
    here.state.brakes.override(sync.id, brake, sync.status, now, who)
    return here.sync(name)


def history(here: Installation, name: str) -> list[Override]:
    """Who overrode which brake of a sync, the latest first."""
    return here.state.brakes.history(here.sync(name).id)


async def _take_over(here: Installation, sync: Sync) -> None:
    """Go on with what both sides declare now."""
    types: dict[Side, ObjectType] = {}
    async with here.both_sides(sync) as connectors:
        for side in Side:
            wanted = sync.rules.type_of(side).name
            declared = {t.name: t for t in await connectors[side].describe()}
            if wanted not in declared:
                reason = f"the {side.value} has no object type {wanted}"
                raise TwofoldError("TF-B11", name=sync.name, reason=reason)
            types[side] = declared[wanted]
    gone = {side: gone_fields(sync.rules, side, types[side]) for side in Side}
    rules = _without(sync.rules, types, gone)
    connection = here.state.syncs.connection(sync.connection)
    manifest = catalog.load(connection.app).manifest
    problems = check(rules, shipped(Ground(rules.hub, rules.app, manifest)))
    fatal = [problem for problem in problems if not problem.warning]
    if fatal or not rules.mappings:
        reason = fatal[0].sentence.rstrip(".") if fatal else "no mapping would be left"
        raise TwofoldError("TF-B11", name=sync.name, reason=reason)
    by_reader = {sync.reader(side): names for side, names in gone.items() if names}
    here.state.brakes.take_over(sync.id, rules, by_reader)


def _without(
    rules: Rules, types: Mapping[Side, ObjectType], gone: Mapping[Side, tuple[str, ...]]
) -> Rules:
    """The rules by other types, without the mappings of which an end is gone."""
    mappings = [_renewed(mapping, types) for mapping in rules.mappings]
    associations = tuple(
        m for m in rules.associations if not any(m.end(side) in gone[side] for side in Side)
    )
    return structs.replace(
        rules,
        hub=types[Side.HUB],
        app=types[Side.APP],
        mappings=tuple(m for m in mappings if m is not None),
        associations=associations,
        constants=tuple(c for c in rules.constants if c.field not in gone[c.side]),
    )


def _renewed(mapping: FieldMapping, types: Mapping[Side, ObjectType]) -> FieldMapping | None:
    hub, app = (find_field(types[side], mapping.end(side).name) for side in Side)
    return None if hub is None or app is None else structs.replace(mapping, hub=hub, app=app)
