"""Links by hand (M7): listed, made, cut and swapped. As a file: `twofold.services.link_files`."""

from __future__ import annotations

from collections.abc import Iterable, Iterator

from msgspec import Struct

from twofold.core.errors import TwofoldError
from twofold.core.health import State
from twofold.core.matching import key_maker
from twofold.core.records import Side
from twofold.engine.observe import key_hashes
from twofold.services.installation import Installation
from twofold.services.records import called
from twofold.store.byhand import Listed, Orders, Pair
from twofold.store.syncs import Sync

_AT_ONCE = 500
"""Records decoded together."""

Problem = tuple[str, dict[str, object]]
"""A code, and the facts of its sentence."""


class Line(Struct, frozen=True):
    """A linked pair, or two records that a person keeps apart."""

    hub_id: str
    app_id: str
    name: str
    state: str
    """Where the pair stands; ``cut`` for two that are kept apart."""


class Page(Struct, frozen=True):
    """A part of the list."""

    lines: tuple[Line, ...]
    next: str | None
    """Behind which hub record the list goes on; None at its end."""


def page(
    here: Installation, name: str, *, apart: bool = False, after: str = "", limit: int = 50
) -> Page:
    """The links of a sync, or (``apart``) the pairs that were cut from each other.

    Raises:
        TwofoldError: TF-U06, there is no such sync; TF-U24, ``after`` names no place.
    """
    sync = here.sync(name)
    if after and not (after.isdecimal() and len(after) < 19):
        raise TwofoldError("TF-U24", text=after)
    listed = here.state.by_hand.apart if apart else here.state.by_hand.links
    shown: list[Listed] = []
    following = None
    for one in listed(sync.id, int(after or 0)):
        # The pairs of one hub record stay together: a place lies between two of them.
        if len(shown) >= limit and one.hub.row != shown[-1].hub.row:
            following = str(shown[-1].hub.row)
            break
        shown.append(one)
    return Page(tuple(line_of(sync, one) for one in shown), following)


def line_of(sync: Sync, one: Listed) -> Line:
    """A listed pair in words."""
    state = "cut" if one.state is None else State(one.state).label
    title = called(sync, one.hub, one.app)
    return Line(one.hub.record.id, one.app.record.id, title, state)


def make(here: Installation, name: str, hub_id: str, app_id: str) -> Pair:
    """Link two records; they are merged as at a first meeting. Nothing to do where they are linked.

    Raises:
        TwofoldError: TF-M21 to TF-M24, they cannot be linked, and why.
    """
    sync = here.sync(name)
    pair = Pair(_row(here, sync, Side.HUB, hub_id), _row(here, sync, Side.APP, app_id))
    if here.state.by_hand.twin(sync.id, Side.HUB, pair.hub) == pair.app:
        return pair
    for check in (_deleted, unfit):
        for side in Side:
            problem = check(here, sync, side, pair.end(side))
            if problem is not None:
                raise TwofoldError(problem[0], **problem[1])
    decide(here, sync, Orders(made=[pair]))
    return pair


def cut(here: Installation, name: str, hub_id: str, app_id: str) -> Pair:
    """Keep two records apart, linked or not, until a person links them or allows it again.

    Each is planned by itself: where it has no other match, it gets a twin of its own.

    Raises:
        TwofoldError: TF-M21, there is no such record.
    """
    sync = here.sync(name)
    pair = Pair(_row(here, sync, Side.HUB, hub_id), _row(here, sync, Side.APP, app_id))
    decide(here, sync, Orders(cut=[pair]))
    return pair


def allow(here: Installation, name: str, hub_id: str, app_id: str) -> Pair:
    """Forget that two records were cut from each other: matching decides again.

    Raises:
        TwofoldError: TF-M21, there is no such record.
    """
    sync = here.sync(name)
    pair = Pair(_row(here, sync, Side.HUB, hub_id), _row(here, sync, Side.APP, app_id))
    decide(here, sync, Orders(allowed=[pair]))
    return pair


def swap(here: Installation, name: str, first: str, second: str) -> tuple[Pair, Pair]:
    """Exchange the twins of two linked hub records; each is merged with its new one.

    Raises:
        TwofoldError: TF-M21, there is no such record; TF-M25, one is not linked; TF-M22, one of
            the four is deleted.
    """
    sync = here.sync(name)
    old = [_linked(here, sync, hub_id) for hub_id in (first, second)]
    for pair in old:
        for side in Side:
            if problem := _deleted(here, sync, side, pair.end(side)):
                raise TwofoldError(problem[0], **problem[1])
    new = (Pair(old[0].hub, old[1].app), Pair(old[1].hub, old[0].app))
    if old[0] != old[1]:
        decide(here, sync, Orders(made=new, cut=old))
    return new


def decide(here: Installation, sync: Sync, orders: Orders) -> None:
    """Store what a person decided about pairs, and have all records concerned planned again."""
    pairs = {*orders.made, *orders.cut, *orders.allowed}
    here.state.by_hand.decide(sync.id, orders, _hashes(here, sync, pairs))


def unfit(here: Installation, sync: Sync, side: Side, row: int) -> Problem | None:
    """Why a record cannot be linked; None where it can. A link to a deleted record is no reason."""
    problem = _deleted(here, sync, side, row)
    if problem is not None:
        return problem
    record_id = here.state.records.stored([row])[row].record.id
    twin = here.state.by_hand.twin(sync.id, side, row)
    if twin is not None:
        other = here.state.records.stored([twin])[twin]
        if not other.gone:
            facts = {"side": side.value, "id": record_id, "twin": other.record.id}
            return "TF-M23", dict(facts)
    if here.state.by_hand.being_made(sync.id, side, row):
        return "TF-M24", {"side": side.value, "id": record_id}
    return None


def _deleted(here: Installation, sync: Sync, side: Side, row: int) -> Problem | None:
    stored = here.state.records.stored([row])[row]
    if not stored.gone:
        return None
    return "TF-M22", {"side": side.value, "id": stored.record.id}


def _linked(here: Installation, sync: Sync, hub_id: str) -> Pair:
    row = _row(here, sync, Side.HUB, hub_id)
    twin = here.state.by_hand.twin(sync.id, Side.HUB, row)
    if twin is None:
        raise TwofoldError("TF-M25", id=hub_id)
    return Pair(row, twin)


def _row(here: Installation, sync: Sync, side: Side, record_id: str) -> int:
    known = here.state.records.known(sync.reader(side), [record_id])
    if record_id not in known:
        raise TwofoldError("TF-M21", side=side.value, id=record_id)
    return known[record_id].row


def _hashes(here: Installation, sync: Sync, pairs: Iterable[Pair]) -> Iterator[int]:
    """The match keys of both ends, made as they are asked for."""
    make_keys = key_maker(sync.rules)
    places = [(side, pair.end(side)) for pair in sorted(pairs) for side in Side]
    for start in range(0, len(places), _AT_ONCE):
        part = places[start : start + _AT_ONCE]
        stored = here.state.records.stored(row for _, row in part)
        for side, row in part:
            if row in stored:
                yield from key_hashes(make_keys(side, stored[row].record.fields))
