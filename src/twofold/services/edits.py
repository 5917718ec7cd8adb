"""Edits of a sync that lives (S6): counted before they are saved.

They are saved so that only what they touch is looked at again.
"""

from __future__ import annotations

from collections.abc import Mapping

from msgspec import Struct

from twofold.core.mappings import Rules
from twofold.core.records import Side
from twofold.engine.edit import NO_SEEDS, Edit, Meaning, count
from twofold.services.installation import Installation
from twofold.store.syncs import Sync


class Effect(Struct, frozen=True):
    """What an edit means, in pairs and unlinked records of which each counts once."""

    starts: int = 0
    """They take part from now on."""
    stops: int = 0
    """They take part no longer; nothing is deleted."""
    archives: int = 0
    """One of the pair leaves its limit, and its twin is archived; an edited twin asks first."""
    changes: int = 0
    """Something else than before is to be written."""
    again: int = 0
    """They are matched or compared again; often nothing comes of it."""
    unread: tuple[str, ...] = ()
    """Fields that are read for the first time with the next run, so that nothing here knows
    their values yet."""


def effect(
    here: Installation, sync: Sync, rules: Rules, seeds: Mapping[str, Side] = NO_SEEDS
) -> Effect:
    """Count what new rules would mean to the records of a sync. Nothing is written.

    ``seeds``: by mapping name, the side that seeds a mapping that is new (F15); else it only
    fills blanks.
    """
    edit = Edit(here.state, here.world, sync, rules, seeds)
    counts: dict[Meaning, int] = {}
    with here.state.database.reading():
        for touches in edit.touched():
            count(counts, touches)
    return _effect(edit, counts)


def save(
    here: Installation,
    sync: Sync,
    rules: Rules,
    *,
    enabled: bool,
    seeds: Mapping[str, Side] = NO_SEEDS,
) -> Effect:
    """Store new rules in place of those of ``sync``; what they mean is done by the next run.

    Raises:
        TwofoldError: TF-E01, the sync was edited since it was read; nothing is saved.
    """
    done = Effect()
    if rules != sync.rules:
        edit = Edit(here.state, here.world, sync, rules, seeds)
        done = _effect(edit, edit.save())
    if enabled is not sync.enabled:
        here.state.syncs.enable(sync.id, enabled)
    return done


def _effect(edit: Edit, counts: dict[Meaning, int]) -> Effect:
    unread = tuple(f"{name} of the {side}" for side in Side for name in sorted(edit.unread[side]))
    known = {meaning.value: number for meaning, number in counts.items()}
    return Effect(**known, unread=unread)
