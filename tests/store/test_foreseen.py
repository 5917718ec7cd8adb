"""What is foreseen of a first sync is what matching all unlinked records comes to."""

from __future__ import annotations

from hypothesis import example, given, settings
from hypothesis import strategies as st
from tests.store.shelf import Shelf

from twofold.core.matching import MatchKeys, match
from twofold.core.records import Side
from twofold.store.types import Place, Settlement, Stored

addresses = st.lists(st.sampled_from("abcdef"), max_size=2).map(" ".join)
people = st.dictionaries(st.sampled_from("123456789"), addresses, max_size=9)
edits = st.lists(
    st.tuples(
        st.sampled_from(["show", "leave", "link", "settle"]),
        st.sampled_from(list(Side)),
        st.sampled_from("123456789"),
        addresses,
    ),
    max_size=8,
)


@example({"1": "a"}, {"1": "a"}, [("settle", Side.HUB, "1", ""), ("show", Side.HUB, "1", "")])
@given(people, people, edits)
@settings(max_examples=300, deadline=None)
def test_what_is_foreseen_is_what_matching_all_unlinked_records_comes_to(
    hub: dict[str, str], app: dict[str, str], later: list[tuple[str, Side, str, str]]
) -> None:
    shelf = Shelf(indexed=False)
    shelf.show(Side.HUB, **hub)
    shelf.show(Side.APP, **app)
    shelf.index(shelf.sync)
    agrees(shelf, complete=True)
    for what, side, record_id, email in later:
        known = shelf.state.records.known(shelf.readers[side], [record_id]).get(record_id)
        if what == "show":
            shelf.show(side, **{record_id: email})
        elif known is None or known.gone:
            continue
        elif what == "leave":
            shelf.leave(side, record_id)
        elif what == "link":
            link(shelf, side, known.row)
        else:
            shelf.settle(Settlement(moves=shelf.moves(), done=[(side, known.row)]))
        agrees(shelf, complete=False)


def test_a_record_alone_on_its_side_is_foreseen_and_used_once() -> None:
    shelf = Shelf(indexed=False)
    first, _ = shelf.show(Side.HUB, one="a", two="b c")
    (twin,) = shelf.show(Side.APP, other="a")
    shelf.index(shelf.sync)
    assert {place: twin_of(stored) for place, stored in foreseen(shelf).items()} == {
        (Side.HUB, first): twin,
        (Side.HUB, first + 1): None,
        (Side.APP, twin): first,
    }
    shelf.settle(Settlement(moves=shelf.moves(), done=[(Side.HUB, first), (Side.APP, twin)]))
    assert list(foreseen(shelf)) == [(Side.HUB, first + 1)]


def agrees(shelf: Shelf, *, complete: bool) -> None:
    """Everything that is foreseen is right; right after the index, all that is simple is."""
    keys: dict[Side, dict[int, MatchKeys]] = {}
    for side in Side:
        stored = list(shelf.state.records.living(shelf.readers[side]))
        linked = shelf.state.links.linked(shelf.sync, side, [s.row for s in stored])
        keys[side] = {
            s.row: MatchKeys((tuple(str(s.record.fields["email"]).split()),))
            for s in stored
            if s.row not in linked
        }
    found = match(keys[Side.HUB], keys[Side.APP])
    pairs = {hub: app for hub, app, _ in found.pairs}
    back = {app: hub for hub, app in pairs.items()}
    ahead = foreseen(shelf)
    for place, record in ahead.items():
        side, row = place
        if record is None:
            assert place in found.alone
        else:
            assert (pairs if side is Side.HUB else back)[row] == record.row
    if complete:
        assert found.alone <= ahead.keys(), "a record alone with all its keys is simple"


def foreseen(shelf: Shelf) -> dict[Place, Stored | None]:
    """The unlinked records of which something is foreseen, with their twins."""
    found: dict[Place, Stored | None] = {}
    for side in Side:
        rows = [s.row for s in shelf.state.records.living(shelf.readers[side])]
        alone = sorted(set(rows) - shelf.state.links.linked(shelf.sync, side, rows))
        for ahead in shelf.state.links.foreseen(shelf.sync, side, alone):
            found[side, ahead.record.row] = ahead.twin
    return found


def twin_of(stored: Stored | None) -> int | None:
    return None if stored is None else stored.row


def link(shelf: Shelf, side: Side, row: int) -> None:
    """Link a record with any unlinked one of the other side, as a person may."""
    other = [s.row for s in shelf.state.records.living(shelf.readers[side.other])]
    free = sorted(set(other) - shelf.state.links.linked(shelf.sync, side.other, other))
    if free and not shelf.state.links.linked(shelf.sync, side, [row]):
        ends = (row, free[0]) if side is Side.HUB else (free[0], row)
        shelf.settle(Settlement(moves=shelf.moves(), links=[shelf.change(*ends, old_state=None)]))
