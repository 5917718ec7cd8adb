"""Whatever happens in whatever order: the counts equal a recount, and *seen* is what was agreed."""

from __future__ import annotations

from typing import Any

import pytest
from hypothesis import settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, invariant, precondition, rule
from tests.store.shelf import Shelf, key_of

from twofold.core.errors import TwofoldError
from twofold.core.health import Outcome
from twofold.core.health import State as Standing
from twofold.core.records import Fields, Side
from twofold.store.byhand import Orders, Pair
from twofold.store.codec import decode, encode
from twofold.store.errors import FenceLost
from twofold.store.types import (
    Agreed,
    CreatedLink,
    LinkChange,
    Page,
    Settlement,
    SingleChange,
    Stored,
)

sides = st.sampled_from(Side)
ids = st.sampled_from(["1", "2", "3", "4", "5"])
addresses = st.sampled_from(["a@x", "b@x", "c@x", None])
fields = st.builds(lambda email: {} if email is None else {"email": email}, addresses)
pages = st.dictionaries(ids, fields, max_size=3)
verdicts = st.sampled_from([Standing.IN_SYNC, Standing.FAILING, Standing.EXCLUDED])


class Chunk:
    """What a worker loaded of one sync, and has not settled yet."""

    def __init__(self, shelf: Shelf, sync: int) -> None:
        self.sync = sync
        self.fence = shelf.state.syncs.get(sync).fence
        self.moves = shelf.moves()
        living = {side: shelf.state.records.living(shelf.readers[side]) for side in Side}
        self.records = {(side, s.row): s for side in Side for s in living[side]}
        self.links = {
            link.hub.row: link
            for side in Side
            for link in shelf.state.links.of(sync, side, [r for s, r in self.records if s is side])
        }
        linked = {(Side.HUB, x.hub.row) for x in self.links.values()}
        linked |= {(Side.APP, x.app.row) for x in self.links.values()}
        self.alone = [place for place in self.records if place not in linked]
        self.states = shelf.state.links.singles(sync, self.alone)
        self.settlement = Settlement(moves=self.moves)

    def state_of(self, place: tuple[Side, int]) -> int | None:
        return self.states.get(place, (None, None))[0]

    def take_alone(self, draw: Any, side: Side) -> Stored | None:
        """One unlinked record that nothing was decided about yet."""
        free = [place for place in self.alone if place[0] is side]
        if not free:
            return None
        place = draw(st.sampled_from(free))
        self.alone.remove(place)
        return self.records[place]


