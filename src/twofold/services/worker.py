"""The worker: runs every sync when it is due, one run per sync and per connection at a time.

It goes by what the schedule says, which any process may change: a person asks for a run, a hub's
record is edited. It looks at both files ten times a second, which costs microseconds.
"""

from __future__ import annotations

import asyncio
import gc
import sqlite3
import time
import traceback
from collections import defaultdict
from collections.abc import Callable
from contextlib import suppress
from pathlib import Path

import msgspec
from msgspec import structs

from twofold.core.errors import TwofoldError
from twofold.core.records import Side
from twofold.core.timing import after_failure, after_success, believable, due
from twofold.database.errors import DatabaseError
from twofold.engine.run import CHUNK_DONE, Ending, SliceOutcome
from twofold.hub.watch import Watch
from twofold.services.installation import Installation
from twofold.services.runs import rank, waits_for
from twofold.services.slices import Progress, Watched, one_slice
from twofold.services.tickets import Ticket, closed, opened
from twofold.store.errors import FenceLost
from twofold.store.schedule import Asked, Nudge, Turn
from twofold.store.syncs import RunStatus, Sync

Log = Callable[..., None]
"""``log(event, **facts)``: facts are codes, numbers and names of syncs, never personal data."""

LOOK_EVERY = 0.1
"""Seconds between two looks at what changed."""
LEASE = 60.0
"""Seconds that a turn is held without a word."""
MOST_RUNS = 4
"""Runs at a time, of different connections."""
HOOKED_EVERY = 1.0
"""Seconds between two readings, at least, of an app that calls without end."""
_LONGEST_SLEEP = 30.0
"""Seconds until the schedule is read again, whatever it said: clocks jump."""
_PATIENCE = 2.0
"""Seconds that a run goes on while another one waits for its connection."""
_TIDY_EVERY = 30.0
"""Seconds between two looks for memory that only cycles hold: clients of apps are full of them, and
by itself Python would look after millions of records."""
_GRACE = 3.0
"""Seconds that runs have for pausing when the worker stops, before they are cut off."""


