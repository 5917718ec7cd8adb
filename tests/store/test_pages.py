"""What a page does: records, cursor, due marks, match keys, marks of a full listing."""

from __future__ import annotations

import pytest
from msgspec import structs
from tests.store.conftest import Shelves
from tests.store.shelf import Shelf, key_of

from twofold.core.health import Outcome
from twofold.core.health import State as Standing
from twofold.core.records import Side
from twofold.store.errors import FenceLost
from twofold.store.types import Settlement, Sighting, SingleChange

ROWS_OF_A_BLOCK = 8192
WATCHED = ("records", "readers", "due", "match_keys", "links", "singles", "counters", "scan_marks")


def dump(shelf: Shelf) -> dict[str, list[tuple[object, ...]]]:
    return {table: shelf.rows(f"SELECT * FROM {table}") for table in WATCHED}


def alone(shelf: Shelf, side: Side, row: int, code: Standing = Standing.EXCLUDED) -> None:
    """The record was planned, and has no twin."""
    change = SingleChange(side, row, Outcome(code), None)
    shelf.settle(Settlement(moves=shelf.moves(), singles=[change], done=list(shelf.due())))


# --- pages and cursors ----------------------------------------------------------------------


def test_a_page_stores_its_records_and_its_cursor(shelf: Shelf) -> None:
    shelf.take(Side.HUB, shelf.page(Side.HUB, {"1": {"email": "a@x"}, "2": {}}, cursor="c1"))
    stored = {s.record.id: s for s in shelf.state.records.living(shelf.readers[Side.HUB])}
    assert {i: s.record.fields for i, s in stored.items()} == {"1": {"email": "a@x"}, "2": {}}
    assert (shelf.reader(Side.HUB).cursor, shelf.reader(Side.HUB).live) == ("c1", 2)
    assert shelf.due() == {(Side.HUB, stored[i].row) for i in "12"}
    assert shelf.reader(Side.APP).cursor is None


def test_a_cursor_that_somebody_else_moved_takes_the_whole_page_back(shelf: Shelf) -> None:
    shelf.pair("1", "a")
    shelf.show(Side.HUB, two="b@x")
    reader = shelf.reader(Side.HUB)
    late = shelf.page(Side.HUB, {"3": {}, "1": {"email": "c@x"}}, ["two"], cursor="late")
    shelf.take(Side.HUB, shelf.page(Side.HUB, cursor="first"))
    before = dump(shelf)
    with pytest.raises(FenceLost):
        shelf.state.records.take_page(reader, late, shelf.subscribers(Side.HUB))
    assert dump(shelf) == before


def test_a_page_that_cannot_be_stored_leaves_the_cursor(shelf: Shelf) -> None:
    shelf.show(Side.HUB, one="a@x")
    page = shelf.page(Side.HUB, {"2": {}}, cursor="beyond")
    page.sightings = [*page.sightings, *page.sightings]  # the same new record twice
    before = dump(shelf)
    with pytest.raises(Exception, match="UNIQUE"):
        shelf.take(Side.HUB, page)
    assert dump(shelf) == before


def test_a_page_that_is_read_twice_changes_nothing(shelf: Shelf) -> None:
    shelf.pair("1", "a")
    shown = {"1": {"email": "new@x"}, "2": {"email": "b@x"}}
    shelf.take(Side.HUB, shelf.page(Side.HUB, shown))
    shelf.settle(Settlement(done=list(shelf.due())))
    before = dump(shelf)
    shelf.take(Side.HUB, shelf.page(Side.HUB, shown))
    assert dump(shelf) == before


def test_another_version_of_the_same_values_is_kept_and_makes_nothing_due(shelf: Shelf) -> None:
    shelf.pair("1", "a")
    page = shelf.page(Side.HUB)
    page.sightings = [shelf.sighting(Side.HUB, "1", {"email": "a@x.example"}, "v2")]
    moves = shelf.moves()
    shelf.take(Side.HUB, page)
    known = shelf.state.records.known(shelf.readers[Side.HUB], ["1"])
    assert known["1"].version == "v2"
    assert shelf.due() == set()
    assert shelf.moves() == moves


