"""Links, what is due, notes and outcomes: everything one sync remembers of its records."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence

from twofold.core.health import Counts, State
from twofold.core.links import Note
from twofold.core.records import Side
from twofold.database.sqlite import Database
from twofold.store.codec import as_json
from twofold.store.earlier import begin_from_now
from twofold.store.fences import check_fence, disturb
from twofold.store.foreseen import any_foreseen
from twofold.store.history import keep_history
from twofold.store.keys import Keys, fill_keys
from twofold.store.linkrows import LINK_COLUMNS, as_link_row, encode_flips
from twofold.store.records import as_stored
from twofold.store.rejoining import cut, relink
from twofold.store.settling import note_creations, note_links, note_new_links, settle
from twofold.store.types import (
    Creation,
    Foreseen,
    LinkRow,
    Moment,
    Place,
    Relink,
    Settlement,
    Subscriber,
    Written,
)

_SIDES = {side.value: side for side in Side}

LONGEST_WAIT = 2 * 3600.0
"""Seconds: no retry is set further ahead."""


class Links:
    """The links of all syncs."""

    def __init__(self, database: Database) -> None:
        self._database = database
        self._connection = database.connection

    # --- what is due ------------------------------------------------------------------------

    def index(self, sync: int, keys: Keys, *, from_now_on: bool = False) -> None:
        """Both first readings have ended: from now on every record is due once.

        ``from_now_on``: what is there by now takes part only when it changes (L7).
        """
        with self._database.transaction() as db:
            changed = db.execute(
                "UPDATE syncs SET indexed = 1 WHERE id = ? AND NOT indexed", (sync,)
            )
            if changed.rowcount:
                readers = db.execute(
                    "SELECT hub_reader, app_reader FROM syncs WHERE id = ?", (sync,)
                ).fetchone()
                disturb(db, readers, but=sync)
                fill_keys(db, sync, keys)
                if from_now_on:
                    begin_from_now(db, sync)
                for side in Side:
                    db.execute(
                        "INSERT OR IGNORE INTO due SELECT s.id, ?, r.row FROM syncs s"
                        f" JOIN records r ON r.reader = s.{side}_reader AND r.gone = 0"
                        " WHERE s.id = ?",
                        (side.value, sync),
                    )

    def wake(self, sync: int, now: float) -> None:
        """Make due what was to be tried again, or looked at again, by now.

        Also a retry that is so far ahead that the clock must have been set back.
        """
        query = "INSERT OR IGNORE INTO due SELECT sync, side, row FROM"
        with self._database.transaction() as db:
            db.execute(
                f"{query} retries WHERE sync = ? AND (at <= ? OR at > ?)",
                (sync, now, now + LONGEST_WAIT),
            )
            db.execute(f"{query} revisits WHERE sync = ? AND at <= ?", (sync, now))

    def make_due(self, sync: int, places: Sequence[Place]) -> None:
        """Have these records planned again."""
        with self._database.transaction() as db:
            db.executemany(
                "INSERT OR IGNORE INTO due VALUES (?, ?, ?)",
                [(sync, side.value, row) for side, row in places],
            )

    def wake_failing(self, sync: int) -> None:
        """Make due what is failing: its cause may be gone without a change of the record."""
        failing = int(State.FAILING)
        with self._database.transaction() as db:
            db.execute(
                "INSERT OR IGNORE INTO due SELECT sync, ?, hub FROM links"
                " WHERE sync = ? AND state = ? AND state <> 1",
                (Side.HUB.value, sync, failing),
            )
            db.execute(
                "INSERT OR IGNORE INTO due SELECT sync, side, row FROM singles"
                " WHERE sync = ? AND state = ?",
                (sync, failing),
            )

    def wake_waiting_singles(self, sync: int) -> None:
        """Make due the unlinked records that were held until a person says so."""
        with self._database.transaction() as db:
            db.execute(
                "INSERT OR IGNORE INTO due SELECT sync, side, row FROM singles"
                " WHERE sync = ? AND state = ?",
                (sync, int(State.WAITING)),
            )

    def due(self, sync: int, limit: int, after: Place | None = None) -> list[Place]:
        """Some records that must be planned again: the hub's first, in the order of the links.

        ``after``: those that come behind this one.
        """
        starts = {Side.HUB: -1, Side.APP: -1} if after is None else dict([after])
        if after is not None and after[0] is Side.HUB:
            starts[Side.APP] = -1

        places: list[Place] = []
        for side, row in starts.items():
            found = self._connection.execute(
                "SELECT row FROM due WHERE sync = ? AND side = ? AND row > ? ORDER BY row LIMIT ?",
                (sync, side.value, row, limit - len(places)),
            )
            places += [(side, row) for (row,) in found]
        return places

    def due_merged(self, sync: int) -> list[Place]:
        """Due records that were merged into others: their links may go on with these."""
        found = self._connection.execute(
            "SELECT d.side, d.row FROM records r JOIN due d ON d.sync = ?"
            " AND d.side IN ('hub', 'app') AND d.row = r.row"
            " WHERE r.into_id IS NOT NULL ORDER BY d.row",
            (sync,),
        )
        return [(_SIDES[side], row) for side, row in found]

    def due_after(self, sync: int, side: Side, row: int, limit: int) -> list[Place]:
        """Some due records of one side, behind a row."""
        found = self._connection.execute(
            "SELECT row FROM due WHERE sync = ? AND side = ? AND row > ? ORDER BY row LIMIT ?",
            (sync, side.value, row, limit),
        )
        return [(side, due) for (due,) in found]

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
            (as_json(list(rows)), sync),
        )
        return [as_link_row(row) for row in found]

    def after(self, sync: int, hub: int, limit: int) -> list[LinkRow]:
        """Links behind a hub row, in the order of these rows, with both records."""
        found = self._connection.execute(
            f"SELECT {LINK_COLUMNS} FROM links l JOIN records h ON h.row = l.hub"
            " JOIN records a ON a.row = l.app WHERE l.sync = ? AND l.hub > ?"
            " ORDER BY l.hub LIMIT ?",
            (sync, hub, limit),
        )
        return [as_link_row(row) for row in found]

    def singles_after(
        self, sync: int, side: Side, row: int, limit: int
    ) -> list[tuple[int, int, str | None]]:
        """(row, state, outcome) of planned unlinked records behind a row, in their order."""
        return self._connection.execute(
            "SELECT row, state, outcome FROM singles WHERE sync = ? AND side = ? AND row > ?"
            " ORDER BY row LIMIT ?",
            (sync, side.value, row, limit),
        ).fetchall()

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
            (sync, as_json(list(rows))),
        )
        return {row for (row,) in found}

    def carriers(self, sync: int, hashes: Iterable[int], most: int) -> list[tuple[int, Place]]:
        """Unlinked records by match key hash, at most ``most`` per key and side."""
        found = self._connection.execute(
            # CROSS JOIN: the planner takes the few hashes for many, and would read all keys.
            "SELECT k.hash, k.side, k.row FROM json_each(?) j"
            " CROSS JOIN match_keys k ON k.sync = ? AND k.hash = j.value",
            (as_json(list(hashes)), sync),
        ).fetchall()
        linked = {
            side.value: self.linked(sync, side, {row for _, s, row in found if s == side})
            for side in Side
        }
        kept: dict[tuple[int, str], int] = {}
        carriers: list[tuple[int, Place]] = []
        for key, side, row in found:
            if row not in linked[side]:
                seen = kept[key, side] = kept.get((key, side), 0) + 1
                if seen <= most:
                    carriers.append((key, (_SIDES[side], row)))
        return carriers

    def any_foreseen(self, sync: int) -> bool:
        """Whether anything is foreseen: only during a first sync."""
        return any_foreseen(self._connection, sync)

    def foreseen(self, sync: int, side: Side, rows: Sequence[int]) -> list[Foreseen]:
        """What was foreseen of some unlinked records, where their twins are unlinked too."""
        found = self._connection.execute(
            "SELECT r.row, r.id, r.version, r.shown, r.gone, r.into_id,"
            " t.row, t.id, t.version, t.shown, t.gone, t.into_id FROM json_each(?) j"
            " CROSS JOIN foreseen f ON f.sync = ? AND f.side = ? AND f.row = j.value"
            " JOIN records r ON r.row = f.row LEFT JOIN records t ON t.row = f.twin"
            f" WHERE NOT EXISTS (SELECT 1 FROM links WHERE sync = ? AND {side.other} = f.twin)",
            (as_json(rows), sync, side.value, sync),
        )
        return [
            Foreseen(as_stored(*row[:6]), None if row[6] is None else as_stored(*row[6:]))
            for row in found
        ]

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
                (sync, side.value, as_json(rows)),
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
            (sync, reader, as_json(list(ids))),
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
        arrived: Sequence[Written] = (),
        moment: Moment = Moment(),  # noqa: B008 (it is frozen)
    ) -> None:
        """Write down what is about to be sent: notes of links (by hub row), and creates.

        A note that replaces another one comes with what *seen* (hub, app) became by the old one;
        otherwise a crash would forget that the old write arrived. All of it is on the disk before
        the first write leaves. ``arrived``: writes of notes that are replaced, for the history.
        """
        with self._database.durable_transaction() as db:
            check_fence(db, sync, fence)
            note_links(db, sync, notes)
            note_new_links(db, sync, new_links)
            note_creations(db, sync, fence, creations)
            keep_history(db, sync, moment, arrived)

    def settle(
        self,
        sync: int,
        fence: int,
        settlement: Settlement,
        subscribers: Mapping[int, Sequence[Subscriber]],
    ) -> None:
        """Store the outcome of one chunk in one transaction.

        What two sides agreed on without any write is nowhere noted, and an edit made after it
        would look like a first meeting had a power cut undone it: so it is on the disk at the end.

        ``subscribers``: by reader, the syncs that learn of what a side showed in answer to us.
        """
        durable = bool(settlement.links or settlement.ended)
        database = self._database
        with database.durable_transaction() if durable else database.transaction() as db:
            check_fence(db, sync, fence)
            settle(db, sync, settlement, subscribers)

    def unfreeze(self, sync: int, side: Side, row: int) -> tuple[str, ...]:
        """Forget what the two apps kept rewriting of a pair, and plan it again.

        Returns the mappings that were frozen; a run under way starts its slice again.
        """
        for link in self.of(sync, side, [row]):
            frozen = tuple(sorted(link.link.frozen))
            if frozen:
                kept = {n: flip for n, flip in link.link.flips.items() if n not in frozen}
                with self._database.transaction() as db:
                    db.execute("UPDATE syncs SET fence = fence + 1 WHERE id = ?", (sync,))
                    db.execute(
                        "UPDATE links SET flips = ? WHERE sync = ? AND hub = ?",
                        (encode_flips(kept), sync, link.hub.row),
                    )
                    db.execute(
                        "INSERT OR IGNORE INTO due VALUES (?, 'hub', ?)", (sync, link.hub.row)
                    )
                return frozen
        return ()

    def remade(self, sync: int) -> dict[Place, int]:
        """Records that lost their link and may get another twin, and how often."""
        found = self._connection.execute(
            "SELECT side, row, times FROM remade WHERE sync = ?", (sync,)
        )
        return {(_SIDES[side], row): times for side, row, times in found}

    def rejoin(
        self,
        sync: int,
        fence: int,
        cuts: Sequence[int],
        relinks: Sequence[Relink],
    ) -> None:
        """Cut links (by hub row), and move others from a merged record to its survivor."""
        with self._database.transaction() as db:
            check_fence(db, sync, fence)
            for hub in cuts:
                cut(db, sync, hub)
            for move in relinks:
                relink(db, sync, move)
