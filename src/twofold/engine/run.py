"""One run, top to bottom. The only place where the stages meet.

::

    recover ─► read hub ─► read app ─► [both first readings ended?] ─► plan a chunk ─► apply it ─► …

A run may end, or be killed, between any two effects: what is due stays due, what was being written
is noted, and the next run takes the same path.
"""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterator, Mapping
from contextlib import AbstractAsyncContextManager, nullcontext
from datetime import timedelta
from enum import StrEnum
from typing import Any, NamedTuple

from msgspec import Struct

from twofold.core.errors import TwofoldError
from twofold.core.guards import Brake
from twofold.core.records import Side
from twofold.core.schema import Op
from twofold.engine.apply import apply
from twofold.engine.batching import Walk
from twofold.engine.braked import Braked
from twofold.engine.brakes import (
    believed,
    guard_deletes,
    guard_schema,
    guard_writes,
    schema_brakes,
)
from twofold.engine.chunk import assemble
from twofold.engine.context import Context
from twofold.engine.observe import key_hashes
from twofold.engine.parts import Gate
from twofold.engine.port import Port
from twofold.engine.read import read
from twofold.engine.recover import look_for_creations, recover_creations, recover_updates
from twofold.engine.rejoin import rejoin
from twofold.engine.removals import remove
from twofold.engine.world import World
from twofold.kit.contract import Connector
from twofold.kit.errors import ConnectorError, LimitUntil, RateLimited, Retry, SchemaChanged, Stop
from twofold.store.fences import Hold
from twofold.store.state import State
from twofold.store.syncs import RunStatus, Sync
from twofold.store.types import Place

LARGEST_CHUNK = 1_000
SMALLEST_CHUNK = 100
"""Records planned together; between these, ten times what a side takes in one push."""


CHUNK_DONE = "chunk done"
"""The step after a chunk: with a stored page the place where a slice may pause."""

Turn = Callable[[int], AbstractAsyncContextManager[Any]]
"""Held by a slice while it works with what a reader brought."""


class Paused(Exception):
    """Raised by the world's ``step`` behind a stored page or chunk: the slice ends with MORE."""


def anytime(_: int) -> AbstractAsyncContextManager[Any]:
    """Where one slice runs at a time, nobody waits for a turn."""
    return nullcontext()


class Ending(StrEnum):
    """Why a slice ended."""

    DONE = "done"
    """Nothing is due any more."""
    MORE = "more"
    """There is more to do: the slice's budget is used up, or it was asked to pause."""
    WAITING = "waiting"
    """The app asks us to wait, or cannot be reached."""
    STOPPED = "stopped"
    """A person is asked: a brake, or access."""


class SliceOutcome(Struct, frozen=True):
    """What a slice did, and what comes next."""

    ending: Ending
    status: RunStatus = RunStatus()
    counts: Mapping[str, int] = {}
    """What happened, by words such as ``hub created``."""
    retry_at: float | None = None
    """Seconds since 1970, where the app named a time."""


async def run_slice(
    state: State,
    world: World,
    sync_id: int,
    connectors: Mapping[Side, Connector],
    *,
    most_chunks: int | None = None,
    allow_empty: str = "",
    sides: Collection[Side] = tuple(Side),
    turn: Turn = anytime,
    schema_every: timedelta | None = None,
    gate: Gate | None = None,
    run: int = 0,
) -> SliceOutcome:
    """Read, plan and apply until nothing is due, or ``most_chunks`` are done.

    Every effect is fenced: a worker that was taken over stops at its next one. ``allow_empty``: who
    believes a side that suddenly shows nothing; "" for nobody. ``sides``: where to
    look for changes, once both first readings have ended. ``turn``: where slices of several syncs
    run at a time, those that share the hub's reader take turns. ``schema_every``: how often what
    the sync uses is compared with what the apps declare; None: only when a reading fails by it.
    ``gate``: looks at each chunk before it is applied. ``run``: the line about the run that this
    slice belongs to.

    Raises:
        FenceLost: another worker took over.
        TwofoldError: the state cannot be written (disk full, file locked).
    """
    context = _claimed(state, world, sync_id, connectors, run)
    how = _How(most_chunks, believed(context, allow_empty), sides, turn, gate)
    try:
        if await guard_schema(context, schema_every):
            context = _claimed(state, world, sync_id, connectors, run)
        ending = await _run(context, how)
        outcome = SliceOutcome(ending, counts=context.tally)
    except Paused:
        outcome = SliceOutcome(Ending.MORE, counts=context.tally)
    except Braked as stop:
        outcome = _stopped(stop.brake, context)
    except SchemaChanged as error:
        brakes = await _moved_schema(context)
        outcome = _stopped(brakes[0], context) if brakes else _failed(error, context)
    except ConnectorError as error:
        outcome = _failed(error, context)
    if outcome.ending is Ending.DONE:
        state.brakes.rest(sync_id, world.now().timestamp())
    state.syncs.set_status(sync_id, outcome.status)
    return outcome