@pytest.mark.parametrize("odd", ["a\0b", "a\0", "\0", "é\U0001f600", "", "'; --", "a" * 5000])
def test_a_record_is_known_again_by_any_id(shelf: Shelf, odd: str) -> None:
    for email in ("a@x", "b@x"):
        shelf.take(Side.APP, shelf.page(Side.APP, {odd: {"email": email}, "a": {}}))
    assert shelf.reader(Side.APP).live == 2
    assert shelf.state.records.known(shelf.readers[Side.APP], [odd]).keys() >= {odd}


def digested(shelf: Shelf, **digests: int | None) -> None:
    page = shelf.page(Side.HUB)
    page.sightings = [
        structs.replace(shelf.sighting(Side.HUB, i, {}, f"v{digest}"), digest=digest)
        for i, digest in digests.items()
    ]
    shelf.take(Side.HUB, page)


@pytest.mark.parametrize(
    ("ids", "digests", "moved"),
    [
        (["a", "b"], [1, 2], False),
        (["b", "a"], [2, 1], False),
        (["a", "a"], [1, 1], False),
        ([], [], False),
        (["a", "b"], [2, 1], True),
        (["a", "b"], [1, 3], True),
        (["a", "new"], [1, 2], True),
        (["a", "gone"], [1, 4], True),
        (["a", "b\0"], [1, 2], True),
        (["blank"], [5], True),
    ],
)
def test_a_page_is_as_known_only_where_every_record_is(
    shelf: Shelf, ids: list[str], digests: list[int], moved: bool
) -> None:
    digested(shelf, a=1, b=2, gone=4, blank=None)
    shelf.leave(Side.HUB, "gone")
    records, reader = shelf.state.records, shelf.readers[Side.HUB]
    rows = None if moved else [shelf.row(Side.HUB, i) for i in ids]
    assert records.unmoved(reader, ids, digests, by="digest") == rows
    versions = [f"v{digest}" for digest in digests]
    assert records.unmoved(reader, ids, versions, by="version") == rows
    assert records.unmoved(shelf.readers[Side.APP], ["a"], [1], by="digest") is None


def test_pages_mark_due_for_every_sync_once_it_is_indexed(shelves: Shelves) -> None:
    shelf = shelves(syncs=2, indexed=False)
    first, second = shelf.syncs
    (row,) = shelf.show(Side.HUB, one="a@x")
    shelf.index(first)
    assert (shelf.due(first), shelf.due(second)) == ({(Side.HUB, row)}, set())
    (other,) = shelf.show(Side.APP, a="b@x")
    assert (shelf.due(first), shelf.due(second)) == ({(Side.HUB, row), (Side.APP, other)}, set())
    shelf.index(second)
    assert shelf.due(second) == shelf.due(first)
    shelf.recount()


def test_indexing_twice_makes_nothing_due_again(shelf: Shelf) -> None:
    shelf.show(Side.HUB, one="a@x")
    shelf.settle(Settlement(done=list(shelf.due())))
    shelf.index(shelf.sync)
    assert shelf.due() == set()


# --- seen -----------------------------------------------------------------------------------


def test_seen_is_copied_out_before_what_a_side_shows_moves(shelf: Shelf) -> None:
    hub, app = shelf.pair("1", "a", "old@x")
    assert shelf.link(hub).agreed == (None, None)
    shelf.show(Side.HUB, **{"1": "new@x"})
    assert shelf.seen(hub) == ("old@x", "old@x")
    assert shelf.link(hub).hub.record.fields == {"email": "new@x"}
    shelf.show(Side.HUB, **{"1": "newer@x"})  # copied out once: not what it showed meanwhile
    assert shelf.seen(hub) == ("old@x", "old@x")
    shelf.show(Side.APP, a="edited@x")
    assert shelf.seen(hub) == ("old@x", "old@x")
    assert {(Side.HUB, hub), (Side.APP, app)} == shelf.due()


def test_each_sync_keeps_its_own_seen(shelves: Shelves) -> None:
    shelf = shelves(syncs=2)
    hub, app = shelf.pair("1", "a", "old@x")
    first, second = shelf.syncs
    shelf.show(Side.HUB, **{"1": "new@x"})
    change = shelf.change(hub, app)
    shelf.settle(Settlement(moves=shelf.moves(), links=[change]), first)
    assert shelf.link(hub, first).link.seen != shelf.link(hub, second).link.seen
    assert shelf.link(hub, first).agreed == (None, None)


