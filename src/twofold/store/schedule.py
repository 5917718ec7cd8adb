"""When each sync is due, who runs it, and what a person asked for: what a worker goes by."""

from __future__ import annotations

from collections.abc import Collection

import msgspec
import orjson
from msgspec import Struct

from twofold.core.timing import Pace
from twofold.database.sqlite import Database
from twofold.store.codec import as_json

SIGN_EVERY = 10.0
"""Seconds between two signs of life of a worker, at least."""


class Nudge:
    """Why a sync should run before its time."""

    NONE = 0
    HUB = 1
    """Something in the hub changed."""
    APP = 2
    """An app said that something changed there: both sides are read."""
    PERSON = 3
    """A person asked for a run of both sides."""


class Asked(Struct, frozen=True):
    """How a person wants the next run."""

    full: bool = False
    allow_empty: bool = False
    """Believe a side that suddenly shows nothing."""
    who: str = ""
    """Who asked, where that is to be recorded."""


class Turn(Struct, frozen=True):
    """One sync as the worker sees it."""

    sync: int
    connection: int
    hub_type: str
    pace: Pace
    every: float
    """Seconds between two polls of its connection."""
    nudge: int
    asked: Asked
    stopped: bool
    """It waits for a person."""
    holder: str
    lease: float
    began: float
    """When it last had its turn."""
    retry: float | None
    """When the first record is tried again, or leaves or enters its limit by time alone."""
    progress: str = ""
    work: bool = False
    """Something is due: a person decided something, or another sync wrote to its records."""


_TURNS = """
SELECT y.id, y.connection, r.object_type, w.poll, w.interval, w.held, w.attempts, c.poll, w.nudge,
    w.asked, CASE y.status WHEN '' THEN 0 ELSE y.status ->> 'needs_person' END,
    w.holder, w.lease, w.began,
    (SELECT min(at) FROM (SELECT min(at) AS at FROM retries t WHERE t.sync = y.id
        UNION ALL SELECT min(at) FROM revisits v WHERE v.sync = y.id)), w.progress,
    EXISTS (SELECT 1 FROM due d WHERE d.sync = y.id)
FROM syncs y JOIN schedule w ON w.sync = y.id JOIN connections c ON c.id = y.connection
JOIN readers r ON r.id = y.hub_reader
"""


