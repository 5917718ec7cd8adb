"""Links, what is due, notes and outcomes: everything one sync remembers of its records."""

from __future__ import annotations

import sqlite3
from collections import Counter
from collections.abc import Iterable, Mapping, Sequence

import orjson

from twofold.core.health import Counts, Outcome, State
from twofold.core.links import Note
from twofold.core.records import Side
from twofold.database.sqlite import Database
from twofold.store.errors import FenceLost
from twofold.store.keys import fill_keys
from twofold.store.linkrows import LINK_COLUMNS, as_link_row, encode_note, encode_outcome
from twofold.store.records import count, see
from twofold.store.types import (
    Agreed,
    CreatedLink,
    Creation,
    LinkChange,
    LinkRow,
    Place,
    Settlement,
    Sighting,
    SingleChange,
    Subscriber,
)

_SIDES = {side.value: side for side in Side}


class Links:
    """The links of all syncs."""

    def __init__(self, database: Database) -> None:
        self._database = database
        self._connection = database.connection

    # --- what is due ------------------------------------------------------------------------

    def index(self, sync: int, keys: Iterable[tuple[int, Side, int]]) -> None:
        """Both first readings have ended: from now on every record is due once.

        ``keys``: (match key hash, side, row) of all living records.
        """
        with self._database.transaction() as db:
            changed = db.execute(
                "UPDATE syncs SET indexed = 1 WHERE id = ? AND NOT indexed", (sync,)
            )
            if changed.rowcount:
                fill_keys(db, sync, keys)
                for side in Side:
                    db.execute(
                        "INSERT OR IGNORE INTO due SELECT s.id, ?, r.row FROM syncs s"
                        f" JOIN records r ON r.reader = s.{side}_reader AND r.gone = 0"
                        " WHERE s.id = ?",
                        (side.value, sync),
                    )

    def wake(self, sync: int, now: float) -> None:
        """Make due what was to be tried again by now."""
        with self._database.transaction() as db:
            db.execute(
                "INSERT OR IGNORE INTO due SELECT sync, side, row FROM retries"
                " WHERE sync = ? AND at <= ?",
                (sync, now),
            )

    def due(self, sync: int, limit: int) -> list[Place]:
        """Some records that must be planned again."""
        found = self._connection.execute(
            "SELECT side, row FROM due WHERE sync = ? LIMIT ?", (sync, limit)
        )
        return [(_SIDES[side], row) for side, row in found]

    def due_count(self, sync: int) -> int:
        """How many records must be planned again."""
        found: int = self._connection.execute(
            "SELECT count(*) FROM due WHERE sync = ?", (sync,)
        ).fetchone()[0]
        return found

    def attempts(self, sync: int, places: Iterable[Place]) -> dict[Place, int]:
        """How often each of these records was tried in vain."""
        found = {}
        for side, row in places:
            tried = self._connection.execute(
                "SELECT attempts FROM retries WHERE sync = ? AND side = ? AND row = ?",
                (sync, side.value, row),
            ).fetchone()
            if tried:
                found[side, row] = tried[0]
        return found

    # --- looking up -------------------------------------------------------------------------

    def of(self, sync: int, side: Side, rows: Sequence[int]) -> list[LinkRow]:
        """The links of some records of one side, with both records."""
        found = self._connection.execute(
            f"SELECT {LINK_COLUMNS} FROM json_each(?) j"
            f" CROSS JOIN links l ON l.sync = ? AND l.{side.value} = j.value"
            " JOIN records h ON h.row = l.hub JOIN records a ON a.row = l.app",
            (_json(list(rows)), sync),
        )
        return [as_link_row(row) for row in found]

    def noted(self, sync: int) -> list[LinkRow]:
        """Links with a write under way, or whose outcome was never learned."""
        found = self._connection.execute(
            f"SELECT {LINK_COLUMNS} FROM links l INDEXED BY links_noted"
            " JOIN records h ON h.row = l.hub"
            " JOIN records a ON a.row = l.app WHERE l.sync = ? AND l.note IS NOT NULL",
            (sync,),
        )
        return [as_link_row(row) for row in found]

    def creations(self, sync: int) -> list[Creation]:
        """Creates under way, or whose outcome was never learned."""
        found = self._connection.execute(
            "SELECT side, source, ref, payload, planned, at, newest FROM creations WHERE sync = ?",
            (sync,),
        )
        return [Creation(Side(row[0]), *row[1:]) for row in found]

    def linked(self, sync: int, side: Side, rows: Iterable[int]) -> set[int]:
        """Which of these rows have a link."""
        end = side.value
        found = self._connection.execute(
            f"SELECT {end} FROM links WHERE sync = ? AND {end} IN (SELECT value FROM json_each(?))",
            (sync, _json(list(rows))),
        )
        return {row for (row,) in found}

    def carriers(self, sync: int, hashes: Iterable[int], most: int) -> list[tuple[int, Place]]:
        """Unlinked records by match key hash, at most ``most`` per key and side."""
        found = self._connection.execute(
            # CROSS JOIN: the planner takes the few hashes for many, and would read all keys.
            "SELECT k.hash, k.side, k.row FROM json_each(?) j"
            " CROSS JOIN match_keys k ON k.sync = ? AND k.hash = j.value",
            (_json(list(hashes)), sync),
        ).fetchall()
        linked = {
            side.value: self.linked(sync, side, {row for _, s, row in found if s == side})
            for side in Side
        }
        kept: Counter[tuple[int, str]] = Counter()
        carriers: list[tuple[int, Place]] = []
        for key, side, row in found:
            if row not in linked[side]:
                kept[key, side] += 1
                if kept[key, side] <= most:
                    carriers.append((key, (_SIDES[side], row)))
        return carriers

    def singles(self, sync: int, places: Iterable[Place]) -> dict[Place, tuple[int, str | None]]:
        """State and outcome of those unlinked records that were planned before."""
        found: dict[Place, tuple[int, str | None]] = {}
        by_side: dict[Side, list[int]] = {side: [] for side in Side}
        for side, row in places:
            by_side[side].append(row)
        for side, rows in by_side.items():
            for row, state, outcome in self._connection.execute(
                "SELECT row, state, outcome FROM singles WHERE sync = ? AND side = ? AND row IN"
                " (SELECT value FROM json_each(?))",
                (sync, side.value, _json(rows)),
            ):
                found[side, row] = (state, outcome)
        return found

    def twins(self, reader: int, ids: Iterable[str], sync: int, side: Side) -> dict[str, str]:
        """For records of one side by id: the id of the linked record on the other side."""
        end, other = side.value, side.other.value
        found = self._connection.execute(
            f"SELECT r.id, t.id FROM records r JOIN links l ON l.sync = ? AND l.{end} = r.row"
            f" JOIN records t ON t.row = l.{other} WHERE r.reader = ? AND r.gone = 0 AND t.gone = 0"
            " AND r.id IN (SELECT value FROM json_each(?))",
            (sync, reader, _json(list(ids))),
        )
        return dict(found.fetchall())

    def counts(self, sync: int) -> Counts:
        """How many records stand where."""
        states = dict(
            self._connection.execute("SELECT state, count FROM counters WHERE sync = ?", (sync,))
        )
        total = self._connection.execute(
            "SELECT h.live + a.live - s.paired FROM syncs s JOIN readers h ON h.id = s.hub_reader"
            " JOIN readers a ON a.id = s.app_reader WHERE s.id = ?",
            (sync,),
        ).fetchone()[0]
        synced, failing, excluded = (
            states.get(state, 0) for state in (State.IN_SYNC, State.FAILING, State.EXCLUDED)
        )
        return Counts(synced, failing, excluded, total - synced - failing - excluded)

    # --- writing ----------------------------------------------------------------------------

    def check(self, sync: int, fence: int) -> None:
        """Raise FenceLost unless this worker still holds the sync: right before each write."""
        check_fence(self._connection, sync, fence)

    def note(
        self,
        sync: int,
        fence: int,
        notes: Sequence[tuple[int, Note, tuple[bytes, bytes] | None]],
        new_links: Sequence[tuple[int, int, Note]],
        creations: Sequence[Creation],
    ) -> None:
        """Write down what is about to be sent: notes of links (by hub row), and creates.

        A note that replaces another one comes with what *seen* (hub, app) became by the old one;
        otherwise a crash would forget that the old write arrived.
        """
        with self._database.transaction() as db:
            check_fence(db, sync, fence)
            db.executemany(
                "UPDATE links SET note = ? WHERE sync = ? AND hub = ?",
                [(encode_note(note), sync, hub) for hub, note, _ in notes],
            )
            db.executemany(
                "UPDATE links SET agreed_hub = ?, agreed_app = ? WHERE sync = ? AND hub = ?",
                [(*seen, sync, hub) for hub, _, seen in notes if seen is not None],
            )
            for hub, app, note in new_links:
                # Until its first outcome a new pair waits; the link keeps the note.
                for side, row in ((Side.HUB, hub), (Side.APP, app)):
                    _forget_single(db, sync, side, row)
                db.execute(
                    "INSERT INTO links (sync, hub, app, state, agreed_hub, agreed_app, note)"
                    " VALUES (?, ?, ?, 0, ?, ?, ?)",
                    (sync, hub, app, b"{}", b"{}", encode_note(note)),
                )
                count(db, sync, {State.WAITING: 1})
            if new_links:
                _wake_waiting(db, [row for hub, app, _ in new_links for row in (hub, app)])
                db.execute(
                    "UPDATE syncs SET paired = paired + ? WHERE id = ?", (len(new_links), sync)
                )
            newest = db.execute("SELECT coalesce(max(row), 0) FROM records").fetchone()[0]
            db.executemany(
                "INSERT OR REPLACE INTO creations VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?)",
                [
                    (sync, c.side.value, c.source, c.ref, c.payload, c.planned, newest, fence, c.at)
                    for c in creations
                ],
            )

    def settle(
        self,
        sync: int,
        fence: int,
        settlement: Settlement,
        subscribers: Mapping[int, Sequence[Subscriber]],
    ) -> None:
        """Store the outcome of one chunk in one transaction.

        ``subscribers``: by reader, the syncs that learn of what a side showed in answer to us.
        """
        with self._database.transaction() as db:
            check_fence(db, sync, fence)
            unmoved = _unmoved(db, sync, settlement.moves)
            _settle_sightings(db, sync, settlement, subscribers)
            changes = [*settlement.links, *map(_of_created, settlement.created)]
            singles = [*settlement.singles, *map(_no_longer_alone, settlement.created)]
            dead = _dead(db, changes, singles)
            deltas: dict[int, int] = {}
            for made in settlement.created:
                if made.sighting.row is not None:  # it may have been read, and alone, before
                    _forget_single(db, sync, made.side, made.sighting.row)
            _settle_links(db, sync, changes, dead, deltas, unmoved)
            _settle_ended(db, sync, settlement.ended, deltas)
            _settle_singles(db, sync, [c for c in singles if c.row not in dead], deltas)
            count(db, sync, deltas)
            _settle_due(db, sync, settlement)


