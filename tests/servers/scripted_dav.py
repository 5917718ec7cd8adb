"""A CardDAV server that stores the bytes it is given, and misbehaves as it is told.

For what Radicale refuses or rewrites: cards without UID, two cards with one UID, invalid UTF-8,
answers without an etag, truncated lists, forgotten sync tokens. One address book at ``/dav/book/``;
the address of the server itself leads there by the steps of RFC 6764.
"""

from __future__ import annotations

import asyncio
import base64
import re
from collections import Counter
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Self
from urllib.parse import quote, unquote, urlsplit
from xml.etree import ElementTree as ET

from aiohttp import web

BOOK = "/dav/book/"
HOME = "/dav/"
PRINCIPAL = "/principals/ada/"
_OPEN = (
    '<?xml version="1.0" encoding="utf-8"?>\n<d:multistatus xmlns:d="DAV:" '
    'xmlns:card="urn:ietf:params:xml:ns:carddav">'
)
_HREF = "{DAV:}href"


@dataclass(frozen=True)
class Seen:
    """One request as it arrived."""

    method: str
    path: str
    headers: dict[str, str]
    body: bytes


@dataclass
class Manners:
    """What this server does, and does wrong."""

    syncs: bool = True
    """Knows sync-collection."""
    puts_etag: bool = True
    """Answers a PUT with the new etag."""
    lists_etags: bool = True
    lists_sizes: bool = True
    cut_at: int = 0
    """Lists so many changes at once and says 507 for the rest (RFC 6578 §3.6)."""
    expired_status: int = 403
    """For a token that it has forgotten; Xandikos answers 412."""
    whole_urls: bool = False
    """Writes hrefs as whole URLs, with a port of its own."""
    line_breaks: str = "raw"
    """Of a card in XML: "raw" CR LF, "coded" as &#13;, or in "cdata"."""
    unique_uids: bool = False
    turns: int = 0
    """Of the event loop that each request waits here."""
    home: str = HOME
    read_only: bool = False
    books: list[str] = field(default_factory=lambda: [BOOK])


