"""Rows by their ids, or by another column's value; always from the database itself."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterator, Mapping, Sequence
from typing import Any

import sqlalchemy as sa
from sqlalchemy.engine import Connection

from twofold.connectors.sql.columns import Misfit, as_text
from twofold.connectors.sql.engines import raw_rows
from twofold.connectors.sql.rows import Row, View, digests_of, ids_of, records_of
from twofold.connectors.sql.tables import Table, among, keys_of
from twofold.core.records import Record
from twofold.kit.errors import SchemaChanged

_CHUNK = 1000
"""Values in one statement, well below every dialect's limit of parameters."""


def rows_by_id(
    connection: Connection, shape: View, ids: Sequence[str], *, lock: bool = False
) -> dict[str, Row]:
    """Rows by record id; ``lock``: until the transaction ends, others cannot change them.

    An SQLite writer has the whole database to itself and needs no lock of rows.
    """
    found: dict[str, Row] = {}
    for chunk in _chunks(keys_of(shape.table.key, ids)):
        statement = sa.select(*shape.columns).where(among(shape.table, chunk))
        if lock and shape.table.family != "sqlite":
            statement = statement.with_for_update()
        rows = raw_rows(connection, statement)
        found.update(zip(ids_of(shape, rows), rows, strict=True))
    wanted = set(ids)  # a database that ignores case answers with more than was asked
    return {record_id: row for record_id, row in found.items() if record_id in wanted}


def by_ids(connection: Connection, shape: View, ids: Sequence[str]) -> dict[str, list[Record]]:
    """Records by id; what does not exist is absent."""
    found = rows_by_id(connection, shape, ids)
    rows = list(found.values())
    records = records_of(shape, rows, list(found), digests_of(shape, rows))
    return {record.id: [record] for record in records}


def by_key(
    connection: Connection, shape: View, key: str, values: Sequence[str]
) -> Mapping[str, Sequence[Record]]:
    """All records that carry one of the values, by the value that was asked.

    Equality is the database's own: where it ignores case or trailing spaces, so does this.

    Raises:
        SchemaChanged: TF-F01, this field is no key of the object type.
    """
    table = shape.table
    if key not in table.object_type.keys:
        raise SchemaChanged("TF-F01", object_type=table.name, field=key)
    asked = dict(_parsed(table, key, values))
    folded = {_folded(text): text for text in asked}
    found: dict[str, list[Record]] = defaultdict(list)
    for chunk in _chunks(list(asked.values())):
        column = table.sql(table.columns[key])
        statement = sa.select(*shape.columns, column).where(column.in_(chunk))
        extended = raw_rows(connection, statement)
        rows = [row[:-1] for row in extended]
        records = records_of(shape, rows, ids_of(shape, rows), digests_of(shape, rows))
        for row, record in zip(extended, records, strict=True):
            text = as_text(row[-1])
            found[text if text in asked else folded.get(_folded(text), text)].append(record)
    return dict(found)


def _parsed(table: Table, key: str, values: Sequence[str]) -> Iterator[tuple[str, Any]]:
    for value in values:
        try:
            yield value, table.columns[key].parse(value)
        except Misfit:
            continue


def _folded(text: str) -> str:
    return text.rstrip().casefold()


def _chunks(values: Sequence[Any]) -> Iterator[Sequence[Any]]:
    for start in range(0, len(values), _CHUNK):
        yield values[start : start + _CHUNK]
