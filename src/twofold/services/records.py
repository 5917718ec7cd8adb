"""Lists of records by where they stand (H1, H2), a page at a time."""

from __future__ import annotations

from collections.abc import Sequence

from msgspec import Struct

from twofold.core.errors import Issue, TwofoldError
from twofold.core.health import State
from twofold.core.records import Fields, Side
from twofold.core.values import is_blank
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


class Page(Struct, frozen=True):
    """A part of a list."""

    lines: tuple[Line, ...]
    next: str | None
    """Where the list goes on; None at its end."""


def page(
    here: Installation, state: State, sync: str = "", after: str = "", limit: int = 50
) -> Page:
    """The records that stand there, of one sync or of all, behind a place that a page named.

    Raises:
        TwofoldError: TF-U06, there is no such sync; TF-U24, ``after`` names no place.
    """
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
    return Page(tuple(_line(one, standing, state) for one, standing in shown), following)


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


def _line(sync: Sync, standing: Standing, state: State) -> Line:
    return Line(
        sync.name,
        state.label,
        None if standing.hub is None else standing.hub.record.id,
        None if standing.app is None else standing.app.record.id,
        called(sync, standing.hub, standing.app),
        standing.outcome.issues,
        standing.outcome.candidates,
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
