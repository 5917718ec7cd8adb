"""What a database's catalog says about tables and views, before it means anything to us."""

from __future__ import annotations

import contextlib
import re
import warnings
from collections.abc import Iterable, Iterator, Mapping, Sequence
from datetime import timedelta
from typing import Any

import sqlalchemy as sa
from msgspec import Struct
from sqlalchemy.engine import Connection

from twofold.connectors.sql.columns import kind_of
from twofold.kit.errors import SchemaChanged


class Wishes(Struct, frozen=True):
    """What a person told us about tables, by table name."""

    changes: Mapping[str, str] = {}
    """The column that moves with every change; "-" = none."""
    keys: Mapping[str, tuple[str, ...]] = {}
    """The columns that tell rows apart."""
    lag: timedelta | None = None
    """How long a transaction may stay open after it took its time, and still be seen by the feed;
    None = the usual one of the database."""


class Source(Struct, frozen=True):
    """One table or view as the catalog shows it."""

    name: str
    """With its schema where that is not the default one."""
    table: sa.Table
    family: str
    is_view: bool
    types: Mapping[str, sa.types.TypeEngine[Any]]
    """By column name; SQLite's corrected by what was declared."""
    declared: Mapping[str, str]
    """SQLite only: types as they were written."""
    transactional: bool
    """False: the engine of this MariaDB table knows no transactions."""
    key: tuple[str, ...]
    """The columns that tell rows apart; empty = there are none."""
    uniques: tuple[tuple[str, ...], ...]
    """Column names that are unique together; a key first."""

    def column(self, name: str) -> sa.Column[Any]:
        """A column as SQLAlchemy reflected it."""
        return self.table.columns[name]

    def generates(self, name: str) -> bool:
        """Whether the database makes this column's value when a row is created."""
        column = self.column(name)
        if column.identity is not None or column.autoincrement is True:
            return True
        if name not in self.key:
            return False
        if self.family == "sqlite":
            return self._is_rowid(name)
        return column.server_default is not None

    def _is_rowid(self, name: str) -> bool:
        """SQLite, "ROWIDs and the INTEGER PRIMARY KEY": the exact word INTEGER, alone."""
        alone = self.key == (name,) and bool(self.table.primary_key.columns)
        has_rowid = self.table.dialect_options["sqlite"]["with_rowid"]
        return alone and has_rowid and self.declared[name].upper() == "INTEGER"

    @property
    def is_keyed(self) -> bool:
        """Whether rows can be told apart by values that we can read."""
        return bool(self.key) and all(kind_of(self.types[name]) is not None for name in self.key)


def sources(
    connection: Connection, family: str, schema: str | None, wishes: Wishes
) -> dict[str, Source]:
    """All tables and views of one schema (None = the default one), by SQLAlchemy's full names.

    Raises:
        SchemaChanged: TF-F32, a told key column does not exist.
    """
    inspector = sa.inspect(connection)
    views = set(inspector.get_view_names(schema))
    if family == "postgresql":
        views.update(inspector.get_materialized_view_names(schema))
    with warnings.catch_warnings():
        # A type that SQLAlchemy does not know becomes unmappable.
        warnings.simplefilter("ignore", sa.exc.SAWarning)
        metadata = _reflected(connection, schema, views)
    return {
        key: _source(connection, table, family, table.name in views, wishes)
        for key, table in metadata.tables.items()
    }


def _reflected(connection: Connection, schema: str | None, views: Iterable[str]) -> sa.MetaData:
    """Everything at once; where a view is broken, views one by one, without those that are."""
    metadata = sa.MetaData()
    try:
        metadata.reflect(connection, schema=schema, views=True, resolve_fks=False)
    except sa.exc.DBAPIError:
        metadata = sa.MetaData()
        metadata.reflect(connection, schema=schema, resolve_fks=False)
        for name in sorted(views):
            with contextlib.suppress(sa.exc.DBAPIError):
                metadata.reflect(
                    connection, schema=schema, views=True, only=[name], resolve_fks=False
                )
    return metadata


