"""Notes before writes, outcomes after them, and who may write at all."""

from __future__ import annotations

from collections.abc import Callable

import pytest
from tests.store.conftest import Shelves
from tests.store.shelf import Shelf, sent

from twofold.core.health import IN_SYNC, WAITING, Outcome
from twofold.core.health import State as Standing
from twofold.core.links import Flip
from twofold.core.records import Side
from twofold.store.codec import encode
from twofold.store.errors import FenceLost
from twofold.store.linkrows import encode_flips
from twofold.store.types import (
    Agreed,
    CreatedLink,
    Creation,
    LinkChange,
    Settlement,
    Sighting,
    SingleChange,
)

FAILING = Outcome(Standing.FAILING)
EXCLUDED = Outcome(Standing.EXCLUDED)


def mail(address: str) -> bytes:
    return encode({"email": address})


def note_link(shelf: Shelf, hub: int, value: str, seen: tuple[bytes, bytes] | None = None) -> None:
    fence = shelf.state.syncs.get(shelf.sync).fence
    shelf.state.links.note(shelf.sync, fence, [(hub, sent(value), seen)], [], [])


def creation(shelf: Shelf, source: int, ref: str = "ref") -> Creation:
    made = Creation(Side.APP, source, ref, mail("a@x"), mail("a@x"), 5.0)
    fence = shelf.state.syncs.get(shelf.sync).fence
    shelf.state.links.note(shelf.sync, fence, [], [], [made])
    return made


# --- notes ----------------------------------------------------------------------------------


def test_a_note_stays_until_the_outcome(shelf: Shelf) -> None:
    hub, app = shelf.pair("1", "a")
    note_link(shelf, hub, "new@x")
    (noted,) = shelf.state.links.noted(shelf.sync)
    assert noted.link.note == sent("new@x")
    shelf.show(Side.HUB, **{"1": "edited@x"})
    assert [x.link.note for x in shelf.state.links.noted(shelf.sync)] == [sent("new@x")]
    shelf.settle(Settlement(moves=shelf.moves(), links=[shelf.change(hub, app)]))
    assert shelf.state.links.noted(shelf.sync) == []


def test_a_note_that_replaces_another_keeps_what_that_one_achieved(shelf: Shelf) -> None:
    hub, _ = shelf.pair("1", "a", "old@x")
    note_link(shelf, hub, "first@x")
    note_link(shelf, hub, "second@x", (mail("old@x"), mail("first@x")))
    assert shelf.seen(hub) == ("old@x", "first@x")
    assert shelf.link(hub).link.note == sent("second@x")


def test_a_new_pair_waits_with_its_note_and_is_alone_no_more(shelf: Shelf) -> None:
    (hub,) = shelf.show(Side.HUB, one="a@x")
    (app,) = shelf.show(Side.APP, a="a@x")
    singles = [
        SingleChange(Side.HUB, hub, EXCLUDED, None),
        SingleChange(Side.APP, app, FAILING, None),
    ]
    shelf.settle(Settlement(moves=shelf.moves(), singles=singles))
    shelf.recount()
    fence = shelf.state.syncs.get(shelf.sync).fence
    shelf.state.links.note(shelf.sync, fence, [], [(hub, app, sent("b@x"))], [])
    link = shelf.link(hub)
    assert (link.state, link.link.seen) == (Standing.WAITING, {Side.HUB: {}, Side.APP: {}})
    assert shelf.state.links.counts(shelf.sync).waiting == 1
    shelf.recount()


def test_a_create_is_noted_with_the_newest_row_until_it_is_done(shelf: Shelf) -> None:
    (source,) = shelf.show(Side.HUB, one="a@x")
    made = creation(shelf, source)
    (noted,) = shelf.state.links.creations(shelf.sync)
    assert (noted.side, noted.source, noted.ref) == (Side.APP, source, "ref")
    assert (noted.payload, noted.planned, noted.at) == (made.payload, made.planned, 5.0)
    (later,) = shelf.show(Side.APP, a="a@x")
    assert noted.newest == source
    assert [s.row for s in shelf.state.records.since(shelf.readers[Side.APP], noted.newest)] == [
        later
    ]
    shelf.settle(Settlement(creations_done=[(Side.APP, source)]))
    assert shelf.state.links.creations(shelf.sync) == []


