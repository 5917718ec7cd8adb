"""An address book as an app: a real Radicale behind a proxy that sees writes begin and end."""

from __future__ import annotations

import asyncio
import threading
from collections.abc import Iterable, Sequence
from contextlib import suppress
from typing import ClassVar, Self

from aiohttp import ClientError, web
from tests.chaos.companies import EDITED, Change, Company, tags
from tests.servers.radicale import Radicale
from tests.servers.recording_proxy import RecordingProxy

_WRITES = frozenset({"PUT", "DELETE"})
_ADDRESS = ("", "", "address", "city", "state", "zip", "country")
"""The parts of ADR in their order (RFC 6350, 6.3.1)."""


class CountingProxy(RecordingProxy):
    """Counts writes from the head of the request to the last byte of the answer."""

    def __init__(self, target: str) -> None:
        super().__init__(target)
        self.in_flight = 0
        self.done = 0
        """Writes that the server took."""

    async def _pass_on(self, request: web.Request) -> web.Response:
        if request.method not in _WRITES:
            return await self._forward(request)
        self.in_flight += 1
        try:
            response = await self._forward(request)
            self.done += 200 <= response.status < 300
            with suppress(ConnectionError):  # who asked was killed
                await response.prepare(request)
                await response.write_eof()
            return response
        finally:
            self.in_flight -= 1

    async def _forward(self, request: web.Request) -> web.Response:
        """Pass a request on; where the server is down, the connection breaks here too."""
        try:
            return await super()._pass_on(request)
        except ClientError:
            assert request.transport is not None
            request.transport.abort()
            raise web.HTTPBadGateway from None


class BookApp:
    """Cards of organizations."""

    kind: ClassVar[str] = "carddav"
    type: ClassVar[str] = "company"
    domains: ClassVar[bool] = False
    goes_on: ClassVar[bool] = True

    def __init__(self, server: Radicale) -> None:
        self.server = server
        self.proxy = CountingProxy(server.url)
        self.through: int | None = None
        """The port of a line to the proxy; None = straight to it."""
        self._loop = asyncio.new_event_loop()
        self._thread = threading.Thread(target=self._loop.run_forever, daemon=True)

    def __enter__(self) -> Self:
        self._thread.start()
        asyncio.run_coroutine_threadsafe(self.proxy.__aenter__(), self._loop).result()
        return self

    def __exit__(self, *_: object) -> None:
        asyncio.run_coroutine_threadsafe(self.proxy.__aexit__(), self._loop).result()
        self._loop.call_soon_threadsafe(self._loop.stop)
        self._thread.join()
        self._loop.close()

    def answers(self) -> dict[str, str]:
        own = str(self.proxy.port)
        return {
            **self.server.settings,
            "url": self.proxy.url.replace(own, str(self.through or own)),
        }

    def fill(self, companies: Sequence[Company]) -> None:
        for company in companies:
            tag = tags(company)
            self.server.put(f"{tag}.vcf", _card(tag, company))

    def companies(self) -> list[Company]:
        return [_company(content) for content in self.server.cards().values()]

    def written(self) -> int | None:
        return self.proxy.done

    def in_flight(self) -> bool:
        return self.proxy.in_flight > 0

    def change(self, changes: Iterable[Change]) -> None:
        names = {tags(_company(card)): name for name, card in self.server.cards().items()}
        for change in changes:
            if change.new:
                self.fill([change.company])
                continue
            name = names[change.tag]
            company = {**_company(self.server.get(name)), **change.company}
            assert change.company.keys() == {EDITED["app"]}
            self.server.put(name, _card(name.removesuffix(".vcf"), company))

    def verdict(self) -> str:
        uids = [_lines(card)["UID"] for card in self.server.cards().values()]
        return "ok" if len(uids) == len(set(uids)) else "two cards with one UID"


def _card(uid: str, company: Company) -> bytes:
    name = _escaped(company["name"])
    lines = ["BEGIN:VCARD", "VERSION:3.0", f"UID:{uid}", f"FN:{name}", f"ORG:{name}", "N:;;;;"]
    lines += ["X-ABSHOWAS:COMPANY"]
    if "website" in company:
        lines.append(f"URL:{company['website']}")
    lines.append("ADR;TYPE=WORK:" + ";".join(_escaped(company.get(p, "")) for p in _ADDRESS))
    return "\r\n".join([*lines, "END:VCARD", ""]).encode()


def _company(card: bytes) -> Company:
    lines = _lines(card)
    found = {"name": _plain(lines["ORG"]), "website": _plain(lines.get("URL", ""))}
    parts = lines.get("ADR", "").replace("\\;", "\0").split(";")
    found |= {n: _plain(p.replace("\0", ";")) for n, p in zip(_ADDRESS, parts, strict=False) if n}
    return {name: value for name, value in found.items() if value}


def _lines(card: bytes) -> dict[str, str]:
    """The values of a card's lines by property name, without parameters and groups."""
    whole = card.decode().replace("\r\n ", "").replace("\r\n\t", "")
    found = [line.partition(":") for line in whole.splitlines()]
    return {name.partition(";")[0].rpartition(".")[2].upper(): value for name, _, value in found}


def _escaped(text: str) -> str:
    for mark in ("\\", ",", ";"):
        text = text.replace(mark, f"\\{mark}")
    return text


def _plain(text: str) -> str:
    for mark in (",", ";", ":", "\\"):
        text = text.replace(f"\\{mark}", mark)
    return text
