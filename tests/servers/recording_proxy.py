"""A proxy on loopback that passes everything on and remembers it, to the byte."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Self

from aiohttp import ClientSession, web
from yarl import URL

_OWN = frozenset({"host", "content-length", "transfer-encoding", "connection", "accept-encoding"})
"""Headers that each hop makes itself."""


@dataclass(frozen=True)
class Exchange:
    """One request and its answer."""

    method: str
    path: str
    sent: bytes
    status: int
    answered: bytes


class RecordingProxy:
    """An async context manager in front of one server."""

    def __init__(self, target: str) -> None:
        self._target = target
        self.exchanges: list[Exchange] = []
        self._runner: web.AppRunner | None = None
        self._session: ClientSession | None = None
        self.port = 0

    async def __aenter__(self) -> Self:
        app = web.Application(client_max_size=64 << 20)
        app.router.add_route("*", "/{path:.*}", self._pass_on)
        self._session = ClientSession(skip_auto_headers=["Accept-Encoding"])
        self._runner = web.AppRunner(app)
        await self._runner.setup()
        site = web.TCPSite(self._runner, "127.0.0.1", 0)
        await site.start()
        self.port = self._runner.addresses[0][1]
        return self

    async def __aexit__(self, *_: object) -> None:
        if self._runner is not None:
            await self._runner.cleanup()
        if self._session is not None:
            await self._session.close()

    @property
    def url(self) -> str:
        """The address to connect to instead of the server's."""
        return f"http://127.0.0.1:{self.port}"

    def of(self, method: str) -> list[Exchange]:
        """The exchanges of one method, in order."""
        return [exchange for exchange in self.exchanges if exchange.method == method]

    async def _pass_on(self, request: web.Request) -> web.Response:
        assert self._session is not None
        sent = await request.read()
        headers = {n: v for n, v in request.headers.items() if n.lower() not in _OWN}
        url = URL(self._target + request.raw_path, encoded=True)
        async with self._session.request(
            request.method, url, headers=headers, data=sent, allow_redirects=False
        ) as answer:
            body = await answer.read()
            kept = {n: v for n, v in answer.headers.items() if n.lower() not in _OWN}
            exchange = Exchange(request.method, request.raw_path, sent, answer.status, body)
            self.exchanges.append(exchange)
            return web.Response(status=answer.status, headers=kept, body=body)
