"""Which columns of a table tell that a row changed, and who moves them.

Two kinds are known by their names and types:

- **a clock**, such as ``updated_at`` or ``LastModifiedDate``: the feed asks for rows changed since;
- **a counter**, such as ``version``: every writer adds one (optimistic locking), so it says *that*
  a row changed but not *which* rows did, because each row counts for itself. Only where the
  database keeps the counter unique does it count for the whole table, as a row version does; then
  it is the feed.

Everything else is found by a full listing. A person may name the column, or say that there is none.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import timedelta
from typing import Any

import sqlalchemy as sa

from twofold.connectors.sql.columns import Column
from twofold.connectors.sql.tables import Keeper
from twofold.core.values import Kind
from twofold.kit.errors import SchemaChanged

NONE = "-"
"""A person's word for "no column tells"."""

_CLOCKS = (
    "systemmodstamp", "updatedat", "modifiedat", "lastmodifiedat", "lastupdatedat", "changedat",
    "updatedon", "modifiedon", "lastmodified", "lastmodifieddate", "lastupdated", "lastupdate",
    "modifieddate", "modificationdate", "datemodified", "dateupdated", "updatetime", "modifytime",
    "lastchanged", "writedate", "updated", "modified",
)  # fmt: skip
"""Most telling first; compared without underscores and case."""
_COUNTERS = ("rowversion", "lockversion", "recordversion", "version")
_LOOSE_CLOCKS = frozenset({"systemmodstamp", "updatedat", "modifiedat", "lastmodifiedat"})
"""Names that say enough where SQLite declares the column as text or a number."""


def change_columns(
    object_type: str,
    columns: Mapping[str, Column],
    uniques: Sequence[tuple[str, ...]],
    told: str | None,
) -> tuple[Column | None, Column | None]:
    """The feed column and the version column of a table.

    Raises:
        SchemaChanged: TF-F32, the told column does not exist, or holds no time and no number.
    """
    counter = _first(columns, _COUNTERS, {Kind.INT})
    if told == NONE:
        return None, counter
    feed: Column | None
    if told is not None:
        feed = _told(object_type, columns, told)
    elif counter is not None and (counter.name,) in uniques:
        feed = counter
    else:
        feed = _first(columns, _CLOCKS, {Kind.DATETIME}) or _loose_clock(columns)
    return feed, counter or feed


def _first(columns: Mapping[str, Column], names: Sequence[str], kinds: set[Kind]) -> Column | None:
    by_plain_name = {_plain(c.name): c for c in columns.values() if c.field.kind in kinds}
    return next((by_plain_name[name] for name in names if name in by_plain_name), None)


def _loose_clock(columns: Mapping[str, Column]) -> Column | None:
    found = _first(columns, _CLOCKS, {Kind.TEXT, Kind.INT, Kind.DECIMAL})
    return found if found is not None and _plain(found.name) in _LOOSE_CLOCKS else None


def _plain(name: str) -> str:
    return name.replace("_", "").lower()


def _told(object_type: str, columns: Mapping[str, Column], name: str) -> Column:
    column = columns.get(name)
    if column is None or column.field.kind in {Kind.BOOL, Kind.DATE, Kind.CHOICE}:
        raise SchemaChanged(
            "TF-F32",
            object_type=object_type,
            column=name,
            role="change column",
            question="changes",
        )
    return column


def is_clock(column: Column) -> bool:
    """Whether a feed column holds times, not numbers that only grow."""
    if column.field.kind is Kind.INT:
        return _plain(column.name) in _CLOCKS
    return column.field.kind is not Kind.DECIMAL or _plain(column.name) in _CLOCKS


def keeper_of(column: Column, feed: Column | None) -> Keeper:
    """Who moves the column when we write a row, so that other readers see our changes, too."""
    if column.field.computed or not column.field.updatable:
        return Keeper.DATABASE
    if column.field.kind is Kind.INT and not is_clock(column):
        # A number for the whole table comes from a sequence or a trigger; one per row from writers.
        return Keeper.DATABASE if feed is not None and feed.name == column.name else Keeper.COUNTER
    return Keeper.CLOCK


def resolution_of(
    types: Mapping[str, sa.types.TypeEngine[Any]], clock: Column | None, family: str
) -> timedelta:
    """How far apart two changes may be and still carry an equal version."""
    if clock is None or not is_clock(clock):
        return timedelta(0)
    type_ = types[clock.name]
    digits = (
        getattr(type_, "fsp", None) or 0 if family == "mysql" else getattr(type_, "precision", None)
    )
    if family == "sqlite":
        digits = 0  # CURRENT_TIMESTAMP has whole seconds
    return timedelta(0) if digits is None or digits >= 6 else timedelta(seconds=10**-digits)


def label_of(name: str, feed: Column | None, keyed: bool) -> str:
    """The name for people: says how changes are found."""
    if not keyed:
        return f"{name} (no key)"
    return f"{name} (changes by {feed.name})" if feed is not None else f"{name} (full listings)"
