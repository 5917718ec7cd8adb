"""The addresses of an org: sign-in, descriptions, queries, records, collections.

Rows of the facts: "OAuth", "List", "Batch", "Metadata", "Limits" and "Errors". A request that the
API would refuse is refused with its status and code.
"""

from __future__ import annotations

import asyncio
import secrets
import ssl
from collections.abc import Awaitable, Callable, Mapping
from datetime import UTC, datetime, timedelta
from email.utils import format_datetime
from functools import partial
from typing import Any

from aiohttp import web
from msgspec import Struct, structs

from twofold.simulators.salesforce import soql
from twofold.simulators.salesforce.objects import Row, Sobject
from twofold.simulators.salesforce.org import Org, Wrong, long_id

VERSIONS = ("60.0", "61.0", "62.0")
PAGE = 2_000
COLLECTION = 200
RETRIEVED = 2_000
LONGEST_ADDRESS = 16_384

Handler = Callable[[web.Request], Awaitable[web.StreamResponse]]


class Realism(Struct):
    """What can be switched on, to see how a client stands it."""

    day: int = 15_000
    """Requests in a day."""
    session: float = 7_200.0
    """Seconds for which a session lasts."""
    broken: list[int] = []
    """Statuses with which the next requests are answered, whatever they are."""
    lost: int = 0
    """So many writes are done and not answered."""


class Said(Exception):
    """A request that is refused as a whole."""

    def __init__(self, status: int, code: str, message: str) -> None:
        super().__init__(message)
        self.status = status
        self.code = code