# --- the fence ------------------------------------------------------------------------------

EFFECTS: dict[str, Callable[[Shelf, int, int], None]] = {
    "check": lambda s, hub, fence: s.state.links.check(s.sync, fence),
    "note": lambda s, hub, fence: s.state.links.note(
        s.sync, fence, [(hub, sent("late@x"), None)], [], []
    ),
    "settle": lambda s, hub, fence: s.state.links.settle(
        s.sync, fence, Settlement(due=[(Side.HUB, hub)]), {}
    ),
}


@pytest.mark.parametrize("effect", EFFECTS)
def test_who_was_taken_over_changes_nothing(shelf: Shelf, effect: str) -> None:
    hub, _ = shelf.pair("1", "a")
    mine = shelf.state.syncs.claim(shelf.sync)
    EFFECTS[effect](shelf, hub, mine)
    shelf.settle(
        Settlement(links=[shelf.change(hub, shelf.link(hub).app.row)], done=[(Side.HUB, hub)])
    )
    before = shelf.rows("SELECT * FROM links"), shelf.due()
    assert shelf.state.syncs.claim(shelf.sync) == mine + 1
    with pytest.raises(FenceLost):
        EFFECTS[effect](shelf, hub, mine)
    assert (shelf.rows("SELECT * FROM links"), shelf.due()) == before


def test_a_sync_that_was_deleted_takes_no_writes(shelf: Shelf) -> None:
    fence = shelf.state.syncs.claim(shelf.sync)
    shelf.state.syncs.delete(shelf.sync)
    with pytest.raises(FenceLost):
        shelf.state.links.check(shelf.sync, fence)


# --- seen -----------------------------------------------------------------------------------


def test_what_was_read_between_load_and_settle_is_not_agreed(shelf: Shelf) -> None:
    """Somebody's edit came in while the chunk was worked on: it must still be an edit."""
    hub, app = shelf.pair("1", "a", "old@x")
    moves, change = shelf.moves(), shelf.change(hub, app)
    shelf.show(Side.HUB, **{"1": "edited@x"})
    shelf.settle(Settlement(moves=moves, links=[change], done=[(Side.APP, app)]))
    assert shelf.seen(hub) == ("old@x", "old@x")
    assert shelf.link(hub).hub.record.fields == {"email": "edited@x"}
    assert shelf.link(hub).agreed[1] is None  # the app's side did not move: not stored twice


def test_what_a_side_shows_after_our_write_is_stored_and_agreed(shelf: Shelf) -> None:
    hub, app = shelf.pair("1", "a", "old@x")
    shelf.show(Side.HUB, **{"1": "new@x"})
    settlement = Settlement(moves=shelf.moves(), done=list(shelf.due()))
    sighting = shelf.sighting(Side.APP, "a", {"email": "NEW@x"}, "v9")
    settlement.sightings = [(shelf.readers[Side.APP], sighting)]
    ends = Agreed(mail("new@x"), True), Agreed(mail("NEW@x"), True)
    settlement.links = [LinkChange(hub, app, IN_SYNC, 1, *ends, encode_flips({"e": Flip({}, 2)}))]
    shelf.settle(settlement)
    link = shelf.link(hub)
    assert link.app.record.fields == {"email": "NEW@x"}
    assert link.app.record.version == "v9"
    assert (link.link.seen, link.link.flips) == (
        {Side.HUB: {"email": "new@x"}, Side.APP: {"email": "NEW@x"}},
        {"e": Flip({}, 2)},
    )
    assert shelf.due() == set()
    shelf.show(Side.APP, a="NEW@x")  # the echo
    assert shelf.due() == set()
    shelf.recount()


def test_our_write_is_due_for_the_other_syncs_of_that_reader(shelves: Shelves) -> None:
    shelf = shelves(syncs=2)
    hub, app = shelf.pair("1", "a", "old@x")
    settlement = Settlement(moves=shelf.moves(), links=[shelf.change(hub, app)])
    sighting = shelf.sighting(Side.APP, "a", {"email": "new@x"})
    settlement.sightings = [(shelf.readers[Side.APP], sighting)]
    shelf.settle(settlement, shelf.syncs[0])
    assert shelf.due(shelf.syncs[0]) == set()
    assert shelf.due(shelf.syncs[1]) == {(Side.APP, app)}
    seen = shelf.link(hub, shelf.syncs[1]).link.seen
    assert seen is not None
    assert seen[Side.APP] == {"email": "old@x"}


