"""A store with two sides and one or two syncs between them, and a recount of everything in it."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import Any

import xxhash

from twofold.core.health import IN_SYNC, Outcome
from twofold.core.links import Note, Sent
from twofold.core.mappings import FieldMapping, Rules
from twofold.core.records import Fields, Side
from twofold.kit.memory import contact
from twofold.store.codec import encode
from twofold.store.state import State
from twofold.store.syncs import subscribers_of
from twofold.store.types import (
    Agreed,
    LinkChange,
    LinkRow,
    Page,
    Place,
    Reader,
    Settlement,
    Sighting,
    Subscriber,
)

EMAIL = contact().fields[0]
RULES = Rules(contact(), contact(), (FieldMapping(EMAIL, EMAIL),))


def key_of(fields: Fields) -> list[int]:
    """The match keys of a record, as hashes: its addresses, apart by spaces."""
    emails = str(fields.get("email") or "").split()
    return [xxhash.xxh3_64_intdigest(email.encode()) >> 1 for email in emails]


def sent(value: str, source: str = "there", before: str = "before") -> Note:
    """A note of one e-mail address on its way to the app."""
    return {Side.APP: {"email": Sent(value, source, before)}}


class Shelf:
    """The store as the engine uses it, with pages made by hand."""

    def __init__(self, path: Path | None = None, *, syncs: int = 1, indexed: bool = True) -> None:
        self.state = State.open(path)
        self.state.syncs.add_connection("memory", "hub", "hub", {}, b"", 0)
        self.app = self.state.syncs.add_connection("memory", "app", "app", {}, b"")
        hub = self.state.records.widen(0, "contact", ("email",), ())
        app = self.state.records.widen(self.app, "contact", ("email",), ())
        self.readers = {Side.HUB: hub.id, Side.APP: app.id}
        self.syncs = [
            self.state.syncs.add(f"sync {n}", self.app, (hub.id, app.id), RULES, True)
            for n in range(syncs)
        ]
        if indexed:
            for sync in self.syncs:
                self.index(sync)

    @property
    def sync(self) -> int:
        return self.syncs[0]

    def index(self, sync: int) -> None:
        living = {
            side: [
                (key, stored.row)
                for stored in self.state.records.living(self.readers[side])
                for key in key_of(stored.record.fields)
            ]
            for side in Side
        }
        self.state.links.index(sync, living)

    def reader(self, side: Side) -> Reader:
        return self.state.records.reader(self.readers[side])

    def subscribers(self, side: Side) -> tuple[Subscriber, ...]:
        return subscribers_of(self.state.syncs.on_reader(self.readers[side]))

    def keys(self, side: Side, fields: Fields) -> list[list[int]]:
        return [key_of(fields) if s.marks else [] for s in self.subscribers(side)]

    # --- reading ------------------------------------------------------------------------------

    def sighting(self, side: Side, record_id: str, fields: Fields, version: str = "") -> Sighting:
        """One record as the engine prepares it, beside what is known of it."""
        made = Sighting(record_id, None, version, encode(fields), self.keys(side, fields))
        known = self.state.records.known(self.readers[side], [record_id]).get(record_id)
        if known is not None:
            before = self.state.records.stored([known.row])[known.row]
            made.row, made.was_gone, made.before = known.row, known.gone, before.shown
            if not known.gone and made.before != made.shown:
                made.keys_before = self.keys(side, before.record.fields)
        return made

    def page(
        self,
        side: Side,
        shown: Mapping[str, Fields] | None = None,
        gone: Iterable[str] = (),
        *,
        unchanged: Iterable[str] = (),
        cursor: str = "next",
        listing: bool = False,
        last: bool = False,
    ) -> Page:
        """A page that shows these records and tells that those left."""
        left = [self.row(side, i) for i in gone]
        stored = self.state.records.stored(left)
        return Page(
            sightings=[self.sighting(side, i, f) for i, f in (shown or {}).items()],
            unchanged=[self.row(side, i) for i in unchanged],
            gone=[(row, None) for row in left],
            keys_gone=[self.keys(side, stored[row].record.fields) for row in left],
            cursor=cursor,
            listing=listing,
            last=last,
        )

    def take(self, side: Side, page: Page) -> None:
        self.state.records.take_page(self.reader(side), page, self.subscribers(side))

    def show(self, side: Side, **emails: str) -> list[int]:
        """A page of records by id, each with an address; returns their rows."""
        self.take(side, self.page(side, {i: {"email": email} for i, email in emails.items()}))
        return [self.row(side, i) for i in emails]

    def leave(self, side: Side, *ids: str) -> None:
        self.take(side, self.page(side, gone=ids))

    # --- looking ------------------------------------------------------------------------------

    def row(self, side: Side, record_id: str) -> int:
        return self.state.records.known(self.readers[side], [record_id])[record_id].row

    def due(self, sync: int | None = None) -> set[Place]:
        return set(self.state.links.due(self.sync if sync is None else sync, 10_000))

    def link(self, hub: int, sync: int | None = None) -> LinkRow:
        (link,) = self.state.links.of(self.sync if sync is None else sync, Side.HUB, [hub])
        return link

    def seen(self, hub: int) -> tuple[object, object]:
        """The addresses that a pair agreed on (hub, app)."""
        seen = self.link(hub).link.seen
        assert seen is not None
        return seen[Side.HUB].get("email"), seen[Side.APP].get("email")

    def rows(self, query: str, *values: object) -> list[tuple[Any, ...]]:
        return self.state.database.connection.execute(query, values).fetchall()

    # --- settling -----------------------------------------------------------------------------

    def moves(self) -> tuple[int, int]:
        return self.state.records.moves((self.readers[Side.HUB], self.readers[Side.APP]))

    def settle(
        self, settlement: Settlement, sync: int | None = None, fence: int | None = None
    ) -> None:
        its = self.sync if sync is None else sync
        fence = self.state.syncs.get(its).fence if fence is None else fence
        subscribers = {self.readers[side]: self.subscribers(side) for side in Side}
        self.state.links.settle(its, fence, settlement, subscribers)

    def pair(self, hub: str, app: str, email: str = "a@x.example") -> tuple[int, int]:
        """Two records that were read, linked, and agree; returns their rows. Nothing is due."""
        (first,) = self.show(Side.HUB, **{hub: email})
        (second,) = self.show(Side.APP, **{app: email})
        for sync in self.syncs:
            settlement = Settlement(moves=self.moves(), done=list(self.due(sync)))
            settlement.links.append(self.change(first, second, old_state=None))
            self.settle(settlement, sync)
        return first, second

    def change(
        self, hub: int, app: int, outcome: Outcome = IN_SYNC, old_state: int | None = 1
    ) -> LinkChange:
        """The pair agrees on what both sides show."""
        shown = self.state.records.shown([hub, app])
        ends = Agreed(shown[hub], True), Agreed(shown[app], True)
        return LinkChange(hub, app, outcome, old_state, *ends)

    # --- counting -----------------------------------------------------------------------------

    def recount(self) -> None:
        """Everything that is kept in step equals what it is kept in step with."""
        for side in Side:
            reader = self.reader(side)
            ((living,),) = self.rows(
                "SELECT count(*) FROM records WHERE reader = ? AND gone = 0", reader.id
            )
            assert reader.live == living
        for sync in self.syncs:
            self._recount(sync)

    def _recount(self, sync: int) -> None:
        ends = self.rows(
            "SELECT l.state, h.gone + a.gone FROM links l JOIN records h ON h.row = l.hub"
            " JOIN records a ON a.row = l.app WHERE l.sync = ?",
            sync,
        )
        states = Counter(state for state, dead in ends if dead < 2)
        singles = self.rows("SELECT state, row FROM singles WHERE sync = ?", sync)
        states.update(state for state, _ in singles)
        counted = self.rows("SELECT state, count FROM counters WHERE sync = ?", sync)
        assert {state: n for state, n in counted if n} == dict(states)
        pairs = sum(dead == 0 for _, dead in ends)
        assert self.rows("SELECT paired FROM syncs WHERE id = ?", sync) == [(pairs,)]
        counts = self.state.links.counts(sync)
        assert counts.total == sum(self.reader(side).live for side in Side) - pairs
        assert min(counts.in_sync, counts.failing, counts.excluded, counts.waiting) >= 0
        assert self._match_keys(sync) == self._living_keys(sync)

    def _match_keys(self, sync: int) -> set[tuple[Any, ...]]:
        return set(self.rows("SELECT side, row, hash FROM match_keys WHERE sync = ?", sync))

    def _living_keys(self, sync: int) -> set[tuple[Any, ...]]:
        if not self.state.syncs.get(sync).indexed:
            return set()
        return {
            (side.value, stored.row, key)
            for side in Side
            for stored in self.state.records.living(self.readers[side])
            for key in key_of(stored.record.fields)
        }
