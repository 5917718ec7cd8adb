"""How a sync matches: its duplicates before the first run (M8), and other rules later (M6)."""

from __future__ import annotations

from collections.abc import Iterator

import msgspec
from msgspec import Struct

from twofold.core.mappings import CustomMatching, Matching
from twofold.core.matching import key_maker, level_names
from twofold.core.records import Side
from twofold.core.validate import check_matching
from twofold.engine.observe import key_hashes
from twofold.engine.run import read_only
from twofold.services.edits import effect, save
from twofold.services.installation import Installation
from twofold.services.records import called
from twofold.services.syncs import Refused
from twofold.store.duplicates import duplicates
from twofold.store.syncs import Sync

MOST_EXAMPLES = 10
MOST_IDS = 5


class Shared(Struct, frozen=True):
    """Records of one side that agree in one level of the sync's matching."""

    by: str
    """What they agree in."""
    groups: int
    records: int


class Example(Struct, frozen=True):
    """One group of them."""

    by: str
    records: int
    ids: tuple[str, ...]
    """The first few."""
    name: str


class Duplicates(Struct, frozen=True):
    """What one side has more than once, as far as the sync's matching can tell."""

    side: Side
    total: int
    shared: tuple[Shared, ...]
    examples: tuple[Example, ...]
    """The largest groups."""


async def report(here: Installation, name: str) -> list[Duplicates]:
    """The duplicates of both sides; reads both of them first where that was never done.

    Nothing is written to any app. What was read is there for the first run.

    Raises:
        TwofoldError: TF-U06, there is no such sync; a side cannot be read.
    """
    sync = here.sync(name)
    if not sync.indexed:
        async with here.both_sides(sync) as connectors:
            await read_only(here.state, here.world, sync.id, connectors)
    return [_of_side(here, sync, side) for side in Side]


def rematch(
    here: Installation, name: str, matching: Matching | CustomMatching, *, dry: bool = False
) -> tuple[Sync, int]:
    """Match by other rules from now on; returns how many unlinked records are planned again.

    What is linked stays linked. ``dry``: they are counted only, and nothing is saved (S6).

    Raises:
        Refused: TF-U07, with all problems of the rules; nothing was saved.
        TwofoldError: TF-U06, there is no such sync.
    """
    sync = here.sync(name)
    rules = msgspec.structs.replace(sync.rules, matching=matching)
    problems = check_matching(rules)
    if problems:
        raise Refused(problems)
    if dry:
        return sync, effect(here, sync, rules).again
    done = save(here, sync, rules, enabled=sync.enabled)
    return here.sync(name), done.again


def _of_side(here: Installation, sync: Sync, side: Side) -> Duplicates:
    names = level_names(sync.rules)
    levels, groups = duplicates(
        here.state.database, _level_keys(here, sync, side), MOST_EXAMPLES, MOST_IDS
    )
    return Duplicates(
        side,
        here.state.records.reader(sync.reader(side)).live,
        tuple(Shared(names[found.level], found.groups, found.records) for found in levels),
        tuple(_example(here, sync, side, names[g.level], g.size, g.rows) for g in groups),
    )


def _example(
    here: Installation, sync: Sync, side: Side, by: str, size: int, rows: tuple[int, ...]
) -> Example:
    stored = here.state.records.stored(rows)
    first = stored[rows[0]]
    title = called(sync, first, None) if side is Side.HUB else called(sync, None, first)
    return Example(by, size, tuple(stored[row].record.id for row in rows), title)


def _level_keys(here: Installation, sync: Sync, side: Side) -> Iterator[tuple[int, int, int]]:
    make = key_maker(sync.rules)
    for stored in here.state.records.living(sync.reader(side)):
        keys = make(side, stored.record.fields)
        levels = (level for level, found in enumerate(keys.levels) for _ in found)
        for level, key in zip(levels, key_hashes(keys), strict=True):
            yield level, key, stored.row