def _claimed(
    state: State, world: World, sync_id: int, connectors: Mapping[Side, Connector], run: int
) -> Context:
    """Take the sync over, by its rules as they are now."""
    fence = state.syncs.claim(sync_id)
    sync = state.syncs.get(sync_id)
    ports = open_ports(state, sync, connectors, world, Hold(sync_id, fence))
    return Context(state, world, sync, ports, fence, run)


def stopped(state: State, sync_id: int, brake: Brake) -> SliceOutcome:
    """A brake was pulled beside a slice: the sync waits for a person."""
    status = status_of(brake)
    state.syncs.set_status(sync_id, status)
    return SliceOutcome(Ending.STOPPED, status)


def status_of(brake: Brake) -> RunStatus:
    """What a brake makes of a sync's status."""
    return RunStatus(brake.code, brake.sentence, needs_person=True, number=brake.number)


def _stopped(brake: Brake, context: Context) -> SliceOutcome:
    return SliceOutcome(Ending.STOPPED, status_of(brake), context.tally)


async def _moved_schema(context: Context) -> list[Brake]:
    """A reading failed by the schema: which brake that is, if the apps can be asked."""
    try:
        return list((await schema_brakes(context)).values())
    except ConnectorError:
        return []


class HeldUp(TwofoldError):
    """A brake, where nobody runs the sync who could be asked."""

    def __init__(self, stop: Braked) -> None:
        self.code = stop.brake.code
        self.facts = {}
        Exception.__init__(self, stop.brake.sentence)


async def read_only(
    state: State, world: World, sync_id: int, connectors: Mapping[Side, Connector]
) -> None:
    """Read both sides and do nothing about it: what was read is there for the first run.

    Raises:
        TwofoldError: a side cannot be read, or its reading was braked (TF-B…).
        FenceLost: another worker took over.
    """
    fence = state.syncs.claim(sync_id)
    ports = open_ports(state, state.syncs.get(sync_id), connectors, world, Hold(sync_id, fence))
    for side in Side:
        try:
            await read(ports[side], world)
        except Braked as stop:
            raise HeldUp(stop) from stop


class _How(NamedTuple):
    """How a slice was asked to run."""

    most_chunks: int | None
    overridden: Callable[[Brake], bool]
    """Whether a person lets the reading go on in spite of a brake."""
    sides: Collection[Side]
    turn: Turn
    gate: Gate | None


async def _run(context: Context, how: _How) -> Ending:
    await _observe(context, how, how.sides if context.sync.indexed else tuple(Side))
    _index(context)
    context.state.links.wake(context.sync.id, context.world.now().timestamp())
    await _rejoin_merged(context, how)
    guard_writes(context)
    walk = Walk(context, _chunk_size(context))
    done, removed = 0, False
    while True:
        places = walk.next()
        if not places:
            if removed or not await _remove(context, how):
                return Ending.DONE
            removed = True  # what it looked at may be due
            continue
        if how.most_chunks is not None and done >= how.most_chunks:
            return Ending.MORE
        async with how.turn(context.sync.hub_reader):
            await _apply_chunk(context, how, walk, places)
        context.world.step(CHUNK_DONE)
        done += 1
        if context.uncertain:
            context.uncertain = False
            walk.restart()
            await _observe(context, how, tuple(Side))
            await _rejoin_merged(context, how)


