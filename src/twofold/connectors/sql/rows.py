"""Rows → digests and records.

A row is selected as: feed and version columns, the key, then what was asked, in the table's order.
The digest is a hash of the row as the driver gave it from the key on, without a decode of any
value: it depends on what was asked, not in which order, and not on the feed and version columns,
which move without a change of anything else (also where they were asked).
"""

from __future__ import annotations

from array import array
from collections.abc import Callable, Sequence
from operator import itemgetter
from typing import Any

import orjson
import sqlalchemy as sa
import xxhash
from msgspec import Struct

from twofold.connectors.sql.changes import is_clock
from twofold.connectors.sql.columns import Column, Decoder, as_text, instant
from twofold.connectors.sql.tables import Table, id_of
from twofold.core.records import Record, Target
from twofold.kit.errors import SchemaChanged

Row = Sequence[Any]


class View(Struct, frozen=True):
    """The part of a table that was asked for, and where each value stands in a selected row."""

    table: Table
    columns: tuple[sa.Column[Any], ...]
    """To select, in this order."""
    head: int
    """How many columns before the key do not count for the digest."""
    fields: tuple[tuple[str, int, Decoder], ...]
    references: tuple[tuple[str, tuple[int, ...]], ...]
    mark: str
    """Begins a version that is a hash: names the columns it covers."""

    @property
    def feed_at(self) -> int:
        """Where the feed column stands."""
        return 0

    @property
    def version_at(self) -> int | None:
        """Where the version column stands; None = a hash stands in."""
        return None if self.table.version is None else self.head - 1

    @property
    def key_at(self) -> range:
        """Where the key stands."""
        return range(self.head, self.head + len(self.table.key))


def view(table: Table, fields: Sequence[str], associations: Sequence[str]) -> View:
    """Resolve names once per call.

    Raises:
        SchemaChanged: TF-F01, there is no such field or association.
    """
    unknown = [f for f in fields if f not in table.columns]
    unknown += [a for a in associations if a not in table.references]
    if unknown:
        raise SchemaChanged("TF-F01", object_type=table.name, field=unknown[0])
    pointing = [c for name in associations for c in table.references[name].columns]
    asked = {c.name: c for c in [*(table.columns[f] for f in fields), *pointing]}
    head = _head(table)
    first = [c.name for c in (*head, *table.key)]
    payload = [c for c in asked.values() if c.name not in first]
    payload.sort(key=lambda c: c.position)
    selected = [*head, *table.key, *payload]
    places = {c.name: i for i, c in enumerate(selected)}
    return View(
        table,
        tuple(table.sql(c) for c in selected),
        len(head),
        tuple((f, places[f], table.columns[f].decode) for f in fields),
        tuple(
            (a, tuple(places[c.name] for c in table.references[a].columns)) for a in associations
        ),
        f"{sum(1 << c.position for c in payload):x}:",
    )


def whole(table: Table) -> View:
    """All fields and associations."""
    return view(table, list(table.columns), list(table.references))


def _head(table: Table) -> list[Column]:
    if table.version is None or table.feed is None:
        return [c for c in (table.version, table.feed) if c is not None]
    same = table.version.name == table.feed.name
    return [table.feed] if same else [table.feed, table.version]


def ids_of(shape: View, rows: Sequence[Row]) -> list[str]:
    """The record ids of rows."""
    if len(shape.table.key) == 1:
        return list(map(as_text, map(itemgetter(shape.head), rows)))
    pick = itemgetter(*shape.key_at)
    return [id_of(pick(row)) for row in rows]


def digests_of(shape: View, rows: Sequence[Row]) -> list[int]:
    """Signed 64-bit hashes of rows, without their head."""
    head = shape.head
    hashed: Callable[[bytes], int] = xxhash.xxh3_64_intdigest
    dumps = orjson.dumps
    bodies = (row[head:] for row in rows) if head else rows
    unsigned = array("Q", [hashed(dumps(body, _plain)) for body in bodies])
    return array("q", unsigned.tobytes()).tolist()


def _plain(value: Any) -> str:
    return str(value)


def versions_of(shape: View, rows: Sequence[Row], digests: Sequence[int]) -> list[str]:
    """The version column's value, else the digest with a mark of the columns that it covers."""
    if shape.version_at is None:
        return [shape.mark + str(digest) for digest in digests]
    return list(map(as_text, map(itemgetter(shape.version_at), rows)))


def version_covers(table: Table, version: str) -> View | None:
    """What was asked for when a version that is a hash was made; None = it is none of ours."""
    mask, colon, _ = version.partition(":")
    try:
        covered = int(mask, 16) if colon else -1
    except ValueError:
        return None
    if covered < 0:
        return None
    return view(table, [c.name for c in table.columns.values() if covered >> c.position & 1], ())


def records_of(
    shape: View,
    rows: Sequence[Row],
    ids: Sequence[str],
    digests: Sequence[int],
    versions: Sequence[str] | None = None,
) -> list[Record]:
    """Decode rows; ``versions`` where they are not the rows' own."""
    versions = versions_of(shape, rows, digests) if versions is None else versions
    timed = shape.table.feed is not None and is_clock(shape.table.feed)
    return [
        Record(
            id=record_id,
            fields={name: decode(row[at]) for name, at, decode in shape.fields},
            version=version,
            associations={name: _targets(row, at) for name, at in shape.references},
            digest=digest,
            modified=instant(row[shape.feed_at]) if timed else None,
        )
        for record_id, row, digest, version in zip(ids, rows, digests, versions, strict=True)
    ]


def _targets(row: Row, places: Sequence[int]) -> tuple[Target, ...]:
    values = [row[at] for at in places]
    return () if any(value is None for value in values) else (Target(id_of(values)),)
