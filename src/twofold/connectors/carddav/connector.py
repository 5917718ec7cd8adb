"""The CardDAV connector: an address book as contacts and companies."""

from __future__ import annotations

import asyncio
from collections.abc import Mapping, Sequence
from urllib.parse import urlsplit

from twofold.connectors.carddav import feed
from twofold.connectors.carddav.cards import Body, Cards
from twofold.connectors.carddav.discovery import find_book
from twofold.connectors.carddav.fields import object_type, read
from twofold.connectors.carddav.schema import FIELDS, MANIFEST, object_types
from twofold.connectors.carddav.vcard import Card
from twofold.connectors.carddav.writes import Writer
from twofold.core.records import Record
from twofold.core.schema import ObjectType
from twofold.kit.contract import Batch, Http, Identity, Pause, Response, Result, Write
from twofold.kit.errors import SchemaChanged

APP = MANIFEST.name
_MOST_LARGE = 10_000
_KEPT = 4
"""Listings in the middle of being paged; one that was dropped is made again."""


class CardDav:
    """Contacts and companies of one address book.

    The id of a record is the last segment of its card's path, in normal percent-encoding; its
    version is the etag. The UID plays no part: two cards with one UID are two records.

    A page names cards and their etags; bodies are fetched with ``get``, of those that moved only.

    Calls: 1 to 4 to find the address book, once per instance; a listing or its changes cost 1, and
    n cards to look at n/200 (more where photos fill a page); an update of n cards 1 + n and one
    look afterwards, a create n and one look afterwards, a delete n.
    """

    manifest = MANIFEST

    def __init__(self, settings: Mapping[str, str], http: Http) -> None:
        self._settings = settings
        self._http = http
        self._found: Cards | None = None
        self._finding = asyncio.Lock()
        self._listings: dict[feed.Position, feed.Listing] = {}
        self._large: dict[str, int] = {}
        """Sizes of cards that hold more than text, as last listed: fewer of them in one call."""

    def pauses(self, response: Response) -> Sequence[Pause]:
        """A server that is asked too much says so by its status, which ``Http`` knows."""
        return ()

    async def verify(self) -> Identity:
        """The address book that would be synced, named by its address."""
        book = (await self._cards()).book
        host = urlsplit(book.url).netloc.lower()
        return Identity(f"{host}{book.path}", f"{book.name} ({host})")

    async def describe(self) -> Sequence[ObjectType]:
        """Contacts and companies."""
        return object_types((await self._cards()).book)

    async def pull(
        self, obj: str, cursor: str | None, fields: Sequence[str], associations: Sequence[str] = ()
    ) -> Batch:
        """One page of an object type; what a card of another kind means is said in `feed`."""
        _check(obj, fields)
        cards = await self._cards()
        position = feed.decoded(APP, cursor, cards.book.path)
        if not cards.book.syncs and not position.full:
            position = feed.Position(cards.book.path, full=True)
        listing, position = await self._listing(cards, position)
        rest = listing.after(position.after)
        rows, more = feed.page(rest) if fields else (rest, False)
        if fields:
            self._note_large(rows)
        following = self._next(position, listing, rows[-1].id if more else None)
        return Batch(
            ids=[row.id for row in rows],
            digests=[None] * len(rows),
            versions=[row.version for row in rows],
            gone=[] if position.after else [(record_id, None) for record_id in listing.gone],
            decode=_no_records,
            cursor=following.encoded(),
            more=more or position.cut,
            snapshot=position.full,
        )

    async def get(
        self,
        obj: str,
        ids: Sequence[str],
        fields: Sequence[str],
        associations: Sequence[str] = (),
        key: str | None = None,
    ) -> Mapping[str, Sequence[Record]]:
        """Cards by id. Looking up by a field is not offered: servers scan every card for it."""
        _check(obj, (*fields, *([key] if key else ())))
        if key:
            raise SchemaChanged("TF-F01", object_type=obj, field=f"{key} to look up by")
        cards = await self._cards()
        rest: Sequence[feed.Row] = [feed.Row(i, None, self._large.get(i, 0)) for i in ids]
        found: dict[str, list[Record]] = {}
        while rest:
            # Only as many bodies as fill a page are in memory at a time.
            part, _ = feed.page(rest)
            rest = rest[len(part) :]
            for record_id, body in (await cards.fetch([row.id for row in part])).items():
                card = Card(body.content)
                if object_type(card) == obj:
                    found[record_id] = [_record(record_id, body, card, fields)]
        return found

    async def push(self, obj: str, writes: Sequence[Write]) -> Sequence[Result]:
        """One result per write, in order."""
        _check(obj, ())
        names = [field.name for field in FIELDS[obj]]

        def stored(record_id: str, body: Body, card: Card) -> Record:
            return _record(record_id, body, card, names)

        writer = Writer(await self._cards(), obj, stored)
        return await writer.push(writes)

    async def close(self) -> None:
        """Nothing is held open; ``Http`` belongs to who made it."""
        self._listings.clear()

    # --- within -------------------------------------------------------------------------

    async def _cards(self) -> Cards:
        """The calls on the address book, which is looked for once."""
        async with self._finding:
            if self._found is None:
                wanted = self._settings.get("addressbook", "").strip()
                book = await find_book(self._http, APP, self._settings["url"], wanted)
                self._found = Cards(self._http, APP, book)
            return self._found

    async def _listing(
        self, cards: Cards, position: feed.Position
    ) -> tuple[feed.Listing, feed.Position]:
        """The listing that a position is in, and the position with the listing's end."""
        begun = _begun(position)
        if position.end and begun in self._listings:
            return self._listings[begun], position
        if cards.book.syncs:
            listing = await feed.changes(cards, position.token)
        else:
            listing = await feed.everything(cards)
        if not position.after:
            position = feed.Position(
                position.book, position.token, listing.token, full=position.full, cut=listing.cut
            )
        while len(self._listings) >= _KEPT:
            self._listings.pop(next(iter(self._listings)))
        self._listings[_begun(position)] = listing
        return listing, position

    def _note_large(self, rows: Sequence[feed.Row]) -> None:
        if len(self._large) > _MOST_LARGE:
            self._large.clear()
        self._large.update((row.id, row.size) for row in rows if row.is_large)

    def _next(
        self, position: feed.Position, listing: feed.Listing, after: str | None
    ) -> feed.Position:
        book, full = position.book, position.full
        if after is not None:
            return feed.Position(book, position.token, position.end, after, full, position.cut)
        self._listings.pop(_begun(position), None)
        return feed.Position(book, position.end, full=full and position.cut)


def _begun(position: feed.Position) -> feed.Position:
    """What all positions within one listing have in common."""
    return feed.Position(position.book, position.token, position.end)


def _check(obj: str, fields: Sequence[str]) -> None:
    """Refuse object types and fields that no address book has.

    Raises:
        SchemaChanged: a sync names something that is gone.
    """
    if obj not in FIELDS:
        raise SchemaChanged("TF-F02", app=APP, object_type=obj, known=", ".join(FIELDS))
    names = {field.name for field in FIELDS[obj]}
    for name in fields:
        if name not in names:
            raise SchemaChanged("TF-F01", object_type=obj, field=name)


def _record(record_id: str, body: Body, card: Card, fields: Sequence[str]) -> Record:
    return Record(record_id, read(card, fields), body.etag)


def _no_records(_: Sequence[int]) -> Sequence[Record]:
    return ()
