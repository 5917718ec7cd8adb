"""The state of every record, each counted once (H1, H2, H2b)."""

from __future__ import annotations

from collections.abc import Iterable
from enum import IntEnum

from msgspec import Struct

from twofold.core.codes import CODES
from twofold.core.errors import Issue


class State(IntEnum):
    """Where a linked pair or an unlinked record stands."""

    WAITING = 0
    """Read, not yet written: queued, held, or for approval."""
    IN_SYNC = 1
    FAILING = 2
    EXCLUDED = 3

    @property
    def label(self) -> str:
        """The word that people see."""
        return self.name.lower().replace("_", " ")


class Counts(Struct, frozen=True):
    """How many records stand where. A linked pair counts once, an unlinked record once."""

    in_sync: int = 0
    failing: int = 0
    excluded: int = 0
    waiting: int = 0

    @property
    def total(self) -> int:
        """All records of both sides."""
        return self.in_sync + self.failing + self.excluded + self.waiting


class Outcome(Struct, frozen=True):
    """What became of one pair or one unlinked record, and why."""

    state: State
    issues: tuple[Issue, ...] = ()
    """Errors of a failing record, or the reason of an exclusion."""
    candidates: tuple[str, ...] = ()
    """Of an ambiguous record: ids on the other side."""


IN_SYNC = Outcome(State.IN_SYNC)
WAITING = Outcome(State.WAITING)


class Group(Struct, frozen=True):
    """Records with the same cause."""

    code: str
    sentence: str
    """The sentence of the first record of the group."""
    count: int
    advice: str


def group(outcomes: Iterable[Outcome]) -> list[Group]:
    """Group outcomes by cause, the most frequent first."""
    found: dict[str, tuple[str, int]] = {}
    for outcome in outcomes:
        for issue in outcome.issues:
            sentence, count = found.get(issue.code, (issue.sentence, 0))
            found[issue.code] = (sentence, count + 1)
    ordered = sorted(found.items(), key=lambda item: (-item[1][1], item[0]))
    return [Group(code, text, count, CODES[code].advice) for code, (text, count) in ordered]
