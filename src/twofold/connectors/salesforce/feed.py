"""What changed: a full listing by id, then rounds of queries by the time of the last change.

Rows "List", "Change feed A" and "Delete/merge" of the facts.

- Every page is a query of its own that begins behind the last row (by id; in rounds by
  SystemModstamp and id), so no locator can expire and equal timestamps lose nothing.
- A round begins some minutes before the round before it began, by the app's own clock: what a long
  transaction wrote shows up late under an early time. What comes twice has the same digest.
- queryAll tells what is in the recycle bin, and of a merged record into which one it went. It stays
  there for 15 days: a position that is older has expired.
- An address holds 16 KB: where a query would be longer, ids alone are queried, and what these
  records hold is read by id.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import datetime, timedelta
from typing import Any
from urllib.parse import quote

import msgspec
from msgspec import Struct

from twofold.connectors.salesforce.calls import APP, Calls, Refused, server_time
from twofold.connectors.salesforce.schema import KEPT
from twofold.connectors.salesforce.values import instant, is_id, long_id, moment, quoted, read
from twofold.core.records import Record, Target
from twofold.core.schema import Field
from twofold.kit.contract import Batch
from twofold.kit.digests import digest_values
from twofold.kit.errors import CursorExpired, Misunderstood, SchemaChanged

PAGE = 2_000
"""Most rows of one answer (row "List")."""
_LONGEST_QUERY = 14_000
"""Characters of a query in an address, which may have 16 KB with the rest."""
_MOST_IDS = 2_000
"""Of one read by id (row "Batch")."""
_STAMP, _ID, _GONE, _MASTER = "SystemModstamp", "Id", "IsDeleted", "MasterRecordId"
_LISTING, _CHANGES = "listing", "changes"

Row = Mapping[str, Any]


class Position(Struct, frozen=True, omit_defaults=True):
    """A cursor's content."""

    step: str
    after: str = ""
    """The id of the last row."""
    low: str = ""
    """Changes at this time and later."""
    begun: str = ""
    """When this round began, by the app's clock; empty between rounds."""


class Asked(Struct, frozen=True):
    """What a reading asks of each record."""

    obj: str
    fields: tuple[Field, ...]
    ties: tuple[str, ...] = ()
    merges: bool = False

    @property
    def names(self) -> list[str]:
        """The fields to ask for."""
        return sorted({*(field.name for field in self.fields), *self.ties})

    @property
    def heads(self) -> list[str]:
        """What each row needs beside them."""
        return [_ID, _STAMP, _GONE, *([_MASTER] if self.merges else [])]

    def record(self, row: Row) -> Record:
        """A record of Twofold's."""
        fields = {field.name: read(field, row.get(field.name)) for field in self.fields}
        stamp = str(row.get(_STAMP) or "")
        modified = instant(stamp) if stamp else None
        version = stamp or None
        return Record(str(row[_ID]), fields, version, self.related(row), self.digest(row), modified)

    def related(self, row: Row) -> dict[str, tuple[Target, ...]]:
        """The one target of each association, or none."""
        return {
            name: (Target(str(row[name]), primary=True),) if row.get(name) else ()
            for name in self.ties
        }

    def digest(self, row: Row) -> int:
        """The hash of what was asked, as the API sent it."""
        return digest_values([(name, row.get(name)) for name in self.names])


def parsed(cursor: str | None) -> Position:
    """The position that a cursor means.

    Raises:
        CursorExpired: it is none of ours.
    """
    if cursor is None:
        return Position(_LISTING)
    try:
        position = msgspec.json.decode(cursor, type=Position)
    except (msgspec.DecodeError, UnicodeEncodeError):
        raise CursorExpired(APP) from None
    if position.step not in {_LISTING, _CHANGES}:
        raise CursorExpired(APP)
    return position