class ScriptedDav:
    """An async context manager; ``cards`` are the stored bytes by file name."""

    user = "ada"
    password = "s3cret"

    def __init__(self) -> None:
        self.cards: dict[str, bytes] = {}
        self.manners = Manners()
        self.seen: list[Seen] = []
        self.hook: Callable[[Seen], web.Response | None] = lambda _: None
        """May answer a request before the server does."""
        self.most_at_once: Counter[str] = Counter()
        """Requests that were here at the same time, by method."""
        self._held: Counter[str] = Counter()
        self._versions: dict[str, int] = {}
        self._changes: list[str] = []
        self._forgotten = 0
        self._runner: web.AppRunner | None = None
        self.port = 0

    async def __aenter__(self) -> Self:
        app = web.Application(client_max_size=64 << 20)
        app.router.add_route("*", "/{path:.*}", self._handle)
        self._runner = web.AppRunner(app)
        await self._runner.setup()
        site = web.TCPSite(self._runner, "127.0.0.1", 0)
        await site.start()
        self.port = self._runner.addresses[0][1]
        return self

    async def __aexit__(self, *_: object) -> None:
        if self._runner is not None:
            await self._runner.cleanup()

    # --- for tests ----------------------------------------------------------------------

    @property
    def url(self) -> str:
        """The address that a person would type."""
        return f"http://127.0.0.1:{self.port}"

    @property
    def settings(self) -> dict[str, str]:
        """Answers to the connector's questions."""
        return {"url": self.url, "user": self.user, "password": self.password}

    def store(self, name: str, card: bytes) -> None:
        """Another client stores a card."""
        self.cards[name] = card
        self._changes.append(name)
        self._versions[name] = len(self._changes)

    def drop(self, name: str) -> None:
        """Another client deletes a card."""
        del self.cards[name]
        self._changes.append(name)

    def forget_tokens(self) -> None:
        """No token given out so far is known any longer."""
        self._changes.append("")
        self._forgotten = len(self._changes)

    def etag(self, name: str) -> str:
        """The current etag of a card."""
        return f'"v{self._versions[name]}"'

    def methods(self) -> list[str]:
        """The methods of all requests so far; a REPORT by its kind."""
        return [
            found[1].decode()
            if (found := re.search(rb"<\w+:([a-z-]+) xmlns", s.body))
            else s.method
            for s in self.seen
        ]

    # --- requests -----------------------------------------------------------------------

    async def _handle(self, request: web.Request) -> web.Response:
        headers = {name.lower(): value for name, value in request.headers.items()}
        path = urlsplit(str(request.raw_path)).path
        seen = Seen(request.method, path, headers, await request.read())
        self.seen.append(seen)
        if headers.get("authorization") != _basic(self.user, self.password):
            return web.Response(status=401, headers={"WWW-Authenticate": 'Basic realm="x"'})
        await self._hold(seen.method)
        scripted = self.hook(seen)
        return scripted if scripted is not None else self._answer(seen)

    async def _hold(self, method: str) -> None:
        """Let as many requests of one method arrive as the client sends at once."""
        self._held[method] += 1
        for _ in range(self.manners.turns):
            await asyncio.sleep(0)
        self.most_at_once[method] = max(self.most_at_once[method], self._held[method])
        self._held[method] -= 1

    def _answer(self, seen: Seen) -> web.Response:
        if seen.method == "PROPFIND":
            return self._propfind(seen)
        if seen.method == "REPORT":
            root = ET.fromstring(seen.body)
            sync = root.tag == "{DAV:}sync-collection"
            return self._sync(root) if sync else self._multiget(root)
        name = unquote(seen.path.removeprefix(BOOK))
        if seen.method == "PUT":
            return self._put(name, seen)
        if name not in self.cards:
            return web.Response(status=412 if "if-match" in seen.headers else 404)
        if seen.method == "DELETE":
            if seen.headers.get("if-match", self.etag(name)) != self.etag(name):
                return web.Response(status=412)
            self.drop(name)
            return web.Response(status=204)
        headers = {"ETag": self.etag(name)} if self.manners.lists_etags else {}
        return web.Response(body=self.cards[name], content_type="text/vcard", headers=headers)

    def _put(self, name: str, seen: Seen) -> web.Response:
        there = name in self.cards
        if seen.headers.get("if-none-match") == "*" and there:
            return web.Response(status=412)
        wanted = seen.headers.get("if-match")
        if wanted is not None and (not there or wanted != self.etag(name)):
            return web.Response(status=412)
        uid = re.search(rb"(?m)^UID:(.*?)\r?$", seen.body)
        others = [card for other, card in self.cards.items() if other != name]
        if self.manners.unique_uids and uid and any(uid[0] in card for card in others):
            return _error(409, "card:no-uid-conflict")
        self.store(name, seen.body)
        headers = {"ETag": self.etag(name)} if self.manners.puts_etag else {}
        return web.Response(status=204 if there else 201, headers=headers)

    def _propfind(self, seen: Seen) -> web.Response:
        if seen.path not in ("/", PRINCIPAL, self.manners.home, *self.manners.books):
            return web.Response(status=404)
        parts = [self._described(seen.path)]
        if seen.headers.get("depth") == "1" and seen.path == self.manners.home:
            parts += [self._described(book) for book in self.manners.books]
        elif seen.headers.get("depth") == "1" and seen.path == BOOK:
            parts += [self._listed(name) for name in self.cards]
        return _multistatus("".join(parts))

    def _described(self, path: str) -> str:
        here = self.manners
        kinds = "<d:collection/>" + ("<card:addressbook/>" if path in here.books else "")
        props = [f"<d:resourcetype>{kinds}</d:resourcetype>"]
        if path == "/":
            props.append(f"<d:current-user-principal>{_href(PRINCIPAL)}</d:current-user-principal>")
        if path == PRINCIPAL:
            props.append(
                f"<card:addressbook-home-set>{_href(here.home)}</card:addressbook-home-set>"
            )
        if path in here.books:
            props.append(f"<d:displayname>Book {path.split('/')[-2]}</d:displayname>")
            if here.syncs:
                props.append(f"<d:sync-token>{self._token()}</d:sync-token>")
            if here.read_only:
                props.append("<d:current-user-privilege-set><d:privilege><d:read/></d:privilege>"
                             "</d:current-user-privilege-set>")  # fmt: skip
        return _found(self._place(path), "".join(props))

    def _listed(self, name: str) -> str:
        etag = f"<d:getetag>{self.etag(name)}</d:getetag>" if self.manners.lists_etags else ""
        size = f"<d:getcontentlength>{len(self.cards[name])}</d:getcontentlength>"
        return _found(self._place(BOOK + quote(name)), etag + size * self.manners.lists_sizes)

    def _sync(self, root: ET.Element) -> web.Response:
        if not self.manners.syncs:
            return web.Response(status=405)
        token = (root.findtext("{DAV:}sync-token") or "").strip()
        since = int(token.removeprefix("urn:t:")) if token else 0
        if token and since < self._forgotten:
            return _error(self.manners.expired_status, "d:valid-sync-token")
        until = len(self._changes)
        parts: list[str] = []
        if self.manners.cut_at and until - since > self.manners.cut_at:
            until = since + self.manners.cut_at
            parts.append(
                f"<d:response>{_href(BOOK)}<d:status>HTTP/1.1 507 x</d:status></d:response>"
            )
        for name in dict.fromkeys(filter(None, self._changes[since:until])):
            if name in self.cards:
                parts.append(self._listed(name))
            elif token:
                parts.append(_missing(self._place(BOOK + quote(name))))
        return _multistatus("".join(parts) + f"<d:sync-token>{self._token(until)}</d:sync-token>")

    def _token(self, at: int | None = None) -> str:
        return f"urn:t:{len(self._changes) if at is None else at}"

    def _multiget(self, root: ET.Element) -> web.Response:
        body = b""
        for path in (element.text or "" for element in root.iterfind(_HREF)):
            name = unquote(path.removeprefix(BOOK))
            if name not in self.cards:
                body += _missing(self._place(path)).encode()
                continue
            etag = f"<d:getetag>{self.etag(name)}</d:getetag>" if self.manners.lists_etags else ""
            text = b"<card:address-data>" + self._in_xml(self.cards[name]) + b"</card:address-data>"
            body += _found(self._place(path), etag + "@@").encode().replace(b"@@", text)
        return _multistatus(body)

    def _in_xml(self, card: bytes) -> bytes:
        if self.manners.line_breaks == "cdata":
            return b"<![CDATA[" + card + b"]]>"
        card = card.replace(b"&", b"&amp;").replace(b"<", b"&lt;")
        return card.replace(b"\r", b"&#13;") if self.manners.line_breaks == "coded" else card

    def _place(self, path: str) -> str:
        return f"http://127.0.0.1:1{path}" if self.manners.whole_urls else path


def _basic(user: str, password: str) -> str:
    return "Basic " + base64.b64encode(f"{user}:{password}".encode()).decode()


def _href(path: str) -> str:
    return f"<d:href>{path}</d:href>"


def _found(path: str, props: str) -> str:
    return (
        f"<d:response>{_href(path)}<d:propstat><d:prop>{props}</d:prop>"
        "<d:status>HTTP/1.1 200 OK</d:status></d:propstat></d:response>"
    )


def _missing(path: str) -> str:
    status = "<d:status>HTTP/1.1 404 Not Found</d:status>"
    return f"<d:response>{_href(path)}{status}</d:response>"


def _multistatus(parts: str | bytes) -> web.Response:
    body = parts.encode() if isinstance(parts, str) else parts
    whole = _OPEN.encode() + body + b"</d:multistatus>"
    return web.Response(status=207, body=whole, content_type="application/xml")


def _error(status: int, name: str) -> web.Response:
    body = (
        '<?xml version="1.0"?><d:error xmlns:d="DAV:" xmlns:card="urn:ietf:params:xml:ns:carddav">'
        f"<{name}/></d:error>"
    )
    return web.Response(status=status, text=body, content_type="application/xml")
