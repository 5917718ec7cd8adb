"""A small shop's tables on each database, and another program that writes to them.

The same two tables everywhere, ``company`` and ``contact``, in each dialect's own types, with one
of four ways to tell that a row changed:

- ``plain``: none;
- ``clock``: ``updated_at``, kept by a trigger or the database itself;
- ``lock``: ``version``, to which every writer adds 1;
- ``counter``: ``rowversion``, unique in the table, kept by triggers.
"""

from __future__ import annotations

import sqlite3
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any, Protocol

from tests.servers.mariadb import MariaDb
from tests.servers.postgres import Postgres

from twofold.core.records import Fields

WAYS = ("plain", "clock", "lock", "counter")

_CONTACT = """CREATE TABLE contact (
    id {key}, email VARCHAR(80) UNIQUE, firstname VARCHAR(40) NOT NULL, lastname VARCHAR(40),
    notes TEXT, visits INTEGER, balance DECIMAL(12, 2), subscribed BOOLEAN, born DATE,
    seen {time}, {extra} company_id INTEGER REFERENCES company (id), {way} {end}
)"""
_COMPANY = "CREATE TABLE company (id {key}, name VARCHAR(80) NOT NULL)"

_SQLITE_CLOCK = (
    "CREATE TABLE clock (now TEXT)",
    "INSERT INTO clock VALUES ('2026-01-01 00:00:00')",
    *(
        f"CREATE TRIGGER contact_{event} AFTER {event} ON contact BEGIN "
        "UPDATE contact SET updated_at = (SELECT now FROM clock) WHERE id = NEW.id; END"
        for event in ("INSERT", "UPDATE")
    ),
)
_SQLITE_COUNTER = (
    "CREATE TABLE counter (n INTEGER)",
    "INSERT INTO counter VALUES (0)",
    *(
        f"CREATE TRIGGER contact_{event} AFTER {event} ON contact BEGIN "
        "UPDATE counter SET n = n + 1; "
        "UPDATE contact SET rowversion = (SELECT n FROM counter) WHERE id = NEW.id; END"
        for event in ("INSERT", "UPDATE")
    ),
)
_POSTGRES_TRIGGER = (
    """CREATE FUNCTION keep() RETURNS trigger LANGUAGE plpgsql AS
    $$ BEGIN NEW.{column} := {value}; RETURN NEW; END $$""",
    "CREATE TRIGGER kept BEFORE INSERT OR UPDATE ON contact FOR EACH ROW EXECUTE FUNCTION keep()",
)


class Shop(Protocol):
    """A database with the two tables."""

    url: str

    def execute(self, *statements: str) -> list[Any]:
        """Another program's statements; the rows of the last one."""
        ...


class SqliteShop:
    """A shop in a file."""

    def __init__(self, path: Path, way: str) -> None:
        self.path = path
        self.url = f"sqlite:///{path}"
        columns = {
            "clock": "updated_at DATETIME NOT NULL DEFAULT CURRENT_TIMESTAMP,",
            "lock": "version INTEGER NOT NULL DEFAULT 1,",
            "counter": "rowversion INTEGER UNIQUE,",
        }
        blanks = {
            "key": "INTEGER PRIMARY KEY",
            "time": "DATETIME",
            "extra": "",
            "end": "CHECK (visits < 1000000)",
        }
        after = {"clock": _SQLITE_CLOCK, "counter": _SQLITE_COUNTER}.get(way, ())
        contact = _CONTACT.format(**blanks, way=columns.get(way, ""))
        self.execute(_COMPANY.format(**blanks), contact, *after)

    def execute(self, *statements: str) -> list[Any]:
        connection = sqlite3.connect(self.path)
        try:
            rows: list[Any] = []
            for statement in statements:
                rows = connection.execute(statement).fetchall()
            connection.commit()
            return rows
        finally:
            connection.close()


class ServerShop:
    """A shop on a server; its tables are made once and emptied for each test."""

    def __init__(
        self, server: Postgres | MariaDb, way: str, tables: Callable[[str], tuple[str, ...]]
    ) -> None:
        self.server = server
        self.name = f"shop_{way}"
        self.url = server.url(self.name)
        if self.name not in _made.setdefault(id(server), set()):
            server.make_database(self.name)
            self.execute(*tables(way))
            _made[id(server)].add(self.name)
        self.execute("DELETE FROM contact", "DELETE FROM company")

    def execute(self, *statements: str) -> list[Any]:
        return self.server.execute(self.name, *statements)


_made: dict[int, set[str]] = {}
"""Names of the databases that a server has already."""


def postgres_tables(way: str) -> tuple[str, ...]:
    """PostgreSQL's own types: an enumeration, a time with zone, a serial key."""
    columns = {
        "clock": "updated_at TIMESTAMPTZ NOT NULL,",
        "lock": "version INTEGER NOT NULL DEFAULT 1,",
        "counter": "rowversion BIGINT NOT NULL UNIQUE,",
    }
    kept = {
        "clock": {"column": "updated_at", "value": "clock_timestamp()"},
        "counter": {"column": "rowversion", "value": "nextval('versions')"},
    }
    blanks = {
        "key": "SERIAL PRIMARY KEY",
        "time": "TIMESTAMPTZ",
        "extra": "mood mood, code UUID, score DOUBLE PRECISION,",
        "way": columns.get(way, ""),
        "end": "CHECK (visits < 1000000)",
    }
    trigger = [part.format(**kept[way]) for part in _POSTGRES_TRIGGER] if way in kept else []
    return (
        "CREATE TYPE mood AS ENUM ('glad', 'sad')",
        "CREATE SEQUENCE versions",
        _COMPANY.format(**blanks),
        _CONTACT.format(**blanks),
        *trigger,
    )


def mariadb_tables(way: str) -> tuple[str, ...]:
    """MariaDB's own types: an enumeration in the column, TINYINT(1) for truth."""
    columns = {
        "clock": "updated_at DATETIME(6) NOT NULL DEFAULT CURRENT_TIMESTAMP(6) "
        "ON UPDATE CURRENT_TIMESTAMP(6),",
        "lock": "version INTEGER NOT NULL DEFAULT 1,",
        "counter": "rowversion BIGINT UNIQUE,",
    }
    blanks = {
        "key": "INTEGER AUTO_INCREMENT PRIMARY KEY",
        "time": "DATETIME",
        "extra": "mood ENUM ('glad', 'sad'), score DOUBLE,",
        "way": columns.get(way, ""),
        "end": "FOREIGN KEY (company_id) REFERENCES company (id)",
    }
    triggers = [
        f"CREATE TRIGGER contact_{event} BEFORE {event} ON contact FOR EACH ROW "
        "SET NEW.rowversion = NEXT VALUE FOR versions"
        for event in ("INSERT", "UPDATE")
    ]
    return (
        "CREATE SEQUENCE versions",
        _COMPANY.format(**blanks),
        _CONTACT.format(**blanks),
        *(triggers if way == "counter" else ()),
    )


def assignments(fields: Fields) -> str:
    """``SET`` clauses for the suite's own tame values."""
    written: Mapping[str, str] = {
        name: "NULL" if value is None else f"'{value}'" for name, value in fields.items()
    }
    return ", ".join(f"{name} = {value}" for name, value in written.items())
