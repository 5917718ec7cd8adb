"""Files for tests, and how a connector acts on them in one line."""

from __future__ import annotations

import uuid
from collections.abc import Mapping
from pathlib import Path

from twofold.connectors.files import Files
from twofold.core.records import Fields, Record
from twofold.core.schema import Op
from twofold.kit.contract import Result, Write


def files(path: Path, **settings: str) -> Files:
    """A connector on a file or folder."""
    return Files({"path": str(path), **settings})


async def listed(connector: Files, obj: str, *fields: str) -> Mapping[str, Record]:
    """All records by id, over as many pages as it takes."""
    found: dict[str, Record] = {}
    cursor, more = None, True
    while more:
        page = await connector.pull(obj, cursor, fields)
        records = page.decode(range(len(page.ids)))
        found |= {record.id: record for record in records}
        cursor, more = page.cursor, page.more
    return found


async def update(connector: Files, obj: str, record_id: str, fields: Fields) -> Result:
    """Change a record, whatever it shows now."""
    write = Write(uuid.uuid4().hex, Op.UPDATE, record_id, fields)
    return (await connector.push(obj, [write]))[0]


async def create(connector: Files, obj: str, fields: Fields, ref: str = "") -> Result:
    """Make a record."""
    write = Write(ref or uuid.uuid4().hex, Op.CREATE, fields=fields)
    return (await connector.push(obj, [write]))[0]


async def delete(connector: Files, obj: str, record_id: str) -> Result:
    """Delete a record."""
    return (await connector.push(obj, [Write(uuid.uuid4().hex, Op.DELETE, record_id)]))[0]
