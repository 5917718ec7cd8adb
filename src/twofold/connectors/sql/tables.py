"""A table (or view) as we know it: its columns, key, references, and how its changes are found."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from enum import StrEnum
from typing import Any
from urllib.parse import quote, unquote

import sqlalchemy as sa
from msgspec import Struct

from twofold.connectors.sql.columns import Column, Misfit, as_text
from twofold.core.schema import ObjectType
from twofold.kit.errors import SchemaChanged


class Keeper(StrEnum):
    """Who moves a version column when a row changes."""

    DATABASE = "database"
    """A trigger, a sequence, or the table's owner: we never write it."""
    COUNTER = "counter"
    """Every writer adds 1 (optimistic locking), so do we."""
    CLOCK = "clock"
    """Every writer sets the time, so do we."""


class Reference(Struct, frozen=True):
    """A foreign key to another table's primary key: an association to at most one row."""

    name: str
    target: str
    """The object type that it points to."""
    columns: tuple[Column, ...]
    """In the order of the other table's key, so that their values make its id."""


class Table(Struct, frozen=True):
    """All that reading and writing one table needs."""

    object_type: ObjectType
    table: sa.Table
    family: str
    columns: Mapping[str, Column]
    """Mappable ones, by name."""
    key: tuple[Column, ...]
    """Empty = rows cannot be told apart, so nothing can be read."""
    references: Mapping[str, Reference]
    uniques: tuple[tuple[str, ...], ...]
    """Column names that the database keeps unique together; the key first."""
    feed: Column | None = None
    """Tells what changed; None = only a full listing does."""
    version: Column | None = None
    """Moves with every change of a row; None = a hash of the read columns stands in."""
    keepers: Mapping[str, Keeper] = {}
    """Of the feed and version columns, by name."""
    reach: int = 0
    """Of a counter as the feed: how many later versions may be committed before an earlier one."""
    needed: frozenset[str] = frozenset()
    """Columns that a new row needs from us."""
    unfilled: frozenset[str] = frozenset()
    """Feed and version columns that we keep and the database does not fill on its own."""
    derived: bool = False
    """The key is a UUID that we derive from ``Write.ref``."""
    generated: bool = True
    """The database makes the key."""
    transactional: bool = True
    """False: a failed statement keeps the rows it did before (MariaDB's MyISAM and Aria)."""

    @property
    def name(self) -> str:
        """The object type's name."""
        return self.object_type.name

    def sql(self, column: Column) -> sa.Column[Any]:
        """The column in SQLAlchemy's terms."""
        return self.table.c[column.name]

    @property
    def key_sql(self) -> list[sa.Column[Any]]:
        """The key's columns in SQLAlchemy's terms."""
        return [self.sql(column) for column in self.key]


def id_of(values: Sequence[Any]) -> str:
    """The record id of a key's values.

    One value stands for itself; several are percent-encoded (RFC 3986), with commas between.
    """
    if len(values) == 1:
        return as_text(values[0])
    return ",".join(quote(as_text(value), safe="") for value in values)


def key_of(columns: Sequence[Column], record_id: str) -> tuple[Any, ...]:
    """The key's values of a record id.

    Raises:
        Misfit: no row can have this id.
    """
    parts = [record_id] if len(columns) == 1 else [unquote(p) for p in record_id.split(",")]
    if len(parts) != len(columns):
        raise Misfit(f"{len(columns)} values with commas between")
    return tuple(column.parse(part) for column, part in zip(columns, parts, strict=True))


def keys_of(columns: Sequence[Column], ids: Sequence[str]) -> list[tuple[Any, ...]]:
    """The keys of those ids that can exist."""
    found = []
    for record_id in ids:
        try:
            found.append(key_of(columns, record_id))
        except Misfit:
            continue
    return found


def among(table: Table, keys: Sequence[tuple[Any, ...]]) -> sa.ColumnElement[bool]:
    """The condition that a row's key is one of these."""
    if len(table.key) == 1:
        return table.key_sql[0].in_([key[0] for key in keys])
    return sa.tuple_(*table.key_sql).in_(keys)


def missing_table(app: str, name: str, known: Sequence[str]) -> SchemaChanged:
    """The error for an object type that the database does not have."""
    shown = ", ".join(sorted(known)[:20]) or "(there are none)"
    return SchemaChanged("TF-F02", app=app, object_type=name, known=shown)
