"""Health: where every sync stands, in the words that people know (R1, H1–H3, A3)."""

from __future__ import annotations

from enum import StrEnum

from msgspec import Struct

from twofold.core.codes import CODES
from twofold.core.health import Counts, Group, State, group
from twofold.core.records import Side
from twofold.services import runs
from twofold.services.installation import Installation
from twofold.services.slices import scanned
from twofold.store.syncs import Run, Sync


class Word(StrEnum):
    """The statuses of R1; ``SCANNED`` and ``QUEUED`` are completed by numbers and names."""

    NO_ACTIVE = "No active syncs"
    SCANNED = "scanned"
    IN_PROGRESS = "In progress"
    ACTIVE = "Active and listening"
    QUEUED = "sync queued"
    ACTION_REQUIRED = "Action required"
    OFF = "Turned off"


class Status(Struct, frozen=True):
    """Where one sync stands."""

    sync: str
    connection: str
    word: Word
    text: str
    """The status as people read it, such as "59 contacts scanned"."""
    reason: str = ""
    code: str = ""
    advice: str = ""
    due: int = 0
    last_run: str = ""
    last_ending: str = ""


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


def statuses(here: Installation, name: str = "") -> list[Status]:
    """Where one sync stands, or all of them."""
    return [status(here, sync) for sync in _chosen(here, name)]


def healths(here: Installation, name: str = "") -> list[Health]:
    """The health of one sync, or of all of them."""
    return [health(here, sync) for sync in _chosen(here, name)]


def status(here: Installation, sync: Sync) -> Status:
    """Where one sync stands at this moment."""
    word, text, reason = _word(here, sync)
    last = next(iter(here.state.syncs.runs(sync.id, 1)), None)
    code = sync.status.code if word in {Word.ACTION_REQUIRED, Word.QUEUED} else ""
    return Status(
        sync.name,
        here.state.syncs.connection(sync.connection).label,
        word,
        text,
        reason,
        code,
        CODES[code].advice if code in CODES else "",
        here.state.links.due_count(sync.id),
        "" if last is None else last.ended or last.started,
        _ending(last),
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
    )


def _chosen(here: Installation, name: str) -> list[Sync]:
    return [here.sync(name)] if name else here.state.syncs.all()


def _word(here: Installation, sync: Sync) -> tuple[Word, str, str]:
    """The status, its text and its reason."""
    plural = sync.rules.hub.label.lower()
    queued = f"{sync.rules.hub.name.capitalize()} {Word.QUEUED}"
    if not sync.enabled:
        return Word.OFF, Word.OFF, "turned off by a person"
    if sync.status.needs_person:
        return Word.ACTION_REQUIRED, Word.ACTION_REQUIRED, sync.status.sentence
    if sync.status.code:
        return Word.QUEUED, queued, _queue_reason(sync)
    before = runs.waits_for(here, sync)
    if before is not None:
        return Word.QUEUED, queued, f"another object must sync first: {before.name}"
    number = scanned(here, sync)
    if not sync.indexed:
        if number == 0:
            return Word.NO_ACTIVE, Word.NO_ACTIVE, "not started"
        return Word.SCANNED, f"{number} {plural} {Word.SCANNED}", "both apps are being read"
    due = here.state.links.due_count(sync.id)
    if due:
        return Word.IN_PROGRESS, Word.IN_PROGRESS, f"{due} records to go"
    return Word.ACTIVE, Word.ACTIVE, "up to date as of the last run"


def _queue_reason(sync: Sync) -> str:
    if sync.status.code == "TF-C02":
        return f"the app's rate limit, resumes by itself: {sync.status.sentence}"
    if sync.status.code == "TF-U22":
        return f"another object must sync first: {sync.status.sentence}"
    return sync.status.sentence


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
