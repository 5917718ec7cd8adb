"""Write down what is about to be sent, and what became of it. All of it inside a transaction."""

from __future__ import annotations

import sqlite3
from collections import Counter
from collections.abc import Mapping, Sequence

from twofold.core.health import IN_SYNC, Outcome, State
from twofold.core.links import Note
from twofold.core.records import Side
from twofold.core.schema import Op
from twofold.store.codec import as_json
from twofold.store.foreseen import any_foreseen, forget_foreseen
from twofold.store.gone import count, wake_waiting
from twofold.store.history import keep_created, keep_history
from twofold.store.limits import settle_limits
from twofold.store.linkrows import encode_note, encode_outcome
from twofold.store.records import see
from twofold.store.throughput import count_settled
from twofold.store.types import (
    Agreed,
    CreatedLink,
    Creation,
    Did,
    LinkChange,
    Moment,
    Phase,
    Place,
    RemovalRow,
    Settlement,
    Sighting,
    SingleChange,
    Stored,
    Subscriber,
    Written,
)
from twofold.store.undo import forget_undos

_SYNCED = int(State.IN_SYNC)

Notes = Sequence[tuple[int, Note, tuple[bytes, bytes] | None]]
"""(hub row, note, *seen* (hub, app) as an earlier note moved it)."""


def note_links(db: sqlite3.Connection, sync: int, notes: Notes) -> None:
    """Note the writes to linked records."""
    db.executemany(
        "UPDATE links SET note = ? WHERE sync = ? AND hub = ?",
        [(encode_note(note), sync, hub) for hub, note, _ in notes],
    )
    db.executemany(
        "UPDATE links SET agreed_hub = ?, agreed_app = ? WHERE sync = ? AND hub = ?",
        [(*seen, sync, hub) for hub, _, seen in notes if seen is not None],
    )


def note_new_links(
    db: sqlite3.Connection, sync: int, new_links: Sequence[tuple[int, int, Note]]
) -> None:
    """Link pairs (hub row, app row) that were just matched, with their first note.

    Until its first outcome a new pair waits.
    """
    if new_links:
        forget_singles(db, sync, Side.HUB, [hub for hub, _, _ in new_links])
        forget_singles(db, sync, Side.APP, [app for _, app, _ in new_links])
        db.executemany(
            "INSERT INTO links (sync, hub, app, state, agreed_hub, agreed_app, note)"
            " VALUES (?, ?, ?, ?, ?, ?, ?)",
            [
                (sync, hub, app, int(State.WAITING), b"{}", b"{}", encode_note(note))
                for hub, app, note in new_links
            ],
        )
        count(db, sync, {State.WAITING: len(new_links)})
        wake_waiting(db, [row for hub, app, _ in new_links for row in (hub, app)])
        db.execute("UPDATE syncs SET paired = paired + ? WHERE id = ?", (len(new_links), sync))


def note_creations(
    db: sqlite3.Connection, sync: int, fence: int, creations: Sequence[Creation]
) -> None:
    """Note the creates, with the newest row at that time."""
    newest = db.execute("SELECT coalesce(max(row), 0) FROM records").fetchone()[0]
    db.executemany(
        "INSERT OR REPLACE INTO creations VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?)",
        [
            (sync, c.side.value, c.source, c.ref, c.payload, c.planned, newest, fence, c.at)
            for c in creations
        ],
    )


