"""Connections, syncs and runs: what a person set up, and what happened."""

from __future__ import annotations

import sqlite3
from collections.abc import Mapping, Sequence

import msgspec
import orjson
from msgspec import Struct

from twofold.core.errors import TwofoldError
from twofold.core.health import State
from twofold.core.mappings import Rules
from twofold.core.records import Side
from twofold.database.sqlite import Database
from twofold.store.codec import as_json
from twofold.store.fences import disturb
from twofold.store.types import Subscriber


class Connection(Struct, frozen=True):
    """One authorized account of an app."""

    id: int
    app: str
    label: str
    account: str
    settings: dict[str, str]
    """What is not secret."""
    secrets: bytes
    """Sealed; see `twofold.store.secrets`."""
    poll: float = 300.0
    """Seconds between two polls, unless somebody is at work."""


class Sync(Struct, frozen=True):
    """One configured pairing of two object types."""

    id: int
    name: str
    connection: int
    hub_reader: int
    app_reader: int
    rules: Rules
    enabled: bool
    indexed: bool
    """Both first readings have ended, so the sync applies changes."""
    fence: int
    status: RunStatus

    def reader(self, side: Side) -> int:
        """The reader of that side."""
        return self.hub_reader if side is Side.HUB else self.app_reader


class RunStatus(Struct, frozen=True):
    """Why a sync waits or stopped; empty while nothing is wrong."""

    code: str = ""
    sentence: str = ""
    needs_person: bool = False
    number: int = 0
    """What a brake counted."""


class Run(Struct, frozen=True):
    """One execution of a sync."""

    id: int
    sync: int
    started: str
    ended: str | None
    summary: dict[str, int | str]


HUB_CONNECTION = 0
"""The id of the connection that is the hub."""

_SYNC = "id, name, connection, hub_reader, app_reader, config, enabled, indexed, fence, status"


