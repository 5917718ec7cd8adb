"""Tables and views → object types, and what reading and writing them needs.

Names: an object type is named like its table, with the schema before it ("crm.contacts") where it
is not the default one. A field is named like its column. A foreign key to another table's key is an
association, named like its column without a trailing "_id" or "Id" (``company_id`` → ``company``);
one of several columns is named like the table that it points to; where that is taken, its columns'
names follow. The columns themselves are fields to read; associations write them.

Feed and version columns, and keys that the database or we make, are fields to read, too.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping, Sequence
from datetime import timedelta
from typing import Any

import msgspec
import sqlalchemy as sa
from msgspec import Struct
from sqlalchemy.engine import Connection

from twofold.connectors.sql.catalog import Source, Wishes, sources
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

BATCH = 1000
"""Writes per push: a few statements, and far below every dialect's limit of parameters."""
_OPS = frozenset({Op.CREATE, Op.UPDATE, Op.DELETE})
_LIKE_KEYS = tuple(
    re.compile(part, re.IGNORECASE) for part in (r"e_?mail", r"domain", r"web_?site", r"name$")
)
"""Names of plain text columns by which a record may be looked up; the most telling first."""
_ID_SUFFIX = re.compile(r"(?<=.)(_id|_ID|Id|ID|_key|_uuid)\Z")
_LAGS = {"sqlite": timedelta(seconds=1)}
"""SQLite has one writer at a time, so only the rest of a second can come late."""
_LAG = timedelta(seconds=30)
_REACH = 1000
"""What the lag is to a counter: so many later versions may be committed before an earlier one."""


def reflect(
    connection: Connection, family: str, schema: str | None, wishes: Wishes
) -> dict[str, Table]:
    """All tables and views of one schema (None = the default one), by object type name.

    Raises:
        SchemaChanged: TF-F32, a column that a person told us about is not there.
    """
    found = sources(connection, family, schema, wishes)
    return {source.name: _table(source, found, wishes) for source in found.values()}


def _table(source: Source, all_sources: Mapping[str, Source], wishes: Wishes) -> Table:
    fields = [_field(source, column) for column in source.table.columns]
    columns = {f.name: _column(source, f, i) for i, f in enumerate(fields) if not f.unmappable}
    uniques = (source.key, *(u for u in source.uniques if u != source.key)) if source.key else ()
    told = wishes.changes.get(source.name)
    feed, version = change_columns(source.name, columns, uniques, told)
    keepers = {c.name: keeper_of(c, feed) for c in (feed, version) if c is not None}
    pointers = list(_pointers(source, all_sources, columns))
    derived = _is_derived(source)
    kept = {*keepers, *(name for p in pointers for name in p.columns)}
    kept |= set(source.key) if derived else set()
    ready = {n: _read_only(c) if n in kept else c for n, c in columns.items()}
    draft = Table(
        object_type=ObjectType(source.name, label_of(source.name, feed, source.is_keyed), ()),
        table=_core_table(source, columns),
        family=source.family,
        columns=ready,
        key=tuple(ready[name] for name in source.key) if source.is_keyed else (),
        references={p.name: _reference(p, ready) for p in pointers},
        uniques=uniques,
        feed=None if feed is None else ready[feed.name],
        version=None if version is None else ready[version.name],
        keepers=keepers,
        reach=0 if source.family == "sqlite" or wishes.lag == timedelta(0) else _REACH,
        needed=frozenset(n for n, c in columns.items() if c.field.required) - set(keepers),
        unfilled=frozenset(_unfilled(source, keepers)),
        derived=derived,
        generated=any(source.generates(name) for name in source.key),
        transactional=source.transactional,
    )
    return msgspec.structs.replace(draft, object_type=_described(source, fields, draft, wishes))


def _described(source: Source, fields: Sequence[Field], table: Table, wishes: Wishes) -> ObjectType:
    """The object type as ``describe`` shows it."""
    writable = source.is_keyed and not source.is_view
    shown = tuple(table.columns[f.name].field if f.name in table.columns else f for f in fields)
    lag = _LAGS.get(source.family, _LAG) if wishes.lag is None else wishes.lag
    ops = _OPS if writable else frozenset[Op]()
    return msgspec.structs.replace(
        table.object_type,
        fields=shown,
        associations=tuple(
            Association(r.name, r.target, writable=writable) for r in table.references.values()
        ),
        keys=_keys(source, shown, table) if source.is_keyed else (),
        feed=Feed.SNAPSHOT if table.feed is None else Feed.WATERMARK,
        resolution=resolution_of(source.types, table.version, source.family),
        lag=timedelta(0) if table.feed is None else lag,
        ops=ops,
        batch=dict.fromkeys(ops, BATCH),
        conditional=writable,
        idempotent=writable and (table.derived or not table.generated),
    )


def _keys(source: Source, fields: Sequence[Field], table: Table) -> tuple[str, ...]:
    """Fields to look records up by: unique ones, then texts that are named like a key."""
    pointing = {c.name for reference in table.references.values() for c in reference.columns}
    free = [f for f in fields if not f.unmappable and f.name not in pointing]
    made = {name for name in source.key if source.generates(name) or table.derived}
    unique = [f.name for f in free if f.unique and f.name not in {*made, *table.keepers}]
    plain = [
        f.name for name in _LIKE_KEYS for f in free if f.kind is Kind.TEXT and name.search(f.name)
    ]
    return tuple(dict.fromkeys(unique + plain))