def test_a_record_that_returns_as_it_was_did_not_change(shelf: Shelf) -> None:
    hub, _ = shelf.pair("1", "a", "old@x")
    shelf.leave(Side.HUB, "1")
    assert shelf.due() == {(Side.HUB, hub)}
    shelf.show(Side.HUB, **{"1": "old@x"})
    assert shelf.seen(hub) == ("old@x", "old@x")
    shelf.recount()
    shelf.leave(Side.HUB, "1")
    shelf.show(Side.HUB, **{"1": "other@x"})
    assert shelf.seen(hub) == ("old@x", "old@x")
    shelf.recount()


# --- leaving --------------------------------------------------------------------------------


def test_what_leaves_is_forgotten_where_it_was_alone(shelf: Shelf) -> None:
    (row,) = shelf.show(Side.APP, a="a@x")
    alone(shelf, Side.APP, row)
    assert shelf.state.links.counts(shelf.sync).excluded == 1
    shelf.leave(Side.APP, "a")
    assert shelf.state.links.counts(shelf.sync).total == 0
    assert shelf.due() == set()
    assert shelf.state.links.carriers(shelf.sync, key_of({"email": "a@x"}), 9) == []
    shelf.recount()


def test_a_pair_counts_until_both_its_ends_are_gone(shelf: Shelf) -> None:
    hub, _ = shelf.pair("1", "a")
    shelf.leave(Side.APP, "a")
    assert shelf.due() == {(Side.HUB, hub)} or len(shelf.due()) == 1
    assert shelf.state.links.counts(shelf.sync).total == 1
    shelf.leave(Side.HUB, "1")
    assert shelf.state.links.counts(shelf.sync).total == 0
    shelf.recount()
    shelf.show(Side.APP, a="a@x.example")
    shelf.recount()


def test_who_was_ambiguous_is_due_when_one_of_them_leaves_or_changes(shelf: Shelf) -> None:
    first, second = shelf.show(Side.HUB, one="same@x", two="same@x")
    (third,) = shelf.show(Side.APP, a="same@x")
    for side, row in ((Side.HUB, first), (Side.HUB, second), (Side.APP, third)):
        alone(shelf, side, row)
    shelf.show(Side.HUB, two="other@x")
    assert shelf.due() >= {(Side.HUB, first), (Side.APP, third)}
    shelf.show(Side.HUB, two="same@x")
    shelf.settle(Settlement(done=list(shelf.due())))
    shelf.leave(Side.HUB, "two")
    assert shelf.due() == {(Side.HUB, first), (Side.APP, third)}


def test_a_merged_record_names_the_survivor(shelf: Shelf) -> None:
    shelf.show(Side.APP, a="a@x", b="b@x")
    page = shelf.page(Side.APP, gone=["a"])
    page.gone = [(page.gone[0][0], "b")]
    shelf.take(Side.APP, page)
    (stored,) = shelf.state.records.stored([page.gone[0][0]]).values()
    assert (stored.gone, stored.into_id) == (True, "b")


def test_match_keys_follow_what_a_record_shows(shelf: Shelf) -> None:
    (row,) = shelf.show(Side.HUB, one="a@x")
    shelf.show(Side.HUB, one="b@x")
    places = {
        email: shelf.state.links.carriers(shelf.sync, key_of({"email": email}), 9)
        for email in ("a@x", "b@x")
    }
    assert places["a@x"] == []
    assert [place for _, place in places["b@x"]] == [(Side.HUB, row)]


def test_carriers_are_capped_per_key_and_side_and_leave_out_the_linked(shelf: Shelf) -> None:
    linked, _ = shelf.pair("0", "z", "same@x")
    shelf.show(Side.HUB, **{str(n): "same@x" for n in range(1, 6)})
    shelf.show(Side.APP, a="same@x")
    found = shelf.state.links.carriers(shelf.sync, key_of({"email": "same@x"}), 2)
    sides = [place[0] for _, place in found]
    assert (sides.count(Side.HUB), sides.count(Side.APP)) == (2, 1)
    assert (Side.HUB, linked) not in [place for _, place in found]


