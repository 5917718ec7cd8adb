"""A run stops before its next effect when what it knows from its start is out of date."""

from __future__ import annotations

from collections.abc import Callable

import pytest
from tests.store.conftest import Shelves
from tests.store.shelf import Shelf

from twofold.core.records import Side
from twofold.store.errors import FenceLost
from twofold.store.fences import Hold


def effects(shelf: Shelf, hold: Hold) -> list[Callable[[], None]]:
    """All ways in which a run stores what it read."""
    records, reader = shelf.state.records, shelf.reader(Side.HUB)
    listeners = shelf.subscribers(Side.HUB)
    sighting = shelf.sighting(Side.HUB, "new", {"email": "new@x.example"})
    page = shelf.page(Side.HUB, {"new": {"email": "new@x.example"}})
    return [
        lambda: records.take_page(reader, page, listeners, hold),
        lambda: records.refresh(reader.id, [sighting], [], [], listeners, hold),
        lambda: records.end_listing(reader, [], listeners, [], 1.0, hold),
    ]


def stopped(shelf: Shelf, hold: Hold) -> bool:
    """Whether none of them has an effect."""
    before = shelf.rows("SELECT count(*) FROM records")
    for effect in effects(shelf, hold):
        with pytest.raises(FenceLost):
            effect()
    return shelf.rows("SELECT count(*) FROM records") == before


def test_nothing_is_stored_without_the_fence(shelf: Shelf) -> None:
    fence = shelf.state.syncs.claim(shelf.sync)
    shelf.state.syncs.claim(shelf.sync)
    assert stopped(shelf, Hold(shelf.sync, fence))


def test_who_begins_to_listen_to_the_same_reading_stops_the_others(shelves: Shelves) -> None:
    shelf = shelves(syncs=2, indexed=False)
    first, second = shelf.syncs
    hold = Hold(first, shelf.state.syncs.claim(first))
    own = shelf.state.syncs.claim(second)
    shelf.index(second)
    assert stopped(shelf, hold), "a page stored now would not be due for the second sync"
    shelf.state.links.check(second, own)


@pytest.mark.parametrize("what", ["off", "delete the other", "read more"])
def test_a_change_of_what_is_configured_stops_a_run(shelves: Shelves, what: str) -> None:
    shelf = shelves(syncs=2)
    first, second = shelf.syncs
    hold = Hold(first, shelf.state.syncs.claim(first))
    if what == "off":
        shelf.state.syncs.enable(first, False)
    elif what == "delete the other":
        shelf.state.syncs.delete(second)
    else:
        reader = shelf.reader(Side.HUB)
        shelf.state.records.widen(reader.connection, reader.object_type, ["further"], [])
    assert stopped(shelf, hold)


def test_new_credentials_stop_the_runs_of_a_connection(shelf: Shelf) -> None:
    hold = Hold(shelf.sync, shelf.state.syncs.claim(shelf.sync))
    connection = shelf.state.syncs.get(shelf.sync).connection
    shelf.state.syncs.reconnect(connection, {}, b"")
    assert stopped(shelf, hold)
