"""From the address that a person typed to one address book (RFC 6764 §6, RFC 6352 §7.1)."""

from __future__ import annotations

import re
from urllib.parse import urljoin, urlsplit

from msgspec import Struct

from twofold.connectors.carddav.webdav import (
    CARD,
    DAV,
    Answer,
    locate,
    normal_path,
    propfind,
    read_multistatus,
)
from twofold.kit.contract import Http, Response
from twofold.kit.errors import AccessDenied, Misunderstood, Redirected, Stop

_WELL_KNOWN = "/.well-known/carddav"
_PROPS = (
    f"{DAV}resourcetype",
    f"{DAV}displayname",
    f"{DAV}current-user-principal",
    f"{DAV}supported-report-set",
    f"{DAV}sync-token",
    f"{DAV}current-user-privilege-set",
    f"{CARD}addressbook-home-set",
)
_PLAIN = re.compile(r"[\w~-][\w.~-]*", re.ASCII)
"""Names that are in normal form as they stand: nearly all, and a check of each costs 15 µs."""
_WRITING = frozenset(f"{DAV}{name}" for name in ("all", "write", "write-content", "bind"))


class Book(Struct, frozen=True):
    """One address book."""

    url: str
    """Scheme and host as the person gave them, the path as the server did, with a final slash."""
    path: str
    name: str
    syncs: bool
    """Reports its changes by sync-collection (RFC 6578)."""
    writable: bool

    def url_of(self, record_id: str) -> str:
        """Where a card lives."""
        return self.url + record_id

    def id_of(self, href: str) -> str | None:
        """The record id of a card's href; None for the book itself and all outside of it."""
        if href.startswith(self.path) and _PLAIN.fullmatch(href, len(self.path)):
            return href[len(self.path) :]
        found = locate(self.url, href)
        if found is None or found[0] != urlsplit(self.url).hostname:
            return None
        rest = found[1].removeprefix(self.path)
        return rest if found[1].startswith(self.path) and is_id(rest) else None


def is_id(text: str) -> bool:
    """Whether this is one path segment in normal form: nothing that leads out of the book.

    A server may take ``%2F`` for a slash, and so answer with the whole address book.
    """
    if text in ("", ".", "..") or "/" in text or "%2F" in text or "%00" in text:
        return False
    return normal_path(text) == text


class NoSuchBook(Stop):
    """The account has no address book of the chosen name, or none at all."""

    def __init__(self, app: str, name: str, known: list[str]) -> None:
        super().__init__("TF-A09", app=app, name=name, known=", ".join(known) or "none")


async def find_book(http: Http, app: str, address: str, wanted: str) -> Book:
    """The address book of that name; without a name, the first that may be written.

    Costs 1 call for the address of a book itself, otherwise 3 or 4, redirects not counted.

    Raises:
        Misunderstood: no WebDAV there.
        AccessDenied: this user may not look.
        Redirected: the address books are on another host.
        NoSuchBook: none that fits.
    """
    books = await _Search(http, app, _checked(app, address)).run()
    fitting = [book for book in books if not wanted or wanted in _names(book)]
    if not fitting:
        known = [book.name for book in books]
        raise NoSuchBook(app, f"named {wanted}" if wanted else "at all", known)
    return min(fitting, key=lambda book: (not book.writable, book.path))


def _names(book: Book) -> tuple[str, ...]:
    return book.name, book.path, book.url, book.path.rstrip("/").rsplit("/", 1)[-1]


def _checked(app: str, address: str) -> str:
    """The address as an http(s) URL.

    Raises:
        Misunderstood: it is no address that can be asked; it is not repeated, it may hold a secret.
    """
    address = address.strip()
    if "://" not in address:
        address = f"https://{address}"
    try:
        found = urlsplit(address)
        usable = found.scheme in ("http", "https") and found.hostname and found.port != 0
    except ValueError:
        raise Misunderstood(app, "the address is no URL") from None
    if not usable:
        raise Misunderstood(app, "the address is no http or https URL")
    if "@" in found.netloc:
        raise Misunderstood(app, "the address holds a user or password; give them apart")
    return f"{found.scheme}://{found.netloc}{found.path or '/'}"