# --- full listings --------------------------------------------------------------------------


def test_a_listing_finds_what_it_did_not_show_beyond_one_block(shelf: Shelf) -> None:
    ids = [str(n) for n in range(2 * ROWS_OF_A_BLOCK + 100)]
    records = shelf.state.records
    reader = shelf.reader(Side.HUB)
    page = shelf.page(Side.HUB)
    page.sightings = [Sighting(i, None, None, b"{}", [[]]) for i in ids]
    shelf.take(Side.HUB, page)
    missing = {ids[0], ids[ROWS_OF_A_BLOCK - 1], ids[ROWS_OF_A_BLOCK], ids[-1]}
    records.restart(reader.id)
    rows = {i: k.row for i, k in records.known(reader.id, ids).items()}
    shown = [row for i, row in rows.items() if i not in missing]
    for start in range(0, len(shown), 5000):
        listed = shelf.page(Side.HUB, cursor=f"at {start}", listing=True)
        listed.unchanged = shown[start : start + 5000]
        shelf.take(Side.HUB, listed)
    assert set(records.unmarked(reader.id)) == {(rows[i], i) for i in missing}
    assert shelf.reader(Side.HUB).scanned == len(shown)
    assert [len(str(bits)) > 0 for bits in records.marked(reader.id).values()] == [True] * 3


def test_marks_count_each_record_once_and_end_with_the_listing(shelf: Shelf) -> None:
    shelf.show(Side.HUB, one="a@x", two="b@x", three="c@x")
    shelf.state.records.restart(shelf.readers[Side.HUB])
    for cursor in ("c1", "c2"):
        names = ("one", "two")
        listed = shelf.page(Side.HUB, unchanged=names, cursor=cursor, listing=True)
        shelf.take(Side.HUB, listed)
    new = {"four": {"email": "d@x"}}
    shelf.take(Side.HUB, shelf.page(Side.HUB, new, cursor="c3", listing=True, last=True))
    reader = shelf.reader(Side.HUB)
    assert (reader.scanning, reader.scanned, reader.complete) == (2, 3, False)
    assert [i for _, i in shelf.state.records.unmarked(reader.id)] == ["three"]
    row = shelf.row(Side.HUB, "three")
    keys = [shelf.keys(Side.HUB, {"email": "c@x"})]
    shelf.state.records.end_listing(reader, [(row, None)], shelf.subscribers(Side.HUB), keys, 7.0)
    ended = shelf.reader(Side.HUB)
    assert (ended.scanning, ended.scanned, ended.complete, ended.swept) == (0, 0, True, 7.0)
    assert (ended.live, ended.cursor) == (3, "c3")
    assert shelf.rows("SELECT * FROM scan_marks") == []
    shelf.recount()


def test_a_listing_that_begins_anew_forgets_the_marks(shelf: Shelf) -> None:
    shelf.show(Side.HUB, one="a@x")
    shelf.state.records.restart(shelf.readers[Side.HUB])
    shelf.take(Side.HUB, shelf.page(Side.HUB, unchanged=["one"], listing=True))
    shelf.state.records.restart(shelf.readers[Side.HUB])
    assert [i for _, i in shelf.state.records.unmarked(shelf.readers[Side.HUB])] == ["one"]
    assert shelf.reader(Side.HUB).scanned == 0


def test_new_fields_are_read_of_every_record(shelf: Shelf) -> None:
    """Equal digests and versions no longer prove that all that is asked is known."""
    page = shelf.page(Side.HUB)
    page.sightings = [structs.replace(shelf.sighting(Side.HUB, "1", {}, "v1"), digest=5)]
    shelf.take(Side.HUB, page)
    records, reader = shelf.state.records, shelf.readers[Side.HUB]
    same = records.widen(0, "contact", ("email",), ())
    assert (same.cursor, records.known(reader, ["1"])["1"].digest) == ("next", 5)
    wider = records.widen(0, "contact", ("email", "phone"), ("company",))
    assert (wider.id, wider.fields, wider.associations) == (
        reader,
        ("email", "phone"),
        ("company",),
    )
    assert (wider.cursor, wider.scanning, wider.live) == (None, 1, 1)
    known = records.known(reader, ["1"])["1"]
    assert (known.digest, known.version) == (None, None)
