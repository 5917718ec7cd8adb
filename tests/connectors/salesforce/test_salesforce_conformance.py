"""The Salesforce connector keeps the contract's promises against the simulated org."""

from __future__ import annotations

from collections.abc import AsyncIterator, Sequence
from contextlib import AsyncExitStack
from datetime import date
from decimal import Decimal
from typing import Any, ClassVar

import pytest
from tests.connectors.salesforce.account import OVERLAP, Account

from twofold.connectors.salesforce.values import written
from twofold.core.records import Fields
from twofold.core.schema import Association, Field
from twofold.core.values import Kind, Value
from twofold.kit.conformance import Capability, ConnectorConformance
from twofold.kit.contract import Connector

C = Capability
ALWAYS = frozenset(
    {
        *(C.WATERMARK, C.DELETES, C.BATCH, C.CREATE, C.UPDATE, C.ARCHIVE, C.REQUIRED, C.KEYS),
        *(C.READ_ONLY, C.BOUNDED, C.CLOSED),
    }
)


class SalesforceConformance(ConnectorConformance):
    """An org on a real socket; another user works in it directly."""

    size: ClassVar[int] = 3
    account: Account

    @pytest.fixture
    async def connector(self) -> AsyncIterator[Connector]:
        async with AsyncExitStack() as stack:
            self.account = Account(stack, self.size)
            self.account.org.add_user("Grace Hopper", "grace@example.org")
            await self.account.start()
            yield self.account.connect()

    async def reconnect(self, connector: Connector) -> Connector:
        return self.account.connect()

    async def settle(self, connector: Connector) -> None:
        self.account.clock.move(OVERLAP.total_seconds() + 2)

    def samples(self, field: Field) -> Sequence[Value]:
        """Whole numbers come back without their point, which is the same number."""
        if field.kind is Kind.DECIMAL:
            return [Decimal("1234.5"), Decimal("-0.25")]
        return super().samples(field)

    def plain(self, fields: Fields) -> dict[str, Any]:
        return {name: written(value) for name, value in fields.items()}

    async def outside_edit(self, connector: Connector, record_id: str, fields: Fields) -> None:
        self.account.clock.move(1)
        self.account.org.update(self.object_type, record_id, self.plain(fields))

    async def outside_touch(self, connector: Connector, record_id: str) -> None:
        self.account.clock.move(1)
        self.account.org.update(self.object_type, record_id, {})

    async def outside_delete(self, connector: Connector, record_id: str) -> None:
        self.account.clock.move(1)
        self.account.org.delete(self.object_type, record_id)

    async def target(self, connector: Connector, association: Association, n: int) -> str:
        return self.account.org.create(association.target, {"Name": f"Target {n}"})


class TestContacts(SalesforceConformance):
    object_type = "Contact"
    declares = ALWAYS | {C.MERGES, C.ASSOCIATIONS, C.UNIQUE}

    async def outside_merge(self, connector: Connector, loser: str, survivor: str) -> None:
        self.account.clock.move(1)
        self.account.org.merge(self.object_type, survivor, loser)

    def fields(self, n: int) -> Fields:
        return {
            "Email": f"n{n}@example.org",
            "FirstName": f"First {n}",
            "LastName": f"Last {n}",
            "ExtKey__c": f"key-{n}",
        }

    def edited(self, n: int) -> Fields:
        return {"FirstName": f"Edited {n}"}


class TestAccounts(SalesforceConformance):
    object_type = "Account"
    declares = (ALWAYS - {C.CLOSED}) | {C.MERGES}

    async def outside_merge(self, connector: Connector, loser: str, survivor: str) -> None:
        self.account.clock.move(1)
        self.account.org.merge(self.object_type, survivor, loser)

    def fields(self, n: int) -> Fields:
        return {"Name": f"Company {n}", "Website": f"https://n{n}.example", "NumberOfEmployees": n}

    def edited(self, n: int) -> Fields:
        return {"NumberOfEmployees": n + 1000}


class TestOpportunities(SalesforceConformance):
    object_type = "Opportunity"
    declares = (ALWAYS - {C.CLOSED}) | {C.ASSOCIATIONS}

    def fields(self, n: int) -> Fields:
        return {
            "Name": f"Deal {n}",
            "StageName": "Prospecting",
            "CloseDate": date(2026, 6, 1),
            "Amount": Decimal(n) + Decimal("0.5"),
        }

    def edited(self, n: int) -> Fields:
        return {"Amount": Decimal(n) + Decimal("0.25")}