class Schedule:
    """The schedule of all syncs."""

    def __init__(self, database: Database) -> None:
        self._database = database
        self._connection = database.connection

    def enroll(self) -> None:
        """Give each sync that has none a place in the schedule: due at once."""
        missing = "SELECT id FROM syncs WHERE id NOT IN (SELECT sync FROM schedule)"
        if self._connection.execute(missing).fetchone():
            with self._database.transaction() as db:
                db.execute(f"INSERT OR IGNORE INTO schedule (sync) {missing}")

    def turns(self) -> list[Turn]:
        """All syncs that are on."""
        found = self._connection.execute(f"{_TURNS} WHERE y.enabled")
        return [_turn(row) for row in found]

    def turn(self, sync: int) -> Turn | None:
        """One sync, on or off; None before it has a place."""
        row = self._connection.execute(f"{_TURNS} WHERE y.id = ?", (sync,)).fetchone()
        return None if row is None else _turn(row)

    # --- asking -----------------------------------------------------------------------------

    def nudge_hub(self, object_types: Collection[str]) -> None:
        """Records of these types changed in the hub."""
        with self._database.transaction() as db:
            db.execute(
                "UPDATE schedule SET nudge = max(nudge, 1) WHERE sync IN (SELECT y.id FROM syncs y"
                " JOIN readers r ON r.id = y.hub_reader"
                " WHERE r.object_type IN (SELECT value FROM json_each(?)))",
                (as_json(list(object_types)),),
            )

    def nudge_app(self, connection: int, object_types: Collection[str]) -> None:
        """Records of these types changed in the app of a connection; none named = of any type."""
        with self._database.transaction() as db:
            db.execute(
                "UPDATE schedule SET nudge = max(nudge, 2) WHERE sync IN (SELECT y.id FROM syncs y"
                " JOIN readers r ON r.id IN (y.hub_reader, y.app_reader) WHERE r.connection = ?1"
                " AND (?2 = '[]' OR r.object_type IN (SELECT value FROM json_each(?2))))",
                (connection, as_json(sorted(object_types))),
            )

    def nudge(self, sync: int) -> None:
        """Somebody decided something that the next run carries out."""
        with self._database.transaction() as db:
            db.execute("INSERT OR IGNORE INTO schedule (sync) VALUES (?)", (sync,))
            db.execute("UPDATE schedule SET nudge = max(nudge, 1) WHERE sync = ?", (sync,))

    def ask(self, sync: int, asked: Asked) -> None:
        """A person wants a run now."""
        with self._database.transaction() as db:
            db.execute("INSERT OR IGNORE INTO schedule (sync) VALUES (?)", (sync,))
            db.execute(
                "UPDATE schedule SET nudge = 3, asked = ? WHERE sync = ?",
                (msgspec.json.encode(asked), sync),
            )

    def poll_every(self, connection: int, seconds: float) -> None:
        """Set the time between two polls of a connection; what is due later is due by then."""
        with self._database.transaction() as db:
            db.execute("UPDATE connections SET poll = ? WHERE id = ?", (seconds, connection))
            db.execute(
                "UPDATE schedule SET interval = min(interval, ?), poll = min(poll, began + ?)"
                " WHERE sync IN (SELECT id FROM syncs WHERE connection = ?)",
                (seconds, seconds, connection),
            )

    # --- running ----------------------------------------------------------------------------

    def claim(self, sync: int, holder: str, now: float, lease: float) -> Turn | None:
        """Take a sync's turn, with what was asked of it; None where somebody else holds it."""
        with self._database.transaction() as db:
            taken = self.turn(sync)
            if taken is None or (taken.holder not in {"", holder} and taken.lease > now):
                return None
            db.execute(
                "UPDATE schedule SET holder = ?, lease = ?, began = ?, nudge = 0, asked = '{}'"
                " WHERE sync = ?",
                (holder, lease, now, sync),
            )
        return taken

    def renew(self, holder: str, now: float, lease: float) -> None:
        """Give a sign of life, and hold on to everything that is held."""
        (at,) = self._connection.execute("SELECT at FROM worker").fetchone()
        if abs(now - at) < SIGN_EVERY:
            return
        with self._database.transaction() as db:
            db.execute("UPDATE worker SET at = ?", (now,))
            db.execute("UPDATE schedule SET lease = ? WHERE holder = ?", (lease, holder))

    def last_sign(self) -> float:
        """When a worker last gave a sign of life, seconds since 1970."""
        found: float = self._connection.execute("SELECT at FROM worker").fetchone()[0]
        return found

    def release(self, sync: int, holder: str, pace: Pace, nudge: int, asked: Asked) -> None:
        """End a turn; what is left to do is asked for again."""
        with self._database.transaction() as db:
            db.execute(
                "UPDATE schedule SET holder = '', lease = 0, progress = '', poll = ?, interval = ?,"
                " held = ?, attempts = ?, asked = CASE WHEN nudge < ? THEN ? ELSE asked END,"
                " nudge = max(nudge, ?)"
                " WHERE sync = ? AND holder = ?",
                (
                    pace.poll,
                    pace.interval,
                    pace.held,
                    pace.attempts,
                    nudge,
                    msgspec.json.encode(asked),
                    nudge,
                    sync,
                    holder,
                ),
            )

    def clear_holders(self, ended: str) -> None:
        """Nobody runs anything: called by a worker that knows to be the only one.

        Runs that were under way when an earlier one was killed end by that.
        """
        with self._database.transaction() as db:
            db.execute("UPDATE schedule SET holder = '', lease = 0, progress = ''")
            db.execute(
                "UPDATE runs SET ended = ?, summary = ? WHERE ended IS NULL",
                (ended, '{"ending":"killed"}'),
            )

    def tell(self, sync: int, progress: str) -> None:
        """Keep a word about how far a run has come."""
        with self._database.transaction() as db:
            db.execute("UPDATE schedule SET progress = ? WHERE sync = ?", (progress, sync))

    def running(self) -> int:
        """How many syncs are held by a worker."""
        found: int = self._connection.execute(
            "SELECT count(*) FROM schedule WHERE holder <> ''"
        ).fetchone()[0]
        return found


def _turn(row: tuple[object, ...]) -> Turn:
    sync, connection, hub_type, poll, interval, held, attempts, every, nudge, asked = row[:10]
    stopped, holder, lease, began, retry, progress, work = row[10:]
    wish = orjson.loads(bytes(asked) if isinstance(asked, bytes) else str(asked))
    return Turn(
        _int(sync),
        _int(connection),
        str(hub_type),
        Pace(_real(poll), _real(interval), _real(held), _int(attempts)),
        _real(every),
        _int(nudge),
        Asked(**wish),
        bool(stopped),
        str(holder),
        _real(lease),
        _real(began),
        None if retry is None else _real(retry),
        str(progress),
        bool(work),
    )


def _int(value: object) -> int:
    assert isinstance(value, int)
    return value


def _real(value: object) -> float:
    assert isinstance(value, int | float)
    return float(value)
