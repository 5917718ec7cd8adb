"""The history of records: what was written, when, in which run and by which rule (H6)."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping, Sequence
from datetime import UTC, date, datetime, time, timedelta
from zoneinfo import ZoneInfo

import msgspec
from msgspec import Struct

from twofold.core.errors import TwofoldError
from twofold.core.merge import Reason
from twofold.core.parts import plain_name, plain_value
from twofold.core.records import Fields, Side
from twofold.core.values import Value
from twofold.services.csv_text import csv_line
from twofold.services.finding import standings
from twofold.services.installation import Installation
from twofold.services.records import called
from twofold.store.history import Line
from twofold.store.syncs import Sync
from twofold.store.types import Did, LinkRow, Place

KEEP_DAYS = 365
"""Days that history is kept, unless a person says otherwise."""
LONGEST_KEPT = 36_500
_SETTING = "history_days"
_RECOVERED = "sent before an interruption, and found there after it"
_MADE = "had no twin on this side"
_GONE = "its twin was deleted, or left its limit"
PHRASES = (_RECOVERED, _MADE, _GONE)
"""What a rule may say besides a `twofold.core.merge.Reason`."""
_AT_ONCE = 200


class FieldChange(Struct, frozen=True):
    """One field of a record that was written."""

    field: str
    """By the hub's name of the mapping."""
    before: Value
    after: Value
    source: Value
    """What the record on the other side showed."""
    rule: str


class Entry(Struct, frozen=True):
    """One record that was written."""

    sync: str
    run: int
    at: str
    """ISO 8601, UTC."""
    did: str
    """created, updated, archived or deleted."""
    side: Side
    record: str
    """Its id."""
    twin: str | None
    """The id of the record on the other side."""
    name: str
    """What people call it now."""
    rule: str
    fields: tuple[FieldChange, ...]


class HistoryPage(Struct, frozen=True):
    """A part of the history, newest first."""

    entries: tuple[Entry, ...]
    next: str | None
    """Where it goes on; None at its end."""


def page(
    here: Installation,
    name: str,
    *,
    after: str = "",
    limit: int = 50,
    run: int | None = None,
    since: str = "",
) -> HistoryPage:
    """What a sync wrote, newest first; ``since``: a day or a moment, ``after``: a page's ``next``.

    Raises:
        TwofoldError: TF-U06, there is no such sync; TF-U24, ``after`` names no place; TF-H01,
            ``since`` is no moment.
    """
    sync = here.sync(name)
    begin = moment_of(sync, since) if since else 0.0
    start = _place(after)
    lines: list[Line] = []
    keys: list[_Key] = []
    for line in _each(here, sync, start, run, begin, limit + 1):
        lines.append(line)
        keys.append((line.at, line.id, line.row))
        if len(lines) > limit:
            break
    following = _named(keys[limit - 1]) if len(lines) > limit else None
    return HistoryPage(tuple(_described(here, sync, lines[:limit])), following)


def of_record(here: Installation, name: str, text: str, side: Side | None = None) -> list[Entry]:
    """Everything that was written to a record and its twin, newest first.

    Raises:
        TwofoldError: TF-U06, there is no such sync; TF-U12, it has no such record.
    """
    sync = here.sync(name)
    entries: list[Entry] = []
    for one in standings(here, sync, text, side):
        rows = [stored.row for stored in (one.hub, one.app) if stored is not None]
        entries += _described(here, sync, here.state.history.of(sync.id, rows))
    return entries


def exported(
    here: Installation, name: str, form: str, *, run: int | None = None, since: str = ""
) -> Iterator[str]:
    """The history of a sync, newest first, as lines of ``csv`` or of ``json`` (JSON Lines).

    Raises:
        TwofoldError: as ``page``.
    """
    sync = here.sync(name)
    begin = moment_of(sync, since) if since else 0.0
    return _exported(here, sync, form, run, begin)


def keep_days(here: Installation) -> int:
    """For how many days history is kept."""
    return here.state.settings.get(_SETTING, KEEP_DAYS)


def keep(here: Installation, days: int) -> None:
    """Keep history for so many days; what is older is forgotten within an hour.

    Raises:
        TwofoldError: TF-H02, it is less than a day, or more than a hundred years.
    """
    if not 1 <= days <= LONGEST_KEPT:
        raise TwofoldError("TF-H02", days=days)
    here.state.settings.put(_SETTING, days)


def prune(here: Installation) -> bool:
    """Forget some of what is older than it is to be kept; True where there may be more."""
    oldest = here.world.now() - timedelta(days=keep_days(here))
    return here.state.history.prune(oldest.timestamp()) > 0


def moment_of(sync: Sync, text: str) -> float:
    """A day, which begins in the sync's time zone, or a moment: seconds since 1970.

    Raises:
        TwofoldError: TF-H01, it is neither.
    """
    zone = ZoneInfo(sync.rules.timezone)
    try:
        try:
            moment = datetime.combine(date.fromisoformat(text), time(), zone)
        except ValueError:
            moment = datetime.fromisoformat(text)
        return (moment if moment.tzinfo else moment.replace(tzinfo=zone)).timestamp()
    except (ValueError, OverflowError):
        raise TwofoldError("TF-H01", text=text) from None


def rule_text(rule: str) -> str:
    """What a rule means, for people."""
    return Reason[rule].value if rule in Reason.__members__ else _RECOVERED


