"""The reference connector: the contract over an app in memory."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import datetime
from enum import StrEnum
from itertools import islice
from typing import NamedTuple, Self

import msgspec
from msgspec import Struct

from twofold.core.records import Record
from twofold.core.schema import Feed, ObjectType
from twofold.kit.contract import (
    Batch,
    Http,
    Identity,
    Manifest,
    Pause,
    Question,
    Response,
    Result,
    Status,
    Write,
)
from twofold.kit.digests import digest_values
from twofold.kit.errors import (
    CursorExpired,
    OutcomeUnknown,
    SchemaChanged,
    Unavailable,
)
from twofold.kit.memory.app import MemoryApp
from twofold.kit.memory.checks import issue
from twofold.kit.memory.faults import Fail, Fault, Items, Meanwhile, Partly, Reorder
from twofold.kit.memory.rows import Row, Table, floor, record_of

APPS: dict[str, MemoryApp] = {}
"""Running apps by name: the answer to the connector's only question."""


class Stage(StrEnum):
    """What a cursor continues."""

    LISTING = "listing"
    CHANGES = "changes"


class Cursor(Struct, frozen=True, array_like=True):
    """A position in a feed. Opaque to everybody else."""

    generation: int
    issued: datetime
    stage: Stage
    after: str | None = None
    """The last id delivered; within a stamp for a watermark feed."""
    position: int = 0
    """Where the changes of a LOG feed go on."""
    stamp: datetime | None = None
    """Where the changes of a WATERMARK feed go on."""
    round_start: datetime | None = None
    """When the present round of a WATERMARK feed began."""


class Asked(NamedTuple):
    """What a reading is about."""

    table: Table
    fields: Sequence[str]
    associations: Sequence[str]

    def record(self, row: Row) -> Record:
        """A row with what was asked of it."""
        return record_of(row, self.fields, self.associations, self.digest(row))

    def digest(self, row: Row) -> int:
        """Over what was asked, whatever the order of asking or of the targets."""
        values = [(name, row.fields.get(name)) for name in self.fields]
        targets = [
            (f"→{name}", tuple(sorted(row.associations.get(name, ()), key=lambda t: t.id)))
            for name in self.associations
        ]
        return digest_values((*values, *targets))


