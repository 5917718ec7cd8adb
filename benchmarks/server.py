"""A small app with JSON over HTTP: ``python -m benchmarks.server hub 100000``.

It prints its port and serves until its standard input is closed. Records are kept as the bytes that
are sent, so that a page costs it next to nothing.
"""

from __future__ import annotations

import asyncio
import sys
from collections import Counter
from typing import Any

import orjson
from aiohttp import web
from benchmarks.people import numbers, person

PAGE = 100


class App:
    """The records of one side, a log of changes, and a count of requests."""

    def __init__(self, side: str, size: int) -> None:
        self.side = side
        self.base = [_record(f"{side}-{n}", 1, person(n, side)) for n in numbers(side, size)]
        self.reset()

    def reset(self) -> None:
        """Back to the beginning."""
        self.records = list(self.base)
        self.places: dict[str, int] = {}
        self.emails: dict[str, int] = {}
        self.versions: Counter[int] = Counter()
        self.log: list[int] = []
        self.calls: Counter[str] = Counter()

    def index(self) -> None:
        """Ids and e-mail addresses, for those who ask by them."""
        for place in range(len(self.places), len(self.records)):
            record = orjson.loads(self.records[place])
            self.places[record["id"]] = place
            self.emails[record["properties"]["email"]] = place

    # --- requests -----------------------------------------------------------------------

    async def list_page(self, request: web.Request) -> web.Response:
        """``GET /records?after=OFFSET``."""
        self.calls["list"] += 1
        after = int(request.query["after"])
        page = self.records[after : after + PAGE]
        following = str(after + PAGE) if after + PAGE < len(self.records) else ""
        return _page(page, following, len(self.log))

    async def changes(self, request: web.Request) -> web.Response:
        """``GET /changes?after=SEQUENCE``."""
        self.calls["changes"] += 1
        after = int(request.query["after"])
        places = self.log[after : after + PAGE]
        end = after + len(places)
        following = str(end) if end < len(self.log) else ""
        return _page([self.records[p] for p in dict.fromkeys(places)], following, end)

    async def get(self, request: web.Request) -> web.Response:
        """``POST /get {"key": "id" or "email", "values": […]}``."""
        self.calls["get"] += 1
        asked = orjson.loads(await request.read())
        self.index()
        known = self.places if asked["key"] == "id" else self.emails
        return _page([self.records[known[v]] for v in asked["values"] if v in known], "", 0)

    async def create(self, request: web.Request) -> web.Response:
        """``POST /create [properties, …]``."""
        writes = orjson.loads(await request.read())
        self.calls["create"] += 1
        self.calls["created"] += len(writes)
        first = len(self.records)
        for properties in writes:
            place = len(self.records)
            self.records.append(_record(f"{self.side}-new-{place}", 1, properties))
            self.log.append(place)
        return _page(self.records[first:], "", 0)

    async def update(self, request: web.Request) -> web.Response:
        """``POST /update [{"id", "version", "properties"}, …]``; all exist and none has moved."""
        writes = orjson.loads(await request.read())
        self.calls["update"] += 1
        self.calls["updated"] += len(writes)
        self.index()
        stored = []
        for write in writes:
            place = self.places[write["id"]]
            record = orjson.loads(self.records[place])
            if record["version"] != write["version"]:
                raise web.HTTPConflict
            self.versions[place] += 1
            properties = {**record["properties"], **write["properties"]}
            self.records[place] = _record(write["id"], 1 + self.versions[place], properties)
            self.log.append(place)
            stored.append(self.records[place])
        return _page(stored, "", 0)

    async def control(self, request: web.Request) -> web.Response:
        """``POST /reset`` or ``GET /calls``, which begins a new count."""
        if request.path == "/reset":
            self.reset()
        calls = dict(self.calls) | {"records": len(self.records)}
        self.calls.clear()
        return web.json_response(calls)


def _record(record_id: str, version: int, properties: dict[str, Any]) -> bytes:
    record = {"id": record_id, "version": str(version), "properties": properties}
    return orjson.dumps(record)


def _page(records: list[bytes], following: str, log: int) -> web.Response:
    head = orjson.dumps({"next": following, "log": log})[:-1]
    body = b'%s,"results":[%s]}' % (head, b",".join(records))
    return web.Response(body=body, content_type="application/json")


async def serve(side: str, size: int) -> None:
    """Serve until standard input ends."""
    app = App(side, size)
    web_app = web.Application(client_max_size=64 << 20)
    web_app.add_routes(
        [
            web.get("/records", app.list_page),
            web.get("/changes", app.changes),
            web.post("/get", app.get),
            web.post("/create", app.create),
            web.post("/update", app.update),
            web.post("/reset", app.control),
            web.get("/calls", app.control),
        ]
    )
    runner = web.AppRunner(web_app, access_log=None)
    await runner.setup()
    site = web.TCPSite(runner, "127.0.0.1", 0)
    await site.start()
    print(runner.addresses[0][1], flush=True)
    await asyncio.to_thread(sys.stdin.read)
    await runner.cleanup()


if __name__ == "__main__":
    asyncio.run(serve(sys.argv[1], int(sys.argv[2])))
