"""Health: where every sync stands, in the words that people know (R1, H1–H3, A3)."""

from __future__ import annotations

from datetime import UTC, datetime

import msgspec
from msgspec import Struct

from twofold.core.codes import CODES
from twofold.core.health import Counts, Group, State, group
from twofold.core.mappings import Direction
from twofold.core.records import Side
from twofold.core.status import Facts, Queue, Standing, Word, standing
from twofold.core.timing import due
from twofold.services import runs
from twofold.services.installation import Installation
from twofold.services.slices import scanned
from twofold.store.schedule import Turn
from twofold.store.syncs import Run, Sync
from twofold.store.verifications import Verification

__all__ = [
    "Health",
    "Moment",
    "Queue",
    "Status",
    "Waiting",
    "Word",
    "causes",
    "health",
    "healths",
    "moments",
    "status",
    "statuses",
]


class Status(Struct, frozen=True):
    """Where one sync stands."""

    sync: str
    connection: str
    object_type: str
    """The hub's object type, such as ``contact``."""
    word: Word
    text: str
    """The status as people read it, such as "59 contacts scanned"."""
    reason: str = ""
    code: str = ""
    advice: str = ""
    due: int = 0
    last_run: str = ""
    last_ending: str = ""
    queue: Queue | None = None
    """Why it is queued, where it is."""
    done: int = 0
    total: int | None = None
    rate: float = 0.0
    """Records a second, of the run under way."""
    left: float | None = None
    """Seconds until it is done, where that can be told."""


class Waiting(Struct, frozen=True):
    """Associations that wait for a sync which does not run (A3)."""

    target: str
    """The hub's object type at the far end."""
    count: int
    sentence: str


class Health(Struct, frozen=True):
    """The health of one sync."""

    status: Status
    counts: Counts
    failing: tuple[Group, ...]
    excluded: tuple[Group, ...]
    waiting_associations: tuple[Waiting, ...]
    verified: Verification | None = None
    """How far the rolling comparison of all pairs has come, and the drift it found (R10)."""


class Moment(Struct, frozen=True):
    """One sync at one moment, as cheap as it can be asked for again and again."""

    sync: int
    """Its number, which stays when it is renamed."""
    direction: Direction
    status: Status
    counts: Counts


def moments(here: Installation) -> list[Moment]:
    """All syncs at this moment."""
    return [
        Moment(sync.id, sync.rules.direction, status(here, sync), here.state.links.counts(sync.id))
        for sync in here.state.syncs.all()
    ]


def statuses(here: Installation, name: str = "") -> list[Status]:
    """Where one sync stands, or all of them."""
    return [status(here, sync) for sync in _chosen(here, name)]


def healths(here: Installation, name: str = "") -> list[Health]:
    """The health of one sync, or of all of them."""
    return [health(here, sync) for sync in _chosen(here, name)]


def status(here: Installation, sync: Sync) -> Status:
    """Where one sync stands at this moment."""
    waiting = here.state.links.due_count(sync.id)
    found = _standing(here, sync, waiting)
    word = found.word
    last = next(iter(here.state.syncs.runs(sync.id, 1)), None)
    code = sync.status.code if word in {Word.ACTION_REQUIRED, Word.QUEUED} else ""
    return Status(
        sync.name,
        here.state.syncs.connection(sync.connection).label,
        sync.rules.hub.name,
        word,
        found.text,
        found.reason,
        code,
        CODES[code].advice if code in CODES else "",
        waiting,
        "" if last is None else last.ended or last.started,
        _ending(last),
        found.queue,
        found.done,
        found.total,
        found.rate,
        found.left,
    )


def health(here: Installation, sync: Sync) -> Health:
    """Counts, grouped issues, and the associations that wait."""
    each = here.state.outcomes.each
    return Health(
        status(here, sync),
        here.state.links.counts(sync.id),
        tuple(group(each(sync.id, State.FAILING))),
        tuple(group(each(sync.id, State.EXCLUDED))),
        tuple(_waiting(here, sync)),
        here.state.verifications.of(sync.id),
    )


def causes(here: Installation, name: str, state: State) -> list[Group]:
    """The records of a sync that stand there, by cause, the most frequent first.

    Raises:
        TwofoldError: TF-U06, there is no such sync.
    """
    return group(here.state.outcomes.each(here.sync(name).id, state))


def _chosen(here: Installation, name: str) -> list[Sync]:
    return [here.sync(name)] if name else here.state.syncs.all()


def _standing(here: Installation, sync: Sync, due_now: int) -> Standing:
    turn = here.state.schedule.turn(sync.id)
    now = here.world.now().timestamp()
    told = msgspec.json.decode(turn.progress, type=_Told) if turn and turn.progress else _Told()
    running = turn is not None and bool(turn.holder)
    later, first = here.state.outcomes.retries(sync.id)
    before = None if running or not sync.enabled else runs.waits_for(here, sync)
    return standing(
        Facts(
            object_name=sync.rules.hub.name,
            plural=sync.rules.hub.label.lower(),
            enabled=sync.enabled,
            code=sync.status.code,
            sentence=sync.status.sentence,
            needs_person=sync.status.needs_person,
            waits_for="" if before is None else before.name,
            indexed=sync.indexed,
            scanned=0 if sync.indexed else scanned(here, sync),
            due=due_now,
            waiting=later,
            until=_moment(first),
            running=running,
            late=turn is not None and _late(here, turn, now),
            done=told.done,
            total=told.total,
            rate=told.rate,
            resumes=_moment(turn.pace.held) if turn is not None and turn.pace.held > now else "",
        )
    )


class _Told(Struct, frozen=True):
    """What a run last said of itself."""

    done: int = 0
    total: int | None = None
    rate: float = 0.0


_PATIENCE = 5.0
"""Seconds that a sync may be due before it counts as waiting in line."""
_SILENT = 60.0


def _late(here: Installation, turn: Turn, now: float) -> bool:
    """Whether it is due and waits for its turn, while there is a worker to give it one."""
    at = due(turn.pace, now, turn.every, turn.retry, nudged=turn.nudge > 0)
    lives = now - here.state.schedule.last_sign() < _SILENT
    return lives and not turn.holder and at + _PATIENCE < now


def _moment(seconds: float) -> str:
    return datetime.fromtimestamp(seconds, UTC).isoformat(timespec="seconds")


def _ending(run: Run | None) -> str:
    return "" if run is None else str(run.summary.get("ending", "unfinished"))


def _waiting(here: Installation, sync: Sync) -> list[Waiting]:
    waits = here.state.outcomes.waits(sync.id)
    found = []
    for mapping in sync.rules.associations:
        linkers = [
            other
            for other in here.state.syncs.all()
            if other.connection == sync.connection
            and (other.rules.hub.name, other.rules.app.name)
            == (mapping.hub_target, mapping.app_target)
        ]
        if any(linker.enabled for linker in linkers):
            continue
        count = 0
        for side in Side:
            connection = here.state.records.reader(sync.reader(side)).connection
            reader = here.state.records.find_reader(connection, mapping.target(side))
            count += waits.get(reader.id, 0) if reader is not None else 0
        if count:
            why = f"{linkers[0].name}, which is off" if linkers else "one that does not exist yet"
            text = f"{count} association(s) wait for a sync of {mapping.hub_target}: {why}."
            found.append(Waiting(mapping.hub_target, count, text))
    return found
