"""The Dynamics 365 connector keeps the contract's promises against the simulated environment."""

from __future__ import annotations

from collections.abc import AsyncIterator, Sequence
from contextlib import AsyncExitStack
from datetime import date, timedelta
from decimal import Decimal
from typing import Any, ClassVar

import pytest
from tests.connectors.dynamics.account import OVERLAP, Account

from twofold.connectors.dynamics.values import written
from twofold.core.records import Fields
from twofold.core.schema import Association, Field, ObjectType
from twofold.core.values import Kind, Value
from twofold.kit.conformance import Capability, ConnectorConformance
from twofold.kit.contract import Connector

C = Capability
ALWAYS = frozenset(
    {
        *(C.LOG, C.DELETES, C.BATCH, C.CREATE, C.UPDATE, C.DELETE, C.KEYS, C.READ_ONLY),
        *(C.BOUNDED, C.CONDITIONAL, C.IDEMPOTENT, C.ASSOCIATIONS),
    }
)


class DynamicsConformance(ConnectorConformance):
    """An environment on a real socket; another user works in it directly."""

    size: ClassVar[int] = 3
    account: Account
    known: ObjectType | None = None

    @pytest.fixture
    async def connector(self) -> AsyncIterator[Connector]:
        async with AsyncExitStack() as stack:
            self.account = Account(stack, self.size)
            self.account.environment.add_user("Grace Hopper", "grace@example.org")
            await self.account.start()
            yield self.account.connect()

    async def kind(self, connector: Connector) -> ObjectType:
        """Described once for each test; whether that is stable is a test of its own."""
        self.known = self.known or await super().kind(connector)
        return self.known

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
        assert self.known is not None
        return {name: written(self.known.field(name), value) for name, value in fields.items()}

    async def outside_edit(self, connector: Connector, record_id: str, fields: Fields) -> None:
        await self.kind(connector)
        self.account.environment.update(self.object_type, record_id, self.plain(fields))

    async def outside_touch(self, connector: Connector, record_id: str) -> None:
        self.account.environment.update(self.object_type, record_id, {})

    async def outside_delete(self, connector: Connector, record_id: str) -> None:
        self.account.environment.delete(self.object_type, record_id)

    async def target(self, connector: Connector, association: Association, n: int) -> str:
        name = "lastname" if association.target in {"contact", "lead"} else "name"
        return self.account.environment.create(association.target, {name: f"Target {n}"})


class Expiring(DynamicsConformance):
    """A table that is tracked: its delta links end."""

    async def expire_cursors(self, connector: Connector) -> None:
        self.account.clock.move(timedelta(days=7, seconds=1).total_seconds())


class Merging(Expiring):
    """A table whose records can be merged."""

    async def outside_merge(self, connector: Connector, loser: str, survivor: str) -> None:
        self.account.environment.merge(self.object_type, survivor, loser)


class TestContacts(Merging):
    object_type = "contact"
    declares = ALWAYS | {C.MERGES, C.UNIQUE, C.CLOSED}

    def fields(self, n: int) -> Fields:
        return {
            "emailaddress1": f"n{n}@example.org",
            "firstname": f"First {n}",
            "lastname": f"Last {n}",
            "new_extkey": f"key-{n}",
        }

    def edited(self, n: int) -> Fields:
        return {"firstname": f"Edited {n}"}


class TestAccounts(Merging):
    object_type = "account"
    declares = ALWAYS | {C.MERGES}

    def fields(self, n: int) -> Fields:
        site = f"https://n{n}.example"
        return {"name": f"Company {n}", "websiteurl": site, "numberofemployees": n}

    def edited(self, n: int) -> Fields:
        return {"numberofemployees": n + 1000}


class TestOpportunities(Expiring):
    object_type = "opportunity"
    declares = ALWAYS

    def fields(self, n: int) -> Fields:
        return {
            "name": f"Deal {n}",
            "estimatedclosedate": date(2026, 6, 1),
            "estimatedvalue": Decimal(n) + Decimal("0.5"),
        }

    def edited(self, n: int) -> Fields:
        return {"estimatedvalue": Decimal(n) + Decimal("0.25")}


class TestUntracked(DynamicsConformance):
    """A custom table without change tracking: rounds by the time of the last change."""

    object_type = "new_project"
    declares = (ALWAYS - {C.LOG, C.DELETES, C.KEYS}) | {C.WATERMARK, C.REQUIRED}

    async def outside_edit(self, connector: Connector, record_id: str, fields: Fields) -> None:
        self.account.clock.move(1)
        await super().outside_edit(connector, record_id, fields)

    def fields(self, n: int) -> Fields:
        return {"new_name": f"Project {n}", "new_budget": Decimal(n) + Decimal("0.5")}

    def edited(self, n: int) -> Fields:
        return {"new_budget": Decimal(n) + Decimal("0.25")}