class Feed:
    """The changes of one object."""

    def __init__(self, calls: Calls, asked: Asked, overlap: timedelta, size: int) -> None:
        self._calls = calls
        self._asked = asked
        self._overlap = overlap
        self._size = size

    async def page(self, position: Position) -> Batch:
        """The page at a position.

        Raises:
            CursorExpired: what was deleted since may have left the recycle bin.
        """
        listing = position.step == _LISTING
        rows, now = await self._rows(position)
        if not listing and instant(position.low) < now - KEPT:
            raise CursorExpired(APP)
        following = self._following(position, rows, now)
        here = [row for row in rows if not row.get(_GONE)]
        gone = [(str(row[_ID]), row.get(_MASTER) or None) for row in rows if row.get(_GONE)]
        asked = self._asked

        def decode(positions: Sequence[int]) -> Sequence[Record]:
            return [asked.record(here[at]) for at in positions]

        return Batch(
            ids=[str(row[_ID]) for row in here],
            digests=[asked.digest(row) for row in here],
            versions=[str(row.get(_STAMP) or "") or None for row in here],
            gone=gone,
            decode=decode,
            cursor=msgspec.json.encode(following).decode(),
            more=bool(following.begun),
            snapshot=listing,
        )

    def _following(self, position: Position, rows: Sequence[Row], now: datetime) -> Position:
        """The position behind a page; a page that is not full ends the listing or the round."""
        begun = position.begun or moment(now)
        if len(rows) == self._size:
            low = "" if position.step == _LISTING else moment(_stamp(rows[-1]))
            return Position(position.step, str(rows[-1][_ID]), low, begun)
        low = moment(instant(begun) - self._overlap)
        return Position(_CHANGES, low=max(low, position.low))

    async def _rows(self, position: Position) -> tuple[Sequence[Row], datetime]:
        """The rows of a page, and when the app answered."""
        asked = self._asked
        soql = self._soql(position, [*asked.heads, *asked.names])
        long = len(quote(soql)) > _LONGEST_QUERY
        if long:
            soql = self._soql(position, asked.heads)
        found, response = await self._calls.query(soql, gone=position.step == _CHANGES)
        rows: Sequence[Row] = found.records
        if not found.done and len(rows) < self._size:
            raise Misunderstood(APP, "a page that is shorter than was asked")
        if long:
            bodies = await by_id(self._calls, asked, [r[_ID] for r in rows if not r.get(_GONE)])
            rows = [{**row, **bodies.get(str(row[_ID]), {_GONE: True})} for row in rows]
        return rows, server_time(response)

    def _soql(self, position: Position, names: Sequence[str]) -> str:
        after = quoted(position.after)
        if position.step == _LISTING:
            where = f"{_ID} > {after}" if position.after else ""
            order = _ID
        else:
            low = position.low
            where = f"{_STAMP} >= {low}"
            if position.after:
                where = f"{_STAMP} > {low} OR ({_STAMP} = {low} AND {_ID} > {after})"
            order = f"{_STAMP}, {_ID}"
        return selected(names, self._asked.obj, where, order, self._size)


def selected(
    names: Sequence[str], obj: str, where: str = "", order: str = "", limit: int = 0
) -> str:
    """A query. Names are those that the org itself declares; texts in ``where`` are `quoted`."""
    parts = ["SELECT", ", ".join(dict.fromkeys(names)), "FROM", obj]
    parts += ["WHERE", where] if where else []
    parts += ["ORDER BY", order] if order else []
    parts += ["LIMIT", str(limit)] if limit else []
    return " ".join(parts)


def _stamp(row: Row) -> datetime:
    try:
        return instant(str(row[_STAMP]))
    except (KeyError, ValueError):
        raise Misunderstood(APP, "a record without the time of its last change") from None


async def by_id(calls: Calls, asked: Asked, ids: Sequence[str]) -> dict[str, Row]:
    """The rows of those that are there, by id, straight from the records."""
    found: dict[str, Row] = {}
    wanted = [i for i in dict.fromkeys(ids) if is_id(i)]
    names = list(dict.fromkeys([_ID, _STAMP, *asked.names]))
    for start in range(0, len(wanted), _MOST_IDS):
        body = {"ids": wanted[start : start + _MOST_IDS], "fields": names}
        path = f"/composite/sobjects/{asked.obj}"
        try:
            rows = await calls.ask(path, body, list[dict[str, Any] | None])
        except Refused as refused:
            reason = refused.refusal.message[:200].rstrip(".") or f"status {refused.status}"
            raise SchemaChanged(
                "TF-F33", app=APP, object_type=asked.obj, reason=reason
            ) from refused
        found.update((long_id(str(row[_ID])), row) for row in rows if row is not None)
    return found


async def survivors(calls: Calls, asked: Asked, ids: Sequence[str]) -> dict[str, str]:
    """Of records that were merged: the id of the record that each is in now."""
    into: dict[str, str] = {}
    asking = [i for i in ids if is_id(i)]
    while asking:
        part, asking = asking[:_PART], asking[_PART:]
        names = ", ".join(map(quoted, part))
        where = f"{_ID} IN ({names}) AND {_GONE} = true AND {_MASTER} != null"
        soql = selected([_ID, _MASTER], asked.obj, where)
        rows, _ = await calls.query(soql, gone=True)
        found = {str(row[_ID]): str(row[_MASTER]) for row in rows.records}
        into.update(found)
        asking += [master for master in found.values() if master not in into]
    return {loser: _end(loser, into) for loser in into if loser in ids}


_PART = 200


def _end(loser: str, into: Mapping[str, str]) -> str:
    seen: set[str] = set()
    while loser in into and loser not in seen:
        seen.add(loser)
        loser = into[loser]
    return loser