class MemoryConnector:
    """A connector to an app in memory, chosen by name or given directly with ``over``."""

    manifest = Manifest(
        name="memory",
        label="Memory",
        summary="An app that lives in this process, for tests and rehearsals.",
        questions=(Question("app", "Name of the app", example="memory"),),
        objects={"contact": "contact", "company": "company", "deal": "deal"},
    )

    def __init__(
        self,
        settings: Mapping[str, str],
        http: Http | None = None,  # every connector is made this way
    ) -> None:
        name = settings.get("app", "")
        if name not in APPS:
            raise Unavailable("memory", f"no app named {name!r} runs in this process")
        self.app = APPS[name]

    @classmethod
    def over(cls, app: MemoryApp) -> Self:
        """A connector to an app that you hold."""
        connector = cls.__new__(cls)
        connector.app = app
        return connector

    def pauses(self, response: Response) -> Sequence[Pause]:
        """Nothing: there is no HTTP."""
        return ()

    async def verify(self) -> Identity:
        """The app's name is its account."""
        self._before("verify")
        self._after("verify")
        return Identity(self.app.name, self.app.name)

    async def describe(self) -> Sequence[ObjectType]:
        """The types that the app was made with."""
        self._before("describe")
        self._after("describe")
        return self.app.types

    async def close(self) -> None:
        """Nothing is held open."""

    # --- reading --------------------------------------------------------------------------

    async def pull(
        self, obj: str, cursor: str | None, fields: Sequence[str], associations: Sequence[str] = ()
    ) -> Batch:
        """One page of the listing, or of the changes after it."""
        fault = self._before("pull", obj)
        asked = self._asked(obj, fields, associations)
        now = self.app.now()
        asked.table.catch_up(now)
        batch = self._page(asked, self._position(asked.table, cursor, now), now)
        self._after("pull", obj)
        return _reversed(batch) if isinstance(fault, Reorder) else batch

    def _position(self, table: Table, cursor: str | None, now: datetime) -> Cursor:
        """Where to go on; a listing remembers where its changes will start."""
        kind = table.kind
        if cursor is None:
            start = floor(now - kind.lag - kind.resolution, kind.resolution)
            generation = self.app.cursors_from
            return Cursor(generation, now, Stage.LISTING, position=table.position, stamp=start)
        try:
            known = msgspec.json.decode(cursor, type=Cursor)
        except msgspec.DecodeError:
            raise CursorExpired(self.app.name) from None
        retention = kind.retention
        expired = retention is not None and now - known.issued > retention
        if expired or known.generation < self.app.cursors_from:
            raise CursorExpired(self.app.name)
        return msgspec.structs.replace(known, issued=now)

    def _page(self, asked: Asked, at: Cursor, now: datetime) -> Batch:
        table, size = asked.table, self.app.page_size
        snapshot = table.kind.feed is Feed.SNAPSHOT or at.stage is Stage.LISTING
        if at.stage is Stage.LISTING:
            rows = list(islice(table.listing(at.after), size + 1))
            more = len(rows) > size
            rows = rows[:size]
            at = _listed(table.kind, at, rows, more)
        elif table.kind.feed is Feed.LOG:
            rows, position = table.changes(at.position, size)
            more = position < table.position
            at = msgspec.structs.replace(at, position=position)
        else:
            rows, more, at = _watermark_page(table, at, now, size)
        return self._batch(asked, rows, msgspec.json.encode(at).decode(), more, snapshot)

    def _batch(
        self, asked: Asked, rows: Sequence[Row], cursor: str, more: bool, snapshot: bool
    ) -> Batch:
        kind = asked.table.kind
        present = [row for row in rows if not row.gone]
        gone = [(row.id, row.into if kind.merges else None) for row in rows if row.gone]

        def decode(positions: Sequence[int]) -> Sequence[Record]:
            return [asked.record(present[position]) for position in positions]

        bodies = self.app.habits.bodies
        return Batch(
            ids=[row.id for row in present],
            digests=[asked.digest(row) if bodies else None for row in present],
            versions=[row.version for row in present],
            gone=[pair for pair in gone if pair[1] is not None or kind.deletes],
            decode=decode,
            cursor=cursor,
            more=more,
            snapshot=snapshot,
        )

    async def get(
        self,
        obj: str,
        ids: Sequence[str],
        fields: Sequence[str],
        associations: Sequence[str] = (),
        key: str | None = None,
    ) -> Mapping[str, Sequence[Record]]:
        """Straight from the records, never through the feed's index."""
        self._before("get", obj, len(ids))
        asked = self._asked(obj, fields, associations)
        found: dict[str, Sequence[Record]] = {}
        for wanted in ids:
            rows = self._rows(asked.table, wanted, key)
            if rows:
                found[wanted] = [asked.record(row) for row in rows]
        self._after("get", obj, len(ids))
        return found

    def _rows(self, table: Table, wanted: str, key: str | None) -> Sequence[Row]:
        if key is None:
            row = table.survivor(wanted)
            return () if row is None else (row,)
        field = table.kind.field(key)
        if field is None or key not in table.kind.keys:
            raise SchemaChanged("TF-F01", object_type=table.kind.name, field=key)
        return [table.rows[record_id] for record_id in table.carriers(field, wanted)]

    def _asked(self, obj: str, fields: Sequence[str], associations: Sequence[str]) -> Asked:
        table = self.app.table(obj)
        unknown = [name for name in fields if table.kind.field(name) is None]
        unknown += [name for name in associations if table.kind.association(name) is None]
        if unknown:
            raise SchemaChanged("TF-F01", object_type=obj, field=unknown[0])
        return Asked(table, fields, associations)

    # --- writing --------------------------------------------------------------------------

    async def push(self, obj: str, writes: Sequence[Write]) -> Sequence[Result]:
        """Apply a batch.

        Raises:
            ValueError: the batch mixes ops or is larger than the app takes.
        """
        fault = self._before("push", obj, len(writes))
        kind = self.app.table(obj).kind
        ops = {write.op for write in writes}
        if len(ops) > 1 or any(len(writes) > kind.batch.get(op, 1) for op in ops):
            raise ValueError("a push holds one op and no more items than the app takes")
        if isinstance(fault, Partly):
            self.app.write(obj, writes[: fault.applied])
            raise OutcomeUnknown(self.app.name, "the connection broke amid the batch")
        results = self._write(obj, writes, fault if isinstance(fault, Items) else None)
        self._after("push", obj, len(writes))
        return results

    def _write(self, obj: str, writes: Sequence[Write], fault: Items | None) -> list[Result]:
        if fault is None:
            return self.app.write(obj, writes)
        taken = [
            write
            for position, write in enumerate(writes)
            if position not in fault.statuses
            or (fault.applied and fault.statuses[position] is Status.UNKNOWN)
        ]
        answers = iter(self.app.write(obj, taken))
        real = {write.ref: next(answers) for write in taken}
        return [
            self._troubled(write, fault.statuses[position])
            if position in fault.statuses
            else real[write.ref]
            for position, write in enumerate(writes)
        ]

    def _troubled(self, write: Write, status: Status) -> Result:
        code = "TF-C03" if status is Status.UNKNOWN else "TF-R07"
        found = issue(code, app=self.app.name, reason="scripted")
        return Result(write.ref, status, write.id, issue=found)

    # --- scripted trouble -----------------------------------------------------------------

    def _before(self, name: str, obj: str = "", items: int = 0) -> Fault | None:
        return _happen(self.app.begin(name, obj, items))

    def _after(self, name: str, obj: str = "", items: int = 0) -> None:
        _happen(self.app.end(name, obj, items))