_COLUMNS = (
    "at",
    "sync",
    "run",
    "did",
    "side",
    "record",
    "twin",
    "name",
    "field",
    "before",
    "after",
    "rule",
)


def _exported(
    here: Installation, sync: Sync, form: str, run: int | None, since: float
) -> Iterator[str]:
    if form == "csv":
        yield csv_line(_COLUMNS)
    batch: list[Line] = []
    for line in _each(here, sync, None, run, since, _AT_ONCE):
        batch.append(line)
        if len(batch) == _AT_ONCE:
            yield from _written_out(_described(here, sync, batch), form)
            batch.clear()
    yield from _written_out(_described(here, sync, batch), form)


def _written_out(entries: Sequence[Entry], form: str) -> Iterator[str]:
    for e in entries:
        if form == "json":
            yield json.dumps(msgspec.to_builtins(e, enc_hook=str)) + "\n"
            continue
        ends = (e.at, e.sync, str(e.run), e.did, e.side.value, e.record, e.twin or "", e.name)
        for one in e.fields or (FieldChange("", None, None, None, e.rule),):
            yield csv_line((*ends, one.field, _cell(one.before), _cell(one.after), one.rule))


def _cell(value: Value) -> str:
    if value is None:
        return ""
    if isinstance(value, tuple):
        return "; ".join(map(_cell, value))
    return value.isoformat() if isinstance(value, date | datetime) else str(value)


_Key = tuple[float, int, int]
"""(at, line, row) of the entry that a page ended with."""


def _each(
    here: Installation, sync: Sync, start: _Key | None, run: int | None, since: float, limit: int
) -> Iterator[Line]:
    """Lines behind a place, one for each record."""
    before = None if start is None else (start[0], start[1])
    skip = start
    while True:
        found = here.state.history.page(
            sync.id, before=before, limit=limit, run=run, since=since, inclusive=skip is not None
        )
        for line in found:
            for row in range(line.last, line.row - 1, -1):
                if skip is not None and line.id == skip[1] and row >= skip[2]:
                    continue
                yield msgspec.structs.replace(line, row=row, last=row)
        if len(found) < limit:
            return
        before, skip = (found[-1].at, found[-1].id), None


def _described(here: Installation, sync: Sync, lines: Sequence[Line]) -> list[Entry]:
    links = _links(here, sync, [line.place for line in lines])
    rows = [row for line in lines for row in (line.row, line.twin) if row is not None]
    stored = here.state.records.stored(rows)
    entries = []
    for line in lines:
        link = links.get(line.place)
        ends = {line.side: stored.get(line.row)}
        if link is not None:
            ends = {side: link.end(side) for side in Side}
        elif line.twin is not None:
            ends[line.side.other] = stored.get(line.twin)
        ours, twin = ends.get(line.side), ends.get(line.side.other)
        entries.append(
            Entry(
                sync.name,
                line.run,
                datetime.fromtimestamp(line.at, UTC).isoformat(timespec="seconds"),
                line.did.label,
                line.side,
                "" if ours is None else ours.record.id,
                None if twin is None else twin.record.id,
                called(sync, ends.get(Side.HUB), ends.get(Side.APP)),
                _rule(line),
                tuple(_fields(here, sync, line, link)),
            )
        )
    return entries


def _links(here: Installation, sync: Sync, places: Sequence[Place]) -> Mapping[Place, LinkRow]:
    found: dict[Place, LinkRow] = {}
    for side in Side:
        rows = [row for s, row in places if s is side]
        for link in here.state.links.of(sync.id, side, list(dict.fromkeys(rows))):
            found[side, link.end(side).row] = link
    return found


def _rule(line: Line) -> str:
    if line.did is Did.CREATED:
        return _MADE
    return "" if line.did is Did.UPDATED else _GONE


def _fields(
    here: Installation, sync: Sync, line: Line, link: LinkRow | None
) -> Iterator[FieldChange]:
    if line.did is Did.UPDATED:
        for c in line.changes:
            before, after, source = map(plain_value, (c.before, c.after, c.source))
            yield FieldChange(plain_name(c.name), before, after, source, rule_text(c.rule))
        return
    names = {m.end(line.side).name: m.name for m in sync.rules.mappings}
    made = line.did is Did.CREATED
    values = _made_with(here, sync, line, link) if made else line.shown
    for field, name in names.items():
        value = plain_value(values.get(field))
        if value is not None and made:
            yield FieldChange(plain_name(name), None, value, value, _MADE)
        elif value is not None:
            yield FieldChange(plain_name(name), value, None, None, _GONE)


def _made_with(here: Installation, sync: Sync, line: Line, link: LinkRow | None) -> Fields:
    """What a record was made with: what its pair agrees on, before all later writes."""
    if link is None or link.link.seen is None:
        return {}
    values = dict(link.link.seen[line.side])
    ends = {m.name: {side: m.end(side).name for side in Side} for m in sync.rules.mappings}
    rows = [link.hub.row, link.app.row]
    for later in here.state.history.of(sync.id, rows):  # the newest first
        for c in later.changes:
            if c.name in ends and later.side is line.side:
                values[ends[c.name][line.side]] = c.before
    return values


def _named(key: _Key) -> str:
    at, line, row = key
    return f"{at.hex()}_{line}_{row}"


def _place(after: str) -> _Key | None:
    if not after:
        return None
    try:
        at, line, row = after.split("_")
        return float.fromhex(at), int(line), int(row)
    except (ValueError, OverflowError):
        raise TwofoldError("TF-U24", text=after) from None
