"""What happens between a hub and an app, told once and played for every app.

A chapter begins with an empty hub and an empty app. Its lines say what people do on each side, when
the sync runs, what goes wrong meanwhile, and what both sides must show in the end. Nothing in it
knows an app: people are named by the first part of their e-mail address, their fields by four
words (``first``, ``last``, ``job``; ``email`` follows from the name), companies by their names.

What a chapter needs of the app is among the capabilities that connectors declare. An app that does
not declare it is not put to the chapter, and the table in the end says so.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from msgspec import Struct, field

from twofold.core.filter_words import parsed
from twofold.core.mappings import Deletes
from twofold.kit.conformance import Capability

HUB, APP = "hub", "app"
BOTH = (HUB, APP)


class Does(Struct, frozen=True):
    """A person does something on one side: create, edit, delete, merge, found or join."""

    side: str
    verb: str
    who: str
    what: Mapping[str, str | None] = field(default_factory=dict)
    other: str = ""
    """Of a merge the survivor; of joining, the company."""


class Run(Struct, frozen=True):
    """The syncs run until there is nothing left to do."""


class Trouble(Struct, frozen=True):
    """From the next run on, the app throttles some calls, or forgets positions in its feed."""

    what: str
    times: int = 1


class Crashes(Struct, frozen=True):
    """Both sides change; then the run is killed at every moment between two effects in turn.

    ``{n}`` in the changes is the number of the moment, so that each round has something to do.
    """

    meanwhile: tuple[Does, ...]


class Shows(Struct, frozen=True):
    """What both sides show of a person; ``works_at``: the company that they belong to."""

    who: str
    what: Mapping[str, str | None] = field(default_factory=dict)
    works_at: str | None = ""
    sides: tuple[str, ...] = BOTH


class Absent(Struct, frozen=True):
    """Nobody of that name is there."""

    who: str
    sides: tuple[str, ...] = BOTH


class Counts(Struct, frozen=True):
    """So many people there are on each side, and so many pairs are in sync."""

    hub: int
    app: int
    in_sync: int


class Quiet(Struct, frozen=True):
    """A further run writes nothing on either side."""


Line = Does | Run | Trouble | Crashes | Shows | Absent | Counts | Quiet


class Chapter(Struct, frozen=True):
    """One part of the story."""

    name: str
    lines: tuple[Line, ...]
    needs: frozenset[Capability] = frozenset({Capability.CREATE, Capability.UPDATE})
    rules: Mapping[str, Any] = field(default_factory=dict)
    """Of the sync, where they are not as usual."""
    companies: bool = False


def _everybody(side: str, number: int = 12) -> tuple[Line, ...]:
    """Enough people that a few of them trip no brake."""
    return tuple(Does(side, "create", f"p{n}", {"first": f"P{n}"}) for n in range(number))


_LIMIT = parsed(["lastname is in"], ["email", "firstname", "lastname", "jobtitle"])
_WRITES = frozenset({Capability.CREATE, Capability.UPDATE})

STORY = (
    Chapter(
        "both ways",
        (
            Does(HUB, "create", "ada", {"first": "Ada"}),
            Does(HUB, "create", "bea", {"first": "Bea", "job": "=1+1"}),
            Does(APP, "create", "ada", {"last": "Lovelace"}),
            Does(APP, "create", "cid", {"first": "Cid"}),
            Run(),
            Shows("ada", {"first": "Ada", "last": "Lovelace"}),
            Shows("bea", {"first": "Bea", "job": "=1+1"}),
            Shows("cid", {"first": "Cid"}),
            Does(HUB, "edit", "ada", {"job": "Countess"}),
            Does(APP, "edit", "ada", {"first": "Augusta"}),
            Does(APP, "edit", "bea", {"job": None}),
            Run(),
            Shows("ada", {"first": "Augusta", "last": "Lovelace", "job": "Countess"}),
            Counts(3, 3, 3),
            Quiet(),
        ),
    ),
    Chapter(
        "conflict",
        (
            Does(HUB, "create", "ada", {"first": "Ada", "job": "old"}),
            Run(),
            Does(HUB, "edit", "ada", {"job": "of the hub", "last": "H"}),
            Does(APP, "edit", "ada", {"job": "of the app", "first": "A"}),
            Run(),
            Shows("ada", {"job": "of the hub", "last": "H", "first": "A"}),
            Counts(1, 1, 1),
            Quiet(),
        ),
    ),
    Chapter(
        "filter",
        (
            Does(HUB, "create", "ada", {"first": "Ada", "last": "in"}),
            Does(HUB, "create", "bea", {"first": "Bea", "last": "out"}),
            Run(),
            Shows("ada", {"last": "in"}),
            Absent("bea", (APP,)),
            Does(HUB, "edit", "ada", {"last": "out"}),
            Does(HUB, "edit", "bea", {"last": "in"}),
            Run(),
            Shows("bea", {"last": "in"}),
            Shows("ada", {"last": "in"}, sides=(APP,)),
            Shows("ada", {"last": "out"}, sides=(HUB,)),
            Does(APP, "edit", "ada", {"job": "the app still sends"}),
            Run(),
            Shows("ada", {"job": "the app still sends"}),
            Counts(2, 2, 2),
            Quiet(),
        ),
        rules={"hub_filter": _LIMIT},
    ),
    Chapter(
        "delete",
        (
            *_everybody(HUB),
            Run(),
            Does(HUB, "delete", "p0"),
            Does(APP, "delete", "p1"),
            Run(),
            Absent("p0"),
            Absent("p1"),
            Counts(10, 10, 10),
            Quiet(),
        ),
        needs=_WRITES | {Capability.DELETE},
        rules={"deletes": Deletes.DELETE},
    ),
    Chapter(
        "delete that stays",
        (
            *_everybody(APP),
            Run(),
            Does(HUB, "delete", "p0"),
            Does(APP, "delete", "p1"),
            Run(),
            Shows("p0", {"first": "P0"}, sides=(APP,)),
            Absent("p0", (HUB,)),
            Shows("p1", {"first": "P1"}, sides=(HUB,)),
            Absent("p1", (APP,)),
            Counts(11, 11, 10),
            Quiet(),
        ),
    ),
    Chapter(
        "merge in the hub",
        (
            *_everybody(HUB),
            Run(),
            Does(HUB, "merge", "p0", other="p1"),
            Does(HUB, "edit", "p1", {"job": "survivor"}),
            Run(),
            Absent("p0", (HUB,)),
            Shows("p1", {"job": "survivor"}),
            Counts(11, 12, 11),
            Quiet(),
        ),
    ),
    Chapter(
        "merge in the app",
        (
            *_everybody(HUB),
            Run(),
            Does(APP, "merge", "p0", other="p1"),
            Does(APP, "edit", "p1", {"job": "survivor"}),
            Run(),
            Absent("p0", (APP,)),
            Shows("p1", {"job": "survivor"}),
            Counts(12, 11, 11),
            Quiet(),
        ),
        needs=_WRITES | {Capability.MERGES},
    ),
    Chapter(
        "associations",
        (
            Does(HUB, "found", "Harbor"),
            Does(APP, "found", "Yard"),
            Does(HUB, "create", "ada", {"first": "Ada"}),
            Does(APP, "create", "bea", {"first": "Bea"}),
            Does(HUB, "join", "ada", other="Harbor"),
            Does(APP, "join", "bea", other="Yard"),
            Run(),
            Shows("ada", works_at="Harbor"),
            Shows("bea", works_at="Yard"),
            Does(APP, "join", "ada", other="Yard"),
            Run(),
            Shows("ada", works_at="Yard"),
            Quiet(),
        ),
        needs=_WRITES | {Capability.ASSOCIATIONS},
        companies=True,
    ),
    Chapter(
        "expiry",
        (
            *_everybody(APP, 6),
            Run(),
            Does(APP, "edit", "p0", {"job": "while we knew the place"}),
            Trouble("forget"),
            Run(),
            Shows("p0", {"job": "while we knew the place"}),
            Counts(6, 6, 6),
            Quiet(),
        ),
    ),
    Chapter(
        "throttling",
        (
            *_everybody(HUB, 6),
            Does(APP, "create", "ada", {"first": "Ada"}),
            Trouble("throttle", 3),
            Run(),
            Shows("ada", {"first": "Ada"}),
            Counts(7, 7, 7),
            Does(HUB, "edit", "ada", {"job": "patient"}),
            Trouble("throttle", 2),
            Run(),
            Shows("ada", {"job": "patient"}),
            Quiet(),
        ),
    ),
    Chapter(
        "crash",
        (
            Does(HUB, "create", "ada", {"first": "Ada"}),
            Run(),
            Crashes(
                (
                    Does(HUB, "edit", "ada", {"job": "job {n}"}),
                    Does(APP, "edit", "ada", {"last": "last {n}"}),
                    Does(HUB, "create", "h{n}", {"first": "H"}),
                    Does(APP, "create", "a{n}", {"first": "A"}),
                )
            ),
            Quiet(),
        ),
    ),
)
