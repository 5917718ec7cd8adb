"""The hub's file and the apps as they look from outside, while a run is under way and after it.

Nothing in here asks Twofold. Whether a write is in flight is told by the side that takes it: by the
locks on an SQLite file, by PostgreSQL's own list of transactions, by a proxy before the address
book. ``written`` counts every write that the side has committed.
"""

from __future__ import annotations

import fcntl
import json
import os
import shutil
import sqlite3
import struct
import tempfile
from collections.abc import Iterable, Sequence
from contextlib import closing
from pathlib import Path
from typing import Any, ClassVar, Protocol

from tests.chaos.companies import EDITED, TAG, Change, Company, tags
from tests.servers.postgres import Postgres

from twofold.hub.crm import Hub

_RESERVED_BYTE = 0x40000001
"""Locked by whoever has begun to write (https://sqlite.org/fileformat2.html#the_lock_byte_page and
os.h of SQLite: PENDING_BYTE + 1)."""
_WAL_WRITE_LOCK = 120
"""The byte of the -shm file that the writer locks (https://sqlite.org/walformat.html, 2.3.1)."""
_FLOCK = struct.Struct("hhqqi4x")
"""``struct flock`` of Linux on 64 bits: type, whence, start, length, pid."""

COLUMNS = ("name", "website", "domain", "address", "city", "zip", "state", "country")


def is_locked(path: Path, byte: int) -> bool:
    """Whether another process holds a lock on a byte of a file (fcntl(2), F_GETLK)."""
    try:
        file = os.open(path, os.O_RDWR)
    except FileNotFoundError:
        return False
    try:
        asked = _FLOCK.pack(fcntl.F_WRLCK, os.SEEK_SET, byte, 1, 0)
        kind, *_ = _FLOCK.unpack(fcntl.fcntl(file, fcntl.F_GETLK, asked))
        return bool(kind != fcntl.F_UNLCK)
    finally:
        os.close(file)


def rows(path: Path, query: str, values: Sequence[Any] = ()) -> list[Any]:
    """Rows of a file that nobody is writing; a reader never changes it."""
    with closing(sqlite3.connect(f"{path.as_uri()}?mode=ro", uri=True, timeout=0.05)) as found:
        return found.execute(query, values).fetchall()


def of_copy(path: Path, query: str) -> list[Any]:
    """Rows of a copy, so that what a killed process left is found by the next run, not by us."""
    with tempfile.TemporaryDirectory(prefix="chaos-") as name:
        for part in path.parent.glob(f"{path.name}*"):
            if not part.name.endswith("-shm"):
                shutil.copy(part, name)
        with closing(sqlite3.connect(Path(name) / path.name)) as found:
            return found.execute(query).fetchall()


def integrity(path: Path) -> str:
    """SQLite's own verdict about a whole file; ``ok`` where it is whole."""
    with closing(sqlite3.connect(path)) as found:
        return str(found.execute("PRAGMA integrity_check").fetchone()[0])


class HubFile:
    """The hub inside: its file read past Twofold, and people who work in it."""

    def __init__(self, path: Path) -> None:
        self.path = path

    def companies(self) -> list[Company]:
        query = "SELECT body FROM record WHERE type = 2 AND gone = 0"
        found = [json.loads(body) for (body,) in rows(self.path, query)]
        return [{n: v for n, v in body.items() if n in COLUMNS} for body in found]

    def written(self) -> int:
        return int(rows(self.path, "SELECT sequence FROM hub")[0][0])

    def in_flight(self) -> bool:
        return is_locked(self.path.with_name(f"{self.path.name}-shm"), _WAL_WRITE_LOCK)

    def change(self, changes: Iterable[Change]) -> None:
        """Let people work in it."""
        query = "SELECT id, body FROM record WHERE type = 2 AND gone = 0"
        ids = {tags(json.loads(body)): str(row) for row, body in rows(self.path, query)}
        hub = Hub.open(self.path)
        try:
            for change in changes:
                if change.new:
                    hub.create("company", change.company)
                else:
                    hub.update("company", ids[change.tag], change.company)
        finally:
            hub.close()


class App(Protocol):
    """One app with companies."""

    kind: ClassVar[str]
    """The connector."""
    type: ClassVar[str]
    """What it calls companies."""
    domains: ClassVar[bool]
    """Whether it has a field for a domain."""
    goes_on: ClassVar[bool]
    """Whether a write that has begun goes on while the process that sent it is frozen."""

    def answers(self) -> dict[str, str]:
        """To the connector's questions."""
        ...

    def fill(self, companies: Sequence[Company]) -> None:
        """Begin with these."""
        ...

    def companies(self) -> list[Company]:
        """All that are there."""
        ...

    def written(self) -> int | None:
        """Writes committed so far; None where a writer keeps everybody out."""
        ...

    def in_flight(self) -> bool:
        """Whether a write is in flight."""
        ...

    def change(self, changes: Iterable[Change]) -> None:
        """Let people work in it."""
        ...

    def verdict(self) -> str:
        """What the app says about its own data; ``ok`` where it is whole."""
        ...


_TABLE = """
CREATE TABLE firms (
    id {key}, name TEXT NOT NULL, website TEXT, domain TEXT, address TEXT, city TEXT, zip TEXT,
    state TEXT, country TEXT {more}
)
"""


def _dropped_blanks(found: Iterable[Sequence[str | None]]) -> list[Company]:
    return [
        {name: value for name, value in zip(COLUMNS, row, strict=True) if value is not None}
        for row in found
    ]


