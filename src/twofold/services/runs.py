"""Runs: one sync after the other, in the order in which they need each other (R4, D14)."""

from __future__ import annotations

import sqlite3
from collections.abc import Sequence
from contextlib import suppress

from msgspec import Struct

from twofold.core.codes import CODES
from twofold.core.errors import TwofoldError, sentence
from twofold.core.health import Counts
from twofold.core.records import Side
from twofold.database.sqlite import DatabaseError
from twofold.engine.parts import Gate
from twofold.engine.ramp import Open
from twofold.engine.run import Ending
from twofold.services.installation import Installation
from twofold.services.slices import Phase, Progress, Tell, Watched, one_slice
from twofold.store.syncs import Run, RunStatus, Sync

ORDER = ("company", "contact", "deal")
"""Hub object types, in the order in which they run; others come last."""

__all__ = [
    "Options",
    "Phase",
    "Progress",
    "Report",
    "Tell",
    "chosen",
    "latest",
    "rank",
    "run",
    "waits_for",
]


class Options(Struct, frozen=True):
    """How to run."""

    full: bool = False
    """Read everything again, and try again what is failing; what is equal is not written."""
    allow_empty: str = ""
    """Who believes a side that suddenly shows nothing (TF-B01); "" for nobody."""
    allow_creates: bool = False
    """Make all records that are to be made, those that were held included (S8)."""


class Report(Struct, frozen=True):
    """What a run of one sync did."""

    sync: str
    ending: Ending
    status: RunStatus
    did: dict[str, int]
    """What happened, by words such as ``hub created``."""
    health: Counts
    started: str
    ended: str
    retry_at: float | None = None
    """Seconds since 1970, where the app named a time."""

    @property
    def advice(self) -> str:
        """What a person can do about its status."""
        entry = CODES.get(self.status.code)
        return "" if entry is None else entry.advice


def chosen(here: Installation, names: Sequence[str]) -> list[Sync]:
    """The syncs of these names, in the order in which they run; all that are on for no name.

    Raises:
        TwofoldError: TF-U06, there is none of that name; TF-U10, it is turned off.
    """
    if names:
        syncs = [here.sync(name) for name in dict.fromkeys(names)]
        for sync in syncs:
            if not sync.enabled:
                raise TwofoldError("TF-U10", name=sync.name)
    else:
        syncs = [sync for sync in here.state.syncs.all() if sync.enabled]
    return sorted(syncs, key=rank)


async def run(
    here: Installation,
    sync: Sync,
    options: Options,
    tell: Tell = lambda _: None,
    gate: Gate | None = None,
) -> Report:
    """Run one sync until nothing is left to do, or it must wait, or a person is asked.

    ``gate`` looks at each chunk before it is applied.

    Raises:
        DatabaseError: the state cannot be used.
        FenceLost: another worker has taken over.
    """
    started = _now(here)
    before = waits_for(here, sync)
    if before is not None:
        facts = {"name": sync.name, "other": before.name}
        status = RunStatus("TF-U22", sentence("TF-U22", facts))
        here.state.syncs.set_status(sync.id, status)
        counts = here.state.links.counts(sync.id)
        return Report(sync.name, Ending.WAITING, status, {}, counts, started, started)
    if options.full:
        for side in Side:
            here.state.records.restart(sync.reader(side))
        here.state.links.wake_failing(sync.id)
    if options.allow_creates:
        here.state.links.wake_waiting_singles(sync.id)
        gate = gate or Open()
    return await _noted(here, sync, options, tell, started, gate)


def latest(here: Installation, name: str = "", limit: int = 20) -> list[tuple[Sync, Run]]:
    """The latest runs of one sync or of all, newest first."""
    syncs = [here.sync(name)] if name else here.state.syncs.all()
    found = [(sync, run) for sync in syncs for run in here.state.syncs.runs(sync.id, limit)]
    return sorted(found, key=lambda item: item[1].id, reverse=True)[:limit]


def waits_for(here: Installation, sync: Sync, others: Sequence[Sync] | None = None) -> Sync | None:
    """The sync whose first run must end before this one goes on (D14).

    Only while that run can still end by itself: a sync that is off, or that waits for a person,
    holds nobody up, and associations wait for it instead (A3). ``others``: all syncs, where they
    are known.
    """
    targets = {(m.hub_target, m.app_target) for m in sync.rules.associations}
    for other in here.state.syncs.all() if others is None else others:
        is_target = (other.rules.hub.name, other.rules.app.name) in targets
        if not is_target or other.connection != sync.connection or other.id == sync.id:
            continue
        earlier = rank(other) < rank(sync)
        free = other.enabled and not other.status.needs_person
        if earlier and free and not here.state.syncs.ever_done(other.id):
            return other
    return None


def rank(sync: Sync) -> tuple[int, int]:
    """The place of a sync in the order of runs."""
    name = sync.rules.hub.name
    return (ORDER.index(name) if name in ORDER else len(ORDER), sync.id)


async def _noted(
    here: Installation,
    sync: Sync,
    options: Options,
    tell: Tell,
    started: str,
    gate: Gate | None,
) -> Report:
    """Run, and keep a line about it whatever happens."""
    line = here.state.syncs.begin_run(sync.id, started)
    ending = "interrupted"
    summary: dict[str, int | str] = {}
    try:
        world = Watched(here, sync, tell)
        outcome = await one_slice(
            here, sync, world, allow_empty=options.allow_empty, gate=gate, run=line
        )
        ending = outcome.ending.value
        summary = {**outcome.counts, "code": outcome.status.code}
    except Exception as error:
        ending = "failed"
        summary = {"code": error.code} if isinstance(error, TwofoldError) else {}
        raise
    finally:
        with suppress(DatabaseError, sqlite3.Error):  # it could be what brought us here
            here.state.syncs.end_run(line, _now(here), {**summary, "ending": ending})
    return Report(
        sync.name,
        outcome.ending,
        outcome.status,
        dict(outcome.counts),
        here.state.links.counts(sync.id),
        started,
        _now(here),
        outcome.retry_at,
    )


def _now(here: Installation) -> str:
    return here.world.now().isoformat(timespec="seconds")
