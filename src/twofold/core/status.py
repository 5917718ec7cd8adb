"""Where one sync stands, in the words that people know (R1): one function for all who ask."""

from __future__ import annotations

from enum import StrEnum

from msgspec import Struct


class Word(StrEnum):
    """The statuses of R1; ``SCANNED`` and ``QUEUED`` are completed by numbers and names."""

    NO_ACTIVE = "No active syncs"
    SCANNED = "scanned"
    IN_PROGRESS = "In progress"
    ACTIVE = "Active and listening"
    QUEUED = "sync queued"
    ACTION_REQUIRED = "Action required"
    OFF = "Turned off"


class Queue(StrEnum):
    """Why a sync is queued: three reasons of R1, and an app that is out of reach."""

    ORDER = "order"
    LIMIT = "limit"
    LINE = "line"
    REACH = "reach"


LIMIT_CODE = "TF-C02"
_ORDER_CODE = "TF-U22"


class Facts(Struct, frozen=True):
    """All that the status of a sync depends on."""

    object_name: str
    """The hub's object type, such as ``contact``."""
    plural: str
    enabled: bool = True
    code: str = ""
    """Why it waits or stopped; empty while nothing is wrong."""
    sentence: str = ""
    needs_person: bool = False
    waits_for: str = ""
    """The sync that must have run first."""
    indexed: bool = False
    """Both first readings have ended."""
    scanned: int = 0
    due: int = 0
    waiting: int = 0
    """Records that are tried again, or let go on, later."""
    until: str = ""
    """When the first of them is, as text."""
    running: bool = False
    late: bool = False
    """It should run and has no turn yet."""
    done: int = 0
    total: int | None = None
    """Of the run under way, where they are known."""
    rate: float = 0.0
    """Records a second."""
    resumes: str = ""
    """When it goes on by itself, as text."""


class Standing(Struct, frozen=True):
    """The status as people read it."""

    word: Word
    text: str
    """Such as "59 contacts scanned"."""
    reason: str = ""
    queue: Queue | None = None
    done: int = 0
    total: int | None = None
    rate: float = 0.0
    left: float | None = None
    """Seconds until it is done, where that can be told."""


def standing(facts: Facts) -> Standing:
    """The status of a sync at this moment."""
    if not facts.enabled:
        return Standing(Word.OFF, Word.OFF, "turned off by a person")
    if facts.needs_person:
        return Standing(Word.ACTION_REQUIRED, Word.ACTION_REQUIRED, facts.sentence)
    queued = _queued(facts)
    if queued is not None:
        queue, reason = queued
        text = f"{facts.object_name.capitalize()} {Word.QUEUED}"
        return Standing(Word.QUEUED, text, reason, queue)
    if not facts.indexed:
        return _scanning(facts)
    if facts.due:
        return _in_progress(facts)
    if facts.waiting:
        reason = f"{facts.waiting} records wait, the first of them until {facts.until}"
        return Standing(Word.IN_PROGRESS, Word.IN_PROGRESS, reason)
    return Standing(Word.ACTIVE, Word.ACTIVE, "up to date as of the last run")


def _queued(facts: Facts) -> tuple[Queue, str] | None:
    resumes = f", goes on at {facts.resumes}" if facts.resumes else ""
    if facts.running:
        return None
    if facts.code == _ORDER_CODE:
        return Queue.ORDER, f"another object must sync first: {facts.sentence}"
    if facts.code == LIMIT_CODE:
        return Queue.LIMIT, f"the app's rate limit, resumes by itself: {facts.sentence}"
    if facts.code:
        return Queue.REACH, f"{facts.sentence}{resumes}"
    if facts.waits_for:
        return Queue.ORDER, f"another object must sync first: {facts.waits_for}"
    if facts.late:
        return Queue.LINE, "waiting in the internal queue"
    return None


def _scanning(facts: Facts) -> Standing:
    if facts.scanned == 0 and not facts.running:
        return Standing(Word.NO_ACTIVE, Word.NO_ACTIVE, "not started")
    text = f"{facts.scanned} {facts.plural} {Word.SCANNED}"
    reason = "both apps are being read"
    return Standing(Word.SCANNED, text, reason, done=facts.scanned, rate=facts.rate)


def _in_progress(facts: Facts) -> Standing:
    reason = f"{facts.due} records to go"
    if facts.total is None or not facts.running:
        return Standing(Word.IN_PROGRESS, Word.IN_PROGRESS, reason)
    text = f"{Word.IN_PROGRESS}: {facts.done} of {facts.total} {facts.plural}"
    left = facts.due / facts.rate if facts.rate > 0 else None
    return Standing(Word.IN_PROGRESS, text, reason, None, facts.done, facts.total, facts.rate, left)
