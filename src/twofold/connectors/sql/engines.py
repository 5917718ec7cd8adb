"""One database behind an address: opening it, its transactions, and its failures in our words.

Facts that shaped it:

- A missing SQLite file must not be created, so it is opened by URI with ``mode=rw`` (SQLite,
  "URI Filenames"). Each call opens it anew (about 0.1 ms): a file that was replaced is noticed,
  and no lock outlives a call.
- A deferred SQLite transaction that turns into a writer can fail half-way with SQLITE_BUSY, so
  writers begin with BEGIN IMMEDIATE.
- MariaDB truncates what does not fit unless its session is strict, and converts TIMESTAMP to the
  session's time zone; PostgreSQL does the latter too. Sessions are strict and in UTC.
"""

from __future__ import annotations

import logging
import sqlite3
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any
from urllib.parse import quote

import sqlalchemy as sa
from sqlalchemy import event
from sqlalchemy.engine import URL, Connection, make_url

from twofold.connectors.sql.faults import OF_ONE_RECORD, Fault, call_failure, fault_of, message_of
from twofold.kit.errors import OutcomeUnknown, Stop, Unavailable
from twofold.kit.network import ANYWHERE, Barred, Network, forbidden

# What its pool tells of a broken connection is raised to us as well, and in our own words.
logging.getLogger("sqlalchemy").addHandler(logging.NullHandler())

_DRIVERS = {
    "sqlite": "sqlite+pysqlite",
    "postgresql": "postgresql+pg8000",
    "postgres": "postgresql+pg8000",
    "mysql": "mysql+pymysql",
    "mariadb": "mariadb+pymysql",
}
_LABELS = {"sqlite": "SQLite", "postgresql": "PostgreSQL", "mysql": "MySQL", "mariadb": "MariaDB"}
_PATIENCE = 10
"""Seconds to wait for a connection, and for another program's lock on an SQLite file."""
_WRITES = "twofold_writes"
_PORTS = {"postgresql": 5432, "mysql": 3306, "mariadb": 3306}
_HERE = "127.0.0.1"
"""What a socket file counts as."""


class BadAddress(Stop):
    """The address of the database is not one that we can open."""

    def __init__(self, reason: str) -> None:
        super().__init__("TF-A30", reason=reason)


class RefusedAtCommit(Exception):
    """A constraint that the database checks at commit failed; everything was rolled back."""

    def __init__(self, error: BaseException) -> None:
        self.error = error
        super().__init__()


class Database:
    """An SQLAlchemy engine with our manners. Used from one thread at a time.

    Attributes:
        family: "sqlite", "postgresql" or "mysql" (MySQL and MariaDB).
        label: For people; without user and password.
        account: Stable and unique for this database; without user and password.
        address: As given, but an SQLite file by its whole path.
    """

    def __init__(
        self, address: str, patience: float = _PATIENCE, network: Network = ANYWHERE
    ) -> None:
        url = _parsed(address)
        self.label = _label(url)
        if _is_sqlite(url):
            self.engine = _sqlite(url, patience)
        else:
            self.engine = _server(url, patience, network, self.label)
        name = self.engine.dialect.name
        self.family = "mysql" if name == "mariadb" else name
        self.account = _account(url)
        self.address = address.strip()
        if _is_sqlite(url):
            self.address = f"sqlite:///{Path(url.database or '').absolute()}"
        self._reader = self.engine.execution_options(isolation_level="AUTOCOMMIT")
        self._failures = (
            sa.exc.SQLAlchemyError,
            self.engine.dialect.loaded_dbapi.Error,
            UnicodeDecodeError,
            OSError,
        )

    @contextmanager
    def reading(self) -> Iterator[Connection]:
        """A connection where every statement sees what is committed.

        Raises:
            ConnectorError: the kind of it that says what happens next.
        """
        try:
            with self._reader.connect() as connection:
                yield connection
        except self._failures as error:
            raise call_failure(error, self.label) from None

    @contextmanager
    def writing(self) -> Iterator[Connection]:
        """A transaction, committed at the end of the block and rolled back where it raises.

        Raises:
            RefusedAtCommit: a deferred constraint does not hold; nothing was applied.
            OutcomeUnknown: the connection broke while committing.
            ConnectorError: as for ``reading``; nothing was applied.
        """
        try:
            with self.engine.connect().execution_options(**{_WRITES: True}) as connection:
                yield connection
                self._commit(connection)
        except self._failures as error:
            raise call_failure(error, self.label) from None

    def _commit(self, connection: Connection) -> None:
        try:
            connection.commit()
        except self._failures as error:
            fault = fault_of(error)
            if fault in OF_ONE_RECORD - {Fault.OTHER}:
                raise RefusedAtCommit(error) from None
            if fault in {Fault.BUSY, Fault.FULL}:
                raise Unavailable(self.label, f"{fault} ({message_of(error)})") from None
            raise OutcomeUnknown(self.label, message_of(error)) from None

    def close(self) -> None:
        """Close the pooled connection."""
        self.engine.dispose()