class Syncs:
    """Everything that a person set up."""

    def __init__(self, database: Database) -> None:
        self._database = database
        self._connection = database.connection

    # --- connections ------------------------------------------------------------------------

    def add_connection(
        self,
        app: str,
        label: str,
        account: str,
        settings: dict[str, str],
        secrets: bytes,
        connection_id: int | None = None,
    ) -> int:
        """Store a verified connection.

        Raises:
            TwofoldError: TF-A04, the same account is connected already; TF-A05, the label is taken.
        """
        self._refuse_twin(app, label, account)
        with self._database.transaction() as db:
            made = db.execute(
                "INSERT INTO connections (id, app, label, account, settings, secrets)"
                " VALUES (?, ?, ?, ?, ?, ?)",
                (connection_id, app, label, account, as_json(settings), secrets),
            )
        assert made.lastrowid is not None
        return made.lastrowid

    def _refuse_twin(self, app: str, label: str, account: str) -> None:
        for known in self.connections():
            if (known.app, known.account) == (app, account):
                raise TwofoldError("TF-A04", app=app, label=known.label)
            if known.label == label:
                raise TwofoldError("TF-A05", label=label)

    def connections(self) -> list[Connection]:
        """All connections, the hub first."""
        found = self._connection.execute(
            "SELECT id, app, label, account, settings, secrets, poll FROM connections ORDER BY id"
        )
        return [
            Connection(i, app, label, account, orjson.loads(settings), secrets, poll)
            for i, app, label, account, settings, secrets, poll in found
        ]

    def connection(self, connection_id: int) -> Connection:
        """A connection by its id."""
        return next(c for c in self.connections() if c.id == connection_id)

    def keep_secrets(self, connection_id: int, secrets: bytes) -> None:
        """Replace credentials that an app renewed: nothing else of the connection changes."""
        with self._database.transaction() as db:
            query = "UPDATE connections SET secrets = ? WHERE id = ?"
            db.execute(query, (secrets, connection_id))

    def seal_again(self, sealed: Mapping[int, bytes]) -> None:
        """Replace the sealed credentials of connections, all or none; on the disk when it ends.

        Sign-ins that are under way were sealed with the old key: those people begin again.
        """
        with self._database.overwriting(), self._database.durable_transaction() as db:
            db.executemany(
                "UPDATE connections SET secrets = ? WHERE id = ?",
                [(secrets, connection) for connection, secrets in sealed.items()],
            )
            db.execute("DELETE FROM sign_ins")

    def reconnect(self, connection_id: int, settings: dict[str, str], secrets: bytes) -> None:
        """Replace settings and credentials; mappings and links are kept."""
        with self._database.transaction() as db:
            db.execute(
                "UPDATE connections SET settings = ?, secrets = ? WHERE id = ?",
                (as_json(settings), secrets, connection_id),
            )
            _wake_failing(db, connection_id)
            # What was the matter may be over: the next run tells.
            db.execute(
                "UPDATE syncs SET status = '', fence = fence + 1 WHERE connection = ?",
                (connection_id,),
            )
            db.execute(
                "UPDATE schedule SET held = 0, poll = 0 WHERE sync IN"
                " (SELECT id FROM syncs WHERE connection = ?)",
                (connection_id,),
            )

    def rename_connection(self, connection_id: int, label: str) -> None:
        """Give a connection another label.

        Raises:
            TwofoldError: TF-A05, the label is taken.
        """
        if any(c.label == label and c.id != connection_id for c in self.connections()):
            raise TwofoldError("TF-A05", label=label)
        with self._database.transaction() as db:
            db.execute("UPDATE connections SET label = ? WHERE id = ?", (label, connection_id))

    def remembered(self, connection_id: int) -> int:
        """How many records were read through a connection and still exist."""
        found: int = self._connection.execute(
            "SELECT coalesce(sum(live), 0) FROM readers WHERE connection = ?", (connection_id,)
        ).fetchone()[0]
        return found

    def remove_connection(self, connection_id: int) -> None:
        """Forget a connection that no sync uses, with what was read through it."""
        with self._database.transaction() as db:
            readers = "SELECT id FROM readers WHERE connection = ?"
            db.execute(f"DELETE FROM records WHERE reader IN ({readers})", (connection_id,))
            db.execute(f"DELETE FROM scan_marks WHERE reader IN ({readers})", (connection_id,))
            db.execute("DELETE FROM readers WHERE connection = ?", (connection_id,))
            db.execute("DELETE FROM requests_sent WHERE connection = ?", (connection_id,))
            db.execute("DELETE FROM connections WHERE id = ?", (connection_id,))

    # --- syncs ------------------------------------------------------------------------------

    def add(
        self,
        name: str,
        connection: int,
        readers: tuple[int, int],
        rules: Rules,
        enabled: bool,
    ) -> int:
        """Store a sync; ``readers`` are those of the hub and of the app."""
        if any(sync.name == name for sync in self.all()):
            raise TwofoldError("TF-A06", name=name)
        with self._database.transaction() as db:
            disturb(db, readers)
            made = db.execute(
                "INSERT INTO syncs (name, connection, hub_reader, app_reader, config, enabled)"
                " VALUES (?, ?, ?, ?, ?, ?)",
                (name, connection, *readers, msgspec.json.encode(rules).decode(), enabled),
            )
        assert made.lastrowid is not None
        return made.lastrowid

    def all(self) -> list[Sync]:
        """All syncs, in the order they were made."""
        found = self._connection.execute(f"SELECT {_SYNC} FROM syncs ORDER BY id")
        return [_sync(row) for row in found]

    def get(self, sync: int) -> Sync:
        """A sync by its id."""
        row = self._connection.execute(
            f"SELECT {_SYNC} FROM syncs WHERE id = ?", (sync,)
        ).fetchone()
        return _sync(row)

    def on_reader(self, reader: int) -> list[tuple[Sync, Side]]:
        """The syncs that a reader serves, and the side it is for them."""
        return [(sync, side) for sync in self.all() for side in Side if sync.reader(side) == reader]

    def enable(self, sync: int, enabled: bool) -> None:
        """Turn a sync on or off; a run that is under way stops before its next effect."""
        with self._database.transaction() as db:
            db.execute(
                "UPDATE syncs SET enabled = ?, status = '', fence = fence + 1 WHERE id = ?",
                (enabled, sync),
            )

    def set_status(self, sync: int, status: RunStatus) -> None:
        """Store why a sync waits or stopped."""
        text = "" if status == RunStatus() else msgspec.json.encode(status).decode()
        with self._database.transaction() as db:
            db.execute(
                "UPDATE syncs SET status = ? WHERE id = ? AND status <> ?", (text, sync, text)
            )

    def delete(self, sync: int) -> None:
        """Forget a sync and its links; no record on either side is touched."""
        with self._database.transaction() as db:
            readers = db.execute(
                "SELECT hub_reader, app_reader FROM syncs WHERE id = ?", (sync,)
            ).fetchone()
            disturb(db, readers or ())
            for table in _OF_A_SYNC:
                db.execute(f"DELETE FROM {table} WHERE sync = ?", (sync,))
            db.execute("DELETE FROM syncs WHERE id = ?", (sync,))

    def claim(self, sync: int) -> int:
        """Take the sync over from whoever held it; returns the fence that every write names."""
        with self._database.transaction() as db:
            (fence,) = db.execute(
                "UPDATE syncs SET fence = fence + 1 WHERE id = ? RETURNING fence", (sync,)
            ).fetchone()
        return int(fence)

    # --- runs -------------------------------------------------------------------------------

    def begin_run(self, sync: int, started: str) -> int:
        """Note that a run has begun."""
        with self._database.transaction() as db:
            made = db.execute("INSERT INTO runs (sync, started) VALUES (?, ?)", (sync, started))
        assert made.lastrowid is not None
        return made.lastrowid

    def end_run(self, run: int, ended: str, summary: dict[str, int | str]) -> None:
        """Note what a run did; of runs that say the same and did nothing, the last one is kept."""
        with self._database.transaction() as db:
            db.execute(
                "UPDATE runs SET ended = ?, summary = ? WHERE id = ?",
                (ended, as_json(summary), run),
            )
            if not summary.keys() - {"ending", "code"}:
                db.execute(_FORGET_SAME, (run,))

    def ever_done(self, sync: int) -> bool:
        """Whether a run of this sync has ended with nothing left to do."""
        found = self._connection.execute(
            "SELECT 1 FROM runs WHERE sync = ? AND summary ->> 'ending' = 'done' LIMIT 1", (sync,)
        )
        return found.fetchone() is not None

    def runs(self, sync: int, limit: int = 20) -> list[Run]:
        """The latest runs of a sync, newest first."""
        found = self._connection.execute(
            "SELECT id, sync, started, ended, summary FROM runs WHERE sync = ?"
            " ORDER BY id DESC LIMIT ?",
            (sync, limit),
        )
        return [Run(i, s, began, ended, orjson.loads(text)) for i, s, began, ended, text in found]


