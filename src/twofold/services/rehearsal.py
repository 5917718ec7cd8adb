"""A run that writes to no app: over a copy of the state, with connectors that only seem to write.

It is the run itself, read for read and chunk for chunk. What would be written is kept beside the
app, and whoever looks at a record afterwards sees it as written.
"""

from __future__ import annotations

import os
import shutil
import sqlite3
import tempfile
from collections.abc import AsyncIterator, Iterator, Mapping, Sequence
from contextlib import AbstractAsyncContextManager, asynccontextmanager, contextmanager
from pathlib import Path
from typing import Any

import msgspec
from msgspec import Struct, structs

from twofold.core.records import Record, Target
from twofold.core.schema import Op
from twofold.kit.contract import Batch, Connector, Result, Status, Write
from twofold.kit.wrapped import Wrapped
from twofold.services.installation import Installation
from twofold.store.codec import decode, encode
from twofold.store.state import State
from twofold.store.syncs import Connection

_PREFIX = "rehearsal-"

_TABLES = """
CREATE TABLE written (obj TEXT, id TEXT, version TEXT, fields BLOB, targets BLOB, made INTEGER,
    gone INTEGER, PRIMARY KEY (obj, id)) WITHOUT ROWID;
CREATE TABLE held (obj TEXT, name TEXT, value TEXT, id TEXT, PRIMARY KEY (obj, name, value, id))
    WITHOUT ROWID;
CREATE TABLE refs (ref TEXT PRIMARY KEY, id TEXT) WITHOUT ROWID;
"""


class Written:
    """What would have been written through one connection. On the disk, as it may be much."""

    def __init__(self) -> None:
        self.db = sqlite3.connect("", isolation_level=None)  # a file that nobody else sees
        self.db.executescript(_TABLES)
        self._number = 0

    def next_id(self) -> str:
        """The id of a record that would be made."""
        self._number += 1
        return f"(new {self._number})"

    def of(self, obj: str, ids: Sequence[str]) -> dict[str, tuple[Any, ...]]:
        """(version, fields, targets, made, gone) of records that would have been written."""
        query = "SELECT id, version, fields, targets, made, gone FROM written WHERE obj = ? AND id"
        found = (self.db.execute(f"{query} = ?", (obj, i)).fetchone() for i in ids)
        return {row[0]: row[1:] for row in found if row is not None}

    def holding(self, obj: str, name: str, values: Sequence[str]) -> dict[str, list[str]]:
        """By value: ids of records that would hold it in a field."""
        query = "SELECT id FROM held WHERE obj = ? AND name = ? AND value = ?"
        return {v: [i for (i,) in self.db.execute(query, (obj, name, v))] for v in values}


class _Step(Struct, frozen=True):
    """One association that would have been added, or removed."""

    name: str
    id: str
    added: Target | None = None