class _Search(Struct, frozen=True):
    http: Http
    app: str
    start: str

    async def run(self) -> list[Book]:
        url, answer = await self._entrance()
        if _is_book(answer):
            return [self._book(url, answer)]
        homes = _hrefs(answer, f"{CARD}addressbook-home-set")
        principal = _hrefs(answer, f"{DAV}current-user-principal")
        if not homes and principal:
            found = await self._ask(self._move(url, principal[0]))
            homes = _hrefs(found[1], f"{CARD}addressbook-home-set") if found else []
        books: dict[str, Book] = {}
        for home in homes or [url]:
            for book in await self._books(self._move(url, home)):
                books[book.path] = book
        return list(books.values())

    async def _entrance(self) -> tuple[str, Answer]:
        """The address itself, its host's well-known one, or its host's root."""
        tries = [urljoin(self.start, _WELL_KNOWN), urljoin(self.start, "/")]
        if urlsplit(self.start).path != "/":
            tries.insert(0, self.start)
        for url in tries:
            if found := await self._ask(url):
                return found
        raise Misunderstood(self.app, "no WebDAV at this address nor at its well-known one")

    async def _ask(self, url: str) -> tuple[str, Answer] | None:
        """The properties of one resource, and where it was found; None where it is no WebDAV."""
        response = await self._send(url, "0")
        if response.status != 207:
            return None
        answers: list[Answer] = []
        read_multistatus(self.app, response.content, answers.append)
        return (response.url or url, answers[0]) if answers else None

    async def _books(self, home: str) -> list[Book]:
        response = await self._send(home, "1")
        if response.status != 207:
            raise Misunderstood(self.app, f"status {response.status} for its address books")
        answers: list[Answer] = []
        read_multistatus(self.app, response.content, answers.append)
        base = response.url or home
        return [self._book(base, answer) for answer in answers if _is_book(answer)]

    async def _send(self, url: str, depth: str) -> Response:
        headers = {"Depth": depth, "Content-Type": "application/xml; charset=utf-8"}
        response = await self.http.send(
            "PROPFIND", url, headers=headers, content=propfind(_PROPS), safe=True
        )
        if response.status in (401, 403):
            raise AccessDenied(self.app, f"status {response.status} for its address books")
        return response

    def _move(self, base: str, href: str) -> str:
        """Another address of the same host.

        Raises:
            Redirected: it is one of another host; the password is not sent there.
        """
        found = locate(base, href)
        here = urlsplit(base)
        if found is None:
            raise Misunderstood(self.app, "an address that is none")
        if found[0] != here.hostname:
            raise Redirected(self.app, found[0])
        return f"{here.scheme}://{here.netloc}{found[1]}"

    def _book(self, base: str, answer: Answer) -> Book:
        url = self._move(base, answer.href).rstrip("/") + "/"
        path = urlsplit(url).path
        name = answer.text(f"{DAV}displayname").strip() or path.rstrip("/").rsplit("/", 1)[-1]
        return Book(url, path, name, _syncs(answer), _writable(answer))


def _hrefs(answer: Answer, name: str) -> list[str]:
    found = answer.props.get(name)
    hrefs = found.iterfind(f"{DAV}href") if found is not None else ()
    return [text for href in hrefs if (text := (href.text or "").strip())]


def _is_book(answer: Answer) -> bool:
    found = answer.props.get(f"{DAV}resourcetype")
    return found is not None and found.find(f"{CARD}addressbook") is not None


def _syncs(answer: Answer) -> bool:
    """Either property says so; some servers give only one of them."""
    reports = answer.props.get(f"{DAV}supported-report-set")
    listed = reports is not None and next(reports.iter(f"{DAV}sync-collection"), None) is not None
    return listed or bool(answer.text(f"{DAV}sync-token").strip())


def _writable(answer: Answer) -> bool:
    """A server that does not say lets us try (RFC 3744 §5.4)."""
    found = answer.props.get(f"{DAV}current-user-privilege-set")
    return found is None or any(element.tag in _WRITING for element in found.iter())
