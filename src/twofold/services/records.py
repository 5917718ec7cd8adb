"""Lists of records by where they stand (H1, H2), a page at a time."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Iterator, Sequence
from datetime import UTC, datetime

from msgspec import Struct

from twofold.core.errors import Issue, TwofoldError
from twofold.core.health import State
from twofold.core.records import Fields, Side
from twofold.core.values import is_blank
from twofold.services.csv_text import csv_line
from twofold.services.installation import Installation
from twofold.store.outcomes import Position, Standing
from twofold.store.syncs import Sync
from twofold.store.types import Stored


class Line(Struct, frozen=True):
    """One pair, or one unlinked record."""

    sync: str
    state: str
    hub_id: str | None
    app_id: str | None
    name: str
    """What people know it by, from either side."""
    issues: tuple[Issue, ...]
    candidates: tuple[str, ...]
    tries: int = 0
    """How often it was tried in vain, where it is tried again by itself."""
    next_try: str = ""
    """When that is: ISO 8601, UTC."""


class Page(Struct, frozen=True):
    """A part of a list."""

    lines: tuple[Line, ...]
    next: str | None
    """Where the list goes on; None at its end."""


class Sought(Struct, frozen=True):
    """What a list is narrowed to."""

    text: str = ""
    """Part of a name, an e-mail address or an id; case does not count."""
    code: str = ""
    """A cause."""


_AT_ONCE = 200
_SCANNED = 5_000
"""Records that one page looks at in search of something: a page comes in bounded time."""


def page(
    here: Installation,
    state: State,
    sync: str = "",
    after: str = "",
    limit: int = 50,
    sought: Sought | None = None,
) -> Page:
    """The records that stand there, of one sync or of all, behind a place that a page named.

    A page that was narrowed may hold fewer lines than asked although the list goes on.

    Raises:
        TwofoldError: TF-U06, there is no such sync; TF-U24, ``after`` names no place.
    """
    if sought is not None and sought != Sought():
        return _narrowed(here, state, sync, after, limit, sought)
    syncs = [here.sync(sync)] if sync else sorted(here.state.syncs.all(), key=lambda s: s.id)
    first, position = _place(after)
    found: list[tuple[Sync, Standing]] = []
    for one in syncs:
        if one.id < first or len(found) > limit:
            continue
        start = position if one.id == first else Position()
        more = here.state.outcomes.page(one.id, state, start, limit + 1 - len(found))
        found += [(one, standing) for standing in more]
    shown = found[:limit]
    following = _named(*shown[-1]) if len(found) > limit else None
    return Page(tuple(_line(here, one, standing, state) for one, standing in shown), following)


def one(here: Installation, name: str, side: Side, record: str) -> Line:
    """One record of a sync, by its id, with the one it is linked to.

    Raises:
        TwofoldError: TF-U06, there is no such sync; TF-U12, that side has no record of this id.
    """
    sync = here.sync(name)
    row = here.state.outcomes.row_of(sync.reader(side), record)
    standing = None if row is None else here.state.outcomes.standing(sync.id, (side, row))
    if standing is None:
        raise TwofoldError("TF-U12", name=name, text=record)
    return _line(here, sync, standing, standing.outcome.state)


def exported(
    here: Installation, state: State, sync: str, sought: Sought | None = None
) -> Iterator[str]:
    """The records of a sync that stand there, as lines of CSV without formulas.

    Raises:
        TwofoldError: TF-U06, there is no such sync.
    """
    here.sync(sync)
    return _exported(here, state, sync, sought)


def fits(sync: Sync, standing: Standing, sought: Sought) -> bool:
    """Whether a record is one of those that are looked for."""
    ids = (standing.hub, standing.app)
    return _wanted(
        called(sync, standing.hub, standing.app),
        [None if stored is None else stored.record.id for stored in ids],
        standing.outcome.issues,
        sought,
    )


_COLUMNS = ("sync", "state", "hub_id", "app_id", "name", "code", "sentence", "advice", "candidates")


def _exported(here: Installation, state: State, sync: str, sought: Sought | None) -> Iterator[str]:
    yield csv_line(_COLUMNS)
    after: str | None = ""
    while after is not None:
        found = page(here, state, sync, after, _AT_ONCE, sought)
        for line in found.lines:
            ends = (line.sync, line.state, line.hub_id or "", line.app_id or "", line.name)
            for issue in line.issues or (None,):
                why = ("", "", "") if issue is None else (issue.code, issue.sentence, issue.advice)
                yield csv_line((*ends, *why, "; ".join(line.candidates)))
        after = found.next


def _narrowed(
    here: Installation, state: State, sync: str, after: str, limit: int, sought: Sought
) -> Page:
    lines: list[Line] = []
    for _ in range(_SCANNED // limit + 1):
        found = page(here, state, sync, after, limit)
        for position, line in enumerate(found.lines):
            if _wanted(line.name, (line.hub_id, line.app_id), line.issues, sought):
                lines.append(line)
                if len(lines) == limit:
                    rest = position + 1
                    # Where this page ended inside the one that was read: read up to there again.
                    after = page(here, state, sync, after, rest).next or ""
                    return Page(tuple(lines), after or None)
        if found.next is None:
            return Page(tuple(lines), None)
        after = found.next
    return Page(tuple(lines), after)


def _wanted(
    name: str, ids: Collection[str | None], issues: Iterable[Issue], sought: Sought
) -> bool:
    text = sought.text
    if text and text.casefold() not in name.casefold() and text not in ids:
        return False
    return not sought.code or any(issue.code == sought.code for issue in issues)


def called(sync: Sync, hub: Stored | None, app: Stored | None) -> str:
    """What people call a record: its name and e-mail, from the first side that has them."""
    for side, stored in ((Side.HUB, hub), (Side.APP, app)):
        if stored is not None and (text := _title(sync, side, stored.record.fields)):
            return text
    return ""


_TITLES = ("firstname", "lastname", "name", "dealname", "email", "domain")


def _title(sync: Sync, side: Side, fields: Fields) -> str:
    ends = {m.hub.name: m.end(side).name for m in sync.rules.mappings}
    values = [fields.get(ends[name]) for name in _TITLES if name in ends]
    return " ".join(str(value) for value in values if not is_blank(value))


def _line(here: Installation, sync: Sync, standing: Standing, state: State) -> Line:
    retry = here.state.outcomes.retry(sync.id, standing.place)
    at = "" if retry is None else datetime.fromtimestamp(retry[0], UTC).isoformat("T", "seconds")
    return Line(
        sync.name,
        state.label,
        None if standing.hub is None else standing.hub.record.id,
        None if standing.app is None else standing.app.record.id,
        called(sync, standing.hub, standing.app),
        standing.outcome.issues,
        standing.outcome.candidates,
        0 if retry is None else retry[1],
        at,
    )


def _named(sync: Sync, standing: Standing) -> str:
    return f"{sync.id}.{standing.position.part}.{standing.position.row}"


def _place(after: str) -> tuple[int, Position]:
    if not after:
        return 0, Position()
    parts: Sequence[str] = after.split(".")
    if len(parts) != 3 or not all(part.isdecimal() and len(part) < 19 for part in parts):
        raise TwofoldError("TF-U24", text=after)
    sync, part, row = map(int, parts)
    return sync, Position(part, row)
