"""Reads a database's catalog: tables and views → object types.

Names: an object type is named like its table, with the schema before it ("crm.contacts") where it
is not the default one. A field is named like its column. A foreign key to another table's primary
key is an association, named like its column without a trailing "_id" or "Id" (``company_id`` →
``company``); one of several columns is named like the table that it points to; where that is
taken, its columns' names follow. Foreign key columns stay fields, too.
"""

from __future__ import annotations

import re
import warnings
from collections.abc import Iterator, Mapping, Sequence
from typing import Any

import sqlalchemy as sa
from msgspec import Struct
from sqlalchemy.engine import Connection

from twofold.connectors.sql.changes import change_columns, keeper_of, label_of, resolution_of
from twofold.connectors.sql.columns import (
    Column,
    decoder,
    encoder,
    kind_of,
    length_of,
    options_of,
    parser,
)
from twofold.connectors.sql.tables import Keeper, Reference, Table
from twofold.core.errors import TwofoldError
from twofold.core.schema import Association, Feed, Field, ObjectType, Op
from twofold.core.values import Kind
from twofold.kit.errors import SchemaChanged

BATCH = 1000
"""Writes per push: a few statements, and far below every dialect's limit of parameters."""
_LIKE_KEYS = tuple(
    re.compile(p, re.IGNORECASE) for p in (r"e_?mail", r"domain", "web_?site", "name$")
)
"""Names of plain text columns by which a record may be looked up; the most telling first."""
_ID_SUFFIX = re.compile(r"(?<=.)(_id|_ID|Id|ID|_key|_uuid)\Z")


class Wishes(Struct, frozen=True):
    """What a person told us about tables, by table name."""

    changes: Mapping[str, str] = {}
    """The column that moves with every change; "-" = none."""
    keys: Mapping[str, tuple[str, ...]] = {}
    """The columns that tell rows apart."""


class _Source(Struct, frozen=True):
    """One table as the catalog shows it."""

    name: str
    table: sa.Table
    family: str
    is_view: bool
    types: Mapping[str, sa.types.TypeEngine[Any]]
    """SQLite's corrected by what was declared."""
    declared: Mapping[str, str]
    """SQLite only: types as they were written."""
    has_rowid: bool
    transactional: bool
    key: tuple[str, ...]
    uniques: tuple[tuple[str, ...], ...]


def reflect(
    connection: Connection, family: str, schema: str | None, wishes: Wishes
) -> dict[str, Table]:
    """All tables and views of one schema (None = the default one), by object type name."""
    metadata = sa.MetaData()
    inspector = sa.inspect(connection)
    with warnings.catch_warnings():
        # A type that SQLAlchemy does not know becomes unmappable; a broken view is left out.
        warnings.simplefilter("ignore", sa.exc.SAWarning)
        metadata.reflect(connection, schema=schema, views=True, resolve_fks=False)
    views = set(inspector.get_view_names(schema))
    if family == "postgresql":
        views.update(inspector.get_materialized_view_names(schema))
    sources = {
        key: _source(connection, table, family, table.name in views, wishes)
        for key, table in metadata.tables.items()
    }
    return {source.name: _table(source, sources, wishes) for source in sources.values()}


def _source(
    connection: Connection, table: sa.Table, family: str, is_view: bool, wishes: Wishes
) -> _Source:
    default = sa.inspect(connection).default_schema_name
    qualified = table.schema and table.schema != default
    name = f"{table.schema}.{table.name}" if qualified else table.name
    declared = _declared(connection, table) if family == "sqlite" else {}
    types = {c.name: _corrected(c.type, declared.get(c.name)) for c in table.columns}
    uniques = tuple(_uniques(table))
    return _Source(
        name,
        table,
        family,
        is_view,
        types,
        declared,
        has_rowid=bool(table.dialect_options["sqlite"]["with_rowid"]),
        transactional=family != "mysql" or _transactional(connection, table),
        key=_key_names(name, table, uniques, wishes),
        uniques=uniques,
    )


def _declared(connection: Connection, table: sa.Table) -> dict[str, str]:
    info = sa.func.pragma_table_xinfo(table.name).table_valued("name", "type")
    return {name: str(type_) for name, type_ in connection.execute(sa.select(info)).all()}


def _transactional(connection: Connection, table: sa.Table) -> bool:
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
    return (
        sa.JSON() if word.startswith("JSON") else sa.LargeBinary() if word == "BLOB" else sa.Text()
    )


