"""The SQL connector keeps the contract's promises: three databases, four ways to see changes."""

from __future__ import annotations

from collections.abc import AsyncIterator, Sequence
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import ClassVar

import pytest
from tests.connectors.sql.shops import (
    ServerShop,
    Shop,
    SqliteShop,
    assignments,
    mariadb_tables,
    postgres_tables,
)
from tests.servers.mariadb import MariaDb
from tests.servers.postgres import Postgres

from twofold.connectors.sql import Sql
from twofold.core.records import Fields
from twofold.core.schema import Field, ObjectType
from twofold.core.values import Value
from twofold.kit.conformance import Capability, ConnectorConformance
from twofold.kit.contract import Connector

C = Capability
ALWAYS = frozenset(
    {
        *(C.CREATE, C.UPDATE, C.DELETE, C.BATCH, C.CONDITIONAL, C.KEYS, C.UNIQUE, C.REQUIRED),
        *(C.BOUNDED, C.READ_ONLY, C.ASSOCIATIONS),
    }
)


class SqlConformance(ConnectorConformance):
    """A shop's contacts, with small pages and no lag, so that no test has to wait."""

    way: ClassVar[str] = "plain"
    page_size: ClassVar[int] = 3
    shop: Shop

    @pytest.fixture
    async def connector(self, fresh: Shop) -> AsyncIterator[Connector]:
        self.shop = fresh
        self.opened: list[Sql] = []
        self.described: ObjectType | None = None
        yield self.another()
        for connector in self.opened:
            await connector.close()

    def another(self) -> Sql:
        settings = {"url": self.shop.url}
        self.opened.append(
            Sql(settings, page_size=self.page_size, lag=timedelta(0), now=lambda: self.time)
        )
        return self.opened[-1]

    @property
    def time(self) -> datetime:
        """What time it is for the connector."""
        return datetime.now(UTC)

    async def kind(self, connector: Connector) -> ObjectType:
        """Described once per test: the suite asks at every step, and a catalog is slow to read."""
        if self.described is None:
            self.described = await super().kind(connector)
        return self.described

    async def reconnect(self, connector: Connector) -> Connector:
        return self.another()

    def fields(self, n: int) -> Fields:
        return {
            "email": f"n{n}@example.org",
            "firstname": f"First {n}",
            "lastname": f"Last {n}",
            "visits": n,
        }

    def edited(self, n: int) -> Fields:
        return {"lastname": f"Edited {n}", "visits": n + 1000}

    async def outside_edit(self, connector: Connector, record_id: str, fields: Fields) -> None:
        moved = ", version = version + 1" if self.way == "lock" else ""
        where = f"WHERE id = {int(record_id)}"
        self.shop.execute(f"UPDATE contact SET {assignments(fields)}{moved} {where}")

    async def outside_delete(self, connector: Connector, record_id: str) -> None:
        self.shop.execute(f"DELETE FROM contact WHERE id = {int(record_id)}")


class Touching(SqlConformance):
    """Where a row has a version, a writer can move it and change nothing else."""

    async def outside_touch(self, connector: Connector, record_id: str) -> None:
        moves = {"clock": "updated_at = CURRENT_TIMESTAMP", "lock": "version = version + 1"}
        moved = moves.get(self.way, "firstname = firstname")
        self.shop.execute(f"UPDATE contact SET {moved} WHERE id = {int(record_id)}")


class OnSqlite(SqlConformance):
    @pytest.fixture
    def fresh(self, tmp_path: Path) -> Shop:
        return SqliteShop(tmp_path / "shop.db", self.way)


class OnPostgres(SqlConformance):
    @pytest.fixture
    def fresh(self, postgres: Postgres) -> Shop:
        return ServerShop(postgres, self.way, postgres_tables)

    def samples(self, field: Field) -> Sequence[Value]:
        """A UUID is text that not every text fits."""
        if field.native == "UUID":
            return ["6a1c2f5e-0b0e-4d0c-9a3e-6f0d8a5b7c41"]
        return super().samples(field)


class OnMariaDb(SqlConformance):
    @pytest.fixture
    def fresh(self, mariadb: MariaDb) -> Shop:
        return ServerShop(mariadb, self.way, mariadb_tables)


class TestSqlitePlain(OnSqlite):
    declares = ALWAYS | {C.SNAPSHOT}


class TestSqliteOnFullPages(TestSqlitePlain):
    page_size = 2000
    several_pages = 2001


class TestSqliteClock(OnSqlite, Touching):
    """Its clock has whole seconds, so the shop's stands still until a test moves it on."""

    way = "clock"
    declares = ALWAYS | {C.WATERMARK}

    @property
    def time(self) -> datetime:
        ((now,),) = self.shop.execute("SELECT now FROM clock")
        return datetime.fromisoformat(now).replace(tzinfo=UTC)

    async def settle(self, connector: Connector) -> None:
        self.shop.execute("UPDATE clock SET now = datetime(now, '+2 seconds')")

    async def outside_touch(self, connector: Connector, record_id: str) -> None:
        await self.settle(connector)
        await super().outside_touch(connector, record_id)


class TestSqliteLock(OnSqlite, Touching):
    way = "lock"
    declares = ALWAYS | {C.SNAPSHOT}


class TestSqliteCounter(OnSqlite, Touching):
    way = "counter"
    declares = ALWAYS | {C.WATERMARK}


class TestPostgresPlain(OnPostgres):
    declares = ALWAYS | {C.SNAPSHOT, C.CLOSED}


class TestPostgresClock(OnPostgres, Touching):
    way = "clock"
    declares = ALWAYS | {C.WATERMARK, C.CLOSED}


class TestPostgresLock(OnPostgres, Touching):
    way = "lock"
    declares = ALWAYS | {C.SNAPSHOT, C.CLOSED}


class TestPostgresCounter(OnPostgres, Touching):
    way = "counter"
    declares = ALWAYS | {C.WATERMARK, C.CLOSED}


class TestMariaDbPlain(OnMariaDb):
    declares = ALWAYS | {C.SNAPSHOT, C.CLOSED}


class TestMariaDbClock(OnMariaDb, Touching):
    way = "clock"
    declares = ALWAYS | {C.WATERMARK, C.CLOSED}

    async def outside_touch(self, connector: Connector, record_id: str) -> None:
        moved = "updated_at = CURRENT_TIMESTAMP(6)"
        self.shop.execute(f"UPDATE contact SET {moved} WHERE id = {int(record_id)}")


class TestMariaDbLock(OnMariaDb, Touching):
    way = "lock"
    declares = ALWAYS | {C.SNAPSHOT, C.CLOSED}


class TestMariaDbCounter(OnMariaDb, Touching):
    way = "counter"
    declares = ALWAYS | {C.WATERMARK, C.CLOSED}
