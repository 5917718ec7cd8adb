"""The HubSpot connector keeps the contract's promises against a demanding hub API.

Its searches lag behind by ten seconds, batches are answered in any order, limits are those of the
smallest account, and now and then a gateway breaks.
"""

from __future__ import annotations

from collections.abc import AsyncIterator, Sequence
from contextlib import AsyncExitStack
from decimal import Decimal
from pathlib import Path
from typing import ClassVar

import pytest
from tests.connectors.hubspot.account import LAG, Account
from tests.hub_api.serving import Serving, serving

from twofold.core.records import Fields
from twofold.core.schema import Association, Field, ObjectType
from twofold.core.values import Kind, Value
from twofold.hub.api.realism import Broken, Limits, Realism
from twofold.kit.conformance import Capability, ConnectorConformance
from twofold.kit.contract import Connector

C = Capability
ALWAYS = frozenset(
    {
        *(C.WATERMARK, C.MERGES, C.BATCH, C.CLOSED, C.CREATE, C.UPDATE, C.ARCHIVE),
        *(C.READ_ONLY, C.BOUNDED),
    }
)
RELATED = frozenset({C.ASSOCIATIONS, C.MANY, C.PRIMARY})


def realism() -> Realism:
    """All switches on; the faults come in the first requests of each test."""
    return Realism(
        limits=Limits(ten_seconds=100, day=250_000, searches=5),
        index_lag=LAG,
        unordered=True,
        broken=[
            Broken(502, part="properties", html=True),
            Broken(429, part="/batch/read"),
            Broken(423, part="/batch/create"),
            Broken(429, part="/search"),
            Broken(503, part="/batch/read", html=True, after_doing=True),
        ],
    )


class HubSpotConformance(ConnectorConformance):
    """An account on a real socket; another user works with the official API."""

    size: ClassVar[int] = 3
    serving: Serving
    account: Account

    @pytest.fixture
    async def connector(self, tmp_path: Path) -> AsyncIterator[Connector]:
        with serving(tmp_path / "hub.db", realism()) as self.serving:
            hub = self.serving.hub()
            hub.add_owner("ada@example.org", "Ada Lovelace")
            hub.add_owner("grace@example.org", "Grace Hopper")
            hub.close()
            async with AsyncExitStack() as stack:
                self.account = Account(self.serving, stack, self.size)
                self.described: ObjectType | None = None
                yield self.account.connect()

    async def kind(self, connector: Connector) -> ObjectType:
        """Described once per test: the suite asks at every step, each time by a dozen calls."""
        if self.described is None:
            self.described = await super().kind(connector)
        return self.described

    async def reconnect(self, connector: Connector) -> Connector:
        return self.account.connect()

    async def settle(self, connector: Connector) -> None:
        self.serving.clock.move(LAG.total_seconds() + 2)

    def samples(self, field: Field) -> Sequence[Value]:
        """Some numbers of the hub are whole ones, which HubSpot does not tell."""
        if field.kind is Kind.DECIMAL and field.name == "numberofemployees":
            return [Decimal(0), Decimal(7), Decimal(-3)]
        return super().samples(field)

    def path(self, rest: str = "") -> str:
        return f"/crm/v3/objects/{self.object_type}{rest}"

    async def outside_edit(self, connector: Connector, record_id: str, fields: Fields) -> None:
        texts = {name: str(value) for name, value in fields.items()}
        self.serving.clock.move(1)
        answer = self.serving("PATCH", self.path(f"/{record_id}"), {"properties": texts})
        assert answer.status == 200

    async def outside_touch(self, connector: Connector, record_id: str) -> None:
        """To another value and back: the hub gives no version to a change of nothing."""
        before = (await connector.get(self.object_type, [record_id], sorted(self.edited(99))))[
            record_id
        ][0]
        await self.outside_edit(connector, record_id, self.edited(99))
        await self.outside_edit(connector, record_id, before.fields)

    async def outside_delete(self, connector: Connector, record_id: str) -> None:
        assert self.serving("DELETE", self.path(f"/{record_id}")).status == 204

    async def outside_merge(self, connector: Connector, loser: str, survivor: str) -> None:
        pair = {"primaryObjectId": survivor, "objectIdToMerge": loser}
        assert self.serving("POST", self.path("/merge"), pair).status == 200

    async def target(self, connector: Connector, association: Association, n: int) -> str:
        made = self.serving(
            "POST",
            f"/crm/v3/objects/{association.target}",
            {"properties": {"name": f"Company {n}"}},
        )
        return str(made.json["id"])


class TestContacts(HubSpotConformance):
    declares = ALWAYS | RELATED | {C.KEYS, C.UNIQUE}

    def fields(self, n: int) -> Fields:
        return {"email": f"n{n}@example.org", "firstname": f"First {n}", "lastname": f"Last {n}"}

    def edited(self, n: int) -> Fields:
        return {"firstname": f"Edited {n}"}


class TestCompanies(HubSpotConformance):
    object_type = "company"
    declares = ALWAYS

    def fields(self, n: int) -> Fields:
        return {
            "name": f"Company {n}",
            "domain": f"n{n}.example",
            "numberofemployees": Decimal(n),
        }

    def edited(self, n: int) -> Fields:
        return {"numberofemployees": Decimal(n + 1000)}


class TestDeals(HubSpotConformance):
    object_type = "deal"
    declares = ALWAYS | RELATED

    def fields(self, n: int) -> Fields:
        return {"dealname": f"Deal {n}", "amount": Decimal(n) / 4}

    def edited(self, n: int) -> Fields:
        return {"dealname": f"Edited {n}"}
