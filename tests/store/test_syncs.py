"""Connections, syncs and runs: names and accounts once, and nothing left behind."""

from __future__ import annotations

import pytest
from tests.store.conftest import Shelves
from tests.store.shelf import RULES, Shelf, sent

from twofold.core.alerts import Standing as Told
from twofold.core.alerts import Trigger
from twofold.core.errors import TwofoldError
from twofold.core.guards import BrakeName
from twofold.core.health import Outcome
from twofold.core.health import State as Standing
from twofold.core.records import Side
from twofold.core.schema import Op
from twofold.core.undo import PutBack
from twofold.store.byhand import Orders, Pair
from twofold.store.earlier import begin_from_now
from twofold.store.foreseen import foresee
from twofold.store.syncs import RunStatus
from twofold.store.types import (
    Creation,
    Did,
    Moment,
    Phase,
    RemovalRow,
    Settlement,
    SingleChange,
    Written,
)
from twofold.store.undo import Wish
from twofold.store.verifications import Verification


def tables(shelf: Shelf) -> dict[str, int]:
    """How many rows each table holds."""
    names = shelf.rows("SELECT name FROM sqlite_schema WHERE type = 'table'")
    return {n: shelf.rows(f"SELECT count(*) FROM {n}")[0][0] for (n,) in names}


def fill(shelf: Shelf, sync: int) -> None:
    """A row of everything that belongs to a sync."""
    state = shelf.state
    hub, _ = shelf.pair("1", "a")
    (alone,) = shelf.show(Side.HUB, two="b@x")
    (waiting,) = shelf.show(Side.HUB, three="c@x")
    place = (Side.HUB, waiting)
    single = SingleChange(Side.HUB, alone, Outcome(Standing.EXCLUDED), None)
    shelf.settle(
        Settlement(
            moves=shelf.moves(),
            singles=[single],
            retries=[(place, 9.0, 1)],
            waits=[(place, ((shelf.readers[Side.HUB], "firm"),))],
            revisits=[(place, 9.0)],
            entered={place: True},
            written=[Written(Did.UPDATED, Side.HUB, hub, None)],
            moment=Moment(1, 9.0),
        ),
        sync,
    )
    (apart,) = shelf.show(Side.APP, four="d@x")
    state.by_hand.decide(sync, Orders(cut=[Pair(alone, apart)]), [])
    state.limits.exclude(sync, [place], "a test", None)
    with state.database.transaction() as db:
        begin_from_now(db, sync)
    made = Creation(Side.APP, waiting, "ref", b"{}", b"{}", 1.0)
    fence = state.syncs.get(sync).fence
    state.links.note(sync, fence, [(hub, sent("new@x"), None)], [], [made])
    gone = RemovalRow(hub, Side.APP, Op.DELETE, Phase.STAGED, b"{}", 1.0)
    state.removals.keep(sync, fence, [gone])
    with state.database.transaction() as db:
        db.execute("INSERT INTO remade VALUES (?, 'hub', ?, 1)", (sync, hub))
    state.verifications.advance(sync, fence, Verification(0, 1.0, 1.0, None, 0, 0), [])
    state.brakes.override(sync, BrakeName.DELETES, RunStatus(number=3), 1.0, "ada")
    state.syncs.end_run(state.syncs.begin_run(sync, "then"), "now", {"ending": "done"})
    with state.database.transaction() as db:
        foresee(db, sync)
    state.alerts.settle(sync, {Trigger.SHARE: Told(9.0)}, [], 9.0)
    state.undos.ask(sync, [Wish(hub, PutBack(Side.HUB, "email", "a@x", "b@x"))], "ada")
    state.schedule.enroll()


def test_deleting_a_sync_leaves_nothing_of_it_behind(shelf: Shelf) -> None:
    empty = tables(Shelf())
    fill(shelf, shelf.sync)
    before = tables(shelf)
    of_a_sync = {name for name in before if before[name] > empty[name]} - {"records"}
    columns = "SELECT name FROM pragma_table_info(?)"
    with_sync = {n for n in before if ("sync",) in shelf.rows(columns, n)}
    assert of_a_sync == with_sync, "the test must fill every table of a sync"
    shelf.state.syncs.delete(shelf.sync)
    after = tables(shelf)
    assert {n: after[n] for n in with_sync} == dict.fromkeys(with_sync, 0)
    assert (after["syncs"], after["records"]) == (0, before["records"])


def test_deleting_a_sync_leaves_the_others_alone(shelves: Shelves) -> None:
    shelf = shelves(syncs=2)
    first, second = shelf.syncs
    fill(shelf, first)
    kept = {n: shelf.rows(f"SELECT * FROM {n} WHERE sync = ?", second) for n in ("links", "due")}
    assert all(kept.values())
    shelf.state.syncs.delete(first)
    shelf.syncs.remove(first)
    assert {n: shelf.rows(f"SELECT * FROM {n} WHERE sync = ?", second) for n in kept} == kept
    shelf.recount()