def settle(
    db: sqlite3.Connection,
    sync: int,
    settlement: Settlement,
    subscribers: Mapping[int, Sequence[Subscriber]],
) -> None:
    """Store everything that one chunk changed."""
    unmoved = _unmoved(db, sync, settlement.moves)
    changes = [*settlement.links]
    if all(unmoved):
        _settle_agreed(db, sync, settlement.agreed)
    else:  # a reading came between: one by one, beside what is gone by now
        changes += map(_of_agreed, settlement.agreed)
    _settle_sightings(db, sync, settlement, subscribers)
    changes += map(_of_created, settlement.created)
    singles = [*settlement.singles, *map(_no_longer_alone, settlement.created)]
    dead = _dead(db, changes, singles)
    deltas: dict[int, int] = {}
    for side in Side:  # what was made may have been read, and alone, before
        made = [m.sighting.row for m in settlement.created if m.side is side]
        forget_singles(db, sync, side, [row for row in made if row is not None])
    _settle_links(db, sync, changes, dead, deltas, unmoved)
    _settle_singles(db, sync, [c for c in singles if c.row not in dead], deltas)
    count(db, sync, deltas)
    settle_ended(db, sync, settlement.ended)
    _settle_history(db, sync, settlement)
    forget_undos(db, sync, settlement.undone)
    put_removals(db, sync, settlement.removals)
    for hub in settlement.removals_off:
        db.execute("DELETE FROM removals WHERE sync = ? AND hub = ?", (sync, hub))
    _settle_due(db, sync, settlement)


def _settle_history(db: sqlite3.Connection, sync: int, settlement: Settlement) -> None:
    made: dict[Side, list[int]] = {}
    for one in settlement.created:
        if one.sighting.row is not None:
            made.setdefault(one.side, []).append(one.sighting.row)
    settled = len(settlement.agreed) + len(settlement.links) + len(settlement.created)
    count_settled(db, sync, settlement.moment.at, settled)
    keep_created(db, sync, settlement.moment, made)
    keep_history(db, sync, settlement.moment, settlement.written)
    note_removed(db, sync, settlement.removals, settlement.moment)


def _settle_sightings(
    db: sqlite3.Connection,
    sync: int,
    settlement: Settlement,
    subscribers: Mapping[int, Sequence[Subscriber]],
) -> None:
    groups: dict[int, list[Sighting]] = {}
    readers = _readers(db, sync)
    for made in settlement.created:
        groups.setdefault(readers[made.side], []).append(made.sighting)
    for reader, sighting in settlement.sightings:
        groups.setdefault(reader, []).append(sighting)
    for reader, sightings in groups.items():
        see(db, reader, sightings, subscribers[reader], quiet=sync)


def _readers(db: sqlite3.Connection, sync: int) -> dict[Side, int]:
    hub, app = db.execute(
        "SELECT hub_reader, app_reader FROM syncs WHERE id = ?", (sync,)
    ).fetchone()
    return {Side.HUB: hub, Side.APP: app}


def _unmoved(db: sqlite3.Connection, sync: int, moves: tuple[int, int]) -> tuple[bool, bool]:
    """Whether nothing new was stored of the hub's and the app's records since the chunk's load."""
    now = db.execute(
        "SELECT h.moves, a.moves FROM syncs s JOIN readers h ON h.id = s.hub_reader"
        " JOIN readers a ON a.id = s.app_reader WHERE s.id = ?",
        (sync,),
    ).fetchone()
    return now[0] == moves[0], now[1] == moves[1]


def _dead(
    db: sqlite3.Connection, changes: Sequence[LinkChange], singles: Sequence[SingleChange]
) -> set[int]:
    """Rows whose records are gone by now: what is gone was uncounted when it left."""
    rows = [row for c in changes for row in (c.hub, c.app)] + [c.row for c in singles]
    found = db.execute(
        "SELECT row FROM records WHERE row IN (SELECT value FROM json_each(?)) AND gone",
        (as_json(rows),),
    )
    return {row for (row,) in found}


def _settle_agreed(
    db: sqlite3.Connection, sync: int, agreed: Sequence[tuple[Stored, Stored]]
) -> None:
    """Link pairs in agreement: of a first sync, nearly all that there is to write."""
    if not agreed:
        return
    db.executemany(
        "INSERT INTO links (sync, hub, app, state) VALUES (?, ?, ?, ?)",
        [(sync, hub.row, app.row, _SYNCED) for hub, app in agreed],
    )
    wake_waiting(db, [end.row for pair in agreed for end in pair])
    count(db, sync, {_SYNCED: len(agreed)})
    db.execute("UPDATE syncs SET paired = paired + ? WHERE id = ?", (len(agreed), sync))


