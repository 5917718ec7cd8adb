"""What changed in an address book: by sync-collection (RFC 6578), or by listing all etags.

One address book holds people and companies, and only the body of a card says which it is. So a page
names cards of every kind, and a look at a card of another kind finds nothing: a card that changes
its kind leaves one object type and comes up in the other. A card whose etag is the one that we know
needs no look: the etags of cards are strong ones (RFC 6352 §6.3.2.3).

A listing may be long, a page is short: the position holds where the listing began, where the
changes after it begin, and the last id delivered. A new instance lists again from the same
beginning, goes on after that id, and then takes the changes since the *first* listing: what is
read twice does no harm.
"""

from __future__ import annotations

from bisect import bisect_right
from collections.abc import Sequence

import msgspec
from msgspec import Struct
from msgspec.structs import replace

from twofold.connectors.carddav.cards import BATCH, Cards
from twofold.connectors.carddav.webdav import (
    DAV,
    Answer,
    preconditions,
    propfind,
    read_multistatus,
    sync_collection,
)
from twofold.kit.errors import AccessDenied, CursorExpired, Misunderstood, Unavailable

PAGE_CARDS = BATCH
"""Cards of one page: what one multiget brings."""
_PAGE_BYTES = 8_000_000
"""Of the bodies of one page, by the sizes that the server gives: photos can be large."""
_PROPS = (f"{DAV}getetag", f"{DAV}getcontentlength")
_LISTED = "listed"
"""Where a listing of etags leads to: to the next one, which is as full."""


class Row(Struct, frozen=True):
    """One card of a listing."""

    id: str
    etag: str | None
    size: int

    @property
    def is_large(self) -> bool:
        """Whether a page of cards like this one is shorter than others."""
        return self.size > _PAGE_BYTES // PAGE_CARDS

    @property
    def version(self) -> str | None:
        """The etag, if an equal one means an equal card: a weak one (RFC 9110 §8.8.1) does not."""
        return None if self.etag is None or self.etag.startswith("W/") else self.etag


class Listing(Struct, frozen=True):
    """What one request said about the address book."""

    rows: Sequence[Row]
    """Ordered by id."""
    gone: Sequence[str]
    token: str
    """Where changes after this listing begin."""
    cut: bool = False
    """The server stopped in between: the token leads to the rest (RFC 6578 §3.6)."""

    def after(self, record_id: str) -> Sequence[Row]:
        """The rows behind an id."""
        return self.rows[bisect_right(self.rows, record_id, key=lambda row: row.id) :]


class Position(Struct, frozen=True, omit_defaults=True):
    """A cursor, decoded."""

    book: str
    token: str = ""
    """Where the present listing begins; empty = everything."""
    end: str = ""
    """Within a listing: where it leads to."""
    after: str = ""
    """Within a listing: the last id delivered."""
    full: bool = False
    """Part of a full listing."""
    cut: bool = False
    """The present listing is not the last of its kind."""

    def encoded(self) -> str:
        """The cursor to store."""
        return msgspec.json.encode(self).decode()


def decoded(app: str, cursor: str | None, book: str) -> Position:
    """The position that a cursor means.

    Raises:
        CursorExpired: it is of another address book, or none of ours.
    """
    if cursor is None:
        return Position(book, full=True)
    try:
        position = msgspec.json.decode(cursor, type=Position)
    except msgspec.MsgspecError:
        raise CursorExpired(app) from None
    if position.book != book:
        raise CursorExpired(app)
    return position


def page(rows: Sequence[Row]) -> tuple[Sequence[Row], bool]:
    """The first rows whose bodies fit into one page, at least one; and whether there are more."""
    size, count = 0, 0
    for row in rows[:PAGE_CARDS]:
        size += row.size
        if count and size > _PAGE_BYTES:
            break
        count += 1
    return rows[:count], count < len(rows)


async def changes(cards: Cards, token: str) -> Listing:
    """What changed since a token; an empty one lists all.

    Raises:
        CursorExpired: the server no longer knows the token.
        Unavailable: it cannot answer now.
    """
    response = await cards.report(sync_collection(token, _PROPS), depth="0")
    if response.status != 207:
        expired = f"{DAV}valid-sync-token" in preconditions(response.content)
        if token and (expired or response.status == 410):
            raise CursorExpired(cards.app)
        raise _failure(cards.app, response.status)
    listing = _Collected(cards)
    end = read_multistatus(cards.app, response.content, listing.take)
    if not end:
        raise Misunderstood(cards.app, "a list of changes without a sync token")
    found = listing.finished(end)
    # Radicale names what was ever deleted here; a full listing says it by leaving it out.
    return found if token else replace(found, gone=())


async def everything(cards: Cards) -> Listing:
    """All cards with their etags, for servers without sync-collection."""
    content = propfind((*_PROPS, f"{DAV}resourcetype"))
    response = await cards.report(content, depth="1", method="PROPFIND")
    if response.status != 207:
        raise _failure(cards.app, response.status)
    listing = _Collected(cards)
    read_multistatus(cards.app, response.content, listing.take)
    if listing.cut:
        raise Unavailable(cards.app, "it gave only a part of its list of cards (507)")
    return listing.finished(_LISTED)


def _failure(app: str, status: int) -> AccessDenied | Unavailable | Misunderstood:
    if status in (401, 403):
        return AccessDenied(app, f"status {status} for its list of cards")
    if status == 507:
        return Unavailable(app, "it has no room to make its list of cards (507)")
    return Misunderstood(app, f"status {status} for its list of cards")


class _Collected:
    """The rows of a multistatus, each id once: the last mention counts."""

    def __init__(self, cards: Cards) -> None:
        self._book = cards.book
        self._rows: dict[str, Row | None] = {}
        self.cut = False

    def take(self, answer: Answer) -> None:
        record_id = self._book.id_of(answer.href)
        if record_id is None:
            self.cut = self.cut or answer.status == 507
        elif answer.status in (404, 410):
            self._rows[record_id] = None
        elif not _is_collection(answer):
            size = answer.text(f"{DAV}getcontentlength").strip()
            known = int(size) if size.isascii() and size.isdigit() and len(size) < 12 else 0
            self._rows[record_id] = Row(record_id, answer.etag, known)

    def finished(self, token: str) -> Listing:
        rows = sorted((row for row in self._rows.values() if row), key=lambda row: row.id)
        gone = [record_id for record_id, row in self._rows.items() if row is None]
        return Listing(rows, gone, token, self.cut)


def _is_collection(answer: Answer) -> bool:
    found = answer.props.get(f"{DAV}resourcetype")
    return found is not None and found.find(f"{DAV}collection") is not None