class Worker:
    """Runs the syncs of one installation, as the only worker of it."""

    def __init__(self, here: Installation, holder: str, log: Log) -> None:
        self._here = here
        self._holder = holder
        self._log = log
        self._watch = Watch(here.hub_path)
        self._version = -1
        self._next = 0.0
        self._tidy = 0.0
        self._stopping = False
        self._running: dict[int, asyncio.Task[None]] = {}
        self._busy: dict[int, int] = {}
        """Connection → the sync that runs on it."""
        self._wanted: set[int] = set()
        """Connections that another sync waits for."""
        self._tickets: dict[int, Ticket] = {}
        self._turns: defaultdict[int, asyncio.Lock] = defaultdict(asyncio.Lock)

    async def serve(self, stop: asyncio.Event, beat: Callable[[], None] = lambda: None) -> None:
        """Run what is due until asked to stop; then let runs pause, and leave."""
        self._here.state.schedule.clear_holders(self._now_text())
        self._log("worker started")
        try:
            while not stop.is_set():
                self._round(beat)
                with suppress(TimeoutError):
                    await asyncio.wait_for(stop.wait(), LOOK_EVERY)
        finally:
            await self._leave()
            self._watch.close()
            self._log("worker stopped")

    # --- deciding who runs ------------------------------------------------------------------

    def _round(self, beat: Callable[[], None]) -> None:
        """One look at what changed, and at the clock."""
        try:
            changed = self._watch.changed()
            if changed:
                self._here.state.schedule.nudge_hub(changed)
            if not (changed or self._moved() or time.monotonic() >= self._next):
                return
            beat()
            self._tidy_up()
            now = self._now()
            self._here.state.schedule.renew(self._holder, now, now + LEASE)
            self._here.state.schedule.enroll()
            self._next = time.monotonic() + self._start_due(now)
        except (DatabaseError, sqlite3.Error) as error:
            self._log("state not usable", reason=str(error))
            self._next = time.monotonic() + 1.0

    def _tidy_up(self) -> None:
        if time.monotonic() >= self._tidy:
            gc.collect()
            self._tidy = time.monotonic() + _TIDY_EVERY

    def _moved(self) -> bool:
        """Whether another process has written to the state."""
        (version,) = self._here.state.database.connection.execute("PRAGMA data_version").fetchone()
        moved: bool = version != self._version
        self._version = version
        return moved

    def _start_due(self, now: float) -> float:
        """Start whatever is due and free; returns the seconds until something else is due."""
        wait = _LONGEST_SLEEP if not self._running else LEASE / 4
        ready: list[Turn] = []
        for turn in self._here.state.schedule.turns():
            if turn.sync in self._running:
                continue
            nudged = turn.work or turn.nudge in {Nudge.HUB, Nudge.APP}
            at = due(turn.pace, now, turn.every, turn.retry, nudged=nudged)
            if turn.nudge == Nudge.APP and not turn.work:
                at = max(at, believable(turn.began + HOOKED_EVERY, now, HOOKED_EVERY))
            if turn.nudge == Nudge.PERSON or (not turn.stopped and at <= now):
                ready.append(turn)
            elif not turn.stopped:
                wait = min(wait, max(at - now, LOOK_EVERY))
        self._wanted.clear()
        if ready:
            self._start(ready, now)
        return wait

    def _start(self, ready: list[Turn], now: float) -> None:
        syncs = {sync.id: sync for sync in self._here.state.syncs.all()}
        everybody = list(syncs.values())
        ready = [turn for turn in ready if turn.sync in syncs]
        # Who was served longest ago comes first, a person before all.
        for turn in sorted(
            ready, key=lambda t: (t.nudge != Nudge.PERSON, t.began, rank(syncs[t.sync]))
        ):
            sync = syncs[turn.sync]
            if waits_for(self._here, sync, everybody) is not None:
                continue
            if turn.connection in self._busy:
                self._wanted.add(turn.connection)
            elif len(self._running) < MOST_RUNS:
                self._begin(sync, now)
            else:
                self._wanted.update(self._busy)

    def _begin(self, sync: Sync, now: float) -> None:
        turn = self._here.state.schedule.claim(sync.id, self._holder, now, now + LEASE)
        if turn is None:
            return
        self._busy[turn.connection] = sync.id
        task = asyncio.create_task(self._run(sync, turn))
        self._running[sync.id] = task
        task.add_done_callback(lambda _: self._ended(sync.id, turn.connection))

    def _ended(self, sync: int, connection: int) -> None:
        self._running.pop(sync, None)
        self._busy.pop(connection, None)
        self._next = 0.0

    # --- one run ----------------------------------------------------------------------------

    async def _run(self, sync: Sync, turn: Turn) -> None:
        """One slice of a run, whatever becomes of it."""
        polls = turn.nudge >= Nudge.APP or turn.pace.poll <= self._now() or not sync.indexed
        ticket = self._tickets.pop(sync.id, None) or opened(self._here, sync)
        slice_ = _Slice(self, sync, polls)
        try:
            outcome = await slice_.run(turn.asked, ticket.line)
        except FenceLost:
            self._again(sync, turn, ticket)
            return
        except asyncio.CancelledError:
            self._give_back(turn)
            closed(self._here, ticket, "interrupted", "")
            raise
        except Exception as error:  # noqa: BLE001 (one sync's trouble must not stop the others)
            outcome = self._unexpected(sync, error)
        with suppress(DatabaseError, sqlite3.Error):
            self._settle(sync, turn, ticket, slice_, outcome)

    def _again(self, sync: Sync, turn: Turn, ticket: Ticket) -> None:
        """What the slice knew is out of date: begin it again, unless the sync is off or deleted."""
        self._give_back(turn)
        with suppress(DatabaseError, sqlite3.Error):
            if any(one.sync == sync.id for one in self._here.state.schedule.turns()):
                self._tickets[sync.id] = ticket
                return
        closed(self._here, ticket, "interrupted", "")

    def _settle(
        self, sync: Sync, turn: Turn, ticket: Ticket, slice_: _Slice, outcome: SliceOutcome
    ) -> None:
        """Say when the sync runs again."""
        now, pace, nudge, asked = self._now(), turn.pace, Nudge.NONE, Asked()
        ticket.add(outcome.counts)
        if outcome.ending is Ending.DONE or (outcome.ending is Ending.MORE and slice_.read_all):
            lively = any(outcome.counts.get(f"{side} read") for side in Side)
            took = slice_.reading if slice_.polls else 0.0
            pace = after_success(
                pace, now, turn.every, took, polled=slice_.polls, lively=lively and sync.indexed
            )
        elif outcome.ending is Ending.WAITING:
            pace = after_failure(pace, now, self._here.world.jitter(), outcome.retry_at)
        if outcome.ending is Ending.MORE:
            asked = structs.replace(turn.asked, full=False)
            nudge = Nudge.HUB if slice_.read_all else max(turn.nudge, Nudge.HUB)
            self._tickets[sync.id] = ticket
        self._here.state.schedule.release(sync.id, self._holder, pace, nudge, asked)
        if outcome.ending is not Ending.MORE:
            closed(self._here, ticket, outcome.ending.value, outcome.status.code)
            self._log(
                "run ended",
                sync=sync.name,
                ending=outcome.ending.value,
                code=outcome.status.code,
                did=dict(ticket.counts),
            )

    def _unexpected(self, sync: Sync, error: Exception) -> SliceOutcome:
        """A fault of ours, or a state that cannot be written: tried again, and said."""
        kind = type(error).__name__
        known = error if isinstance(error, TwofoldError) else TwofoldError("TF-S40", kind=kind)
        self._log("run failed", sync=sync.name, code=known.code, kind=kind, at=_frames(error))
        status = RunStatus(known.code, known.sentence)
        with suppress(DatabaseError, sqlite3.Error):
            self._here.state.syncs.set_status(sync.id, status)
        return SliceOutcome(Ending.WAITING, status)

    def _give_back(self, turn: Turn) -> None:
        with suppress(DatabaseError, sqlite3.Error):
            nudge = max(turn.nudge, Nudge.HUB)
            self._here.state.schedule.release(turn.sync, self._holder, turn.pace, nudge, turn.asked)

    async def _leave(self) -> None:
        """Let the runs pause at their next safe place, and cut off those that do not."""
        self._stopping = True
        tasks = set(self._running.values())
        if tasks:
            _, late = await asyncio.wait(tasks, timeout=_GRACE)
            for task in late:
                task.cancel()
            await asyncio.gather(*tasks, return_exceptions=True)
        for ticket in self._tickets.values():
            closed(self._here, ticket, Ending.MORE.value, "")

    # --- what a slice asks ------------------------------------------------------------------

    def must_pause(self, connection: int, since: float) -> bool:
        """Whether a slice that began then should let others go on."""
        waited = time.monotonic() - since > _PATIENCE
        return self._stopping or (waited and connection in self._wanted)

    def _now(self) -> float:
        return self._here.world.now().timestamp()

    def _now_text(self) -> str:
        return self._here.world.now().isoformat(timespec="seconds")

    @property
    def here(self) -> Installation:
        """The installation that is served."""
        return self._here

    def turn_of(self, reader: int) -> asyncio.Lock:
        """Who works with what a reader brought."""
        return self._turns[reader]