def _of_agreed(pair: tuple[Stored, Stored]) -> LinkChange:
    hub, app = pair
    ends = Agreed(hub.shown, True), Agreed(app.shown, True)
    return LinkChange(hub.row, app.row, IN_SYNC, None, *ends)


def _settle_links(
    db: sqlite3.Connection,
    sync: int,
    changes: Sequence[LinkChange],
    dead: set[int],
    deltas: dict[int, int],
    unmoved: tuple[bool, bool],
) -> None:
    new: list[LinkChange] = []
    rows: list[tuple[object, ...]] = []
    for change in changes:
        state = int(change.outcome.state)
        if not {change.hub, change.app} <= dead:
            _move(deltas, change.old_state, state)
        values = (
            state,
            _kept(change.hub_agreed, unmoved[0]),
            _kept(change.app_agreed, unmoved[1]),
            change.flips,
            encode_outcome(change.outcome),
            sync,
            change.hub,
        )
        if change.old_state is None:
            new.append(change)
            rows.append((*values, change.app))
        else:
            db.execute(_UPDATE_LINK, values)
    db.executemany(_INSERT_LINK, rows)
    wake_waiting(db, [row for c in new for row in (c.hub, c.app)])
    paired = sum(c.hub not in dead and c.app not in dead for c in new)
    if paired:
        db.execute("UPDATE syncs SET paired = paired + ? WHERE id = ?", (paired, sync))


def _no_longer_alone(made: CreatedLink) -> SingleChange:
    return SingleChange(made.side.other, made.source, None, made.old_state)


_UPDATE_LINK = (
    "UPDATE links SET state = ?, agreed_hub = ?, agreed_app = ?, flips = ?, outcome = ?,"
    " note = NULL WHERE sync = ? AND hub = ?"
)
_BOTH_GONE = (
    "SELECT h.gone AND a.gone FROM links l JOIN records h ON h.row = l.hub"
    " JOIN records a ON a.row = l.app WHERE l.sync = ? AND l.hub = ?"
)
_INSERT_LINK = (
    "INSERT INTO links (state, agreed_hub, agreed_app, flips, outcome, sync, hub, app)"
    " VALUES (?, ?, ?, ?, ?, ?, ?, ?)"
)


def _kept(agreed: Agreed, unmoved: bool) -> bytes | None:
    """NULL only where what the side shows is surely still what was agreed."""
    return None if agreed.same and unmoved else agreed.seen


def _of_created(made: CreatedLink) -> LinkChange:
    assert made.sighting.row is not None
    ends = {made.side: made.sighting.row, made.side.other: made.source}
    return LinkChange(
        ends[Side.HUB], ends[Side.APP], made.outcome, None, made.hub_agreed, made.app_agreed
    )


def settle_ended(
    db: sqlite3.Connection, sync: int, ended: Sequence[tuple[int, Outcome, int]]
) -> None:
    """Links that lost one end; *seen* stays, for the case that the record comes back.

    ``ended``: (hub row, outcome, state before). Runs inside a transaction.
    """
    for hub, outcome, before in ended:
        (dead,) = db.execute(_BOTH_GONE, (sync, hub)).fetchone()
        if not dead:  # else it was uncounted when the other end left, too
            deltas: dict[int, int] = {}
            _move(deltas, before, int(outcome.state))
            count(db, sync, deltas)
        db.execute(
            "UPDATE links SET state = ?, outcome = ? WHERE sync = ? AND hub = ?",
            (int(outcome.state), encode_outcome(outcome), sync, hub),
        )


def note_removed(
    db: sqlite3.Connection, sync: int, rows: Sequence[RemovalRow], moment: Moment
) -> None:
    """Keep what is removed by now, and was on its way, in the history: before it is stored."""
    over = [r for r in rows if r.phase is Phase.OVER]
    for row in over:
        found = db.execute(
            "SELECT m.phase, l.hub, l.app FROM removals m JOIN links l USING (sync, hub)"
            " WHERE m.sync = ? AND m.hub = ?",
            (sync, row.hub),
        ).fetchone()
        if found is not None and found[0] == Phase.SENDING:
            ends = {Side.HUB: found[1], Side.APP: found[2]}
            did = Did.ARCHIVED if row.op is Op.ARCHIVE else Did.DELETED
            written = Written(did, row.side, ends[row.side], ends[row.side.other], row.shown)
            keep_history(db, sync, moment, [written])


