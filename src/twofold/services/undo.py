"""Take back what was written: a field, a record, a run, or everything since a moment (H7).

A preview says what would be put back and what would not, because it was changed since. Nothing is
written here: the next run does it, by the way that all writes take, and looks once more.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence

from msgspec import Struct

from twofold.core.errors import TwofoldError
from twofold.core.health import State
from twofold.core.parts import plain_name, plain_value
from twofold.core.plan import Program
from twofold.core.records import Side
from twofold.core.undo import PutBack, unfit
from twofold.core.values import Value
from twofold.services.finding import standings
from twofold.services.history import moment_of
from twofold.services.installation import Installation
from twofold.services.records import called
from twofold.store.history import Line
from twofold.store.syncs import Sync
from twofold.store.types import Did, LinkRow, Place
from twofold.store.undo import Wish

_AT_ONCE = 500
MOST_SHOWN = 200
"""Items of a preview; all of them are counted, and all are put back."""


class Target(Struct, frozen=True):
    """What to take back: of all that is named, what they have in common."""

    record: str = ""
    """An id or a match key; its twin is meant too. Without a run or a moment: what the last run
    that wrote to it, or to the field, wrote."""
    side: Side | None = None
    """Of that id."""
    field: str = ""
    """Of that record: only this one, by the hub's name."""
    run: int | None = None
    since: str = ""
    """A day or a moment: everything written since then."""


class Item(Struct, frozen=True):
    """One field of one record."""

    side: Side
    record: str
    """Its id."""
    name: str
    """What people call it."""
    field: str
    now: Value
    """What it holds; of a record that was made, nothing."""
    back: Value
    """What is put back."""
    conflict: str = ""
    """Why it is left alone; empty: it is put back."""


class Undo(Struct, frozen=True):
    """What taking back means."""

    sync: str
    fields: int
    """How many are put back."""
    conflicts: int
    """How many are left alone."""
    items: tuple[Item, ...]
    """Some of them, those that are put back first."""


def preview(here: Installation, name: str, target: Target) -> Undo:
    """What would be put back, and what would not.

    Raises:
        TwofoldError: TF-U06, there is no such sync; TF-U12, it has no such record; TF-H01, no
            moment; TF-H03, nothing was written; TF-H04, nothing is named.
    """
    sync = here.sync(name)
    return _counted(sync, [item for item, _ in _found(here, sync, target)])


def undo(here: Installation, name: str, target: Target, *, who: str) -> Undo:
    """Have the next run put back what can be.

    Raises:
        TwofoldError: as ``preview``; TF-U10, the sync is off; TF-H03, all of it was changed since.
    """
    sync = here.sync(name)
    if not sync.enabled:
        raise TwofoldError("TF-U10", name=name)
    found = list(_found(here, sync, target))
    wishes = [wish for _, wish in found if wish is not None]
    if not wishes:
        raise TwofoldError("TF-H03", reason=found[0][0].conflict)
    here.state.undos.ask(sync.id, wishes, who)
    here.state.schedule.nudge(sync.id)
    return _counted(sync, [item for item, _ in found])


def _counted(sync: Sync, items: Sequence[Item]) -> Undo:
    put = [item for item in items if not item.conflict]
    left = [item for item in items if item.conflict]
    shown = tuple([*put, *left][:MOST_SHOWN])
    return Undo(sync.name, len(put), len(left), shown)


Found = tuple[Item, Wish | None]


def _found(here: Installation, sync: Sync, target: Target) -> list[Found]:
    named = target.record or target.run is not None or target.since
    if not named or (target.field and not target.record):
        raise TwofoldError("TF-H04")
    written: dict[Place, _Written] = {}
    for line in _lines(here, sync, target):
        written.setdefault(line.place, _Written()).add(line, target.field)
    written = {place: one for place, one in written.items() if one}
    if not written:
        raise TwofoldError("TF-H03", reason="nothing of that was written")
    places = list(written)
    found: list[Found] = []
    program = Program(sync.rules, here.world.now())
    for start in range(0, len(places), _AT_ONCE):
        part = places[start : start + _AT_ONCE]
        links = _links(here, sync, part)
        for place in part:
            found += _items(here, sync, program, place, written[place], links.get(place))
    return found


