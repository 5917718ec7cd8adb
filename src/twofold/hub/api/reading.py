"""What the API reads of the hub, beyond what a connector asks."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from typing import Any

import orjson
from msgspec import Struct

from twofold.core.records import Record
from twofold.hub.api import wire
from twofold.hub.api.kinds import MERGED, Type
from twofold.hub.crm import Hub
from twofold.hub.projection import Projection, Row, projection
from twofold.hub.schema import CONTACT_COUNT, NUMBERS
from twofold.hub.tables import Gone
from twofold.hub.writing import number_of

_COLUMNS = "id, revision, modified, body, links"


class Seen(Struct, frozen=True):
    """A record, and whether it is there."""

    record: Record
    archived: bool = False


def whole(kind: Type) -> Projection:
    """All that there is of a record."""
    names = tuple(association.name for association in kind.kind.associations)
    return projection(kind.name, tuple(field.name for field in kind.kind.fields), names)


def page(hub: Hub, kind: Type, after: int, size: int, *, archived: bool) -> list[Seen]:
    """Records by id, above an id."""
    # A plus keeps SQLite from an index that does not serve here: archived records have none.
    here = f"+type = ? AND gone = {Gone.ARCHIVED:d}" if archived else "type = ? AND gone = 0"
    query = f"SELECT {_COLUMNS} FROM record WHERE {here} AND id > ? ORDER BY id LIMIT ?"
    rows = hub.database.connection.execute(query, (NUMBERS[kind.name], after, size)).fetchall()
    return [Seen(record, archived) for record in _records(hub, kind, rows)]


def here(hub: Hub, kind: Type, ids: Sequence[str]) -> dict[str, Record]:
    """Records by id; a merged-away id finds the survivor, under the id that was asked."""
    found = hub.find(kind.name, ids)
    return {asked: _records(hub, kind, rows)[0] for asked, rows in found.items()}


def archived(hub: Hub, kind: Type, ids: Sequence[str]) -> dict[str, Record]:
    """Archived records by id."""
    query = (
        f"SELECT {_COLUMNS} FROM record WHERE id IN (SELECT value FROM json_each(?))"
        f" AND +type = ? AND gone = {Gone.ARCHIVED:d}"
    )
    asked = orjson.dumps([number_of(one) for one in ids]).decode()
    rows = hub.database.connection.execute(query, (asked, NUMBERS[kind.name])).fetchall()
    return {record.id: record for record in _records(hub, kind, rows)}


def carrying(hub: Hub, kind: Type, field: str, texts: Sequence[str]) -> dict[str, Record]:
    """Records by a unique property; the oldest where the hub holds several."""
    found = hub.carriers(kind.name, field, texts)
    return {text: _records(hub, kind, [min(rows)])[0] for text, rows in found.items()}


def everything(hub: Hub, kind: Type, above: int, since: int, until: int) -> Iterator[Row]:
    """All rows above an id that last changed between two times, in microseconds since 1970."""
    query = (
        f"SELECT {_COLUMNS} FROM record WHERE type = ? AND gone = 0 AND id > ?"
        " AND modified >= ? AND modified <= ? ORDER BY id"
    )
    bounds = (NUMBERS[kind.name], above, since, until)
    return iter(hub.database.connection.execute(query, bounds))


def told(hub: Hub, kind: Type, seen: Seen, names: Iterable[str]) -> dict[str, Any]:
    """A record as an answer shows it."""
    record = seen.record
    assert record.modified is not None
    merged = _merged(hub, record.id) if MERGED in names else ""
    modified = wire.moment(record.modified)
    answer: dict[str, Any] = {
        "id": record.id,
        "properties": wire.properties(kind, record, names, merged),
        "createdAt": wire.text_of(record.fields["createdate"]),
        "updatedAt": modified,
        "archived": seen.archived,
    }
    if seen.archived:
        answer["archivedAt"] = modified
    return answer


def _records(hub: Hub, kind: Type, rows: list[Row]) -> list[Record]:
    asked = whole(kind)
    if CONTACT_COUNT in asked.fields:
        rows = hub.counted(rows)
    return [asked.record(row, None) for row in rows]


def _merged(hub: Hub, record_id: str) -> str:
    query = "SELECT id FROM record WHERE survivor = ? ORDER BY id"
    found = hub.database.connection.execute(query, (number_of(record_id),))
    return ";".join(str(number) for (number,) in found)
