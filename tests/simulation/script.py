"""A history written down: two apps, their syncs, and in each round what people and chance do.

It is data: a seed draws one (``draw``), ``history`` plays it, ``shrink`` makes it smaller, and a
small one is kept for ever as a file. What is not said is off, so that a kept script keeps its
meaning when a new kind of trouble or of configuration comes.
"""

from __future__ import annotations

import msgspec
from msgspec import Struct

from twofold.core.filters import Leaving
from twofold.core.mappings import Deletes, Direction, When
from twofold.core.records import Side
from twofold.core.schema import Feed


class AppScript(Struct, frozen=True, omit_defaults=True):
    """What one app can do, and its habits."""

    feed: Feed = Feed.LOG
    resolution: int = 0
    """Seconds between two ticks of its versions and timestamps."""
    lag: int = 0
    """Seconds that a change needs to appear in the feed."""
    conditional: bool = True
    versions: bool = True
    idempotent: bool = False
    atomic: bool = False
    keyed: bool = True
    unique: bool = False
    """It refuses a second contact with the same e-mail."""
    merges: bool = False
    batch: int = 10
    page: int = 50
    stored: bool = True
    bodies: bool = True
    holders: bool = True
    rewrites: tuple[str, ...] = ()
    """How it changes what it is given, see ``apps.REWRITES``."""
    short: bool = False
    """It takes only short notes."""
    archives: bool = False
    """It can put records away, as well as delete them."""


class SyncScript(Struct, frozen=True, omit_defaults=True):
    """What a person configured; one sync per object type is made of it."""

    types: tuple[str, ...] = ("contact",)
    """In the order in which they are synced."""
    direction: Direction = Direction.BOTH
    default: Side = Side.HUB
    require_email: bool = False
    clears: bool = False
    """Clearing a field clears its twin, instead of nothing."""
    deletes: Deletes = Deletes.IGNORE
    one_way: tuple[tuple[str, Direction], ...] = ()
    """Fields with a direction of their own, by name."""
    hub_limit: str = ""
    """Which contacts the hub sends, see ``limits.LIMITS``."""
    app_limit: str = ""
    leaving: Leaving = Leaving.STOP
    when: tuple[tuple[str, When], ...] = ()
    """Fields that are not always written, by name."""
    wins: tuple[tuple[str, Side], ...] = ()
    """Fields with a default app of their own, by name."""
    brakes: float | None = None
    """The share of pairs from which on a run is braked; None: it is never braked."""
    verifies: bool = False
    """Whether what a feed never told must be found by verification."""
    mapped: tuple[str, ...] = ()
    """Mappings of contacts that change what travels, see ``mapped.MAPPED``."""


class Act(Struct, frozen=True, omit_defaults=True):
    """Something that somebody does; see ``users`` for the words."""

    what: str
    side: Side
    obj: str
    pick: int = 0
    """Which record, counted over those that are there."""
    more: int = 0
    """Which field, key or other record."""


class Trouble(Struct, frozen=True, omit_defaults=True):
    """Something that goes wrong in a run; see ``faults`` for the kinds."""

    kind: str
    at: str = ""
    """Where it happens: ``hub pull``, ``app push`` …, ``step`` (between two effects) or
    ``statement`` (of the database)."""
    nth: int = 1
    """The how many-th such moment of the round."""
    pick: int = 0
    act: Act | None = None


class Round(Struct, frozen=True, omit_defaults=True):
    """People act, time passes, and every sync runs once."""

    acts: tuple[Act, ...] = ()
    wait: int = 0
    """Seconds; may be negative: a clock that is set back."""
    troubles: tuple[Trouble, ...] = ()
    chunks: int | None = None
    """The most chunks in one slice."""
    turn: str = ""
    """The mapping of contacts that somebody turns off, or on again, before the runs."""
    verify: bool = False
    """Every run that comes to rest is followed by a comparison of all pairs."""
    answer: bool = False
    """Before the runs, somebody looks at the brakes that stop them."""
    hides: Side | None = None
    """Where a mapped field is gone while everything runs."""


class Script(Struct, frozen=True, omit_defaults=True):
    """One whole history."""

    hub: AppScript = AppScript()
    app: AppScript = AppScript()
    sync: SyncScript = SyncScript()
    rounds: tuple[Round, ...] = ()

    def side(self, side: Side) -> AppScript:
        """The app on that side."""
        return self.hub if side is Side.HUB else self.app


def dumps(script: Script) -> str:
    """A script as JSON that a person can read: one line for each thing that happens."""
    lines = ["{", *(f'"{n}": {_line(getattr(script, n))},' for n in ("hub", "app", "sync"))]
    lines.append('"rounds": [')
    for number, one in enumerate(script.rounds):
        rest = msgspec.structs.replace(one, acts=(), troubles=())
        lines.append(_line(rest)[:-1] + ("" if rest == Round() else ", ") + '"acts": [')
        lines.append(",\n".join(f"  {_line(act)}" for act in one.acts))
        lines.append('], "troubles": [')
        lines.append(",\n".join(f"  {_line(trouble)}" for trouble in one.troubles))
        lines.append("]}" + ("," if number + 1 < len(script.rounds) else ""))
    lines.append("]}")
    return "\n".join(line for line in lines if line) + "\n"


def loads(text: str) -> Script:
    """Read what ``dumps`` wrote."""
    return msgspec.json.decode(text, type=Script)


def _line(part: Struct) -> str:
    return msgspec.json.format(msgspec.json.encode(part), indent=-1).decode()
