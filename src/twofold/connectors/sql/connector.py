"""The SQL connector: SQLite, PostgreSQL, MariaDB and MySQL, by their address."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Collection, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime, timedelta
from typing import TypeVar

import sqlalchemy as sa
from sqlalchemy.engine import Connection

from twofold.connectors.sql import feeds, writes
from twofold.connectors.sql.catalog import Wishes
from twofold.connectors.sql.engines import Database, RefusedAtCommit
from twofold.connectors.sql.lookups import by_ids, by_key
from twofold.connectors.sql.reflection import reflect
from twofold.connectors.sql.rows import View, view, whole
from twofold.connectors.sql.tables import Table, missing_table
from twofold.core.records import Record
from twofold.core.schema import ObjectType
from twofold.kit.contract import (
    Batch,
    Http,
    Identity,
    Manifest,
    Pause,
    Question,
    Response,
    Result,
    Write,
)
from twofold.kit.errors import SchemaChanged
from twofold.kit.hooks import HookCall, check_own_signature
from twofold.kit.network import ANYWHERE, Sockets

T = TypeVar("T")
_PAGE = 2000
"""Rows of a page: its fixed cost (about 0.5 ms) is then below a tenth of the rows' own."""
_BARE_PAGE = 20_000
"""Ids of a page without fields."""


