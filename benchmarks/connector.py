"""A thin connector for the benchmarks' server: unchanged rows are hashed and never decoded."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import msgspec
from benchmarks.people import FIELDS
from msgspec import Raw, Struct

from twofold.core.records import Record
from twofold.core.schema import Feed, Field, ObjectType, Op
from twofold.core.values import Kind
from twofold.kit.contract import (
    Batch,
    Http,
    Identity,
    Manifest,
    Pause,
    Response,
    Result,
    Status,
    Write,
)
from twofold.kit.digests import digest_bytes, digests_of

_KINDS = {"email": Kind.EMAIL, "phone": Kind.PHONE, "mobilephone": Kind.PHONE, "website": Kind.URL}
TYPE = ObjectType(
    "contact",
    "Contact",
    tuple(
        Field(name, name, _KINDS.get(name, Kind.TEXT), unique=name == "email") for name in FIELDS
    ),
    keys=("email",),
    feed=Feed.LOG,
    deletes=True,
    ops=frozenset({Op.CREATE, Op.UPDATE}),
    batch={Op.CREATE: 100, Op.UPDATE: 100},
    conditional=True,
)


class Row(Struct):
    """A record, its properties still as bytes."""

    id: str
    version: str
    properties: Raw


class Page(Struct):
    """One answer."""

    next: str
    log: int
    results: list[Row]


_page = msgspec.json.Decoder(Page)
_properties = msgspec.json.Decoder(dict[str, str | None])


class Bench:
    """Reads and writes one side."""

    manifest = Manifest("bench", "Bench", "The server of the benchmarks.")

    def __init__(self, settings: Mapping[str, str], http: Http) -> None:
        self._base = settings["url"]
        self._http = http

    def pauses(self, response: Response) -> Sequence[Pause]:
        return ()

    async def verify(self) -> Identity:
        return Identity(self._base, self._base)

    async def describe(self) -> Sequence[ObjectType]:
        return (TYPE,)

    async def pull(
        self, obj: str, cursor: str | None, fields: Sequence[str], associations: Sequence[str] = ()
    ) -> Batch:
        """Cursors: ``records 300 17`` = listing from 300, changes after 17; or ``changes 17``."""
        feed, after, *since = (cursor or "records 0").split(" ")
        answer = await self._http.send("GET", f"{self._base}/{feed}?after={after}")
        page = _page.decode(answer.content)
        if feed == "records":
            log = since[0] if since else str(page.log)
            following = f"records {page.next} {log}" if page.next else f"changes {log}"
        else:
            following = f"changes {page.log}"
        rows = page.results
        digests = digests_of([row.properties for row in rows])
        return Batch(
            ids=[row.id for row in rows],
            digests=digests,
            versions=[row.version for row in rows],
            gone=(),
            decode=lambda places: [_record(rows[i], digests[i]) for i in places],
            cursor=following,
            more=bool(page.next),
            snapshot=feed == "records",
        )

    async def get(
        self,
        obj: str,
        ids: Sequence[str],
        fields: Sequence[str],
        associations: Sequence[str] = (),
        key: str | None = None,
    ) -> Mapping[str, Sequence[Record]]:
        found: dict[str, list[Record]] = {}
        for start in range(0, len(ids), 100):
            asked = {"key": key or "id", "values": ids[start : start + 100]}
            for record in await self._post("get", asked, safe=True):
                by = record.id if key is None else str(record.fields[key])
                found.setdefault(by, []).append(record)
        return found

    async def push(self, obj: str, writes: Sequence[Write]) -> Sequence[Result]:
        if writes[0].op is Op.CREATE:
            stored = await self._post("create", [write.fields for write in writes])
        else:
            stored = await self._post(
                "update",
                [{"id": w.id, "version": w.if_version, "properties": w.fields} for w in writes],
            )
        return [
            Result(write.ref, Status.OK, record.id, record.version, record)
            for write, record in zip(writes, stored, strict=True)
        ]

    async def close(self) -> None:
        """Nothing is held open."""

    async def _post(self, what: str, body: Any, *, safe: bool = False) -> list[Record]:
        answer = await self._http.send("POST", f"{self._base}/{what}", json=body, safe=safe)
        assert answer.status == 200, f"the server answered {answer.status}"
        return [
            _record(r, digest_bytes(r.properties)) for r in _page.decode(answer.content).results
        ]


def _record(row: Row, digest: int) -> Record:
    return Record(row.id, _properties.decode(row.properties), row.version, digest=digest)