def _uniques(table: sa.Table) -> Iterator[tuple[str, ...]]:
    if table.primary_key.columns:
        yield tuple(c.name for c in table.primary_key.columns)
    for constraint in sorted(table.constraints, key=lambda c: str(c.name)):
        if isinstance(constraint, sa.UniqueConstraint):
            yield tuple(c.name for c in constraint.columns)
    for index in sorted(table.indexes, key=lambda i: str(i.name)):
        plain = len(index.columns) == len(index.expressions)
        partial = any(
            value
            for key, value in index.dialect_kwargs.items()
            if key.endswith(("where", "length"))
        )
        if index.unique and plain and not partial:
            yield tuple(c.name for c in index.columns)


def _key_names(
    name: str, table: sa.Table, uniques: Sequence[tuple[str, ...]], wishes: Wishes
) -> tuple[str, ...]:
    """The told key, else the primary key, else the first unique columns that are never null."""
    told = wishes.keys.get(name, ())
    for column in told:
        if column not in table.columns:
            raise SchemaChanged(
                "TF-F32", object_type=name, column=column, role="key", question="keys"
            )
    if told or table.primary_key.columns:
        return told or tuple(c.name for c in table.primary_key.columns)
    never_null = (u for u in uniques if not any(table.columns[c].nullable for c in u))
    return next(never_null, ())


# --- columns → fields ---------------------------------------------------------------------


def _generated(source: _Source, column: sa.Column[Any]) -> bool:
    """Whether the database makes this column's value when a row is created."""
    if column.identity is not None or column.autoincrement is True:
        return True
    if column.name not in source.key:
        return False
    if source.family == "sqlite":
        alone = source.key == (column.name,) and bool(source.table.primary_key.columns)
        return alone and source.has_rowid and source.declared[column.name].upper() == "INTEGER"
    return column.server_default is not None


def _field(source: _Source, column: sa.Column[Any], keyless: str) -> Field:
    type_ = source.types[column.name]
    kind = kind_of(type_)
    native = source.declared.get(column.name) or _written(type_)
    generated = _generated(source, column)
    calculated = column.computed is not None
    writable = not (generated or calculated or source.is_view or keyless or kind is None)
    has_default = column.server_default is not None or generated
    return Field(
        name=column.name,
        label=column.name.replace("_", " ").strip() or column.name,
        kind=kind or Kind.TEXT,
        creatable=writable,
        updatable=writable and column.name not in source.key,
        required=writable and not column.nullable and not has_default,
        unique=(column.name,) in source.uniques,
        nullable=bool(column.nullable) and column.name not in source.key,
        max_length=length_of(type_) if kind is Kind.TEXT else None,
        options=options_of(type_),
        computed="calculation" if calculated else "",
        unmappable=keyless or ("" if kind else f"{native or 'this type'} holds no single value"),
        native=native,
    )


def _written(type_: sa.types.TypeEngine[Any]) -> str:
    try:
        return str(type_)
    except sa.exc.CompileError:
        return type(type_).__name__


def _column(source: _Source, field: Field, position: int) -> Column:
    type_ = source.types[field.name]
    return Column(
        field,
        position,
        decoder(field.kind),
        encoder(field, type_, source.family),
        parser(field.kind, type_, source.family),
    )


def _core_table(source: _Source, columns: Mapping[str, Column]) -> sa.Table:
    """The table in SQLAlchemy's terms, with PostgreSQL's types only.

    The drivers of SQLite and MariaDB take and give values as they are; PostgreSQL needs the type
    of each parameter.
    """

    def made(column: sa.Column[Any]) -> sa.Column[Any]:
        generated = _generated(source, column)
        whole = kind_of(source.types[column.name]) is Kind.INT
        keep = source.family == "postgresql" or (generated and whole)
        in_key = column.name in source.key
        return sa.Column(
            column.name,
            column.type if keep else sa.types.NullType(),
            *([sa.FetchedValue()] if generated and not whole else []),
            primary_key=in_key,
            autoincrement=generated and whole,
            nullable=not in_key,
        )

    kept = [made(c) for c in source.table.columns if c.name in columns]
    return sa.Table(source.table.name, sa.MetaData(), *kept, schema=source.table.schema)


# --- tables → object types --------------------------------------------------------------------