def put_removals(db: sqlite3.Connection, sync: int, rows: Sequence[RemovalRow]) -> None:
    """Store removals. Runs inside a transaction."""
    db.executemany(
        "REPLACE INTO removals (sync, hub, side, op, phase, shown, at, who)"
        " VALUES (?, ?, ?, ?, ?, ?, ?, ?)",
        [(sync, r.hub, r.side.value, r.op.value, int(r.phase), r.shown, r.at, r.who) for r in rows],
    )


def _settle_singles(
    db: sqlite3.Connection, sync: int, changes: Sequence[SingleChange], deltas: dict[int, int]
) -> None:
    for side in Side:  # one may have left and come back, and is forgotten then
        known = [c.row for c in changes if c.side is side and c.old_state is not None]
        forget_singles(db, sync, side, known)
    db.executemany(
        "REPLACE INTO singles VALUES (?, ?, ?, ?, ?)",
        [
            (sync, c.side.value, c.row, int(c.outcome.state), encode_outcome(c.outcome))
            for c in changes
            if c.outcome is not None
        ],
    )
    for change in changes:
        _move(deltas, None, None if change.outcome is None else int(change.outcome.state))


def _settle_due(db: sqlite3.Connection, sync: int, settlement: Settlement) -> None:
    places = [(sync, side.value, row) for side, row in settlement.creations_done]
    db.executemany("DELETE FROM creations WHERE sync = ? AND side = ? AND source = ?", places)
    _forget_due(db, sync, settlement.done)
    db.executemany(
        "INSERT OR IGNORE INTO due VALUES (?, ?, ?)",
        [(sync, side.value, row) for side, row in settlement.due],
    )
    for made in settlement.created:
        if made.again and made.sighting.row is not None:
            db.execute(
                "INSERT OR IGNORE INTO due VALUES (?, ?, ?)",
                (sync, made.side.value, made.sighting.row),
            )
    db.executemany(
        "REPLACE INTO retries VALUES (?, ?, ?, ?, ?)",
        [(sync, side.value, row, at, n) for (side, row), at, n in settlement.retries],
    )
    settle_limits(db, sync, settlement.revisits, settlement.entered)
    for (side, row), targets in settlement.waits:
        db.execute(
            "DELETE FROM waits WHERE sync = ? AND side = ? AND row = ?", (sync, side.value, row)
        )
        db.executemany(
            "INSERT OR IGNORE INTO waits VALUES (?, ?, ?, ?, ?)",
            [(sync, reader, target, side.value, row) for reader, target in targets],
        )


def _forget_due(db: sqlite3.Connection, sync: int, done: Sequence[Place]) -> None:
    """What was dealt with is no longer due, nor to be tried again, nor foreseen."""
    if any_foreseen(db, sync):
        forget_foreseen(db, sync, done)
    for side in Side:
        rows = as_json([row for s, row in done if s is side])
        for table in ("due", "retries"):
            db.execute(
                f"DELETE FROM {table} WHERE sync = ? AND side = ?"
                " AND row IN (SELECT value FROM json_each(?))",
                (sync, side.value, rows),
            )


def forget_singles(db: sqlite3.Connection, sync: int, side: Side, rows: Sequence[int]) -> None:
    """These records are no longer alone."""
    if rows:
        found = db.execute(
            "DELETE FROM singles WHERE sync = ? AND side = ?"
            " AND row IN (SELECT value FROM json_each(?)) RETURNING state",
            (sync, side.value, as_json(rows)),
        )
        count(db, sync, {state: -n for state, n in Counter(s for (s,) in found.fetchall()).items()})


def _move(deltas: dict[int, int], old: int | None, new: int | None) -> None:
    if old is not None:
        deltas[old] = deltas.get(old, 0) - 1
    if new is not None:
        deltas[new] = deltas.get(new, 0) + 1