def _source(
    connection: Connection, table: sa.Table, family: str, is_view: bool, wishes: Wishes
) -> Source:
    default = sa.inspect(connection).default_schema_name
    qualified = table.schema and table.schema != default
    name = f"{table.schema}.{table.name}" if qualified else str(table.name)
    declared = _declared(connection, table) if family == "sqlite" else {}
    found = _sqlite_uniques(connection, table) if family == "sqlite" else _uniques(table)
    uniques = tuple(dict.fromkeys(map(_plain, found)))
    return Source(
        name=name,
        table=table,
        family=family,
        is_view=is_view,
        types={str(c.name): _corrected(c.type, declared.get(c.name)) for c in table.columns},
        declared=declared,
        transactional=family != "mysql" or _is_transactional(connection, table),
        key=_plain(_key(name, table, uniques, wishes)),
        uniques=uniques,
    )


def _plain(names: Sequence[str]) -> tuple[str, ...]:
    """Names without SQLAlchemy's notes on quoting."""
    return tuple(str(name) for name in names)


def _declared(connection: Connection, table: sa.Table) -> dict[str, str]:
    info = sa.func.pragma_table_xinfo(table.name).table_valued("name", "type")
    return {str(name): str(type_) for name, type_ in connection.execute(sa.select(info)).all()}


def _is_transactional(connection: Connection, table: sa.Table) -> bool:
    options = sa.inspect(connection).get_table_options(table.name, table.schema)
    engine = next((v for k, v in options.items() if k.endswith("_engine")), "InnoDB")
    return str(engine).lower() not in {"myisam", "aria", "csv", "memory", "archive"}


def _corrected(type_: sa.types.TypeEngine[Any], declared: str | None) -> sa.types.TypeEngine[Any]:
    """SQLite takes any type name; SQLAlchemy calls those that it does not know NUMERIC."""
    if declared is None or type(type_) not in {sa.NUMERIC, sa.types.NullType}:
        return type_
    word = re.split(r"[\s(]", declared.strip().upper(), maxsplit=1)[0]
    if word in {"NUMERIC", "DECIMAL", "DEC", "NUMBER", "MONEY", "SMALLMONEY", "CURRENCY"}:
        return type_
    if word.startswith(("TIMESTAMP", "DATETIME")):
        return sa.DateTime()
    if word.startswith("JSON"):
        return sa.JSON()
    return sa.LargeBinary() if word == "BLOB" else sa.Text()


def _uniques(table: sa.Table) -> Iterator[tuple[str, ...]]:
    if table.primary_key.columns:
        yield tuple(c.name for c in table.primary_key.columns)
    for constraint in sorted(table.constraints, key=lambda c: str(c.name)):
        if isinstance(constraint, sa.UniqueConstraint):
            yield tuple(c.name for c in constraint.columns)
    for index in sorted(table.indexes, key=lambda i: str(i.name)):
        whole = len(index.columns) == len(index.expressions)
        options = index.dialect_kwargs.items()
        partial = any(value for key, value in options if key.endswith(("where", "length")))
        if index.unique and whole and not partial:
            yield tuple(c.name for c in index.columns)


def _sqlite_uniques(connection: Connection, table: sa.Table) -> Iterator[tuple[str, ...]]:
    """From SQLite's own list: SQLAlchemy reads constraints from the text, and misses some."""
    if table.primary_key.columns:
        yield tuple(c.name for c in table.primary_key.columns)
    listed = sa.func.pragma_index_list(table.name).table_valued("name", "unique", "partial")
    whole = sa.select(listed.c.name).where(listed.c["unique"] == 1, listed.c.partial == 0)
    for index in connection.execute(whole.order_by(listed.c.name)).scalars():
        info = sa.func.pragma_index_info(index).table_valued("seqno", "name")
        names = connection.execute(sa.select(info.c.name).order_by(info.c.seqno)).scalars().all()
        if None not in names:  # an expression has no name
            yield tuple(names)


def _key(
    name: str, table: sa.Table, uniques: Sequence[tuple[str, ...]], wishes: Wishes
) -> tuple[str, ...]:
    """The told key, else the primary key, else the first unique columns that are never null."""
    told = wishes.keys.get(name, ())
    for column in told:
        if column not in table.columns:
            facts = {"object_type": name, "column": column, "role": "key", "question": "keys"}
            raise SchemaChanged("TF-F32", **facts)
    if told or table.primary_key.columns:
        return told or tuple(c.name for c in table.primary_key.columns)
    never_null = (u for u in uniques if not any(table.columns[c].nullable for c in u))
    return next(never_null, ())
