"""One slice of one sync: its connectors opened, its progress told, its troubles made a status."""

from __future__ import annotations

import time
from collections.abc import Callable, Collection
from contextlib import AbstractAsyncContextManager, nullcontext, suppress
from datetime import datetime, timedelta
from enum import StrEnum
from typing import Any

from msgspec import Struct

from twofold.core.errors import TwofoldError
from twofold.core.records import Side
from twofold.database.sqlite import DatabaseError
from twofold.engine.braked import Braked
from twofold.engine.parts import Gate
from twofold.engine.ramp import ramp_of
from twofold.engine.run import (
    CHUNK_DONE,
    Ending,
    Paused,
    SliceOutcome,
    Turn,
    run_slice,
    stopped,
)
from twofold.engine.verify import verify_slice
from twofold.engine.world import World
from twofold.kit.errors import ConnectorError
from twofold.services.installation import Installation
from twofold.store.errors import FenceLost
from twofold.store.syncs import RunStatus, Sync


class Phase(StrEnum):
    """What a run is busy with."""

    SCANNING = "scanning"
    APPLYING = "in progress"


class Progress(Struct, frozen=True):
    """How far a run has come."""

    sync: str
    phase: Phase
    done: int
    """Records read, or planned and written."""
    total: int | None = None
    """None while it is not known."""


SCHEMA_EVERY = timedelta(hours=1)
"""How often what a sync uses is compared with what its apps declare."""

Tell = Callable[[Progress], None]


def _never(_: str) -> bool:
    return False


def anytime(_: int) -> AbstractAsyncContextManager[Any]:
    """Where one slice runs at a time, nobody waits for a turn."""
    return nullcontext()


async def one_slice(
    here: Installation,
    sync: Sync,
    world: World,
    *,
    allow_empty: str = "",
    sides: Collection[Side] = tuple(Side),
    turn: Turn = anytime,
    gate: Gate | None = None,
    run: int = 0,
) -> SliceOutcome:
    """Run a slice; what keeps it from running at all becomes the status of the sync.

    Raises:
        DatabaseError: the state cannot be used.
        FenceLost: another worker has taken over, or what the slice knew is out of date.
    """
    try:
        async with here.both_sides(sync) as connectors:
            outcome = await run_slice(
                here.state,
                world,
                sync.id,
                connectors,
                allow_empty=allow_empty,
                sides=sides,
                turn=turn,
                schema_every=SCHEMA_EVERY,
                gate=gate or ramp_of(here.state.syncs.get(sync.id).rules),
                run=run,
            )
            if outcome.ending is Ending.DONE:
                with suppress(ConnectorError):  # what could not be looked at now is looked at later
                    await verify_slice(here.state, world, sync.id, connectors, turn=turn)
            return outcome
    except (DatabaseError, FenceLost):
        raise
    except Braked as stop:  # by the verification
        return stopped(here.state, sync.id, stop.brake)
    except TwofoldError as error:  # a connector that cannot even be opened
        status = RunStatus(error.code, error.sentence, needs_person=not error.entry.retryable)
        here.state.syncs.set_status(sync.id, status)
        ending = Ending.WAITING if error.entry.retryable else Ending.STOPPED
        return SliceOutcome(ending, status)


class Watched(World):
    """The world as it is, with a word about progress between two effects, and places to pause."""

    def __init__(
        self,
        here: Installation,
        sync: Sync,
        tell: Tell,
        *,
        every: float = 0.1,
        pause: Callable[[str], bool] = _never,
    ) -> None:
        """``every``: seconds between two words; ``pause``: asked where a slice may end early."""
        self._here = here
        self._sync = sync
        self._tell = tell
        self._every = every
        self._pause = pause
        self._next = 0.0
        self._largest = 0

    def now(self) -> datetime:
        """The time, as the installation's world has it."""
        return self._here.world.now()

    async def sleep(self, seconds: float) -> None:
        """Wait."""
        await self._here.world.sleep(seconds)

    def jitter(self) -> float:
        """Chance, as the installation's world has it."""
        return self._here.world.jitter()

    def step(self, what: str) -> None:
        """Tell how far it is; pause behind a stored page or chunk.

        Raises:
            Paused: the slice was asked to end.
        """
        self._here.world.step(what)
        if time.monotonic() >= self._next:
            self._tell(self._progress())
            self._next = time.monotonic() + self._every
        if (what == CHUNK_DONE or what.endswith("page stored")) and self._pause(what):
            raise Paused

    def _progress(self) -> Progress:
        state, sync = self._here.state, self._sync
        due = state.links.due_count(sync.id)
        if due == 0:
            return Progress(sync.name, Phase.SCANNING, scanned(self._here, sync))
        self._largest = max(self._largest, due)
        return Progress(sync.name, Phase.APPLYING, self._largest - due, self._largest)


def scanned(here: Installation, sync: Sync) -> int:
    """How many records of both sides have been read so far."""
    readers = [here.state.records.reader(sync.reader(side)) for side in Side]
    return sum(r.scanned if r.scanning and r.scanned else r.live for r in readers)