class Sql:
    """One database as an app: tables are object types, rows are records.

    Drivers block, so all of a connector's work runs on one thread of its own; the event loop goes
    on meanwhile. SQLite takes the same way: handing a page over costs about 0.1 ms, a twentieth of
    reading it, while a lock of another program may last for seconds and must not stop the loop.
    """

    manifest = Manifest(
        name="sql",
        label="SQL database",
        summary="Tables and views of SQLite, PostgreSQL, MariaDB and MySQL.",
        questions=(
            Question(
                "url",
                "Address of the database",
                "postgresql://user:password@localhost/shop, or sqlite:///shop.db",
                pattern=r"(sqlite|postgres|postgresql|mysql|mariadb)://.+",
                secret=True,
            ),
            Question("schema", "Schema, if not the default one", "crm", optional=True),
            Question(
                "changes",
                "Columns that tell when a row changed, by table; '-' where none does",
                "customers=updated_at, orders=-",
                optional=True,
            ),
            Question(
                "keys",
                "Columns that tell rows apart, for views and tables without a primary key",
                "active_customers=id, prices=product+country",
                optional=True,
            ),
            Question(
                "hook_secret",
                "Secret with which a program beside the database signs its calls to /hooks",
                secret=True,
                optional=True,
            ),
        ),
    )

    @staticmethod
    def heard(settings: Mapping[str, str], call: HookCall) -> Collection[str]:
        """A database calls nobody, but a program that writes to it may; any table may have changed.

        The body counts for nothing; see `twofold.kit.hooks.signed` for the header.
        """
        check_own_signature(settings.get("hook_secret", ""), call)
        return ()

    def __init__(
        self,
        settings: Mapping[str, str],
        http: Http | None = None,
        *,
        page_size: int = _PAGE,
        patience: float = 10,
        lag: timedelta | None = None,
        now: Callable[[], datetime] = lambda: datetime.now(UTC),
    ) -> None:
        """Opens nothing yet.

        Args:
            settings: Answers to the manifest's questions.
            http: Where it says which addresses may be reached, nothing else is; databases speak
                protocols of their own.
            page_size: The most rows in a page.
            patience: Seconds to wait for a connection, and for another program's lock.
            lag: How late a transaction may commit after it took its time; None = the usual.
            now: The time, aware.

        Raises:
            BadAddress: the address is not one of a database that we can open.
        """
        network = http.network if isinstance(http, Sockets) else ANYWHERE
        self._database = Database(settings.get("url", ""), patience, network)
        self._schema = settings.get("schema") or None
        self._wishes = Wishes(_changes(settings), _keys(settings), lag)
        self._page_size = page_size
        self._now = now
        self._thread = ThreadPoolExecutor(1, thread_name_prefix="twofold-sql")
        self._closed = False
        self._tables: dict[str, Table] | None = None
        self._asked: dict[str, View] = {}

    def pauses(self, response: Response) -> Sequence[Pause]:
        """None: databases grant no budgets."""
        return ()

    async def verify(self) -> Identity:
        """Open the database and read its catalog."""
        await self._reading(lambda connection: sa.inspect(connection).get_table_names())
        kept = {"url": self._database.address}
        return Identity(self._database.account, self._database.label, settings=kept)

    async def describe(self) -> Sequence[ObjectType]:
        """Tables and views. The label says how changes are found."""
        tables = await self._reading(self._reflected)
        return [table.object_type for table in tables.values()]

    async def pull(
        self, obj: str, cursor: str | None, fields: Sequence[str], associations: Sequence[str] = ()
    ) -> Batch:
        """A page of the full listing by key, or of the changes since the round before."""

        def page(connection: Connection) -> Batch:
            shape = view(self._table(connection, obj), fields, associations)
            bare = not fields and not associations
            size = max(self._page_size, _BARE_PAGE) if bare else self._page_size
            if not bare:
                self._asked[obj] = shape
            return feeds.pull(
                connection,
                shape,
                cursor,
                size=size,
                bare=bare,
                app=self._database.label,
                now=self._now(),
            )

        return await self._reading(page)

    async def get(
        self,
        obj: str,
        ids: Sequence[str],
        fields: Sequence[str],
        associations: Sequence[str] = (),
        key: str | None = None,
    ) -> Mapping[str, Sequence[Record]]:
        """Rows by key, or by the database's own equality of another column."""

        def found(connection: Connection) -> Mapping[str, Sequence[Record]]:
            shape = view(self._table(connection, obj), fields, associations)
            if key is None:
                return by_ids(connection, shape, ids)
            return by_key(connection, shape, key, ids)

        return await self._reading(found)

    async def push(self, obj: str, writes: Sequence[Write]) -> Sequence[Result]:
        """All writes in one transaction; one that is refused does not undo the others."""
        return await self._on_thread(lambda: self._pushed(obj, writes))

    async def close(self) -> None:
        """Close the connection and end the thread; a second time changes nothing."""
        if not self._closed:
            self._closed = True
            await self._on_thread(self._database.close)
            self._thread.shutdown(wait=False)

    # --- on the thread ------------------------------------------------------------------------

    async def _on_thread(self, work: Callable[[], T]) -> T:
        return await asyncio.get_running_loop().run_in_executor(self._thread, work)

    async def _reading(self, work: Callable[[Connection], T]) -> T:
        return await self._on_thread(lambda: self._read(work))

    def _read(self, work: Callable[[Connection], T]) -> T:
        try:
            with self._database.reading() as connection:
                return work(connection)
        except SchemaChanged:
            self._tables = None
            raise

    def _reflected(self, connection: Connection) -> dict[str, Table]:
        self._tables = reflect(connection, self._database.family, self._schema, self._wishes)
        return self._tables

    def _table(self, connection: Connection, obj: str) -> Table:
        tables = self._tables if self._tables is not None else self._reflected(connection)
        table = tables.get(obj)
        if table is None:
            raise missing_table(self._database.label, obj, list(tables))
        if not table.key:
            raise SchemaChanged("TF-F31", object_type=obj)
        return table

    def _pushed(self, obj: str, items: Sequence[Write]) -> Sequence[Result]:
        table = self._read(lambda connection: self._table(connection, obj))
        shape = self._asked.get(obj)
        digest = shape if shape is not None and shape.table is table else whole(table)
        try:
            with self._database.writing() as connection:
                moment = writes.clock(connection, table, self._now())
                return writes.push(connection, table, items, digest, self._database.label, moment)
        except RefusedAtCommit as refused:
            if len(items) == 1:
                return [writes.refused_late(items[0], refused.error, self._database.label)]
        middle = len(items) // 2
        return [*self._pushed(obj, items[:middle]), *self._pushed(obj, items[middle:])]


def _changes(settings: Mapping[str, str]) -> dict[str, str]:
    return dict(_pairs(settings.get("changes", "")))


def _keys(settings: Mapping[str, str]) -> dict[str, tuple[str, ...]]:
    return {
        table: tuple(part.strip() for part in columns.split("+"))
        for table, columns in _pairs(settings.get("keys", ""))
    }


def _pairs(answer: str) -> list[tuple[str, str]]:
    """``a=b, c=d`` as pairs; parts without a "=" say nothing."""
    parts = (part.partition("=") for part in answer.split(","))
    return [(name.strip(), value.strip()) for name, equals, value in parts if equals]
