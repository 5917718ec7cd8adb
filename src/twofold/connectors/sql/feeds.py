"""Pages of a table: full listings by key, and changes by the feed column.

Positions never count rows: a page begins after the last row's key, or after its feed value and key,
so rows that share an instant are neither lost nor repeated however many there are, and rows that
come and go in between move nothing.

A transaction may commit after a later one did, with an earlier time. So a round of changes begins
at *the start of the last round minus the overlap*; what is delivered again has an unchanged digest.
"The start" is the database's clock or the newest time in the table, whichever is earlier: a table
whose times are local, or of a clock that is behind, loses nothing. A counter has no time; there the
overlap is a number of versions. Rows without a time are delivered in each round.
"""

from __future__ import annotations

from collections.abc import Sequence
from datetime import UTC, datetime, timedelta
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

OVERLAP = timedelta(seconds=60)
"""How long a transaction may stay open after it took its time, and still be seen by the feed."""
REACH = 1000
"""The same for counters: how many later versions may commit before it."""
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
    """Where this round of changes begins; None = at the beginning."""
    next_low: Any = None
    """Where the next one will."""


def pull(
    connection: Connection, shape: View, cursor: str | None, size: int, bare: bool, app: str
) -> Batch:
    """One page of at most ``size`` rows; ``bare``: ids only.

    Raises:
        CursorExpired: the position is none of this table's, as it is described now.
    """
    position = _begin(connection, shape.table, _parsed(cursor, shape.table, app))
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


def _begin(connection: Connection, table: Table, position: _Position) -> _Position:
    """At the start of a listing or round, note where the next round of changes must begin."""
    starts = position.after is None and position.step != _TIMELESS
    if table.feed is None or not starts:
        return position
    low = _lowest_open(connection, table, table.feed)
    return msgspec.structs.replace(position, next_low=_packed(low))


def _lowest_open(connection: Connection, table: Table, feed: Column) -> _Mark:
    """The feed value before which no transaction is open any more; None = cannot tell."""
    now: sa.ColumnElement[Any] = sa.func.current_timestamp()
    newest_value: sa.ColumnElement[Any] = sa.func.max(table.sql(feed))
    newest, clock = raw_rows(connection, sa.select(newest_value, now))[0]
    if newest is None:
        return None
    if not is_clock(feed):
        return int(newest) - REACH if isinstance(newest, int) else None
    moments = [instant(newest), instant(clock)]
    if moments[0] is None or moments[1] is None:
        return None
    try:
        earliest: _Mark = like(newest, min(m for m in moments if m is not None) - OVERLAP)
    except OverflowError:
        return None
    return earliest


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
    return _Position(_CHANGES, position.feed, low=position.next_low)


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
            conditions.append(feed >= low)
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


def now(connection: Connection, family: str) -> datetime:
    """The database's clock; SQLite has none but its machine's, which Python reads finer."""
    if family == "sqlite":
        return datetime.now(UTC)
    clock = sa.func.utc_timestamp(6) if family == "mysql" else sa.func.current_timestamp()
    return instant(connection.execute(sa.select(clock)).scalar()) or datetime.now(UTC)
