"""Cards as a server holds them: fetched in batches, put and deleted one by one."""

from __future__ import annotations

import asyncio
from collections.abc import Sequence

from msgspec import Struct

from twofold.connectors.carddav.discovery import Book, is_id
from twofold.connectors.carddav.webdav import (
    CARD,
    Answer,
    Malformed,
    clean_etag,
    multiget,
    read_multistatus,
    repaired,
    with_line_breaks,
)
from twofold.kit.contract import Http, Response
from twofold.kit.errors import AccessDenied, Misunderstood

BATCH = 200
"""Cards of one multiget, which costs the server one answer of a few hundred KB."""
CONCURRENT = 4
"""Requests in flight for what has no batch: GET and PUT."""
_REPLACED = "\ufffd"
"""Stands for what XML could not carry; the card itself may hold something else there."""
_XML = "application/xml; charset=utf-8"


class Body(Struct, frozen=True):
    """A card's bytes and the etag they were given with."""

    etag: str | None
    content: bytes


class Cards(Struct, frozen=True):
    """The calls on one address book."""

    http: Http
    app: str
    book: Book

    async def report(self, content: bytes, *, depth: str, method: str = "REPORT") -> Response:
        """One request with a body of XML on the address book."""
        headers = {"Depth": depth, "Content-Type": _XML}
        url = self.book.url
        return await self.http.send(method, url, headers=headers, content=content, safe=True)

    async def fetch(self, ids: Sequence[str]) -> dict[str, Body]:
        """The cards by id, one call for 200; what does not exist is absent.

        A card that the batch does not give plainly, byte for byte, is fetched alone. A batch whose
        answer is larger than `Http` takes is halved.
        """
        found: dict[str, Body] = {}
        asked = list(dict.fromkeys(filter(is_id, ids)))
        chunks = [asked[at : at + BATCH] for at in range(0, len(asked), BATCH)][::-1]
        while chunks:
            chunk = chunks.pop()
            try:
                response = await self._multiget(chunk)
            except Misunderstood:
                if len(chunk) == 1:
                    raise
                chunks += [chunk[len(chunk) // 2 :], chunk[: len(chunk) // 2]]
                continue
            found.update(await self._bodies(chunk, response))
        return found

    async def put(self, record_id: str, content: bytes, etag: str | None, *, new: bool) -> Response:
        """Store a card: a new one only where there is none, another one only over its etag."""
        headers = {"Content-Type": "text/vcard; charset=utf-8"}
        if new:
            headers["If-None-Match"] = "*"
        elif etag is not None:
            headers["If-Match"] = etag
        url = self.book.url_of(record_id)
        return await self.http.send("PUT", url, headers=headers, content=content, safe=new)

    async def delete(self, record_id: str, etag: str | None) -> Response:
        """Delete a card; to repeat it changes nothing."""
        headers = {"If-Match": etag} if etag is not None else {}
        url = self.book.url_of(record_id)
        return await self.http.send("DELETE", url, headers=headers, safe=True)

    async def _multiget(self, ids: Sequence[str]) -> Response:
        return await self.report(multiget([self.book.path + one for one in ids]), depth="1")

    async def _bodies(self, ids: Sequence[str], response: Response) -> dict[str, Body]:
        """The cards of one batch, those that it does not give plainly fetched alone."""
        if response.status in (401, 403):
            raise AccessDenied(self.app, f"status {response.status} for its cards")
        if response.status != 207:
            raise Misunderstood(self.app, f"status {response.status} for its cards")
        found, missing = self._read(ids, response.content)
        unclear = [one for one in ids if one not in found and one not in missing]
        singles = await self._each(unclear)
        found.update((one, body) for one, body in zip(unclear, singles, strict=True) if body)
        return found

    def _read(self, ids: Sequence[str], content: bytes) -> tuple[dict[str, Body], set[str]]:
        """The cards that came whole, and the ids that the server says it does not have."""
        found: dict[str, Body] = {}
        missing: set[str] = set()
        for answer in self._answers(with_line_breaks(content)):
            record_id = self.book.id_of(answer.href)
            text = answer.text(f"{CARD}address-data")
            if record_id is None or record_id not in ids:
                continue
            if answer.status in (404, 410):
                missing.add(record_id)
            elif answer.status == 200 and text and _REPLACED not in text:
                found[record_id] = Body(answer.etag, text.encode())
        return found, missing

    def _answers(self, content: bytes) -> list[Answer]:
        """The responses; none at all where one card makes the whole unreadable."""
        for attempt in (content, repaired(content)):
            answers: list[Answer] = []
            try:
                read_multistatus(self.app, attempt, answers.append)
            except Malformed:
                continue
            return answers
        return []

    async def _each(self, ids: Sequence[str]) -> list[Body | None]:
        turns = asyncio.Semaphore(CONCURRENT)

        async def one(record_id: str) -> Body | None:
            async with turns:
                return await self._get(record_id)

        return list(await asyncio.gather(*map(one, ids)))

    async def _get(self, record_id: str) -> Body | None:
        url = self.book.url_of(record_id)
        response = await self.http.send("GET", url, headers={"Accept": "text/vcard"})
        if response.status in (404, 410):
            return None
        if response.status != 200:
            raise Misunderstood(self.app, f"status {response.status} for the card {record_id}")
        return Body(clean_etag(response.headers.get("etag")), response.content)