def raw_rows(connection: Connection, statement: sa.Select[Any]) -> list[Any]:
    """The rows as the driver made them: no row objects and no conversion per value.

    Text that is not UTF-8 (SQLite stores any bytes as text) is read with U+FFFD in place of each
    wrong byte; only a page that holds some pays for that.
    """
    try:
        return _fetched(connection, statement)
    except (sa.exc.OperationalError, sqlite3.OperationalError) as error:
        if "decode to UTF-8" not in message_of(error):
            raise
    driver: Any = connection.connection.driver_connection
    driver.text_factory = lambda content: content.decode("utf-8", "replace")
    return _fetched(connection, statement)


def _fetched(connection: Connection, statement: sa.Select[Any]) -> list[Any]:
    return list(connection.execute(statement).cursor.fetchall())


def _parsed(address: str) -> URL:
    try:
        url = make_url(address.strip())
        driver = _DRIVERS[url.get_backend_name()]
    except KeyError:
        raise BadAddress("it must begin with sqlite, postgresql, mysql or mariadb") from None
    except (sa.exc.ArgumentError, ValueError):
        raise BadAddress("it is not of the form dialect://user:password@host/database") from None
    if not url.database or url.database == ":memory:":
        raise BadAddress("it names no database")
    return url.set(drivername=driver)


def _is_sqlite(url: URL) -> bool:
    return url.get_backend_name() == "sqlite"


def _sqlite(url: URL, patience: float) -> sa.Engine:
    path = Path(url.database or "")
    label = _label(url)

    def connect() -> sqlite3.Connection:
        if not path.is_file():
            raise Unavailable(label, f"there is no file {path}")
        connection = sqlite3.connect(
            f"file:{quote(str(path))}?mode=rw",
            uri=True,
            timeout=patience,
            isolation_level=None,  # transactions are begun below, and only by writers
            check_same_thread=False,
        )
        connection.execute("PRAGMA foreign_keys = ON")
        return connection

    engine = sa.create_engine(url, creator=connect, poolclass=sa.NullPool)

    @event.listens_for(engine, "begin")
    def begin(connection: Connection) -> None:
        if connection.get_execution_options().get(_WRITES):
            connection.exec_driver_sql("BEGIN IMMEDIATE")

    return engine


def _server(url: URL, patience: float, network: Network, label: str) -> sa.Engine:
    options: dict[str, Any]
    if url.get_backend_name().startswith("postgres"):
        options = {"timeout": 6 * patience, "startup_params": {"TimeZone": "UTC"}}
        url = url.set(drivername="postgresql+pg8000")
    else:
        options = {
            "connect_timeout": patience,
            "charset": "utf8mb4",
            "init_command": "SET time_zone = '+00:00', "
            "sql_mode = CONCAT(@@sql_mode, ',STRICT_ALL_TABLES')",
        }
    engine = sa.create_engine(
        url, connect_args=options, pool_size=1, max_overflow=0, pool_pre_ping=True
    )

    @event.listens_for(engine, "do_connect")
    def connect(dialect: Any, record: object, args: Any, params: dict[str, Any]) -> Any:
        """The driver speaks; the way there is ours, so that no name and no option leads astray."""
        given, driver = dict(params), dialect.loaded_dbapi
        host = given.get("host") or "localhost"
        try:
            if given.get("unix_sock") or given.get("unix_socket"):
                network.check(_HERE)
                return driver.connect(*args, **given)
            port = int(given.get("port") or _PORTS[dialect.name])
            way = network.connect(host, port, given.get("timeout", patience))
        except Barred as error:
            raise forbidden(label, host, error) from None
        if dialect.name == "postgresql":
            return driver.Connection(*args, **given, sock=way)
        made = driver.connect(*args, **given, defer_connect=True)
        made.connect(way)
        return made

    return engine


def _label(url: URL) -> str:
    name = _LABELS[url.get_backend_name()]
    if _is_sqlite(url):
        return f"{name} database {Path(url.database or '').name}"
    return f"{name} database {url.database} on {url.host or 'localhost'}"


def _account(url: URL) -> str:
    if _is_sqlite(url):
        return f"sqlite:{Path(url.database or '').resolve()}"
    kind = "postgresql" if url.get_backend_name().startswith("postgres") else "mysql"
    port = url.port or _PORTS[kind]
    return f"{kind}://{url.host or 'localhost'}:{port}/{url.database}"