def _lines(here: Installation, sync: Sync, target: Target) -> Iterator[Line]:
    """The lines to take back, newest first."""
    history = here.state.history
    since = moment_of(sync, target.since) if target.since else 0.0
    if target.record:
        for one in standings(here, sync, target.record, target.side):
            ends = (one.hub, one.app)
            lines = history.of(sync.id, [stored.row for stored in ends if stored is not None])
            yield from _of_record(lines, target, since)
        return
    before = None
    while True:
        found = history.page(sync.id, before=before, limit=_AT_ONCE, run=target.run, since=since)
        yield from found
        if len(found) < _AT_ONCE:
            return
        before = (found[-1].at, found[-1].id)


def _of_record(lines: Sequence[Line], target: Target, since: float) -> Iterator[Line]:
    """Those lines of a record that are meant; without a run or a moment, those of the last run."""
    run = target.run
    for line in lines:
        if target.field and target.field not in [plain_name(c.name) for c in line.changes]:
            continue
        if run is None and not target.since:
            run = line.run
        if line.at >= since and run in {None, line.run}:
            yield line


class _Written:
    """What was written to one record: of each field what it held before all of it, and after."""

    def __init__(self) -> None:
        self.fields: dict[str, tuple[Value, Value]] = {}
        self.refusals: list[str] = []

    def __bool__(self) -> bool:
        return bool(self.fields or self.refusals)

    def add(self, line: Line, only: str) -> None:
        """Take in a line that is older than those before."""
        if line.did is not Did.UPDATED:
            if not only and line.did is Did.CREATED:
                number = line.last - line.row + 1
                what = "the record was" if number == 1 else f"{number} records were"
                self.refusals.append(f"{what} made then, and what was made is not taken back")
            elif not only:
                self.refusals.append(f"the record was {line.did.label}: restore it in the app")
            return
        for c in line.changes:
            if not only or plain_name(c.name) == only:
                after = self.fields[c.name][1] if c.name in self.fields else c.after
                self.fields[c.name] = (c.before, after)


def _items(
    here: Installation,
    sync: Sync,
    program: Program,
    place: Place,
    written: _Written,
    link: LinkRow | None,
) -> Iterable[Found]:
    side, row = place
    stored = here.state.records.stored([row]).get(row) if link is None else link.end(side)
    record_id = "" if stored is None else stored.record.id
    hub, app = (None, None) if link is None else (link.hub, link.app)
    name = called(sync, hub, app)
    for text in written.refusals:
        yield Item(side, record_id, name, "", None, None, text), None
    fields = {m.name: m.end(side).name for m in sync.rules.mappings}
    for field, (before, after) in written.fields.items():
        now = None if stored is None else stored.record.fields.get(fields.get(field, ""))
        wish = PutBack(side, field, before, after)
        conflict = _conflict(program, side, link, wish)
        item = Item(
            side,
            record_id,
            name,
            plain_name(field),
            plain_value(now),
            plain_value(before),
            conflict,
        )
        made = None if conflict or link is None else Wish(link.hub.row, wish)
        yield item, made


def _conflict(program: Program, side: Side, link: LinkRow | None, wish: PutBack) -> str:
    if wish.name.startswith("@"):
        return "associations are not taken back"
    if link is None:
        return "the record has no twin any more"
    if link.hub.gone or link.app.gone:
        return "one of the two records was deleted"
    if link.state == State.EXCLUDED:
        return "the record does not take part in the sync any more"
    return unfit(program, link.end(side).record, wish)


def _links(here: Installation, sync: Sync, places: Sequence[Place]) -> dict[Place, LinkRow]:
    found: dict[Place, LinkRow] = {}
    for side in Side:
        rows = [row for s, row in places if s is side]
        for link in here.state.links.of(sync.id, side, rows):
            found[side, link.end(side).row] = link
    return found
