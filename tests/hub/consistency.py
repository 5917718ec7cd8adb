"""What must hold in a hub's tables after every transaction, found out from the tables alone."""

from __future__ import annotations

import sqlite3
from typing import Any

import orjson

from twofold.hub.crm import Hub
from twofold.hub.schema import NAMES, OBJECT_TYPES
from twofold.hub.tables import Gone
from twofold.hub.writing import key_hash


def assert_consistent(hub: Hub) -> None:
    """Keys and far ends follow from the records; the log has one place per change."""
    connection = hub.database.connection
    hub.database.check()
    records = _records(connection)
    next_record, sequence = connection.execute("SELECT next_record, sequence FROM hub").fetchone()
    assert all(record["id"] < next_record for record in records.values())
    assert max((record["sequence"] for record in records.values()), default=0) == sequence
    assert set(connection.execute("SELECT hash, record FROM match_key")) == _keys(records)
    stored = connection.execute("SELECT target, type, name, source FROM association")
    assert set(stored) == _far_ends(records)
    for ref, made in connection.execute("SELECT ref, record FROM creation"):
        assert made in records, ref


def _records(connection: sqlite3.Connection) -> dict[int, dict[str, Any]]:
    cursor = connection.execute("SELECT * FROM record")
    names = [column[0] for column in cursor.description]
    return {row[0]: dict(zip(names, row, strict=True)) for row in cursor}


def _keys(records: dict[int, dict[str, Any]]) -> set[tuple[int, int]]:
    found = set()
    for number, record in records.items():
        kind = OBJECT_TYPES[NAMES[record["type"]]]
        properties = orjson.loads(record["body"])
        if record["gone"] in (Gone.DELETED, Gone.MERGED):
            assert properties == {}, "what was erased is still there"
        if record["gone"] == Gone.HERE:
            found |= {
                (key_hash(kind.name, field, properties[field]), number)
                for field in kind.keys
                if field in properties
            }
        assert None not in properties.values()
    return found


def _far_ends(records: dict[int, dict[str, Any]]) -> set[tuple[int, int, str, int]]:
    found = set()
    for number, record in records.items():
        links = orjson.loads(record["links"]) if record["links"] else {}
        assert not links or record["gone"] == Gone.HERE
        for name, ends in links.items():
            association = OBJECT_TYPES[NAMES[record["type"]]].association(name)
            assert association is not None
            assert sum(end[1] for end in ends) <= association.primary
            for target, *_ in ends:
                assert records[target]["gone"] == Gone.HERE
                assert NAMES[records[target]["type"]] == association.target
                found.add((target, record["type"], name, number))
    return found