def _is_derived(source: Source) -> bool:
    """Whether the key is one UUID that may come from us, whatever default the database has."""
    if source.is_view or len(source.key) != 1:
        return False
    name = source.key[0]
    return isinstance(source.types[name], sa.Uuid) and source.column(name).computed is None


def _unfilled(source: Source, keepers: Mapping[str, Keeper]) -> Iterator[str]:
    for name, keeper in keepers.items():
        if keeper is not Keeper.DATABASE and source.column(name).server_default is None:
            yield name


# --- columns → fields ---------------------------------------------------------------------


def _field(source: Source, column: sa.Column[Any]) -> Field:
    name, type_ = str(column.name), source.types[column.name]
    kind = kind_of(type_)
    unmappable = _unmappable(source, name)
    calculated = column.computed is not None
    generated = source.generates(name)
    writable = not (generated or calculated or source.is_view or unmappable)
    nullable = bool(column.nullable) and name not in source.key
    return Field(
        name=name,
        label=name.replace("_", " ").strip() or name,
        kind=kind or Kind.TEXT,
        creatable=writable,
        updatable=writable and name not in source.key,
        required=writable and not nullable and column.server_default is None,
        unique=(name,) in source.uniques,
        nullable=nullable,
        max_length=length_of(type_) if kind is Kind.TEXT else None,
        options=options_of(type_),
        computed="calculation" if calculated else "",
        unmappable=unmappable,
        native=_native(source, name),
    )


def _unmappable(source: Source, name: str) -> str:
    if not source.is_keyed:
        error = TwofoldError("TF-F31", object_type=source.name)
        return f"{error.code}: {error.sentence} {error.advice}"
    if kind_of(source.types[name]) is None:
        return f"{_native(source, name) or 'its type'} is no text, number, date or truth value"
    return ""


def _native(source: Source, name: str) -> str:
    type_ = source.types[name]
    try:
        return source.declared.get(name) or str(type_)
    except sa.exc.CompileError:
        return type(type_).__name__


def _column(source: Source, field: Field, position: int) -> Column:
    type_ = source.types[field.name]
    return Column(
        field,
        position,
        decoder(field.kind),
        encoder(field, type_, source.family),
        parser(field.kind, type_, source.family),
    )


def _read_only(column: Column) -> Column:
    """The column with a field that no mapping writes: the database or we keep it up to date."""
    field = msgspec.structs.replace(column.field, creatable=False, updatable=False, required=False)
    return msgspec.structs.replace(column, field=field)


def _core_table(source: Source, columns: Mapping[str, Column]) -> sa.Table:
    """The table in SQLAlchemy's terms, typed for PostgreSQL only.

    The drivers of SQLite and MariaDB take and give values as they are; PostgreSQL needs the type
    of each parameter.
    """

    def made(column: sa.Column[Any]) -> sa.Column[Any]:
        generated = source.generates(column.name)
        whole = kind_of(source.types[column.name]) is Kind.INT
        typed = source.family == "postgresql" or (generated and whole)
        return sa.Column(
            str(column.name),
            column.type if typed else sa.types.NullType(),
            *([sa.FetchedValue()] if generated and not whole else []),
            primary_key=column.name in source.key,
            autoincrement=generated and whole,
            nullable=column.name not in source.key,
        )

    kept = [made(c) for c in source.table.columns if c.name in columns]
    return sa.Table(source.table.name, sa.MetaData(), *kept, schema=source.table.schema)


# --- foreign keys → associations -----------------------------------------------------------


class _Pointer(Struct, frozen=True):
    """A foreign key to another table's key."""

    name: str
    target: str
    columns: tuple[str, ...]
    """In the order of the other table's key."""


def _pointers(
    source: Source, all_sources: Mapping[str, Source], columns: Mapping[str, Column]
) -> Iterator[_Pointer]:
    taken: set[str] = set()
    for key in sorted(source.table.foreign_key_constraints, key=lambda k: list(k.column_keys)):
        own_names = [str(name) for name in key.column_keys]
        far = [element.target_fullname.rsplit(".", 1) for element in key.elements]
        near = {name: own for (_, name), own in zip(far, own_names, strict=True)}
        target = all_sources.get(far[0][0])
        if target is None or not target.is_keyed or set(target.key) != set(near):
            continue
        ordered = tuple(near[name] for name in target.key)
        if any(name not in columns for name in ordered):
            continue
        name = _ID_SUFFIX.sub("", ordered[0]) if len(ordered) == 1 else str(target.table.name)
        if name in taken:
            name = "_".join([str(target.table.name), *ordered])
        taken.add(name)
        yield _Pointer(name, target.name, ordered)


def _reference(pointer: _Pointer, columns: Mapping[str, Column]) -> Reference:
    return Reference(pointer.name, pointer.target, tuple(columns[n] for n in pointer.columns))
