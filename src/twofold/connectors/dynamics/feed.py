"""What changed: by delta link, and where a table is not tracked by the time of the last change.

Rows "List", "Change feed", "Fallback feed" and "Delete/merge" of the facts.

- A tracked table is listed once; the last page holds a delta link, which answers with what changed
  since, deletes among it, and with the next link. It lives for seven days.
- An untracked table is listed by id, and then asked for what changed since a time. A round begins
  some minutes before the round before it began, by the API's own clock: what a long transaction
  wrote shows up late under an early time. What comes twice has the same digest.
- Pages are followed by their links as they stand. What a link asks for was settled when it was
  made, so a cursor says for which columns that was: for others, records are read by id.
- A merged record is inactive, and names the record that it is now.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import timedelta
from typing import Any

import msgspec
from msgspec import Struct

from twofold.connectors.dynamics.calls import (
    ANNOTATION,
    APP,
    Calls,
    Refused,
    Rows,
    annotated,
    server_time,
)
from twofold.connectors.dynamics.schema import BECOMES, MASTER, MERGED, merges
from twofold.connectors.dynamics.tables import Table
from twofold.connectors.dynamics.values import instant, is_id, moment, read
from twofold.core.records import Record, Target
from twofold.core.schema import Association, Field
from twofold.core.values import Kind
from twofold.kit.contract import Batch, Response
from twofold.kit.digests import digest_bytes, digest_values
from twofold.kit.errors import CursorExpired, Misunderstood, SchemaChanged

PAGE = 5_000
"""Most rows of one answer (row "List")."""
OVERLAP = timedelta(minutes=5)
_AT_ONCE = 100
"""Ids in one filter, which may hold 500 conditions within 32 KB of address."""
_ETAG, _CONTEXT, _MODIFIED = "@odata.etag", "@odata.context", "modifiedon"
_QUALIFIED = 1
"""The state of a lead that became a contact; before, the contact is one that it belongs to."""

Row = Mapping[str, Any]


class Position(Struct, frozen=True, omit_defaults=True):
    """A cursor's content."""

    listing: bool = False
    link: str = ""
    """Where to go on; empty: a round by time begins."""
    low: str = ""
    """Changes at this time and later."""
    begun: str = ""
    """When this round began, by the API's clock; empty between rounds."""
    asked: int = 0
    """For which columns the link is."""


class Asked(Struct, frozen=True):
    """What a reading asks of each record."""

    table: Table
    fields: tuple[Field, ...]
    ties: tuple[Association, ...] = ()

    @property
    def contents(self) -> list[str]:
        """The columns that make up what was asked, by their names in answers."""
        names = {column(field) for field in self.fields} | {looked_up(t.name) for t in self.ties}
        return sorted(names | ({"statecode"} if self._converts else set()))

    @property
    def select(self) -> str:
        """All columns to ask for."""
        heads = [self.table.id, *([MERGED, looked_up(MASTER)] if merges(self.table) else [])]
        dated = [_MODIFIED] if _MODIFIED in self.table.names else []
        return ",".join(dict.fromkeys([*heads, *dated, *self.contents]))

    @property
    def number(self) -> int:
        """Tells one selection from another."""
        return digest_bytes(self.select.encode())

    @property
    def _converts(self) -> bool:
        lead = self.table.listed.logical_name == "lead"
        return lead and any(tie.name == BECOMES for tie in self.ties)

    def record(self, row: Row) -> Record:
        """A record of Twofold's."""
        fields = {field.name: read(field, row.get(column(field))) for field in self.fields}
        ties = {tie.name: self._targets(tie, row) for tie in self.ties}
        dated = row.get(_MODIFIED)
        modified = instant(str(dated)) if dated else None
        return Record(self.id(row), fields, row.get(_ETAG), ties, self.digest(row), modified)

    def id(self, row: Row) -> str:
        """The record's id."""
        return str(row[self.table.id]).lower()

    def digest(self, row: Row) -> int:
        """The hash of what was asked, as the API sent it."""
        return digest_values([(name, row.get(name)) for name in self.contents])

    def _targets(self, tie: Association, row: Row) -> tuple[Target, ...]:
        name = looked_up(tie.name)
        if not row.get(name) or row.get(f"{name}@{ANNOTATION}", tie.target) != tie.target:
            return ()
        if self._converts and tie.name == BECOMES and row.get("statecode") != _QUALIFIED:
            return ()
        return (Target(str(row[name]).lower(), primary=True),)


def column(field: Field) -> str:
    """The name of a field's column in answers."""
    return looked_up(field.name) if field.kind is Kind.OWNER else field.name


def looked_up(name: str) -> str:
    """The name of a lookup in answers."""
    return f"_{name}_value"


def survivor(row: Row) -> str | None:
    """Of a merged record the one that it is now; None of every other one."""
    if not row.get(MERGED):
        return None
    return str(row.get(looked_up(MASTER)) or "").lower() or None


def parsed(cursor: str | None) -> Position:
    """The position that a cursor means.

    Raises:
        CursorExpired: it is none of ours.
    """
    if cursor is None:
        return Position(listing=True)
    try:
        position = msgspec.json.decode(cursor, type=Position)
    except (msgspec.DecodeError, UnicodeEncodeError):
        raise CursorExpired(APP) from None
    if not (position.link or position.low):
        raise CursorExpired(APP)
    return position