class Server:
    """One org behind its addresses. ``client``: (id, secret) of the app that may sign in."""

    def __init__(
        self,
        org: Org | None = None,
        realism: Realism | None = None,
        client: tuple[str, str] = ("rehearsal", "rehearsal-secret"),
    ) -> None:
        self.org = org or Org()
        self.realism = realism or Realism()
        self.client = client
        self.requests: list[tuple[str, str]] = []
        """(method, path) of all that came."""
        self.used = 0
        self._sessions: dict[str, datetime] = {}
        self._cursors: dict[str, tuple[str, list[Row]]] = {}
        self._runner: web.AppRunner | None = None

    # --- as a program -----------------------------------------------------------------------

    async def start(self, port: int = 0, tls: ssl.SSLContext | None = None) -> str:
        """Listen on this machine alone; returns the address."""
        self._runner = web.AppRunner(
            self.application(), access_log=None, max_line_size=4 * LONGEST_ADDRESS
        )
        await self._runner.setup()
        site = web.TCPSite(self._runner, "127.0.0.1", port, ssl_context=tls)
        await site.start()
        taken: int = self._runner.addresses[0][1]
        return f"{'https' if tls else 'http'}://127.0.0.1:{taken}"

    async def stop(self) -> None:
        """Stop listening."""
        if self._runner is not None:
            await self._runner.cleanup()

    def session(self) -> str:
        """A session as a sign-in would give it."""
        made = f"{self.org.id}!{secrets.token_urlsafe(24)}"
        self._sessions[made] = self.org.clock() + timedelta(seconds=self.realism.session)
        return made

    def end_sessions(self) -> None:
        """All sessions are over."""
        self._sessions.clear()

    def application(self) -> web.Application:
        """The addresses, for whoever serves them."""
        app = web.Application(middlewares=[self._guarded], client_max_size=64 * 1024 * 1024)
        root = "/services/data/{version}"
        objects = f"{root}/sobjects"
        app.router.add_post("/services/oauth2/token", self._token)
        app.router.add_get("/services/data/", self._versions)
        app.router.add_get(f"{root}/limits", self._limits)
        app.router.add_get(f"{root}/limits/", self._limits)
        for name in ("query", "queryAll"):
            app.router.add_get(f"{root}/{name}", self._query)
            app.router.add_get(f"{root}/{name}/", self._query)
            app.router.add_get(f"{root}/{name}/{{cursor}}", self._onward)
        app.router.add_get(objects, self._listed)
        app.router.add_get(f"{objects}/{{obj}}/describe", self._described)
        app.router.add_post(f"{objects}/{{obj}}", self._made)
        app.router.add_post(f"{objects}/{{obj}}/", self._made)
        app.router.add_get(f"{objects}/{{obj}}/{{id}}", self._shown)
        app.router.add_patch(f"{objects}/{{obj}}/{{id}}", self._changed)
        app.router.add_delete(f"{objects}/{{obj}}/{{id}}", self._deleted)
        collection = f"{root}/composite/sobjects"
        app.router.add_post(collection, self._collection)
        app.router.add_patch(collection, self._collection)
        app.router.add_delete(collection, self._collection_deleted)
        app.router.add_post(f"{collection}/{{obj}}", self._retrieved)
        return app

    # --- every request ----------------------------------------------------------------------

    @web.middleware
    async def _guarded(self, request: web.Request, handler: Handler) -> web.StreamResponse:
        self.requests.append((request.method, request.path))
        try:
            answer = await self._admitted(request, handler)
        except Said as said:
            answer = _refused(said.status, said.code, str(said))
        except Wrong as wrong:
            answer = _refused(400, wrong.code, wrong.message, wrong.fields)
        except web.HTTPNotFound:
            answer = _refused(404, "NOT_FOUND", "The requested resource does not exist")
        except web.HTTPMethodNotAllowed:
            text = f"HTTP Method '{request.method}' not allowed."
            answer = _refused(405, "METHOD_NOT_ALLOWED", text)
        answer.headers["Date"] = format_datetime(self.org.clock().astimezone(UTC), usegmt=True)
        answer.headers["Sforce-Limit-Info"] = f"api-usage={self.used}/{self.realism.day}"
        return answer

    async def _admitted(self, request: web.Request, handler: Handler) -> web.StreamResponse:
        if self.realism.broken:
            status = self.realism.broken.pop(0)
            return web.Response(status=status, text="<html>upstream</html>")
        if not request.path.startswith("/services/oauth2/"):
            self._admit(request)
        answer = await handler(request)
        if self.realism.lost and request.method != "GET" and answer.status < 300:
            self.realism.lost -= 1
            assert request.transport is not None
            request.transport.abort()
            await asyncio.sleep(0)
        return answer

    def _admit(self, request: web.Request) -> None:
        """Session, limit of the day, version and length of the address, in this order."""
        scheme, _, session = request.headers.get("Authorization", "").partition(" ")
        ends = self._sessions.get(session)
        if scheme not in {"Bearer", "OAuth"} or ends is None or ends <= self.org.clock():
            raise Said(401, "INVALID_SESSION_ID", "Session expired or invalid")
        if self.used >= self.realism.day:
            raise Said(403, "REQUEST_LIMIT_EXCEEDED", "TotalRequests Limit exceeded.")
        self.used += 1
        version = request.match_info.get("version", "v62.0")
        if version.removeprefix("v") not in VERSIONS:
            raise Said(404, "NOT_FOUND", "The requested resource does not exist")
        if len(request.raw_path) > LONGEST_ADDRESS:
            raise Said(414, "URI_TOO_LONG", "Request URI is too long")

    # --- sign-in and facts ------------------------------------------------------------------

    async def _token(self, request: web.Request) -> web.Response:
        form = await request.post()
        if (form.get("client_id"), form.get("client_secret")) != self.client:
            words = {"error": "invalid_client", "error_description": "invalid client credentials"}
            return web.json_response(words, status=400)
        if form.get("grant_type") != "client_credentials":
            words = {"error": "unsupported_grant_type", "error_description": "not supported"}
            return web.json_response(words, status=400)
        found = {
            "access_token": self.session(),
            "instance_url": str(request.url.origin()),
            "token_type": "Bearer",
            "scope": "api",
        }
        return web.json_response(found)  # and no expires_in: row "OAuth"

    async def _versions(self, request: web.Request) -> web.Response:
        return web.json_response([{"version": v, "url": f"/services/data/v{v}"} for v in VERSIONS])

    async def _limits(self, request: web.Request) -> web.Response:
        left = max(0, self.realism.day - self.used)
        return web.json_response({"DailyApiRequests": {"Max": self.realism.day, "Remaining": left}})

    async def _listed(self, request: web.Request) -> web.Response:
        found = [
            {"name": o.name, "label": o.label, "custom": o.custom, "queryable": True}
            | {"customSetting": False, "keyPrefix": o.prefix}
            for o in self.org.objects.values()
        ]
        return web.json_response({"encoding": "UTF-8", "maxBatchSize": 200, "sobjects": found})

    async def _described(self, request: web.Request) -> web.Response:
        kind = self._kind(request)
        fields = [_camel(field) for field in kind.fields.values()]
        whole = {"name": kind.name, "label": kind.label, "custom": kind.custom, "fields": fields}
        told = kind.name not in {"User", "Organization"}
        allowed = dict.fromkeys(("createable", "updateable", "deletable"), told)
        return web.json_response({**whole, **allowed})

    def _kind(self, request: web.Request) -> Sobject:
        name = request.match_info["obj"]
        found = self.org.objects.get(name)
        if found is None:
            raise Said(404, "NOT_FOUND", "The requested resource does not exist")
        return found

    # --- queries ----------------------------------------------------------------------------

    async def _query(self, request: web.Request) -> web.Response:
        text = request.query.get("q", "")
        if not text:
            raise Said(400, "MALFORMED_QUERY", "unexpected token: '<EOF>'")
        whole = request.path.rstrip("/").endswith("queryAll")
        rows = self._rows(text, whole=whole)
        return self._page(request, rows, 0)

    def _rows(self, text: str, *, whole: bool) -> list[Row]:
        try:
            query = soql.parsed(text)
        except soql.Malformed as error:
            raise Said(400, "MALFORMED_QUERY", str(error)) from None
        kind = self.org.objects.get(query.obj)
        if kind is None:
            raise Said(400, "INVALID_TYPE", f"sObject type '{query.obj}' is not supported.")
        self._known(kind, query)
        rows = [r for r in kind.rows.values() if (whole or not r["IsDeleted"]) and query.test(r)]
        for order in reversed(query.order):
            rows = sorted(rows, key=partial(_place, order.field), reverse=order.falling)
        rows = rows[query.offset :]
        rows = rows if query.limit is None else rows[: query.limit]
        return [_shaped(kind, row, query.fields) for row in rows]

    def _known(self, kind: Sobject, query: soql.Query) -> None:
        named = (*query.fields, *query.filtered, *(order.field for order in query.order))
        for name in named:
            if name not in kind.fields:
                text = f"No such column '{name}' on entity '{kind.name}'."
                raise Said(400, "INVALID_FIELD", text)
        for name in query.filtered:
            if not kind.fields[name].filterable:
                text = f"field '{name}' can not be filtered in a query call"
                raise Said(400, "INVALID_FIELD", text)

    def _page(self, request: web.Request, rows: list[Row], start: int) -> web.Response:
        end = start + PAGE
        found: dict[str, Any] = {"totalSize": len(rows), "done": end >= len(rows)}
        if end < len(rows):
            cursor = f"01g{secrets.token_hex(8)}-{end}"
            self._cursors[cursor] = (request.path, rows)
            version = request.match_info["version"]
            found["nextRecordsUrl"] = f"/services/data/{version}/query/{cursor}"
        found["records"] = rows[start:end]
        return web.json_response(found)

    async def _onward(self, request: web.Request) -> web.Response:
        cursor = request.match_info["cursor"]
        known = self._cursors.pop(cursor, None)
        if known is None:
            raise Said(400, "INVALID_QUERY_LOCATOR", "invalid query locator")
        return self._page(request, known[1], int(cursor.rpartition("-")[2]))

    # --- records ----------------------------------------------------------------------------

    async def _made(self, request: web.Request) -> web.Response:
        record_id = self.org.create(self._kind(request).name, await _object(request))
        return web.json_response({"id": record_id, "success": True, "errors": []}, status=201)

    async def _shown(self, request: web.Request) -> web.Response:
        kind = self._kind(request)
        row = kind.rows.get(long_id(request.match_info["id"]))
        if row is None or row["IsDeleted"]:
            raise Said(404, "NOT_FOUND", "The requested resource does not exist")
        return web.json_response(_shaped(kind, row, tuple(kind.fields)))

    async def _changed(self, request: web.Request) -> web.Response:
        kind = self._kind(request)
        self._there(kind, request.match_info["id"])
        self.org.update(kind.name, long_id(request.match_info["id"]), await _object(request))
        return web.Response(status=204)

    async def _deleted(self, request: web.Request) -> web.Response:
        kind = self._kind(request)
        self._there(kind, request.match_info["id"])
        self.org.delete(kind.name, long_id(request.match_info["id"]))
        return web.Response(status=204)

    def _there(self, kind: Sobject, record_id: str) -> None:
        if long_id(record_id) not in kind.rows:
            raise Said(404, "NOT_FOUND", "Provided external ID field does not exist or is not")

    # --- collections ------------------------------------------------------------------------

    async def _collection(self, request: web.Request) -> web.Response:
        body = await _object(request)
        records = body.get("records")
        if not isinstance(records, list) or not all(isinstance(one, dict) for one in records):
            raise Said(400, "JSON_PARSER_ERROR", "records must be a list of objects")
        if not records or len(records) > COLLECTION:
            text = f"The number of records must be between 1 and {COLLECTION}"
            raise Said(400, "INVALID_INPUT", text)
        answers = [self._one_of(request.method, record) for record in records]
        if body.get("allOrNone") is True and not all(one["success"] for one in answers):
            raise Said(400, "NOT_SIMULATED", "allOrNone is not simulated: send false")
        return web.json_response(answers)

    def _one_of(self, method: str, record: Mapping[str, Any]) -> dict[str, Any]:
        attributes = record.get("attributes")
        obj = attributes.get("type") if isinstance(attributes, dict) else None
        if not isinstance(obj, str):
            raise Said(400, "INVALID_TYPE", "Each record needs attributes with its type")
        values = {name: v for name, v in record.items() if name not in {"attributes", "id", "Id"}}
        record_id = str(record.get("id") or record.get("Id") or "")
        try:
            if method == "POST":
                record_id = self.org.create(obj, values)
            else:
                self.org.update(obj, record_id, values)
        except Wrong as wrong:
            if wrong.code in {"INVALID_FIELD", "INVALID_TYPE", "JSON_PARSER_ERROR"}:
                raise  # what cannot be read refuses the whole request
            return {"success": False, "errors": [wrong.told()]}
        return {"id": long_id(record_id), "success": True, "errors": []}

    async def _collection_deleted(self, request: web.Request) -> web.Response:
        ids = [one for one in request.query.get("ids", "").split(",") if one]
        if not ids or len(ids) > COLLECTION:
            text = f"The number of ids must be between 1 and {COLLECTION}"
            raise Said(400, "INVALID_INPUT", text)
        return web.json_response([self._gone(one) for one in ids])

    def _gone(self, record_id: str) -> dict[str, Any]:
        kinds = self.org.objects.values()
        name = next((kind.name for kind in kinds if record_id.startswith(kind.prefix)), "Contact")
        try:
            self.org.delete(name, long_id(record_id))
        except Wrong as wrong:
            return {"id": record_id, "success": False, "errors": [wrong.told()]}
        return {"id": long_id(record_id), "success": True, "errors": []}

    async def _retrieved(self, request: web.Request) -> web.Response:
        kind, body = self._kind(request), await _object(request)
        ids, names = body.get("ids"), body.get("fields")
        if not isinstance(ids, list) or not isinstance(names, list) or not names:
            raise Said(400, "JSON_PARSER_ERROR", "ids and fields are needed")
        if not ids or len(ids) > RETRIEVED:
            raise Said(400, "INVALID_INPUT", f"The number of ids must be 1 to {RETRIEVED}")
        for name in names:
            if name not in kind.fields:
                text = f"No such column '{name}' on sobject of type {kind.name}"
                raise Said(400, "INVALID_FIELD", text)
        rows = [kind.rows.get(long_id(str(one))) for one in ids]
        return web.json_response(
            [None if r is None or r["IsDeleted"] else _shaped(kind, r, tuple(names)) for r in rows]
        )


