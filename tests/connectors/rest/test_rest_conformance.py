"""A document, without code, keeps the promises of the contract against a real HTTP server."""

from __future__ import annotations

from collections.abc import AsyncIterator, Iterator
from pathlib import Path
from typing import ClassVar

import pytest
from tests.connectors.carddav.connecting import HastyClock
from tests.connectors.rest.crm_server import TOKEN, CrmServer

from twofold.connectors.rest import Rest
from twofold.core.records import Fields
from twofold.kit.budgets import Budgets
from twofold.kit.conformance import Capability, ConnectorConformance
from twofold.kit.contract import Connector
from twofold.kit.http import AioHttp

CAN = Capability
WRITES = frozenset({CAN.SNAPSHOT, CAN.CREATE, CAN.UPDATE, CAN.DELETE, CAN.BATCH, CAN.KEYS})


@pytest.fixture(scope="module")
def crm() -> Iterator[CrmServer]:
    with CrmServer() as server:
        yield server


class RestConformance(ConnectorConformance):
    declares: ClassVar = WRITES | {
        *(CAN.CONDITIONAL, CAN.IDEMPOTENT, CAN.BOUNDED, CAN.CLOSED, CAN.READ_ONLY, CAN.ASSOCIATIONS)
    }
    object_type = "contacts"
    most: ClassVar[int] = 3
    server: CrmServer

    @pytest.fixture
    async def connector(self, crm: CrmServer, tmp_path: Path) -> AsyncIterator[Connector]:
        self.server = crm
        for rows in crm.rows.values():
            rows.clear()
        self.settings = {"definition": str(crm.definition(tmp_path, self.most)), "token": TOKEN}
        reach = Rest.reach(self.settings)
        clock = HastyClock()
        budgets = Budgets("rest", reach.limits, clock)
        self.http = AioHttp("rest", reach.address, clock, budgets, auth=reach.auth)
        yield Rest(self.settings, self.http)
        await self.http.close()

    async def reconnect(self, connector: Connector) -> Connector:
        return Rest(self.settings, self.http)

    async def outside_delete(self, connector: Connector, record_id: str) -> None:
        del self.server.rows[self.object_type][int(record_id)]


class TestContacts(RestConformance):
    def fields(self, n: int) -> Fields:
        return {"email": f"n{n}@example.org", "first": f"First {n}", "visits": n}

    def edited(self, n: int) -> Fields:
        return {"first": f"Edited {n}", "visits": n + 1000}

    async def outside_edit(self, connector: Connector, record_id: str, fields: Fields) -> None:
        row = {"attributes": {"first": fields["first"]}, "visits": fields["visits"]}
        self.server.change("contacts", int(record_id), row)

    async def outside_touch(self, connector: Connector, record_id: str) -> None:
        self.server.change("contacts", int(record_id), {})


class TestCompanies(RestConformance):
    """Lists on one page, no versions, a loose search."""

    object_type = "companies"
    several_pages = 0
    declares: ClassVar = WRITES | {CAN.REQUIRED}

    def fields(self, n: int) -> Fields:
        return {"name": f"Company {n}", "domain": f"n{n}.example"}

    def edited(self, n: int) -> Fields:
        return {"domain": f"edited{n}.example"}
