"""Everything that can go wrong while a run is under way, by name.

A kind says where it may happen and what it does; ``draw`` picks one of each by weight. The same
names are the rows of the table of faults.
"""

from __future__ import annotations

from collections.abc import Callable
from datetime import timedelta
from typing import TYPE_CHECKING, NamedTuple

from tests.simulation.braking import blank
from tests.simulation.disk import PowerCut
from tests.simulation.script import Trouble

from twofold.core.records import Side
from twofold.kit.contract import Status
from twofold.kit.errors import (
    AccessDenied,
    LimitUntil,
    OutcomeUnknown,
    RateLimited,
    Unavailable,
)
from twofold.kit.memory import Call, Fail, Fault, Items, Meanwhile, Partly
from twofold.kit.memory.faults import Reorder

if TYPE_CHECKING:
    from tests.simulation.history import History


class Crash(BaseException):
    """The process was killed at this very instant."""


STEP = "step"
STATEMENT = "statement"
_CALLS = tuple(f"{side} {name}" for side in Side for name in ("pull", "get", "push"))
_BEFORE = tuple(f"{call} before" for call in _CALLS)
_AFTER = tuple(f"{call} after" for call in _CALLS)
_PUSHES = tuple(f"{side} push before" for side in Side)
_PULLS = tuple(f"{side} pull before" for side in Side)

Doing = Callable[["History", Trouble, Side, Call], Fault | None]
"""What a kind does at a call; the side and the call are of no meaning at a step."""


class Kind(NamedTuple):
    """One kind of trouble."""

    weight: int
    places: tuple[str, ...]
    do: Doing
    typical: int = 2
    """How many such moments usually pass before it."""
    acts: bool = False
    """Somebody does something then."""
    later: bool = False
    """It only begins then, and is counted when it is met."""


def _crash(history: History, _: Trouble, _side: Side, _call: Call) -> None:
    raise Crash


def _power_cut(history: History, trouble: Trouble, _side: Side, _call: Call) -> None:
    raise PowerCut


def _taken_over(history: History, _: Trouble, _side: Side, _call: Call) -> None:
    history.take_over()


def _unavailable(history: History, _: Trouble, side: Side, _call: Call) -> Fault:
    return Fail(Unavailable(side, "scripted"))


def _rate_limit(history: History, trouble: Trouble, side: Side, _call: Call) -> Fault:
    until = history.world.now() + timedelta(seconds=trouble.pick % 100)
    return Fail(RateLimited(side, until) if trouble.pick % 2 else LimitUntil(side, until))


def _denied(history: History, _: Trouble, side: Side, _call: Call) -> Fault:
    return Fail(AccessDenied(side, "scripted"))


def _no_answer(history: History, _: Trouble, side: Side, _call: Call) -> Fault:
    return Fail(OutcomeUnknown(side, "scripted"))


def _partial(history: History, trouble: Trouble, side: Side, call: Call) -> Fault | None:
    if history.setup.script.side(side).atomic:
        return None
    return Partly(trouble.pick % max(1, call.items))


def _items(status: Status, *, applied: bool = False) -> Doing:
    def do(history: History, trouble: Trouble, side: Side, call: Call) -> Fault | None:
        if history.setup.script.side(side).atomic:
            return None
        return Items({trouble.pick % max(1, call.items): status}, applied=applied)

    return do


def _reorder(history: History, _: Trouble, _side: Side, _call: Call) -> Fault:
    return Reorder()


def _cap(history: History, _: Trouble, side: Side, _call: Call) -> None:
    history.setup.apps[side].capped = True


def _expire(history: History, _: Trouble, side: Side, _call: Call) -> None:
    history.setup.apps[side].expire_cursors()


def _meanwhile(history: History, trouble: Trouble, side: Side, call: Call) -> Fault | None:
    compares = all(t.type_of(side).conditional for t in history.setup.rules)
    assert trouble.act is not None
    if call.name == "push" and not compares:
        # Where an app compares nothing, an edit right before our write is lost: a known limit.
        return None
    act = trouble.act
    return Meanwhile(lambda: history.act(act))


def _between(history: History, trouble: Trouble, _side: Side, _call: Call) -> None:
    assert trouble.act is not None
    history.act(trouble.act)


def _back(history: History, trouble: Trouble, _side: Side, _call: Call) -> None:
    history.world.advance(-1 - trouble.pick)


KINDS: dict[str, Kind] = {
    "crash between effects": Kind(14, (STEP,), _crash, 8),
    "crash before a call": Kind(8, _BEFORE, _crash),
    "crash after a call": Kind(8, _AFTER, _crash),
    "power cut": Kind(4, (STEP,), _power_cut, 10),
    "disk full": Kind(4, (STATEMENT,), _crash, 40),
    "taken over by another worker": Kind(6, (STEP,), _taken_over, 6),
    "server error": Kind(6, _BEFORE, _unavailable),
    "rate limit": Kind(4, _BEFORE, _rate_limit),
    "access denied": Kind(2, _BEFORE, _denied),
    "request lost": Kind(5, _PUSHES, _no_answer, 1),
    "answer lost": Kind(6, tuple(f"{side} push after" for side in Side), _no_answer, 1),
    "part of a batch, no answer": Kind(5, _PUSHES, _partial, 1),
    "item: try again": Kind(3, _PUSHES, _items(Status.RETRY), 1),
    "item: unknown, written": Kind(3, _PUSHES, _items(Status.UNKNOWN, applied=True), 1),
    "item: unknown, not written": Kind(3, _PUSHES, _items(Status.UNKNOWN), 1),
    "reordered page": Kind(5, _PULLS, _reorder),
    "result cap": Kind(4, _PULLS, _cap, 1),
    "expired cursor": Kind(3, _PULLS, _expire),
    "act during a call": Kind(30, _BEFORE + _AFTER, _meanwhile, 2, acts=True),
    "act between effects": Kind(10, (STEP,), _between, 8, acts=True),
    "empty listing": Kind(0, _PULLS, blank, later=True),
    "clock set back": Kind(2, (STEP,), _back, 5),
}