def _wake_failing(db: sqlite3.Connection, connection: int) -> None:
    """What an account refused, another one, or other rights, may let through."""
    syncs = "sync IN (SELECT id FROM syncs WHERE connection = ?)"
    failing = int(State.FAILING)
    db.execute(
        "INSERT OR IGNORE INTO due SELECT sync, 'hub', hub FROM links"
        f" WHERE {syncs} AND state = ? AND state <> 1",
        (connection, failing),
    )
    db.execute(
        "INSERT OR IGNORE INTO due SELECT sync, side, row FROM singles"
        f" WHERE {syncs} AND state = ?",
        (connection, failing),
    )


_FORGET_SAME = (
    "DELETE FROM runs WHERE id = (SELECT max(o.id) FROM runs n JOIN runs o ON o.sync = n.sync"
    " AND o.id < n.id WHERE n.id = ?1)"
    " AND summary = (SELECT summary FROM runs WHERE id = ?1)"
)
"""A sync that is polled every few minutes for a year has few runs worth a line."""

_OF_A_SYNC = (
    "links",
    "singles",
    "creations",
    "due",
    "retries",
    "match_keys",
    "foreseen",
    "waits",
    "exclusions",
    "earlier",
    "entered",
    "revisits",
    "removals",
    "remade",
    "overrides",
    "verifications",
    "history",
    "throughput",
    "undos",
    "alerts",
    "counters",
    "runs",
    "refusals",
    "schedule",
)


def subscribers_of(syncs: Sequence[tuple[Sync, Side]]) -> tuple[Subscriber, ...]:
    """How the store addresses the syncs of one reader."""
    return tuple(
        Subscriber(sync.id, side, sync.indexed, sync.rules.from_now_on) for sync, side in syncs
    )


def _sync(row: Sequence[object]) -> Sync:
    i, name, connection, hub_reader, app_reader, config, enabled, indexed, fence, status = row
    return Sync(
        int(str(i)),
        str(name),
        int(str(connection)),
        int(str(hub_reader)),
        int(str(app_reader)),
        msgspec.json.decode(str(config), type=Rules),
        bool(enabled),
        bool(indexed),
        int(str(fence)),
        msgspec.json.decode(str(status), type=RunStatus) if status else RunStatus(),
    )