async def _object(request: web.Request) -> dict[str, Any]:
    try:
        found = await request.json()
    except ValueError:
        found = None
    if not isinstance(found, dict):
        raise Said(400, "JSON_PARSER_ERROR", "The HTTP entity body is required")
    return found


def _shaped(kind: Sobject, row: Row, names: tuple[str, ...]) -> Row:
    """A record as an answer shows it."""
    address = f"/services/data/v62.0/sobjects/{kind.name}/{row['Id']}"
    shown: Row = {"attributes": {"type": kind.name, "url": address}}
    shown.update((name, row.get(name)) for name in names)
    return shown


def _place(name: str, row: Row) -> tuple[bool, Any]:
    """Where a row stands by a field; nothing comes first."""
    value = row[name]
    return (value is not None, value.casefold() if isinstance(value, str) else value or 0)


def _camel(field: Struct) -> dict[str, Any]:
    config = field.__struct_config__
    assert config is not None
    names = zip(field.__struct_fields__, field.__struct_encode_fields__, strict=True)
    values = structs.asdict(field)
    return {encoded: values[name] for name, encoded in names}


def _refused(status: int, code: str, message: str, fields: list[str] | None = None) -> web.Response:
    error: dict[str, Any] = {"message": message, "errorCode": code}
    return web.json_response([error | ({"fields": fields} if fields else {})], status=status)