# --- outcomes -------------------------------------------------------------------------------


def create(shelf: Shelf, source: int, made: Sighting, again: bool = False) -> None:
    shown = shelf.state.records.shown([source])[source]
    ends = Agreed(shown, True), Agreed(made.shown, True)
    created = CreatedLink(Side.APP, source, made, IN_SYNC, *ends, again=again)
    done: list[tuple[Side, int]] = [(Side.HUB, source)]
    shelf.settle(
        Settlement(
            moves=shelf.moves(),
            created=[created],
            creations_done=[(Side.APP, source)],
            done=done,
        )
    )


@pytest.mark.parametrize("again", [False, True])
def test_what_was_made_is_linked_in_the_transaction_that_stores_it(
    shelf: Shelf, again: bool
) -> None:
    (source,) = shelf.show(Side.HUB, one="a@x")
    creation(shelf, source)
    create(shelf, source, shelf.sighting(Side.APP, "made", {"email": "a@x"}), again)
    made = shelf.row(Side.APP, "made")
    assert shelf.link(source).app.row == made
    assert shelf.seen(source) == ("a@x", "a@x")
    assert shelf.state.links.creations(shelf.sync) == []
    assert shelf.due() == ({(Side.APP, made)} if again else set())
    assert shelf.state.links.counts(shelf.sync).in_sync == 1
    shelf.recount()


def test_what_was_made_may_have_been_read_and_planned_before(shelf: Shelf) -> None:
    (source,) = shelf.show(Side.HUB, one="a@x")
    (made,) = shelf.show(Side.APP, made="a@x")
    singles = [SingleChange(Side.APP, made, EXCLUDED, None)]
    shelf.settle(Settlement(moves=shelf.moves(), singles=singles))
    create(shelf, source, shelf.sighting(Side.APP, "made", {"email": "a@x"}))
    assert shelf.link(source).app.row == made
    assert shelf.state.links.counts(shelf.sync).total == 1
    shelf.recount()


def test_what_left_while_a_chunk_was_worked_on_is_not_counted(shelf: Shelf) -> None:
    (hub,) = shelf.show(Side.HUB, one="a@x")
    (app,) = shelf.show(Side.APP, a="b@x")
    moves = shelf.moves()
    shelf.leave(Side.APP, "a")
    singles = [
        SingleChange(Side.HUB, hub, EXCLUDED, None),
        SingleChange(Side.APP, app, FAILING, None),
    ]
    shelf.settle(Settlement(moves=moves, singles=singles))
    shelf.recount()
    assert shelf.state.links.counts(shelf.sync).excluded == 1
    linked = shelf.pair("2", "b")
    moves, change = shelf.moves(), shelf.change(*linked, outcome=FAILING)
    shelf.leave(Side.HUB, "2")
    shelf.leave(Side.APP, "b")
    shelf.settle(Settlement(moves=moves, links=[change]))
    shelf.recount()
    assert shelf.state.links.counts(shelf.sync).failing == 0


def test_who_left_and_came_back_while_a_chunk_was_worked_on_counts_once(shelf: Shelf) -> None:
    (row,) = shelf.show(Side.HUB, one="a@x")
    first = SingleChange(Side.HUB, row, EXCLUDED, None)
    shelf.settle(Settlement(moves=shelf.moves(), singles=[first]))
    moves = shelf.moves()
    shelf.leave(Side.HUB, "one")
    shelf.show(Side.HUB, one="a@x")
    again = SingleChange(Side.HUB, row, FAILING, int(Standing.EXCLUDED))
    shelf.settle(Settlement(moves=moves, singles=[again]))
    assert shelf.state.links.counts(shelf.sync).failing == 1
    shelf.recount()


def test_a_link_whose_other_end_left_meanwhile_is_not_counted(shelf: Shelf) -> None:
    hub, _ = shelf.pair("1", "a")
    shelf.leave(Side.HUB, "1")
    moves = shelf.moves()
    shelf.leave(Side.APP, "a")
    shelf.settle(Settlement(moves=moves, ended=[(hub, EXCLUDED, 1)]))
    assert shelf.state.links.counts(shelf.sync).total == 0
    shelf.recount()
    shelf.show(Side.APP, a="a@x.example")
    assert shelf.state.links.counts(shelf.sync).excluded == 1
    shelf.recount()