class SqliteApp:
    """A table in an SQLite file with a rollback journal; triggers count what is written."""

    kind: ClassVar[str] = "sql"
    type: ClassVar[str] = "firms"
    domains: ClassVar[bool] = True
    goes_on: ClassVar[bool] = False

    def __init__(self, path: Path) -> None:
        self.path = path
        with closing(sqlite3.connect(path)) as shop:
            shop.execute(_TABLE.format(key="INTEGER PRIMARY KEY", more=""))
            shop.execute("CREATE TABLE audit (seq INTEGER PRIMARY KEY, firm INTEGER)")
            for op in ("INSERT", "UPDATE"):
                shop.execute(
                    f"CREATE TRIGGER told_{op} AFTER {op} ON firms"
                    " BEGIN INSERT INTO audit (firm) VALUES (NEW.id); END"
                )
            shop.commit()

    def answers(self) -> dict[str, str]:
        return {"url": f"sqlite:///{self.path}"}

    def fill(self, companies: Sequence[Company]) -> None:
        names, marks = ", ".join(COLUMNS), ", ".join("?" * len(COLUMNS))
        with closing(sqlite3.connect(self.path)) as shop, shop:
            shop.executemany(
                f"INSERT INTO firms ({names}) VALUES ({marks})",
                [[company.get(name) for name in COLUMNS] for company in companies],
            )

    def companies(self) -> list[Company]:
        return _dropped_blanks(of_copy(self.path, f"SELECT {', '.join(COLUMNS)} FROM firms"))

    def written(self) -> int | None:
        try:
            return int(rows(self.path, "SELECT max(seq) FROM audit")[0][0] or 0)
        except sqlite3.OperationalError:  # a commit is under way, or was cut short
            return None

    def in_flight(self) -> bool:
        return is_locked(self.path, _RESERVED_BYTE)

    def change(self, changes: Iterable[Change]) -> None:
        todo = list(changes)
        self.fill([change.company for change in todo if change.new])
        edited, tagged = EDITED["app"], TAG
        with closing(sqlite3.connect(self.path)) as shop, shop:
            shop.executemany(
                f"UPDATE firms SET {edited} = ? WHERE ? IN ({tagged['hub']}, {tagged['app']})",
                [(c.company[edited], c.tag) for c in todo if not c.new],
            )

    def verdict(self) -> str:
        return integrity(self.path)


class PostgresApp:
    """A table of a PostgreSQL database, with a column that tells when a row changed."""

    kind: ClassVar[str] = "sql"
    type: ClassVar[str] = "firms"
    domains: ClassVar[bool] = True
    goes_on: ClassVar[bool] = False

    def __init__(self, server: Postgres) -> None:
        self.server = server
        self.through: int | None = None
        """The port of a line to the server; None = straight to it."""
        server.make_database("shop")
        server.execute(
            "shop",
            _TABLE.format(
                key="BIGINT GENERATED ALWAYS AS IDENTITY PRIMARY KEY",
                more=", updated_at TIMESTAMPTZ NOT NULL DEFAULT clock_timestamp()",
            ),
            "CREATE TABLE audit (seq BIGINT GENERATED ALWAYS AS IDENTITY, firm BIGINT)",
            "CREATE FUNCTION tell() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN"
            " INSERT INTO audit (firm) VALUES (NEW.id);"
            " NEW.updated_at = clock_timestamp(); RETURN NEW; END $$",
            "CREATE TRIGGER told BEFORE INSERT OR UPDATE ON firms"
            " FOR EACH ROW EXECUTE FUNCTION tell()",
        )
        self._watching = server.connection("postgres")
        self._reading = server.connection("shop")

    def close(self) -> None:
        self._watching.close()
        self._reading.close()

    def restart(self) -> None:
        """The server ends in order, breaking all connections, and starts again."""
        self.server.stop()
        self.server.start()
        self._watching = self.server.connection("postgres")
        self._reading = self.server.connection("shop")

    def answers(self) -> dict[str, str]:
        own = str(self.server.port)
        return {"url": self.server.url("shop").replace(own, str(self.through or own))}

    def fill(self, companies: Sequence[Company]) -> None:
        for start in range(0, len(companies), 500):
            part = companies[start : start + 500]
            marks = ", ".join(f"({', '.join(['%s'] * len(COLUMNS))})" for _ in part)
            self._reading.cursor().execute(
                f"INSERT INTO firms ({', '.join(COLUMNS)}) VALUES {marks}",
                [company.get(name) for company in part for name in COLUMNS],
            )

    def companies(self) -> list[Company]:
        return _dropped_blanks(self._ask(f"SELECT {', '.join(COLUMNS)} FROM firms"))

    def _ask(self, query: str) -> list[Any]:
        cursor = self._reading.cursor()
        cursor.execute(query)
        return list(cursor.fetchall())

    def written(self) -> int | None:
        return int(self._ask("SELECT count(*) FROM audit")[0][0])

    def in_flight(self) -> bool:
        """Whether a transaction of the database has a number: it gets one with its first write."""
        cursor = self._watching.cursor()
        cursor.execute(
            "SELECT count(*) FROM pg_stat_activity"
            " WHERE datname = 'shop' AND backend_xid IS NOT NULL"
        )
        return bool(cursor.fetchone()[0])

    def change(self, changes: Iterable[Change]) -> None:
        todo = list(changes)
        self.fill([change.company for change in todo if change.new])
        cursor = self._reading.cursor()
        for change in todo:
            if not change.new:
                cursor.execute(
                    f"UPDATE firms SET {EDITED['app']} = %s"
                    f" WHERE %s IN ({TAG['hub']}, {TAG['app']})",
                    (change.company[EDITED["app"]], change.tag),
                )

    def verdict(self) -> str:
        """No row of an index without its row of the table, counted without and with the index."""
        by_index = self._ask("SELECT count(DISTINCT id) FROM firms")
        return "ok" if by_index == self._ask("SELECT count(*) FROM firms") else "doubled ids"