def check_fence(db: sqlite3.Connection, sync: int, fence: int) -> None:
    """Raise FenceLost unless this worker still holds the sync."""
    found = db.execute("SELECT fence FROM syncs WHERE id = ?", (sync,)).fetchone()
    if found is None or found[0] != fence:
        raise FenceLost


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
        (_json(rows),),
    )
    return {row for (row,) in found}


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
    _wake_waiting(db, [row for c in new for row in (c.hub, c.app)])
    paired = sum(c.hub not in dead and c.app not in dead for c in new)
    if paired:
        db.execute("UPDATE syncs SET paired = paired + ? WHERE id = ?", (paired, sync))


def _no_longer_alone(made: CreatedLink) -> SingleChange:
    return SingleChange(made.side.other, made.source, None, made.old_state)


_UPDATE_LINK = (
    "UPDATE links SET state = ?, agreed_hub = ?, agreed_app = ?, flips = ?, outcome = ?,"
    " note = NULL WHERE sync = ? AND hub = ?"
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


def _settle_ended(
    db: sqlite3.Connection,
    sync: int,
    ended: Sequence[tuple[int, Outcome, int]],
    deltas: dict[int, int],
) -> None:
    """Links that lost one end; *seen* stays, for the case that the record comes back."""
    for hub, outcome, old_state in ended:
        _move(deltas, old_state, int(outcome.state))
        db.execute(
            "UPDATE links SET state = ?, outcome = ? WHERE sync = ? AND hub = ?",
            (int(outcome.state), encode_outcome(outcome), sync, hub),
        )


def _wake_waiting(db: sqlite3.Connection, rows: Sequence[int]) -> None:
    """Records that are linked now may be the far end that associations waited for."""
    if rows and db.execute("SELECT 1 FROM waits LIMIT 1").fetchone():
        db.execute(
            "INSERT OR IGNORE INTO due SELECT w.sync, w.side, w.row FROM json_each(?) j"
            " JOIN records r ON r.row = j.value"
            " JOIN waits w ON w.reader = r.reader AND w.target = r.id",
            (_json(list(rows)),),
        )


def _settle_singles(
    db: sqlite3.Connection, sync: int, changes: Sequence[SingleChange], deltas: dict[int, int]
) -> None:
    db.executemany(
        "DELETE FROM singles WHERE sync = ? AND side = ? AND row = ?",
        [
            (sync, c.side.value, c.row)
            for c in changes
            if c.outcome is None and c.old_state is not None
        ],
    )
    db.executemany(
        "REPLACE INTO singles VALUES (?, ?, ?, ?, ?)",
        [
            (sync, c.side.value, c.row, int(c.outcome.state), encode_outcome(c.outcome))
            for c in changes
            if c.outcome is not None
        ],
    )
    for change in changes:
        state = None if change.outcome is None else int(change.outcome.state)
        _move(deltas, change.old_state, state)


def _settle_due(db: sqlite3.Connection, sync: int, settlement: Settlement) -> None:
    places = [(sync, side.value, row) for side, row in settlement.creations_done]
    db.executemany("DELETE FROM creations WHERE sync = ? AND side = ? AND source = ?", places)
    done = [(sync, side.value, row) for side, row in settlement.done]
    db.executemany("DELETE FROM due WHERE sync = ? AND side = ? AND row = ?", done)
    db.executemany("DELETE FROM retries WHERE sync = ? AND side = ? AND row = ?", done)
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
    for (side, row), targets in settlement.waits:
        db.execute(
            "DELETE FROM waits WHERE sync = ? AND side = ? AND row = ?", (sync, side.value, row)
        )
        db.executemany(
            "INSERT OR IGNORE INTO waits VALUES (?, ?, ?, ?, ?)",
            [(sync, reader, target, side.value, row) for reader, target in targets],
        )


def _forget_single(db: sqlite3.Connection, sync: int, side: Side, row: int) -> None:
    found = db.execute(
        "DELETE FROM singles WHERE sync = ? AND side = ? AND row = ? RETURNING state",
        (sync, side.value, row),
    ).fetchone()
    if found:
        count(db, sync, {found[0]: -1})


def _move(deltas: dict[int, int], old: int | None, new: int | None) -> None:
    if old is not None:
        deltas[old] = deltas.get(old, 0) - 1
    if new is not None:
        deltas[new] = deltas.get(new, 0) + 1


def _json(value: object) -> str:
    return orjson.dumps(value).decode()
