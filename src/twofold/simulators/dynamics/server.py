"""The addresses of an environment: sign-in, the API, and its batches.

Rows of the facts: "Auth", "$batch", "Limits" and "Errors".
"""

from __future__ import annotations

import json
import secrets
import ssl
from collections import deque
from datetime import UTC, datetime, timedelta
from email.utils import format_datetime
from typing import Any

from aiohttp import web
from msgspec import Struct

from twofold.simulators.dynamics import multipart
from twofold.simulators.dynamics.api import Answer, Api, request
from twofold.simulators.dynamics.environment import Environment
from twofold.simulators.dynamics.values import Wrong

LONGEST_ADDRESS = 32_768
_WINDOW = timedelta(minutes=5)


class Realism(Struct):
    """What can be switched on, to see how a client stands it."""

    requests: int = 6_000
    """In any five minutes; what comes beyond is refused with status 429."""
    token: float = 3_600.0
    """Seconds for which an access token lasts."""
    days: float = 7
    """Life of a delta link."""
    broken: list[int] = []
    """Statuses with which the next requests are answered, whatever they are."""
    lost: int = 0
    """So many writes are done and not answered."""


class Server:
    """One environment behind its addresses. ``client``: (id, secret) of the app that signs in."""

    def __init__(
        self,
        environment: Environment | None = None,
        realism: Realism | None = None,
        client: tuple[str, str] = ("rehearsal", "rehearsal-secret"),
    ) -> None:
        self.environment = environment or Environment()
        self.realism = realism or Realism()
        self.client = client
        self.requests: list[tuple[str, str]] = []
        """(method, address) of all that came, those within batches too."""
        self.url = ""
        self._tokens: dict[str, datetime] = {}
        self._recent: deque[datetime] = deque()
        self._runner: web.AppRunner | None = None
        self._api = Api(self.environment, "")

    # --- as a program -----------------------------------------------------------------------

    async def start(self, port: int = 0, tls: ssl.SSLContext | None = None) -> str:
        """Listen on this machine alone; returns the address."""
        app = web.Application(client_max_size=64 * 1024 * 1024)
        app.router.add_post("/{tenant}/oauth2/v2.0/token", self._token)
        app.router.add_route("*", "/{path:.*}", self._answered)
        longest = 4 * LONGEST_ADDRESS
        self._runner = web.AppRunner(app, access_log=None, max_line_size=longest)
        await self._runner.setup()
        site = web.TCPSite(self._runner, "127.0.0.1", port, ssl_context=tls)
        await site.start()
        taken: int = self._runner.addresses[0][1]
        self.url = f"{'https' if tls else 'http'}://127.0.0.1:{taken}"
        self._api = Api(self.environment, self.url, self.realism.days)
        return self.url

    async def stop(self) -> None:
        """Stop listening."""
        if self._runner is not None:
            await self._runner.cleanup()

    def token(self) -> str:
        """An access token as a sign-in would give it."""
        made = secrets.token_urlsafe(24)
        lasts = timedelta(seconds=self.realism.token)
        self._tokens[made] = self.environment.clock() + lasts
        return made

    def end_tokens(self) -> None:
        """All access tokens are over."""
        self._tokens.clear()

    # --- every request ----------------------------------------------------------------------

    async def _token(self, asked: web.Request) -> web.Response:
        form = await asked.post()
        if (form.get("client_id"), form.get("client_secret")) != self.client:
            return web.json_response({"error": "invalid_client"}, status=401)
        if form.get("grant_type") != "client_credentials":
            return web.json_response({"error": "unsupported_grant_type"}, status=400)
        if form.get("scope") != f"{self.url}/.default":
            return web.json_response({"error": "invalid_scope"}, status=400)
        lasts = int(self.realism.token)
        given = {"token_type": "Bearer", "access_token": self.token(), "expires_in": lasts}
        return web.json_response(given)

    async def _answered(self, asked: web.Request) -> web.Response:
        self.requests.append((asked.method, asked.path_qs))
        answer = self._refused(asked)
        if answer is None:
            content = await asked.read()
            headers = {name.lower(): value for name, value in asked.headers.items()}
            if asked.path == "/api/data/v9.2/$batch" and asked.method == "POST":
                return self._dated(self._batch(headers, content))
            answer = self._one(asked.method, asked.raw_path, headers, content)
        if self.realism.lost and asked.method != "GET" and answer.status < 300:
            self.realism.lost -= 1
            if asked.transport is not None:
                asked.transport.abort()
        body = b"" if answer.json is None else json.dumps(answer.json).encode()
        kind = {"Content-Type": "application/json; odata.metadata=minimal"} if body else {}
        return self._dated(
            web.Response(status=answer.status, body=body, headers={**answer.headers, **kind})
        )

    def _one(self, method: str, target: str, headers: dict[str, str], content: bytes) -> Answer:
        try:
            asked = request(method, target, headers, content)
        except Wrong as wrong:
            return _error(wrong.status, wrong.code, wrong.message)
        return self._api.answer(asked)

    def _batch(self, headers: dict[str, str], content: bytes) -> web.Response:
        """Parts in order; without ``continue-on-error`` the first that fails ends it."""
        try:
            parts = multipart.parsed(headers.get("content-type", ""), content)
        except multipart.Malformed as malformed:
            answer = _error(400, "0x80048d19", str(malformed))
            return web.json_response(answer.json, status=400)
        goes_on = "odata.continue-on-error" in headers.get("prefer", "")
        answers: list[Answer] = []
        for part in parts:
            self.requests.append((part.method, part.path))
            answers.append(self._one(part.method, part.path, dict(part.headers), part.content))
            if answers[-1].status >= 400 and not goes_on:
                break
        failed = answers[-1].status >= 400 and not goes_on
        boundary = f"batchresponse_{secrets.token_hex(8)}"
        return web.Response(
            status=answers[-1].status if failed else 200,
            body=_parts(boundary, answers),
            headers={"Content-Type": f"multipart/mixed; boundary={boundary}"},
        )

    def _refused(self, asked: web.Request) -> Answer | None:
        """What is refused before anything is looked at."""
        if self.realism.broken:
            return Answer(self.realism.broken.pop(0))
        now = self.environment.clock()
        ends = self._tokens.get(asked.headers.get("Authorization", "").removeprefix("Bearer "))
        if ends is None or ends <= now:
            return Answer(401)
        if len(asked.raw_path) > LONGEST_ADDRESS:
            return _error(414, "0x80060888", "The request address is too long.")
        while self._recent and self._recent[0] <= now - _WINDOW:
            self._recent.popleft()
        if len(self._recent) >= self.realism.requests:
            wait = (self._recent[0] + _WINDOW - now).total_seconds()
            text = "Number of requests exceeded the limit over the time window of 300 seconds."
            answer = _error(429, "0x80072322", text)
            return Answer(429, answer.json, {"Retry-After": str(int(wait) + 1)})
        self._recent.append(now)
        return None

    def _dated(self, answer: web.Response) -> web.Response:
        now = self.environment.clock().astimezone(UTC)
        answer.headers["Date"] = format_datetime(now, usegmt=True)
        answer.headers["OData-Version"] = "4.0"
        return answer


def _error(status: int, code: str, message: str) -> Answer:
    return Answer(status, {"error": {"code": code, "message": message}})


def _parts(boundary: str, answers: list[Answer]) -> bytes:
    lines: list[str] = []
    for answer in answers:
        lines += [f"--{boundary}", "Content-Type: application/http"]
        lines += ["Content-Transfer-Encoding: binary", ""]
        lines.append(f"HTTP/1.1 {answer.status} {'OK' if answer.status < 300 else 'Refused'}")
        headers: dict[str, Any] = {"OData-Version": "4.0", **answer.headers}
        if answer.json is not None:
            headers["Content-Type"] = "application/json; odata.metadata=minimal"
        lines += [f"{name}: {value}" for name, value in headers.items()]
        lines += ["", "" if answer.json is None else json.dumps(answer.json)]
    return "\r\n".join([*lines, f"--{boundary}--", ""]).encode()