class Shadow(Wrapped):
    """A connector that reads from the app and writes beside it."""

    def __init__(self, inner: Connector, written: Written) -> None:
        super().__init__(inner)
        self._written = written
        self._many: set[tuple[str, str]] | None = None

    async def close(self) -> None:
        """Whoever opened the connector closes it."""

    async def pull(
        self, obj: str, cursor: str | None, fields: Sequence[str], associations: Sequence[str] = ()
    ) -> Batch:
        """What the app shows; what would have been written is named only, and looked at then."""
        batch = await self._inner.pull(obj, cursor, fields, associations)
        written = self._written.of(obj, batch.ids)
        if not written:
            return batch
        digests = [
            None if i in written else digest
            for i, digest in zip(batch.ids, batch.digests, strict=True)
        ]
        return structs.replace(batch, digests=digests)

    async def get(
        self,
        obj: str,
        ids: Sequence[str],
        fields: Sequence[str],
        associations: Sequence[str] = (),
        key: str | None = None,
    ) -> Mapping[str, Sequence[Record]]:
        """What the app shows, with what would have been written."""
        real = [i for i in ids if not i.startswith("(new ")] if key is None else list(ids)
        found: dict[str, list[Record]] = {}
        if real or not ids:
            answered = await self._inner.get(obj, real, fields, associations, key=key)
            for asked, records in answered.items():
                seen = [await self._with_writes(obj, r, fields) for r in records]
                found[asked] = [record for record in seen if record is not None]
        if key is None:
            holders = {i: [i] for i in ids if i.startswith("(new ")}
        else:
            holders = self._written.holding(obj, key, ids)
        for asked, made in holders.items():
            for i in made:
                record = await self._made(obj, i, fields, associations)
                if record is not None:
                    found.setdefault(asked, []).append(record)
        return {asked: records for asked, records in found.items() if records}

    async def push(self, obj: str, writes: Sequence[Write]) -> Sequence[Result]:
        """Keep what would be written, and answer as an app that takes it."""
        return [self._push_one(obj, write) for write in writes]

    def _push_one(self, obj: str, write: Write) -> Result:
        db = self._written.db
        if write.op is Op.CREATE:
            known = db.execute("SELECT id FROM refs WHERE ref = ?", (write.ref,)).fetchone()
            record_id = known[0] if known else self._written.next_id()
            db.execute("INSERT OR IGNORE INTO refs VALUES (?, ?)", (write.ref, record_id))
        else:
            record_id = str(write.id)
        before = self._written.of(obj, [record_id]).get(record_id)
        fields = {**(decode(before[1]) if before else {}), **write.fields}
        ops: list[_Step] = msgspec.json.decode(before[2], type=list[_Step]) if before else []
        ops += [_Step(name, target) for name, target in write.dissociate]
        ops += [_Step(name, t.id, t) for name, t in write.associate]
        version = f"{write.ref} {(before[0] if before else '')}"[:80]
        made = write.op is Op.CREATE or bool(before and before[3])
        gone = write.op in {Op.ARCHIVE, Op.DELETE}
        db.execute(
            "REPLACE INTO written VALUES (?, ?, ?, ?, ?, ?, ?)",
            (obj, record_id, version, encode(fields), msgspec.json.encode(ops), made, gone),
        )
        if made:
            db.executemany(
                "INSERT OR IGNORE INTO held VALUES (?, ?, ?, ?)",
                [(obj, name, str(v), record_id) for name, v in write.fields.items()],
            )
        return Result(write.ref, Status.OK, record_id, None if gone else version)

    async def _with_writes(self, obj: str, record: Record, fields: Sequence[str]) -> Record | None:
        found = self._written.of(obj, [record.id]).get(record.id)
        if found is None:
            return record
        version, values, targets, _, gone = found
        if gone:
            return None
        kept = {name: v for name, v in decode(values).items() if name in fields}
        return structs.replace(
            record,
            fields={**record.fields, **kept},
            version=version,
            associations=await self._related(obj, record.associations, targets),
            digest=None,
        )

    async def _related(
        self, obj: str, before: Mapping[str, tuple[Target, ...]], steps: bytes
    ) -> dict[str, tuple[Target, ...]]:
        """What is associated after what would have been written."""
        if self._many is None:
            types = await self._inner.describe()
            self._many = {(t.name, a.name) for t in types for a in t.associations if a.many}
        after = dict(before)
        for step in msgspec.json.decode(steps, type=list[_Step]):
            many = (obj, step.name) in self._many
            after[step.name] = _after(after.get(step.name, ()), step, many)
        return after

    async def _made(
        self, obj: str, record_id: str, fields: Sequence[str], associations: Sequence[str]
    ) -> Record | None:
        found = self._written.of(obj, [record_id]).get(record_id)
        if found is None or found[4] or not found[3]:
            return None
        values = decode(found[1])
        return Record(
            record_id,
            {name: values.get(name) for name in fields},
            found[0],
            await self._related(obj, dict.fromkeys(associations, ()), found[2]),
        )


def _after(targets: Sequence[Target], step: _Step, many: bool) -> tuple[Target, ...]:
    """The targets of one association after a step; see ``Write.associate``."""
    kept = [target for target in targets if target.id != step.id]
    if step.added is None:
        return tuple(kept)
    if not many:
        kept = []
    if step.added.primary:
        kept = [structs.replace(target, primary=False) for target in kept]
    held = next((target for target in targets if target.id == step.id), step.added)
    labels = tuple(sorted({*held.labels, *step.added.labels}))
    return (*kept, Target(step.id, step.added.primary or held.primary, labels))


class Rehearsal(Installation):
    """An installation over a copy of the state, of which no app is ever written to."""

    def __init__(self, here: Installation, state: State) -> None:
        super().__init__(here.folder, state, here.vault, here.world, here.opener)
        self._here = here
        self._written: dict[int, Written] = {}

    def opened(self, connection: Connection) -> AbstractAsyncContextManager[Connector]:
        """The shadow of a connection's connector."""
        return self._shadow(self._here.opened(connection), connection.id)

    @asynccontextmanager
    async def _shadow(
        self, opened: AbstractAsyncContextManager[Connector], connection: int
    ) -> AsyncIterator[Connector]:
        async with opened as inner:
            yield Shadow(inner, self._written.setdefault(connection, Written()))

    def forget(self) -> None:
        """Forget what would have been written."""
        for written in self._written.values():
            written.db.close()


@contextmanager
def rehearsal(here: Installation) -> Iterator[Rehearsal]:
    """A copy of an installation to try things on; nothing of it stays.

    What an earlier one left, because its process was killed, is removed first. Only the one writer
    of an installation may rehearse.
    """
    for left in here.folder.glob(f"{_PREFIX}*"):
        shutil.rmtree(left, ignore_errors=True)
    folder = Path(tempfile.mkdtemp(prefix=_PREFIX, dir=here.folder))  # of this user only
    try:
        path = folder / "state.db"
        os.close(os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600))
        here.state.copy_to(path)
        there = Rehearsal(here, State.open(path))
        try:
            yield there
        finally:
            there.forget()
            there.close()
    finally:
        shutil.rmtree(folder, ignore_errors=True)