def _happen(fault: Fault | None) -> Fault | None:
    if isinstance(fault, Fail):
        raise fault.error
    if isinstance(fault, Meanwhile):
        fault.act()
    return fault


def _listed(kind: ObjectType, at: Cursor, rows: Sequence[Row], more: bool) -> Cursor:
    """The cursor behind a page of the listing."""
    if more:
        return msgspec.structs.replace(at, after=rows[-1].id)
    if kind.feed is Feed.SNAPSHOT:
        return msgspec.structs.replace(at, after=None)
    return msgspec.structs.replace(at, stage=Stage.CHANGES, after=None)


def _watermark_page(
    table: Table, at: Cursor, now: datetime, size: int
) -> tuple[list[Row], bool, Cursor]:
    """Drain by (stamp, id); when all is delivered, go back by the lag for the next round.

    Paging by offset over equal timestamps would lose rows, and a mark at the newest timestamp
    would lose what becomes visible late.
    """
    kind = table.kind
    start = at.round_start or now
    stamp = at.stamp or start
    rows = table.since(stamp, at.after or "")
    if len(rows) > size:
        last = rows[size - 1]
        reached = floor(last.modified, kind.resolution)
        at = msgspec.structs.replace(at, stamp=reached, after=last.id, round_start=start)
        return rows[:size], True, at
    mark = floor(start - kind.lag - kind.resolution, kind.resolution)
    return rows, False, msgspec.structs.replace(at, stamp=mark, after=None, round_start=None)


def _reversed(batch: Batch) -> Batch:
    last = len(batch.ids) - 1

    def decode(positions: Sequence[int]) -> Sequence[Record]:
        return batch.decode([last - position for position in positions])

    return msgspec.structs.replace(
        batch,
        ids=batch.ids[::-1],
        digests=batch.digests[::-1],
        versions=batch.versions[::-1],
        gone=batch.gone[::-1],
        decode=decode,
    )
