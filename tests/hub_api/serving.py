"""The hub's API on a real socket, and the official client for it.

``Serving`` is the same application that `twofold up` serves, with realism switched as a test needs.
"""

from __future__ import annotations

import asyncio
import http.client
import json
import socket
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, datetime, timedelta
from email.utils import format_datetime
from pathlib import Path
from typing import Any, NamedTuple

import uvicorn
from hubspot import HubSpot
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from twofold.hub.api import tokens
from twofold.hub.api.application import Api
from twofold.hub.api.realism import Realism
from twofold.hub.crm import Hub


class Reply(NamedTuple):
    """One answer."""

    status: int
    headers: http.client.HTTPMessage
    body: bytes

    @property
    def json(self) -> Any:
        return json.loads(self.body)


class Clock:
    """A time that a test moves."""

    def __init__(self) -> None:
        self.now = datetime(2026, 3, 1, 12, tzinfo=UTC)

    def __call__(self) -> datetime:
        return self.now

    def move(self, seconds: float) -> None:
        self.now += timedelta(seconds=seconds)


def _dated(api: ASGIApp, clock: Clock) -> ASGIApp:
    """The application with the time of each answer, which a server adds (RFC 9110, 6.6.1)."""

    async def answer(scope: Scope, receive: Receive, send: Send) -> None:
        async def dated(message: Message) -> None:
            if message["type"] == "http.response.start":
                now = format_datetime(clock(), usegmt=True).encode()
                message["headers"] = [*message["headers"], (b"date", now)]
            await send(message)

        await api(scope, receive, dated)

    return answer


class Serving:
    """A running API over one hub's file."""

    def __init__(self, path: Path, url: str, clock: Clock) -> None:
        self.path = path
        self.url = url
        self.clock = clock
        self.secret = self.token("all", tokens.SCOPES)

    def token(self, name: str, scopes: tuple[str, ...], days: float | None = None) -> str:
        """The secret of a new token."""
        hub = self.hub()
        secret = tokens.make(hub, name, scopes, self.clock().timestamp(), days)
        hub.close()
        assert secret is not None
        return secret

    def hub(self) -> Hub:
        """The hub itself; close it."""
        return Hub.open(self.path, clock=self.clock)

    @property
    def client(self) -> HubSpot:
        """The official client."""
        return HubSpot(access_token=self.secret, host=self.url, base_url=self.url)

    def __call__(
        self,
        method: str,
        path: str,
        body: Any = None,
        *,
        secret: str | None = None,
        raw: bytes | None = None,
        headers: dict[str, str] | None = None,
    ) -> Reply:
        """Send a request."""
        content = raw if body is None else json.dumps(body).encode()
        given = {"Authorization": f"Bearer {self.secret if secret is None else secret}"}
        if content is not None:
            given["Content-Type"] = "application/json"
        connection = http.client.HTTPConnection(self.url.removeprefix("http://"), timeout=60)
        try:
            connection.request(method, path, content, given | (headers or {}))
            answer = connection.getresponse()
            return Reply(answer.status, answer.headers, answer.read())
        finally:
            connection.close()


@contextmanager
def serving(path: Path, realism: Realism | None = None) -> Iterator[Serving]:
    """The API of a hub's file on a port of its own."""
    clock = Clock()
    Hub.open(path).close()
    failed: list[object] = []
    log = lambda event, **facts: failed.append(facts)  # noqa: E731
    api = Api(path, realism=realism or Realism(limits=None), clock=clock, log=log)
    listening = socket.create_server(("127.0.0.1", 0))
    config = uvicorn.Config(_dated(api, clock), log_config=None, lifespan="off", date_header=False)
    server = uvicorn.Server(config)
    thread = threading.Thread(target=lambda: asyncio.run(server.serve(sockets=[listening])))
    thread.start()
    try:
        host, port = listening.getsockname()
        yield Serving(path, f"http://{host}:{port}", clock)
    finally:
        server.should_exit = True
        thread.join()
        api.close()
        listening.close()
    assert not failed