def test_a_sync_that_is_made_again_begins_at_the_beginning(shelf: Shelf) -> None:
    fill(shelf, shelf.sync)
    shelf.state.syncs.delete(shelf.sync)
    ends = (shelf.readers[Side.HUB], shelf.readers[Side.APP])
    again = shelf.state.syncs.add("sync 0", shelf.app, ends, RULES, True)
    shelf.syncs = [again]
    assert (shelf.due(again), shelf.state.syncs.get(again).indexed) == (set(), False)
    assert shelf.state.links.noted(again) == []
    assert not shelf.state.syncs.ever_done(again)
    shelf.index(again)
    assert len(shelf.due(again)) == 5
    shelf.recount()


def test_removing_a_connection_leaves_nothing_that_was_read_through_it(shelf: Shelf) -> None:
    shelf.pair("1", "a")
    shelf.state.records.restart(shelf.readers[Side.APP])
    shelf.take(Side.APP, shelf.page(Side.APP, unchanged=["a"], listing=True))
    assert shelf.state.syncs.remembered(shelf.app) == 1
    shelf.state.syncs.delete(shelf.sync)
    shelf.state.syncs.remove_connection(shelf.app)
    app = shelf.readers[Side.APP]
    for table, column in (("records", "reader"), ("scan_marks", "reader"), ("readers", "id")):
        assert shelf.rows(f"SELECT * FROM {table} WHERE {column} = ?", app) == []
    assert [c.label for c in shelf.state.syncs.connections()] == ["hub"]
    assert shelf.reader(Side.HUB).live == 1


def test_a_connection_that_a_sync_uses_stays_whole(shelf: Shelf) -> None:
    shelf.pair("1", "a")
    before = tables(shelf)
    with pytest.raises(Exception, match="FOREIGN KEY"):
        shelf.state.syncs.remove_connection(shelf.app)
    assert tables(shelf) == before


@pytest.mark.parametrize(
    ("app", "label", "account", "code"),
    [
        ("memory", "another", "app", "TF-A04"),  # the same account under another name
        ("carddav", "app", "book", "TF-A05"),  # the same name for another account
    ],
)
def test_an_account_and_a_name_are_used_once(
    shelf: Shelf, app: str, label: str, account: str, code: str
) -> None:
    before = shelf.state.syncs.connections()
    with pytest.raises(TwofoldError) as caught:
        shelf.state.syncs.add_connection(app, label, account, {}, b"")
    assert caught.value.code == code
    assert shelf.state.syncs.connections() == before


def test_the_same_account_name_at_another_app_is_another_account(shelf: Shelf) -> None:
    made = shelf.state.syncs.add_connection("carddav", "book", "app", {"url": "u"}, b"sealed")
    stored = shelf.state.syncs.connection(made)
    assert (stored.settings, stored.secrets) == ({"url": "u"}, b"sealed")
    shelf.state.syncs.reconnect(made, {"url": "v"}, b"again")
    stored = shelf.state.syncs.connection(made)
    assert (stored.settings, stored.secrets, stored.account) == ({"url": "v"}, b"again", "app")
    with pytest.raises(TwofoldError) as caught:
        shelf.state.syncs.rename_connection(made, "hub")
    assert caught.value.code == "TF-A05"
    shelf.state.syncs.rename_connection(made, "mine")
    assert shelf.state.syncs.connection(made).label == "mine"


def test_a_sync_keeps_its_rules_and_its_status(shelf: Shelf) -> None:
    syncs = shelf.state.syncs
    assert syncs.get(shelf.sync).rules == RULES
    with pytest.raises(TwofoldError) as caught:
        syncs.add("sync 0", shelf.app, (1, 2), RULES, True)
    assert caught.value.code == "TF-A06"
    syncs.set_status(shelf.sync, RunStatus("TF-C01", "It is down.", True))
    assert syncs.get(shelf.sync).status == RunStatus("TF-C01", "It is down.", True)
    syncs.enable(shelf.sync, False)
    stored = syncs.get(shelf.sync)
    assert (stored.enabled, stored.status) == (False, RunStatus())


def test_runs_are_told_newest_first(shelf: Shelf) -> None:
    syncs = shelf.state.syncs
    first, second = (syncs.begin_run(shelf.sync, at) for at in ("09:00", "10:00"))
    syncs.end_run(first, "09:05", {"ending": "more", "hub read": 3})
    assert not syncs.ever_done(shelf.sync)
    syncs.end_run(second, "10:05", {"ending": "done"})
    assert syncs.ever_done(shelf.sync)
    assert [(r.id, r.ended, r.summary) for r in syncs.runs(shelf.sync)] == [
        (second, "10:05", {"ending": "done"}),
        (first, "09:05", {"ending": "more", "hub read": 3}),
    ]
    assert [r.id for r in syncs.runs(shelf.sync, limit=1)] == [second]
