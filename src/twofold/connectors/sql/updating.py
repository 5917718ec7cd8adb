"""Set values of many rows, each to its own, in one statement.

SQLite runs one prepared statement row by row, inside of this process. The drivers of the servers
would make a round trip of each row; there the rows travel as a list that the table is joined with.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Any

import sqlalchemy as sa
from sqlalchemy.engine import Connection

from twofold.connectors.sql.tables import Keeper, Table

_MOST_PARAMETERS = 30_000
"""In one statement of PostgreSQL, whose protocol counts them in 16 bits."""
_MOST_CHARACTERS = 1_000_000
"""In one statement: MariaDB takes 16 MB unless told otherwise ("max_allowed_packet")."""

Given = Sequence[Any]
"""A row's key, then its new values, in the driver's form."""


def set_rows(
    connection: Connection, table: Table, columns: Sequence[str], rows: Sequence[Given]
) -> int:
    """Set the columns of the rows with these keys; returns how many rows were found."""
    places = [*table.key_sql, *(table.table.c[column] for column in columns)]
    names = [f"given_{i}" for i in range(len(places))]
    if table.family == "sqlite" or len(rows) == 1:  # for one row, a refusal names its column
        typed = [sa.bindparam(n, type_=c.type) for n, c in zip(names, places, strict=True)]
        parameters = [dict(zip(names, row, strict=True)) for row in rows]
        return connection.execute(_statement(table, places, typed), parameters).rowcount
    listed = _values if table.family == "postgresql" else _union
    return sum(
        connection.execute(_statement(table, places, listed(places, names, part))).rowcount
        for part in _parts(rows)
    )


def _statement(
    table: Table, places: Sequence[sa.Column[Any]], given: Sequence[sa.ColumnElement[Any]]
) -> sa.Update:
    """UPDATE with the key's columns first in ``places``, the changed ones after them."""
    width = len(table.key)
    pairs = list(zip(places, given, strict=True))
    counted = {
        name: table.table.c[name] + 1
        for name, keeper in table.keepers.items()
        if keeper is Keeper.COUNTER
    }
    new: dict[str, Any] = {column.name: value for column, value in pairs[width:]}
    same = [column == value for column, value in pairs[:width]]
    return sa.update(table.table).where(*same).values({**new, **counted})


def _values(
    places: Sequence[sa.Column[Any]], names: Sequence[str], rows: Sequence[Given]
) -> list[sa.ColumnElement[Any]]:
    """A list of PostgreSQL, which takes its types from its values; NULL has none, hence casts."""
    typed = [sa.column(n, c.type) for n, c in zip(names, places, strict=True)]
    listed = sa.values(*typed, name="given").data([tuple(row) for row in rows])
    return [sa.cast(listed.c[n], c.type) for n, c in zip(names, places, strict=True)]


def _union(
    places: Sequence[sa.Column[Any]], names: Sequence[str], rows: Sequence[Given]
) -> list[sa.ColumnElement[Any]]:
    """A list of MariaDB and MySQL.

    It begins with no row of the table itself: so texts are compared by the key's own collation
    (MariaDB knowledge base, "Coercibility": a column's outranks a literal's).
    """
    like = sa.select(*(c.label(n) for n, c in zip(names, places, strict=True))).where(sa.false())
    given = (
        sa.select(*(sa.literal(value, c.type) for value, c in zip(row, places, strict=True)))
        for row in rows
    )
    listed = sa.union_all(like, *given).subquery("given")
    return [listed.c[n] for n in names]


def _parts(rows: Sequence[Given]) -> Iterator[list[Given]]:
    """As many rows together as one statement takes."""
    part: list[Given] = []
    parameters = characters = 0
    for row in rows:
        size = sum(len(value) for value in row if isinstance(value, str | bytes))
        if part and (
            parameters + len(row) > _MOST_PARAMETERS or characters + size > _MOST_CHARACTERS
        ):
            yield part
            part, parameters, characters = [], 0, 0
        part.append(row)
        parameters += len(row)
        characters += size
    if part:
        yield part