async def _rejoin_merged(context: Context, how: _How) -> None:
    """Merges come first: a survivor may take over a link instead of getting a twin of its own."""
    merged = context.state.links.due_merged(context.sync.id)
    if merged:
        async with how.turn(context.sync.hub_reader):
            await rejoin(context, assemble(context, merged).ended)


async def _apply_chunk(context: Context, how: _How, walk: Walk, places: list[Place]) -> None:
    moves = context.state.records.moves((context.sync.hub_reader, context.sync.app_reader))
    chunk = assemble(context, places)
    if chunk.ended and await rejoin(context, chunk.ended):
        chunk = assemble(context, places)
    walk.passed(chunk, places)
    if how.gate is not None:
        how.gate.admit(context, chunk)
    await apply(context, chunk, moves)


async def _remove(context: Context, how: _How) -> bool:
    """Deletes come last, and are counted before the first of them."""
    guard_deletes(context)
    async with how.turn(context.sync.hub_reader):
        return await remove(context, how.gate)


async def _observe(context: Context, how: _How, sides: Collection[Side]) -> None:
    """Learn what became of noted writes, and read what changed."""
    state, sync = context.state, context.sync
    if state.links.creations(sync.id):
        sides = tuple(Side)  # what was made may be found on either side
    # Nothing is decided about records of which a field is still to be read.
    sides = [s for s in Side if s in sides or state.records.reader(sync.reader(s)).scanning]
    began = context.world.now().timestamp()
    async with how.turn(sync.hub_reader):
        await recover_updates(context)
        await look_for_creations(context)
    for side in sides:
        async with how.turn(sync.reader(side)):
            found = await read(context.ports[side], context.world, how.overridden)
        context.count(f"{side} read", found)
    async with how.turn(sync.hub_reader):
        await recover_creations(context, began)


def open_ports(
    state: State,
    sync: Sync,
    connectors: Mapping[Side, Connector],
    world: World,
    hold: Hold | None = None,
) -> dict[Side, Port]:
    """Both sides of a sync, ready to be asked; ``hold`` where what they show is stored in a run."""
    labels = {c.id: c.label for c in state.syncs.connections()}
    return {
        side: Port(
            state,
            side,
            connectors[side],
            sync.rules.type_of(side),
            sync.reader(side),
            labels[state.records.reader(sync.reader(side)).connection],
            world,
            hold,
        )
        for side in Side
    }


def _index(context: Context) -> None:
    """Once both first readings have ended, every record is due once; until then none is."""
    if context.sync.indexed:
        return
    keys = {side: _keys(context, side) for side in Side}
    from_now_on = context.sync.rules.from_now_on
    context.state.links.index(context.sync.id, keys, from_now_on=from_now_on)
    for port in context.ports.values():
        port.relisten()
    context.world.step("indexed")


def _keys(context: Context, side: Side) -> Iterator[tuple[int, int]]:
    for stored in context.state.records.living(context.sync.reader(side)):
        for key in key_hashes(context.key_maker(side, stored.record.fields)):
            yield key, stored.row


def _chunk_size(context: Context) -> int:
    takes = max(port.batch(op) for port in context.ports.values() for op in (Op.CREATE, Op.UPDATE))
    return max(SMALLEST_CHUNK, min(LARGEST_CHUNK, 10 * takes))


def _failed(error: ConnectorError, context: Context) -> SliceOutcome:
    needs_person = isinstance(error, Stop) or not isinstance(error, Retry | LimitUntil)
    if error.entry.retryable:
        needs_person = False
    status = RunStatus(error.code, error.sentence, needs_person)
    until = error.until.timestamp() if isinstance(error, RateLimited | LimitUntil) else None
    ending = Ending.STOPPED if needs_person else Ending.WAITING
    return SliceOutcome(ending, status, context.tally, until)
