"""The history as the store keeps it: ranges, pages, and what is forgotten."""

from __future__ import annotations

from decimal import Decimal

from hypothesis import given
from hypothesis import strategies as st
from tests.store.shelf import Shelf

from twofold.core.records import Side
from twofold.store.history import Change, decode_changes, encode_changes, keep_created
from twofold.store.types import Did, Moment, Settlement, Written


@given(st.sets(st.integers(1, 60)))
def test_rows_that_follow_on_each_other_share_a_line(rows: set[int]) -> None:
    shelf = Shelf()
    with shelf.state.database.transaction() as db:
        keep_created(db, shelf.sync, Moment(1, 5.0), {Side.APP: rows})
    lines = shelf.state.history.page(shelf.sync, before=None, limit=100)
    assert {row for line in lines for row in range(line.row, line.last + 1)} == rows
    assert len(lines) == sum(row - 1 not in rows for row in rows)
    for row in range(62):
        assert len(shelf.state.history.of(shelf.sync, [row])) == (row in rows)


def test_changes_come_back_as_they_were() -> None:
    changes = (
        Change("a", None, Decimal("1.50"), ("x", "y"), "EDITED"),
        Change("b:c", True, 2, "", ""),
    )
    assert decode_changes(encode_changes(changes)) == changes


def test_what_is_old_is_forgotten_some_at_a_time() -> None:
    shelf = Shelf()
    for at in range(1, 8):
        written = [Written(Did.UPDATED, Side.HUB, 1, None)]
        shelf.settle(Settlement(moment=Moment(1, float(at)), written=written))
    history = shelf.state.history
    assert [history.prune(6.0, 2) for _ in range(4)] == [2, 2, 1, 0]
    assert [line.at for line in history.page(shelf.sync, before=None, limit=9)] == [7.0, 6.0]


def test_minutes_are_counted_and_summed() -> None:
    shelf = Shelf()
    for n, at in enumerate((60.0, 119.0, 120.0, 600.0)):
        hub, app = (shelf.show(side, **{f"{n}": f"{n}@x"})[0] for side in Side)
        change = shelf.change(hub, app, old_state=None)
        shelf.settle(Settlement(moves=shelf.moves(), links=[change], moment=Moment(1, at)))
    assert shelf.state.throughput.counts(shelf.sync, 0.0, 1) == {1: 2, 2: 1, 10: 1}
    assert shelf.state.throughput.counts(shelf.sync, 120.0, 5) == {0: 1, 10: 1}
    shelf.state.throughput.prune(600.0)
    assert shelf.state.throughput.counts(shelf.sync, 0.0, 5) == {10: 1}