def test_a_link_that_lost_one_end_keeps_seen(shelf: Shelf) -> None:
    hub, _ = shelf.pair("1", "a", "old@x")
    shelf.leave(Side.APP, "a")
    shelf.settle(Settlement(moves=shelf.moves(), ended=[(hub, EXCLUDED, 1)]))
    assert shelf.state.links.counts(shelf.sync).excluded == 1
    shelf.recount()
    shelf.show(Side.APP, a="new@x")
    assert shelf.seen(hub) == ("old@x", "old@x")
    shelf.recount()


# --- due, retries, waits --------------------------------------------------------------------


def test_what_is_done_is_neither_due_nor_tried_again_unless_told_so(shelf: Shelf) -> None:
    one, two, three = shelf.show(Side.HUB, one="a@x", two="b@x", three="c@x")
    places = [(Side.HUB, row) for row in (one, two, three)]
    shelf.settle(Settlement(retries=[(place, 50.0, 1) for place in places]))
    shelf.settle(Settlement(done=places, due=[places[0]], retries=[(places[1], 90.0, 2)]))
    assert shelf.due() == {places[0]}
    assert shelf.state.links.attempts(shelf.sync, places) == {places[1]: 2}
    assert shelf.state.outcomes.retry_at(shelf.sync, places[1]) == 90.0


def test_a_retry_wakes_when_its_time_has_come_and_counts_on(shelf: Shelf) -> None:
    (row,) = shelf.show(Side.HUB, one="a@x")
    place = (Side.HUB, row)
    shelf.settle(Settlement(done=[place], retries=[(place, 100.0, 3)]))
    shelf.state.links.wake(shelf.sync, 99.9)
    assert shelf.due() == set()
    shelf.state.links.wake(shelf.sync, 100.0)
    shelf.state.links.wake(shelf.sync, 101.0)
    assert shelf.due() == {place}
    assert shelf.state.links.attempts(shelf.sync, [place]) == {place: 3}


@pytest.mark.parametrize("way", ["matched", "noted", "made"])
def test_a_new_link_wakes_whoever_waited_for_its_end(shelf: Shelf, way: str) -> None:
    (waiting,) = shelf.show(Side.HUB, person="p@x")
    place = (Side.HUB, waiting)
    targets = ((shelf.readers[Side.HUB], "firm"), (shelf.readers[Side.HUB], "other"))
    shelf.settle(Settlement(done=[place], waits=[(place, targets)]))
    assert shelf.state.outcomes.waits(shelf.sync) == {shelf.readers[Side.HUB]: 2}
    (firm,) = shelf.show(Side.HUB, firm="f@x")
    shelf.settle(Settlement(done=list(shelf.due())))
    if way == "made":
        create(shelf, firm, shelf.sighting(Side.APP, "made", {"email": "f@x"}))
    else:
        (twin,) = shelf.show(Side.APP, twin="f@x")
        shelf.settle(Settlement(done=list(shelf.due())))
        fence = shelf.state.syncs.get(shelf.sync).fence
        if way == "noted":
            shelf.state.links.note(shelf.sync, fence, [], [(firm, twin, {})], [])
        else:
            change = shelf.change(firm, twin, old_state=None)
            shelf.settle(Settlement(moves=shelf.moves(), links=[change]))
    assert shelf.due() == {place}
    shelf.settle(Settlement(done=[place], waits=[(place, ())]))
    assert shelf.state.outcomes.waits(shelf.sync) == {}


def test_an_outcome_is_kept_with_its_reason(shelf: Shelf) -> None:
    hub, app = shelf.pair("1", "a")
    shelf.settle(Settlement(moves=shelf.moves(), links=[shelf.change(hub, app, WAITING)]))
    assert shelf.state.links.counts(shelf.sync).waiting == 1
    shelf.settle(Settlement(moves=shelf.moves(), links=[shelf.change(hub, app, FAILING, 0)]))
    assert shelf.state.links.counts(shelf.sync).failing == 1
    shelf.recount()
