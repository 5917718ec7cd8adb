"""Pages of a table: full listings by key, and changes by the feed column.

Positions never count rows: a page begins after the last row's key, or after its feed value and key,
so rows that share an instant are neither lost nor repeated however many there are, and rows that
come and go in between move nothing.

A transaction may commit after a later one did, with an earlier time. So a round of changes begins
at a mark that is *settled*: at its start we note the newest value of the feed column; once the lag
has passed since then, nothing at or below it can still appear, and the next round begins after it.
The lag is counted on our clock from when we saw it, so tables with local times lose nothing. Until
a mark is settled, rows are delivered again, with unchanged digests. The first round after a listing
begins at the newest time then minus the lag; a counter has no time, there it is a number of
versions. A time in the future never counts as the newest. Rows without a time come in each round.
"""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime
from typing import Any

import msgspec
import sqlalchemy as sa
from msgspec import Struct
from sqlalchemy.engine import Connection

from twofold.connectors.sql.changes import is_clock
from twofold.connectors.sql.columns import Column, Misfit, instant, like
from twofold.connectors.sql.engines import raw_rows
from twofold.connectors.sql.rows import Row, View, digests_of, ids_of, records_of, versions_of
from twofold.connectors.sql.tables import Table, id_of, key_of
from twofold.core.records import Record
from twofold.kit.contract import Batch
from twofold.kit.errors import CursorExpired

_LISTING, _CHANGES, _TIMELESS = "listing", "changes", "timeless"
_Mark = int | float | str | datetime | None
"""A value of the feed column, as the driver gives it. Cursors carry date-times as tagged text."""


class _Position(Struct, omit_defaults=True, array_like=True):
    """A cursor's content."""

    step: str
    feed: str
    """The feed column's name: another choice expires the cursor."""
    after: str | None = None
    """The id of the last row of the page before; None = the step begins."""
    after_mark: Any = None
    """Its feed value, in ``changes``."""
    low: Any = None
    """This round of changes begins after it; None = at the beginning."""
    next_low: Any = None
    """The next one will begin after it."""
    seen: Any = None
    """The newest mark when we last noted it …"""
    seen_at: float = 0
    """… and when, in seconds since 1970."""


def pull(
    connection: Connection,
    shape: View,
    cursor: str | None,
    *,
    size: int,
    bare: bool,
    app: str,
    now: datetime,
) -> Batch:
    """One page of at most ``size`` rows; ``bare``: ids only.

    Raises:
        CursorExpired: the position is none of this table's, as it is described now.
    """
    position = _begin(connection, shape.table, _parsed(cursor, shape.table, app), now)
    try:
        rows = raw_rows(connection, _statement(shape, position, size + 1))
    except Misfit:
        raise CursorExpired(app) from None
    full = len(rows) > size
    rows = rows[:size]
    following = _following(shape, position, rows, full)
    return _batch(
        shape,
        rows,
        bare,
        cursor=_written(following),
        more=full or following.step == _TIMELESS,
        snapshot=position.step == _LISTING,
    )


def _batch(
    shape: View, rows: Sequence[Row], bare: bool, *, cursor: str, more: bool, snapshot: bool
) -> Batch:
    ids = ids_of(shape, rows)
    digests = [] if bare else digests_of(shape, rows)
    nothing = [None] * len(rows)

    def decode(indices: Sequence[int]) -> Sequence[Record]:
        picked = [rows[i] for i in indices]
        return records_of(shape, picked, [ids[i] for i in indices], digests_of(shape, picked))

    return Batch(
        ids=ids,
        digests=nothing if bare else digests,
        versions=nothing if bare else versions_of(shape, rows, digests),
        gone=(),
        decode=decode,
        cursor=cursor,
        more=more,
        snapshot=snapshot,
    )


# --- positions ------------------------------------------------------------------------------


def _parsed(cursor: str | None, table: Table, app: str) -> _Position:
    feed = "" if table.feed is None else table.feed.name
    if cursor is None:
        return _Position(_LISTING, feed)
    try:
        position = msgspec.json.decode(cursor, type=_Position)
    except msgspec.DecodeError:
        raise CursorExpired(app) from None
    if position.feed != feed or position.step not in {_LISTING, _CHANGES, _TIMELESS}:
        raise CursorExpired(app)
    return position


def _written(position: _Position) -> str:
    return msgspec.json.encode(position).decode()


