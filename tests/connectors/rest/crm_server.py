"""A small CRM with a REST API on loopback: real HTTP, in a thread of its own."""

from __future__ import annotations

import asyncio
import threading
from collections.abc import Coroutine, Mapping
from pathlib import Path
from typing import Any, Self, TypeVar

from aiohttp import web

T = TypeVar("T")
TOKEN = "let me in"
DEFINITION = """twofold: 1
name: Small CRM
address: http://127.0.0.1:{port}/api
sign_in: {by: bearer}
check: {path: me, account: id, label: name}
objects:
  contacts:
    list: contacts
    get: contacts/{id}
    records: data
    record: contact
    version: revision
    if_match: true
    repeat: Idempotency-Key
    pages: {by: after, send: after, size: limit, most: MOST}
    find: {email: email}
    create: {method: POST, path: contacts}
    update: {method: PATCH, path: "contacts/{id}"}
    delete: {method: DELETE, path: "contacts/{id}"}
    associations:
      company: {to: companies, at: company_id}
    fields:
      email: {kind: email, at: attributes.email}
      first: {at: attributes.first, longest: 100}
      last: {at: attributes.last}
      job: {at: attributes.job}
      visits: {kind: int}
      credit: {kind: decimal}
      member: {kind: bool}
      born: {kind: date}
      seen: {kind: datetime}
      stage: {kind: choice, options: [lead, customer]}
      tags: {many: true}
      created: {kind: datetime, read_only: true}
  companies:
    list: companies
    get: companies/{id}
    records: data
    record: company
    create: {method: POST, path: companies}
    update: {method: PATCH, path: "companies/{id}"}
    delete: {method: DELETE, path: "companies/{id}"}
    find: {name: name}
    fields:
      name: {required: true}
      domain: {}
"""
_WORDS = {"contacts": "contact", "companies": "company"}


class CrmServer:
    """One account; a context manager. ``rows`` are what people see and edit."""

    def __init__(self) -> None:
        self.port = 0
        self.rows: dict[str, dict[int, dict[str, Any]]] = {name: {} for name in _WORDS}
        self.requests: list[tuple[str, str]] = []
        self.say: web.Response | None = None
        """An answer to everything, instead of the right one."""
        self._made: dict[str, int] = {}
        self._last = 0
        self._loop = asyncio.new_event_loop()
        self._thread = threading.Thread(target=self._loop.run_forever, daemon=True)
        self._runner: web.AppRunner | None = None

    def __enter__(self) -> Self:
        self._thread.start()
        self._do(self._start())
        return self

    def __exit__(self, *_: object) -> None:
        assert self._runner is not None
        self._do(self._runner.cleanup())
        self._loop.call_soon_threadsafe(self._loop.stop)
        self._thread.join()
        self._loop.close()

    def definition(self, folder: Path, most: int = 100) -> Path:
        """The document that describes this server, as a file."""
        path = folder / "crm.yaml"
        text = DEFINITION.replace("{port}", str(self.port)).replace("MOST", str(most))
        path.write_text(text)
        return path

    # --- what people do -------------------------------------------------------------------

    def make(self, kind: str, row: Mapping[str, Any]) -> int:
        self._last += 1
        made = {"created": "2026-01-01T00:00:00Z", **row, "id": self._last, "revision": 1}
        self.rows[kind][self._last] = made
        return self._last

    def change(self, kind: str, number: int, row: Mapping[str, Any]) -> None:
        old = self.rows[kind][number]
        for name, value in row.items():
            nested = isinstance(value, dict)
            old[name] = {**old.get(name, {}), **value} if nested else value
        old["revision"] += 1

    # --- the API --------------------------------------------------------------------------

    def _do(self, what: Coroutine[Any, Any, T]) -> T:
        return asyncio.run_coroutine_threadsafe(what, self._loop).result()

    async def _start(self) -> None:
        app = web.Application(middlewares=[self._guarded])
        app.router.add_get("/api/me", self._me)
        app.router.add_get("/api/{kind}", self._list)
        app.router.add_post("/api/{kind}", self._post)
        for method, handler in (
            ("GET", self._get),
            ("PATCH", self._patch),
            ("DELETE", self._delete),
        ):
            app.router.add_route(method, "/api/{kind}/{id}", handler)
        self._runner = web.AppRunner(app)
        await self._runner.setup()
        await web.TCPSite(self._runner, "127.0.0.1", 0).start()
        self.port = self._runner.addresses[0][1]

    @web.middleware
    async def _guarded(self, request: web.Request, handler: Any) -> web.StreamResponse:
        self.requests.append((request.method, request.path))
        if request.headers.get("Authorization") != f"Bearer {TOKEN}":
            return web.Response(status=401)
        if self.say is not None:
            said = self.say
            return web.Response(status=said.status, body=said.body, headers=said.headers)
        return await handler(request)  # type: ignore[no-any-return]

    async def _me(self, request: web.Request) -> web.Response:
        return web.json_response({"id": 42, "name": "Ada's account"})

    async def _list(self, request: web.Request) -> web.Response:
        kind = request.match_info["kind"]
        rows = [self.rows[kind][number] for number in sorted(self.rows[kind])]
        query = request.query
        rows = [row for row in rows if row["id"] > int(query.get("after", 0))]
        if "email" in query:
            rows = [r for r in rows if query["email"] == r.get("attributes", {}).get("email")]
        if "name" in query:
            rows = [row for row in rows if query["name"] in str(row.get("name"))]  # a loose search
        size = int(query.get("limit", 10_000))
        start = int(query.get("offset", 0)) or (int(query.get("page", 1)) - 1) * size
        part = rows[start : start + size]
        answer: dict[str, Any] = {"data": part}
        if len(rows) > start + size:
            last = part[-1]["id"]
            link = str(request.url.update_query(after=str(last)))
            answer["next"] = {"token": last, "link": link}
        return web.json_response(answer)

    def _found(self, request: web.Request) -> tuple[str, dict[str, Any]]:
        kind, text = request.match_info["kind"], request.match_info["id"]
        row = self.rows[kind].get(int(text)) if text.isascii() and text.isdecimal() else None
        if row is None:
            raise web.HTTPNotFound
        if request.headers.get("If-Match") not in {None, str(row["revision"])}:
            raise web.HTTPPreconditionFailed
        return kind, row

    async def _body(self, request: web.Request, kind: str) -> dict[str, Any]:
        row = dict((await request.json())[_WORDS[kind]])
        if "\x00" in str(row):
            raise web.HTTPUnprocessableEntity(text="no NUL here")
        return row

    async def _get(self, request: web.Request) -> web.Response:
        kind, row = self._found(request)
        return web.json_response({_WORDS[kind]: row})

    async def _post(self, request: web.Request) -> web.Response:
        kind = request.match_info["kind"]
        key = request.headers.get("Idempotency-Key")
        number = self._made.get(key or "")
        if number is None:
            number = self.make(kind, await self._body(request, kind))
            self._made.update({key: number} if key else {})
        return web.json_response({_WORDS[kind]: self.rows[kind].get(number, {"id": number})})

    async def _patch(self, request: web.Request) -> web.Response:
        kind, row = self._found(request)
        self.change(kind, row["id"], await self._body(request, kind))
        return web.json_response({_WORDS[kind]: row})

    async def _delete(self, request: web.Request) -> web.Response:
        kind, row = self._found(request)
        del self.rows[kind][row["id"]]
        return web.Response(status=204)