def _table(source: _Source, sources: Mapping[str, _Source], wishes: Wishes) -> Table:
    keyless = _keyless(source)
    fields = [_field(source, c, keyless) for c in source.table.columns]
    columns = {f.name: _column(source, f, i) for i, f in enumerate(fields) if not f.unmappable}
    uniques = (source.key, *(u for u in source.uniques if u != source.key)) if source.key else ()
    told = wishes.changes.get(source.name)
    moving = change_columns(source.name, columns, uniques, told)
    keepers = {c.name: keeper_of(c, moving[0]) for c in moving if c is not None}
    derived = _derived(source)
    for name in [*keepers, *(source.key if derived else ())]:
        columns[name] = _kept(columns[name])
    feed, version = (None if c is None else columns[c.name] for c in moving)
    references = {} if keyless else {r.name: r for r in _references(source, sources, columns)}
    return Table(
        object_type=_object_type(source, keyless, fields, columns, references, feed, version),
        table=_core_table(source, columns),
        family=source.family,
        columns=columns,
        key=() if keyless else tuple(columns[name] for name in source.key),
        references=references,
        uniques=uniques,
        feed=feed,
        version=version,
        keepers=keepers,
        unfilled=frozenset(_unfilled(source, keepers)),
        derived=derived,
        generated=_makes_key(source),
        transactional=source.transactional,
    )


def _object_type(
    source: _Source,
    keyless: str,
    fields: Sequence[Field],
    columns: Mapping[str, Column],
    references: Mapping[str, Reference],
    feed: Column | None,
    version: Column | None,
) -> ObjectType:
    shown = tuple(columns[f.name].field if f.name in columns else f for f in fields)
    writable = not (keyless or source.is_view)
    return ObjectType(
        name=source.name,
        label=label_of(source.name, feed, keyless),
        fields=shown,
        associations=tuple(
            Association(r.name, r.target, writable=writable) for r in references.values()
        ),
        keys=() if keyless else _keys(shown, source, references),
        feed=Feed.SNAPSHOT if feed is None else Feed.WATERMARK,
        resolution=resolution_of(source.types, version, source.family),
        ops=_OPS if writable else frozenset(),
        batch=dict.fromkeys(_OPS, BATCH),
        conditional=writable,
        idempotent=writable and (_derived(source) or not _makes_key(source)),
    )


_OPS = frozenset({Op.CREATE, Op.UPDATE, Op.DELETE})


def _derived(source: _Source) -> bool:
    """Whether the key is one UUID that may come from us, whatever default the database has."""
    if source.is_view or len(source.key) != 1:
        return False
    column = source.table.columns[source.key[0]]
    return isinstance(source.types[column.name], sa.Uuid) and column.computed is None


def _makes_key(source: _Source) -> bool:
    return any(_generated(source, source.table.columns[name]) for name in source.key)


def _unfilled(source: _Source, keepers: Mapping[str, Keeper]) -> Iterator[str]:
    for name, keeper in keepers.items():
        if keeper is not Keeper.DATABASE and source.table.columns[name].server_default is None:
            yield name


def _keyless(source: _Source) -> str:
    """Why rows of this table cannot be told apart; empty = they can."""
    if source.key and all(kind_of(source.types[name]) is not None for name in source.key):
        return ""
    error = TwofoldError("TF-F31", object_type=source.name)
    return f"{error.code}: {error.sentence} {error.advice}"


def _kept(column: Column) -> Column:
    """The column with a field that no mapping writes: the database or we keep it up to date."""
    field = column.field
    read_only = {"creatable": False, "updatable": False, "required": False}
    values = {name: getattr(field, name) for name in field.__struct_fields__} | read_only
    return Column(Field(**values), column.position, column.decode, column.encode, column.parse)


def _keys(
    fields: Sequence[Field], source: _Source, references: Mapping[str, Reference]
) -> tuple[str, ...]:
    pointing = {c.name for reference in references.values() for c in reference.columns}
    free = [f for f in fields if not f.unmappable and f.name not in pointing]
    unique = [f.name for f in free if f.unique and not _generated(source, source.table.c[f.name])]
    plain = [
        f.name for name in _LIKE_KEYS for f in free if f.kind is Kind.TEXT and name.search(f.name)
    ]
    return tuple(dict.fromkeys(unique + plain))


def _references(
    source: _Source, sources: Mapping[str, _Source], columns: Mapping[str, Column]
) -> Iterator[Reference]:
    taken: set[str] = set()
    for key in sorted(source.table.foreign_key_constraints, key=lambda k: list(k.column_keys)):
        far = [element.target_fullname.rsplit(".", 1) for element in key.elements]
        near = {far_column: own for (_, far_column), own in zip(far, key.column_keys, strict=True)}
        target = sources.get(far[0][0])
        if target is None or not target.key or set(target.key) != set(near):
            continue
        ordered = [near[name] for name in target.key]
        if any(name not in columns for name in ordered):
            continue
        name = _ID_SUFFIX.sub("", ordered[0]) if len(ordered) == 1 else target.table.name
        if name in taken:
            name = "_".join([target.table.name, *ordered])
        taken.add(name)
        yield Reference(name, target.name, tuple(columns[n] for n in ordered))
