"""What changed: a full listing by id, then rounds over search by the time of the last change.

Facts are those of the rows "List" and "Change feed A" ("Search the CRM" of the reference).

- Searches look at an index that lags behind, so a round of changes begins that much before the
  round before it began. When that was, the app's own clock says, in its answers. What comes twice
  has the same digest.
- Equal timestamps have no order among each other, so a page ends before the last timestamp that it
  saw, and the next one begins with it. An instant that fills a whole page is drained by id.
- Each search asks for its first page only: no search comes near the 10,000 results that it gives.
- A search tells ids alone, as a body holds 3,000 characters; what these records hold is read by id,
  which shows them as they are now.
- A merge is told by its survivor, which holds the ids that went. What was archived is not told: it
  is missed by the next full listing. What was restored comes up there too.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import timedelta
from typing import Any
from urllib.parse import quote

import msgspec
from msgspec import Struct

from twofold.connectors.hubspot import paths
from twofold.connectors.hubspot.calls import APP, Calls, Refused, absent, server_time
from twofold.connectors.hubspot.properties import Definitions
from twofold.connectors.hubspot.records import BATCH, Asked, Listing, Related, Shown, by_id, digests
from twofold.connectors.hubspot.relations import Relations
from twofold.connectors.hubspot.values import instant, milliseconds
from twofold.core.records import Record
from twofold.kit.contract import Batch
from twofold.kit.errors import CursorExpired, Misunderstood

LAG = timedelta(minutes=2)
"""How much later than it happened a change may be found ("a few moments", with room to spare)."""
SEARCH_PAGE = 200
_ID = "hs_object_id"
_LONGEST_URL = 4_000
"""Characters of a list of properties; a longer one goes into the body of a second request."""
_LISTING, _CHANGES = "listing", "changes"


class Position(Struct, frozen=True, omit_defaults=True):
    """A cursor's content. Times are milliseconds since 1970."""

    step: str
    after: str = ""
    """In a listing: where the API goes on. In a crowded instant: the last id of it."""
    begun: bool = False
    """Amid a listing or a round."""
    low: int = 0
    """Changes at this time and later."""
    next_low: int = 0
    """Where the next round begins."""
    crowded: bool = False
    """All of the page before was of the time ``low``."""


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

    def __init__(
        self,
        calls: Calls,
        asked: Asked,
        relations: Relations,
        definitions: Definitions,
        lag: timedelta,
        size: int,
    ) -> None:
        """``size``: records of a page of changes."""
        self._calls = calls
        self._asked = asked
        self._relations = relations
        self._definitions = definitions
        self._lag = lag
        self._size = size

    async def page(self, position: Position) -> Batch:
        """One page from a position."""
        if position.step == _LISTING:
            rows, following = await self._listed(position)
            return await self._batch(rows, {}, following, snapshot=True)
        found, following = await self._changed(position)
        shown = await by_id(self._calls, self._asked, found)
        rows = [shown[one] for one in found if one in shown and shown[one].id == one]
        moved = {one: shown[one].id for one in found if one in shown and shown[one].id != one}
        return await self._batch(rows, moved, following, snapshot=False)

    async def _batch(
        self,
        rows: Sequence[Shown],
        moved: Mapping[str, str],
        following: Position,
        *,
        snapshot: bool,
    ) -> Batch:
        asked = self._asked
        await self._definitions.confirm(asked.silent(rows))
        related: Mapping[str, Related] = {}
        if asked.associations:
            related = await self._relations.of([row.id for row in rows], asked.associations)
        gone = {loser: row.id for row in rows for loser in row.merged} | dict(moved)
        hashes = digests(asked, rows, related)

        def decode(positions: Sequence[int]) -> Sequence[Record]:
            return [asked.record(rows[i], related.get(rows[i].id, {})) for i in positions]

        return Batch(
            ids=[row.id for row in rows],
            digests=hashes,
            versions=[row.updated_at or None for row in rows],
            gone=list(gone.items()),
            decode=decode,
            cursor=msgspec.json.encode(following).decode(),
            more=following.begun,
            snapshot=snapshot,
        )

    # --- the listing ------------------------------------------------------------------------

    async def _listed(self, position: Position) -> tuple[Sequence[Shown], Position]:
        """A page of all records by id, and the position behind it."""
        names = ",".join(self._asked.names)
        long = len(quote(names)) > _LONGEST_URL
        params = {"limit": str(min(self._size, BATCH)), "properties": _ID if long else names}
        if position.after:
            params["after"] = position.after
        path = paths.objects(self._asked.kind.type_id)
        try:
            page, response = await self._calls.get(path, Listing, **params)
        except Refused as refused:
            raise absent(self._asked.kind.name, refused) from refused
        begun = position.next_low or milliseconds(server_time(response) - self._lag)
        rows = page.results
        if long:
            found = await by_id(self._calls, self._asked, [row.id for row in rows])
            rows = [found[row.id] for row in rows if row.id in found]
            rows = [row for row in rows if row.id in {r.id for r in page.results}]
        onward = page.paging.next if page.paging else None
        if onward:
            return rows, Position(_LISTING, onward.after, begun=True, next_low=begun)
        return rows, Position(_CHANGES, low=begun)

    # --- rounds of changes ------------------------------------------------------------------

    async def _changed(self, position: Position) -> tuple[list[str], Position]:
        """The ids of a page of changes, and the position behind it."""
        page, next_low = await self._search(position)
        times = [self._time(row) for row in page]
        ids = [row.id for row in page]
        replace = msgspec.structs.replace
        ahead = replace(position, begun=True, next_low=next_low)
        if len(page) < self._size:
            if position.crowded:  # the instant is drained: go on behind it
                return ids, replace(ahead, low=position.low + 1, crowded=False, after="")
            return ids, Position(_CHANGES, low=max(next_low, position.low))
        if position.crowded:
            return ids, replace(ahead, after=ids[-1])
        if times[0] == times[-1]:
            return [], replace(ahead, low=times[0], crowded=True, after="0")
        whole = [one for one, time in zip(ids, times, strict=True) if time < times[-1]]
        return whole, replace(ahead, low=times[-1])

    async def _search(self, position: Position) -> tuple[Sequence[Shown], int]:
        """The first page of what a position asks for, and where the next round begins."""
        modified = self._asked.kind.modified
        if position.crowded:
            filters = [_filter(modified, "EQ", position.low), _filter(_ID, "GT", position.after)]
        else:
            filters = [_filter(modified, "GTE", position.low)]
        body = {
            "filterGroups": [{"filters": filters}],
            "sorts": [
                {
                    "propertyName": _ID if position.crowded else modified,
                    "direction": "ASCENDING",
                }
            ],
            "properties": [modified],
            "limit": self._size,
        }
        path = paths.objects(self._asked.kind.type_id, "/search")
        try:
            page, response = await self._calls.search(path, body, Listing)
        except Refused as refused:
            raise absent(self._asked.kind.name, refused) from refused
        if position.begun:
            return page.results, position.next_low
        return page.results, milliseconds(server_time(response) - self._lag)

    def _time(self, row: Shown) -> int:
        """When a record last changed, as the search compared it."""
        text = row.properties.get(self._asked.kind.modified) or row.updated_at
        try:
            return milliseconds(instant(text))
        except ValueError:
            raise Misunderstood(APP, "a record without the time of its last change") from None


def _filter(name: str, operator: str, value: Any) -> dict[str, str]:
    return {"propertyName": name, "operator": operator, "value": str(value)}