class Feed:
    """The changes of one table."""

    def __init__(self, calls: Calls, asked: Asked, overlap: timedelta, size: int) -> None:
        self._calls = calls
        self._asked = asked
        self._overlap = overlap
        self._size = size
        self._tracked = asked.table.listed.change_tracking_enabled

    async def page(self, position: Position) -> Batch:
        """The page at a position.

        Raises:
            CursorExpired: the API no longer knows it.
        """
        asked = self._asked
        number = position.asked or asked.number
        page, response = await self._page(position)
        following = self._following(position, page, response, number)
        rows = [row for row in page.value if not _is_deleted(row)]
        here = [row for row in rows if survivor(row) is None]
        gone: list[tuple[str, str | None]] = []
        gone += [(_deleted_id(row), None) for row in page.value if _is_deleted(row)]
        gone += [(asked.id(row), survivor(row)) for row in rows if survivor(row) is not None]
        bodies = number == asked.number

        def decode(positions: Sequence[int]) -> Sequence[Record]:
            return [asked.record(here[at]) for at in positions]

        return Batch(
            ids=[asked.id(row) for row in here],
            digests=[asked.digest(row) if bodies else None for row in here],
            versions=[row.get(_ETAG) for row in here],
            gone=gone,
            decode=decode,
            cursor=msgspec.json.encode(following).decode(),
            more=page.next_link is not None,
            snapshot=position.listing,
        )

    async def _page(self, position: Position) -> tuple[Rows, Response]:
        tracked = ["odata.track-changes"] if self._tracked else []
        prefer = annotated(*tracked, f"odata.maxpagesize={self._size}")
        if position.link:
            try:
                return await self._calls.get(position.link, Rows, prefer)
            except (Refused, SchemaChanged):
                # Too old, or for a column that is gone: a new listing tells which.
                raise CursorExpired(APP) from None
        params = {"select": self._asked.select}
        if not self._tracked and position.listing:
            params["orderby"] = self._asked.table.id
        if not position.listing:
            params["filter"] = f"{_MODIFIED} ge {position.low}"
            params["orderby"] = f"{_MODIFIED},{self._asked.table.id}"
        try:
            return await self._calls.get(self._asked.table.entity_set, Rows, prefer, **params)
        except Refused as refused:
            raise _changed(self._asked, refused) from refused

    def _following(
        self, position: Position, page: Rows, response: Response, asked: int
    ) -> Position:
        begun = position.begun or ("" if self._tracked else moment(server_time(response)))
        if page.next_link:
            return Position(position.listing, page.next_link, position.low, begun, asked)
        if not self._tracked:
            low = moment(instant(begun) - self._overlap)
            return Position(low=max(low, position.low))
        if not page.delta_link:
            raise Misunderstood(APP, "a listing without a link to its changes")
        return Position(link=page.delta_link, asked=asked)


def _is_deleted(row: Row) -> bool:
    return str(row.get(_CONTEXT, "")).endswith("$deletedEntity")


def _deleted_id(row: Row) -> str:
    """OData gives the address of what was deleted, Dataverse its id alone: either is taken."""
    said = str(row.get("id", ""))
    return said.rpartition("(")[2].rstrip(")").lower()


def _changed(asked: Asked, refused: Refused) -> SchemaChanged:
    name = asked.table.listed.logical_name
    return SchemaChanged("TF-F33", app=APP, object_type=name, reason=refused.reason)


async def by_id(calls: Calls, asked: Asked, ids: Sequence[str]) -> dict[str, Row]:
    """The rows of those that are there, merged ones too, by id: straight from the table."""
    found: dict[str, Row] = {}
    wanted = list(dict.fromkeys(i.lower() for i in ids if is_id(i)))
    for start in range(0, len(wanted), _AT_ONCE):
        part = wanted[start : start + _AT_ONCE]
        test = " or ".join(f"{asked.table.id} eq {record_id}" for record_id in part)
        for row in await matching(calls, asked, test):
            found[asked.id(row)] = row
    return found


async def matching(calls: Calls, asked: Asked, test: str) -> Sequence[Row]:
    """All rows that fit a filter, merged ones too."""
    try:
        return await calls.rows(asked.table.entity_set, select=asked.select, filter=test)
    except Refused as refused:
        raise _changed(asked, refused) from refused


async def living(calls: Calls, asked: Asked, ids: Sequence[str]) -> dict[str, Row]:
    """Rows by the ids that were asked; of a merged record the one that it is now."""
    rows = await by_id(calls, asked, ids)
    into = {i: end for i, row in rows.items() if (end := survivor(row)) is not None}
    asking = [end for end in into.values() if end not in rows]
    while asking:
        more = await by_id(calls, asked, asking)
        rows.update(more)
        found = {i: end for i, row in more.items() if (end := survivor(row)) is not None}
        into.update(found)
        asking = [end for end in found.values() if end not in rows]
    ends = {record_id: _end(record_id.lower(), into) for record_id in ids}
    return {i: rows[end] for i, end in ends.items() if end in rows and end not in into}


def _end(record_id: str, into: Mapping[str, str]) -> str:
    seen: set[str] = set()
    while record_id in into and record_id not in seen:
        seen.add(record_id)
        record_id = into[record_id]
    return record_id
