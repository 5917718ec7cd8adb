"""The connector of the hub inside keeps the promises of the contract, on a real file."""

from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import AsyncExitStack, closing
from decimal import Decimal
from pathlib import Path
from typing import ClassVar

import pytest

from twofold.core.records import Fields
from twofold.core.schema import Association
from twofold.hub.connector import HubConnector
from twofold.hub.crm import Hub
from twofold.kit.conformance import Capability, ConnectorConformance
from twofold.kit.contract import Connector

C = Capability
ALWAYS = frozenset(
    {
        *(C.LOG, C.DELETES, C.MERGES, C.CONDITIONAL, C.IDEMPOTENT, C.BATCH, C.CLOSED),
        *(C.CREATE, C.UPDATE, C.ARCHIVE, C.DELETE, C.READ_ONLY, C.BOUNDED),
    }
)
RELATED = frozenset({C.ASSOCIATIONS, C.MANY, C.PRIMARY})


class ThreeAPage(HubConnector):
    """Small pages, so that small tests have many."""

    page_size = 3


class HubConformance(ConnectorConformance):
    """A hub's file, with the connector, its user and a second connector on it."""

    connector_class: ClassVar[type[HubConnector]] = ThreeAPage
    path: Path
    closing: AsyncExitStack
    user: Hub
    """Another connection to the same file: what people do meanwhile."""

    @pytest.fixture
    async def connector(self, tmp_path: Path) -> AsyncIterator[Connector]:
        self.path = tmp_path / "hub.db"
        async with AsyncExitStack() as self.closing:
            self.user = self.closing.enter_context(closing(Hub.open(self.path)))
            self.user.add_owner("ada@example.org", "Ada Lovelace")
            self.user.add_owner("grace@example.org", "Grace Hopper")
            yield self.connect()

    def connect(self) -> Connector:
        connector = self.connector_class({"path": str(self.path)})
        self.closing.push_async_callback(connector.close)
        return connector

    async def reconnect(self, connector: Connector) -> Connector:
        return self.connect()

    async def outside_edit(self, connector: Connector, record_id: str, fields: Fields) -> None:
        self.user.update(self.object_type, record_id, fields)

    async def outside_touch(self, connector: Connector, record_id: str) -> None:
        """To another value and back: the hub gives no version to a change of nothing."""
        before = self.user.read(self.object_type, record_id)
        assert before is not None
        self.user.update(self.object_type, record_id, self.edited(99))
        back = {name: before.fields[name] for name in self.edited(99)}
        self.user.update(self.object_type, record_id, back)

    async def outside_delete(self, connector: Connector, record_id: str) -> None:
        self.user.delete(self.object_type, record_id)

    async def outside_merge(self, connector: Connector, loser: str, survivor: str) -> None:
        self.user.merge(self.object_type, survivor, loser)

    async def expire_cursors(self, connector: Connector) -> None:
        with self.user.database.transaction() as connection:
            connection.execute("UPDATE hub SET identity = 'another'")

    async def target(self, connector: Connector, association: Association, n: int) -> str:
        return self.user.create(association.target, {"name": f"Company {n}"}).id


class TestContacts(HubConformance):
    declares = ALWAYS | RELATED | {C.KEYS}

    def fields(self, n: int) -> Fields:
        return {"email": f"n{n}@example.org", "firstname": f"First {n}", "lastname": f"Last {n}"}

    def edited(self, n: int) -> Fields:
        return {"firstname": f"Edited {n}"}


class TestContactsOnFullPages(TestContacts):
    connector_class = HubConnector
    several_pages = 1001


class TestCompanies(HubConformance):
    object_type = "company"
    declares = ALWAYS | {C.KEYS}

    def fields(self, n: int) -> Fields:
        return {"name": f"Company {n}", "domain": f"n{n}.example", "numberofemployees": n}

    def edited(self, n: int) -> Fields:
        return {"numberofemployees": n + 1000}


class TestDeals(HubConformance):
    object_type = "deal"
    declares = ALWAYS | RELATED

    def fields(self, n: int) -> Fields:
        return {"dealname": f"Deal {n}", "amount": Decimal(n) / 4}

    def edited(self, n: int) -> Fields:
        return {"dealname": f"Edited {n}"}


class TestContactsWithUniqueEmail(TestContacts):
    """The switch for address books in which an e-mail address names one person."""

    declares = ALWAYS | RELATED | {C.KEYS, C.UNIQUE}

    def connect(self) -> Connector:
        hub = Hub.open(self.path, unique={"contact": ("email",)})
        return self.connector_class.over(self.closing.enter_context(closing(hub)))