def _begin(connection: Connection, table: Table, position: _Position, now: datetime) -> _Position:
    """At the start of a listing or round, note from where the next round must begin."""
    starts = position.after is None and position.step != _TIMELESS
    if table.feed is None or not starts:
        return position
    newest = _newest(connection, table, table.feed, now)
    second = now.timestamp()
    replace = msgspec.structs.replace
    if position.step == _LISTING:
        low = _packed(_earlier(table, newest))
        return replace(position, next_low=low, seen=_packed(newest), seen_at=second)
    kind = table.object_type
    if position.seen_at + (kind.lag + kind.resolution).total_seconds() > second:
        return replace(position, next_low=position.low)
    low = position.low if position.seen is None else position.seen
    return replace(position, next_low=low, seen=_packed(newest), seen_at=second)


def _newest(connection: Connection, table: Table, feed: Column, now: datetime) -> _Mark:
    """The newest feed value that is not in the future; None = there is none that we understand."""
    highest: sa.ColumnElement[Any] = sa.func.max(table.sql(feed))
    newest: _Mark = raw_rows(connection, sa.select(highest))[0][0]
    if newest is None or not is_clock(feed):
        return newest if isinstance(newest, int) else None
    moment = instant(newest)
    if moment is None:
        return None
    return newest if moment <= now else like(newest, now)


def _earlier(table: Table, newest: _Mark) -> _Mark:
    """The mark that is certainly settled when this one is the newest."""
    if table.feed is None or newest is None:
        return None
    if not is_clock(table.feed):
        return newest - table.reach if isinstance(newest, int) else None
    moment, kind = instant(newest), table.object_type
    try:
        return None if moment is None else like(newest, moment - kind.lag - kind.resolution)
    except OverflowError:
        return None


def _following(shape: View, position: _Position, rows: Sequence[Row], full: bool) -> _Position:
    """The position after a page."""
    table, replace = shape.table, msgspec.structs.replace
    if full:
        last = rows[-1]
        mark = _packed(last[shape.feed_at]) if position.step == _CHANGES else None
        return replace(position, after=id_of([last[i] for i in shape.key_at]), after_mark=mark)
    if table.feed is None:
        return _Position(_LISTING, "")
    may_lack_time = table.feed.field.nullable and position.step == _CHANGES
    if may_lack_time:
        return replace(position, step=_TIMELESS, after=None, after_mark=None)
    return _Position(
        _CHANGES,
        position.feed,
        low=position.next_low,
        seen=position.seen,
        seen_at=position.seen_at,
    )


def _packed(mark: Any) -> Any:
    return {"at": mark.isoformat()} if isinstance(mark, datetime) else mark


def _unpacked(mark: Any) -> Any:
    return datetime.fromisoformat(mark["at"]) if isinstance(mark, dict) else mark


# --- statements -----------------------------------------------------------------------------


def _statement(shape: View, position: _Position, limit: int) -> sa.Select[Any]:
    table = shape.table
    order: list[sa.Column[Any]] = list(table.key_sql)
    conditions: list[sa.ColumnElement[bool]] = [
        c.is_not(None) for c in order if table.columns[c.name].field.nullable
    ]
    after: list[Any] = [] if position.after is None else list(key_of(table.key, position.after))
    if position.step != _LISTING and table.feed is not None:
        feed = table.sql(table.feed)
        low = _unpacked(position.low)
        if position.step == _TIMELESS:
            conditions.append(feed.is_(None))
        elif after:
            after.insert(0, _unpacked(position.after_mark))
        elif low is not None:
            conditions.append(feed > low)
        else:
            conditions.append(feed.is_not(None))
        if position.step == _CHANGES:
            order.insert(0, feed)
    if after:
        conditions.append(_beyond(order, after, table.family))
    return sa.select(*shape.columns).where(*conditions).order_by(*order).limit(limit)


def _beyond(
    columns: Sequence[sa.Column[Any]], values: Sequence[Any], family: str
) -> sa.ColumnElement[bool]:
    """Rows after these values in the order of these columns.

    MariaDB uses an index for the spelled-out form only, the others for the comparison of rows.
    """
    beyond: sa.ColumnElement[bool] = columns[0] > values[0]
    if len(columns) == 1:
        return beyond
    if family != "mysql":
        return sa.tuple_(*columns) > sa.tuple_(*_bound(columns, values))
    rest = sa.and_(columns[0] == values[0], _beyond(columns[1:], values[1:], family))
    return sa.and_(columns[0] >= values[0], sa.or_(beyond, rest))


def _bound(columns: Sequence[sa.Column[Any]], values: Sequence[Any]) -> list[Any]:
    return [
        sa.bindparam(None, value, type_=column.type, unique=True)
        for column, value in zip(columns, values, strict=True)
    ]