class Counting(RuleBasedStateMachine):
    """Two syncs on the same two readers; one of them works on a chunk at a time."""

    def __init__(self) -> None:
        super().__init__()
        self.shelf = Shelf(syncs=2)
        self.chunk: Chunk | None = None
        self.agreed: dict[tuple[int, int], dict[Side, Fields]] = {}
        """By sync and hub row: what must be remembered as *seen*."""

    def teardown(self) -> None:
        self.shelf.state.close()

    # --- reading ------------------------------------------------------------------------------

    @rule(side=sides, shown=pages, left=st.sets(ids, max_size=2))
    def read(self, side: Side, shown: dict[str, Fields], left: set[str]) -> None:
        known = self.shelf.state.records.known(self.shelf.readers[side], [*left])
        gone = [i for i in sorted(left - shown.keys()) if i in known and not known[i].gone]
        self.shelf.take(side, self.shelf.page(side, shown, gone))

    @rule(side=sides, shown=pages)
    def list_all(self, side: Side, shown: dict[str, Fields]) -> None:
        """A full listing, and the sweep after it."""
        reader = self.shelf.readers[side]
        self.shelf.state.records.restart(reader)
        page: Page = self.shelf.page(side, shown, listing=True, last=True)
        self.shelf.take(side, page)
        missing = self.shelf.state.records.unmarked(reader)
        assert {i for _, i in missing} == self._living(side) - shown.keys()
        keys = [self.shelf.keys(side, self._shown(row)) for row, _ in missing]
        self.shelf.state.records.end_listing(
            self.shelf.reader(side),
            [(r, None) for r, _ in missing],
            self.shelf.subscribers(side),
            keys,
            1,
        )
        assert self._living(side) == set(shown)

    def _living(self, side: Side) -> set[str]:
        return {s.record.id for s in self.shelf.state.records.living(self.shelf.readers[side])}

    def _shown(self, row: int) -> Fields:
        return decode(self.shelf.state.records.shown([row])[row])

    # --- working ------------------------------------------------------------------------------

    @precondition(lambda self: self.chunk is None)
    @rule(number=st.sampled_from([0, 1]))
    def load(self, number: int) -> None:
        self.chunk = Chunk(self.shelf, self.shelf.syncs[number])

    @precondition(lambda self: self.chunk is not None and self.chunk.links)
    @rule(data=st.data(), verdict=verdicts, refused=st.booleans(), answer=st.none() | fields)
    def decide_link(
        self, data: st.DataObject, verdict: Standing, refused: bool, answer: Fields | None
    ) -> None:
        """A linked pair: written or refused, with or without an answer that shows the app's end."""
        chunk = self.chunk
        assert chunk is not None
        link = chunk.links.pop(data.draw(st.sampled_from(sorted(chunk.links))))
        if link.hub.gone or link.app.gone:
            if link.hub.gone is not link.app.gone:
                chunk.settlement.ended.append((link.hub.row, Outcome(verdict), link.state))
            return
        ends = {Side.HUB: link.hub, Side.APP: link.app}
        agreed = {side: Agreed(end.shown, True) for side, end in ends.items()}
        if answer is not None:
            sighting = self.shelf.sighting(Side.APP, link.app.record.id, answer)
            chunk.settlement.sightings.append((self.shelf.readers[Side.APP], sighting))
            agreed[Side.APP] = Agreed(encode(answer), True)
        if refused:
            seen = link.link.seen
            assert seen is not None
            agreed[Side.HUB] = Agreed(encode(seen[Side.HUB]), False)
        self._agree(chunk, link.hub.row, agreed)
        chunk.settlement.links.append(
            LinkChange(
                link.hub.row,
                link.app.row,
                Outcome(verdict),
                link.state,
                agreed[Side.HUB],
                agreed[Side.APP],
            )
        )

    @precondition(lambda self: self.chunk is not None)
    @rule(data=st.data(), side=sides, verdict=verdicts)
    def decide_single(self, data: st.DataObject, side: Side, verdict: Standing) -> None:
        chunk = self.chunk
        assert chunk is not None
        record = chunk.take_alone(data.draw, side)
        if record is not None:
            state = chunk.state_of((side, record.row))
            change = SingleChange(side, record.row, Outcome(verdict), state)
            chunk.settlement.singles.append(change)

    @precondition(lambda self: self.chunk is not None)
    @rule(data=st.data(), verdict=verdicts)
    def decide_match(self, data: st.DataObject, verdict: Standing) -> None:
        chunk = self.chunk
        assert chunk is not None
        if {side for side, _ in chunk.alone} != set(Side):
            return
        pair = {side: chunk.take_alone(data.draw, side) for side in Side}
        hub, app = pair[Side.HUB], pair[Side.APP]
        assert hub is not None
        assert app is not None
        agreed = {side: Agreed(end.shown, True) for side, end in ((Side.HUB, hub), (Side.APP, app))}
        self._agree(chunk, hub.row, agreed)
        chunk.settlement.links.append(
            LinkChange(hub.row, app.row, Outcome(verdict), None, agreed[Side.HUB], agreed[Side.APP])
        )
        chunk.settlement.singles += [
            SingleChange(side, end.row, None, chunk.state_of((side, end.row)))
            for side, end in ((Side.HUB, hub), (Side.APP, app))
        ]

    @precondition(lambda self: self.chunk is not None)
    @rule(data=st.data(), verdict=verdicts, made=fields, again=st.booleans())
    def decide_create(
        self, data: st.DataObject, verdict: Standing, made: Fields, again: bool
    ) -> None:
        chunk = self.chunk
        assert chunk is not None
        source = chunk.take_alone(data.draw, Side.HUB)
        if source is None:
            return
        sighting = self.shelf.sighting(Side.APP, f"made from {source.row}", made)
        if sighting.row is not None:
            return  # an earlier chunk made it
        agreed = {Side.HUB: Agreed(source.shown, True), Side.APP: Agreed(sighting.shown, True)}
        self._agree(chunk, source.row, agreed)
        state = chunk.state_of((Side.HUB, source.row))
        chunk.settlement.created.append(
            CreatedLink(
                Side.APP,
                source.row,
                sighting,
                Outcome(verdict),
                agreed[Side.HUB],
                agreed[Side.APP],
                state,
                again,
            )
        )

    def _agree(self, chunk: Chunk, hub: int, agreed: dict[Side, Agreed]) -> None:
        self.agreed[chunk.sync, hub] = {side: decode(a.seen) for side, a in agreed.items()}

    @precondition(lambda self: self.chunk is not None)
    @rule()
    def settle(self) -> None:
        chunk = self.chunk
        assert chunk is not None
        for reader, sighting in chunk.settlement.sightings:
            assert reader == self.shelf.readers[Side.APP]
            fresh = self.shelf.sighting(Side.APP, sighting.id, decode(sighting.shown))
            for name in ("row", "before", "keys_before", "was_gone"):
                setattr(sighting, name, getattr(fresh, name))
        self.shelf.settle(chunk.settlement, chunk.sync)
        self.chunk = None

    # --- a person ----------------------------------------------------------------------------

    @rule(data=st.data(), number=st.sampled_from([0, 1]), kind=st.sampled_from(["make", "cut"]))
    def person_decides(self, data: st.DataObject, number: int, kind: str) -> None:
        """A link is made or cut; a chunk that was loaded before can then settle nothing."""
        sync = self.shelf.syncs[number]
        ends = [self._rows(side) for side in Side]
        if not all(ends):
            return
        pair = Pair(*(data.draw(st.sampled_from(rows)) for rows in ends))
        before = self._linked(sync)
        orders = Orders(made=[pair]) if kind == "make" else Orders(cut=[pair])
        hashes = [key for row in pair for key in key_of(self._shown(row))]
        taken = {row for other in before - {pair} for row in other}
        stored = self.shelf.state.records.stored(pair)
        try:
            self.shelf.state.by_hand.decide(sync, orders, hashes)
        except TwofoldError:
            assert kind == "make"
            assert taken & set(pair) or any(end.gone for end in stored.values())
            assert self._linked(sync) == before
            return
        after = self._linked(sync)
        for hub, _ in before - after:
            self.agreed.pop((sync, hub), None)
        if kind == "make" and pair not in before:
            self.agreed[sync, pair.hub] = {side: {} for side in Side}
        assert (pair in after) == (kind == "make")
        due = self.shelf.due(sync)
        assert {(s, pair.end(s)) for s in Side if not stored[pair.end(s)].gone} <= due
        apart = self.shelf.state.by_hand.refused(sync, [pair.hub]).get(pair.hub, set())
        assert (pair.app in apart) == (kind == "cut")
        if self.chunk is not None and self.chunk.sync == sync:
            with pytest.raises(FenceLost):
                self.shelf.settle(self.chunk.settlement, sync, self.chunk.fence)
            self._forget(self.chunk)
            self.chunk = None

    def _forget(self, chunk: Chunk) -> None:
        """What a lost chunk had decided never happened."""
        for sync, hub in list(self.agreed):
            if sync == chunk.sync and hub in {h for h, _ in self._linked(sync)}:
                seen = self.shelf.link(hub, sync).link.seen
                assert seen is not None
                self.agreed[sync, hub] = {side: dict(seen[side]) for side in Side}
            elif sync == chunk.sync:
                del self.agreed[sync, hub]

    def _rows(self, side: Side) -> list[int]:
        reader = self.shelf.readers[side]
        found = self.shelf.rows("SELECT row FROM records WHERE reader = ? ORDER BY row", reader)
        return [row for (row,) in found]

    def _linked(self, sync: int) -> set[tuple[int, int]]:
        return set(self.shelf.rows("SELECT hub, app FROM links WHERE sync = ?", sync))

    # --- what holds ---------------------------------------------------------------------------

    @invariant()
    def counts_equal_a_recount(self) -> None:
        self.shelf.recount()

    @invariant()
    def seen_is_what_was_agreed(self) -> None:
        if self.chunk is not None:
            return
        for (sync, hub), agreed in self.agreed.items():
            assert self.shelf.link(hub, sync).link.seen == agreed


Counting.TestCase.settings = settings(max_examples=60, stateful_step_count=25)
TestCounting = Counting.TestCase