def _frames(error: Exception) -> list[str]:
    """Where it happened, without a value of anything."""
    found = traceback.extract_tb(error.__traceback__)[-5:]
    return [f"{Path(frame.filename).name}:{frame.lineno} {frame.name}" for frame in found]


class _Slice:
    """One slice at work, and what it noticed."""

    def __init__(self, worker: Worker, sync: Sync, polls: bool) -> None:
        self._worker = worker
        self._sync = sync
        self._began = time.monotonic()
        self._rate = _Rate()
        self.polls = polls
        self.read_all = False
        """All that it set out to read has been read."""
        self.reading = 0.0
        """Seconds that reading took."""

    async def run(self, asked: Asked, line: int) -> SliceOutcome:
        """Run it; ``line``: the line about its run."""
        here, sync = self._worker.here, self._sync
        if asked.full:
            for side in Side:
                here.state.records.restart(sync.reader(side))
            here.state.links.wake_failing(sync.id)
        world = Watched(here, sync, self._tell, every=1.0, pause=self._pause)
        outcome = await one_slice(
            here,
            sync,
            world,
            allow_empty=asked.who if asked.allow_empty else "",
            sides=tuple(Side) if self.polls else (Side.HUB,),
            turn=self._worker.turn_of,
            run=line,
        )
        if not self.read_all:
            self.reading = time.monotonic() - self._began
        return outcome

    def _pause(self, what: str) -> bool:
        if what == CHUNK_DONE and not self.read_all:
            self.read_all = True
            self.reading = time.monotonic() - self._began
        return self._worker.must_pause(self._sync.connection, self._began)

    def _tell(self, progress: Progress) -> None:
        told = self._rate.told(progress)
        with suppress(DatabaseError, sqlite3.Error):
            self._worker.here.state.schedule.tell(self._sync.id, msgspec.json.encode(told).decode())


class _Rate:
    """How fast a run goes."""

    def __init__(self) -> None:
        self._phase = ""
        self._since = 0.0
        self._from = 0

    def told(self, progress: Progress) -> dict[str, object]:
        """The progress with its rate, in records a second since this phase began."""
        now = time.monotonic()
        if progress.phase != self._phase:
            self._phase, self._since, self._from = progress.phase, now, progress.done
        passed = now - self._since
        rate = (progress.done - self._from) / passed if passed > 0 else 0.0
        return {
            "phase": progress.phase,
            "done": progress.done,
            "total": progress.total,
            "rate": round(max(rate, 0.0), 1),
        }
