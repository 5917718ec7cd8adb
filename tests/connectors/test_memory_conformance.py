"""The memory connector keeps the promises of the contract, with every kind of feed."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import timedelta
from decimal import Decimal
from typing import ClassVar

import msgspec
import pytest

from twofold.core.records import Fields
from twofold.core.schema import Association, Feed, ObjectType, Op
from twofold.kit.conformance import Capability, ConnectorConformance
from twofold.kit.contract import Connector
from twofold.kit.memory import Habits, MemoryApp, MemoryConnector, company, contact, deal

C = Capability
ALWAYS = frozenset({C.CREATE, C.UPDATE, C.DELETE, C.BATCH, C.READ_ONLY, C.BOUNDED})
CONTACTS = ALWAYS | {C.KEYS, C.CLOSED, C.ASSOCIATIONS, C.MANY, C.PRIMARY}


def with_unique_email(kind: ObjectType) -> ObjectType:
    fields = [msgspec.structs.replace(field, unique=field.name == "email") for field in kind.fields]
    return msgspec.structs.replace(kind, fields=tuple(fields))


class MemoryConformance(ConnectorConformance):
    """The memory app as the suite needs it; the classes below choose its capabilities."""

    habits: ClassVar[Habits] = Habits()

    def types(self) -> Sequence[ObjectType]:
        return [contact(), company(), deal()]

    @pytest.fixture
    def connector(self) -> Connector:
        return self.made_by(MemoryConnector)

    def made_by(self, kind: type[MemoryConnector]) -> Connector:
        return kind.over(MemoryApp(self.types(), page_size=3, habits=self.habits))

    def app(self, connector: Connector) -> MemoryApp:
        assert isinstance(connector, MemoryConnector)
        return connector.app

    def fields(self, n: int) -> Fields:
        return {
            "email": f"n{n}@example.org",
            "firstname": f"First {n}",
            "lastname": f"Last {n}",
            "visits": n,
        }

    def edited(self, n: int) -> Fields:
        return {"firstname": f"Edited {n}", "visits": n + 1000}

    async def reconnect(self, connector: Connector) -> Connector:
        assert isinstance(connector, MemoryConnector)
        return type(connector).over(connector.app)

    async def settle(self, connector: Connector) -> None:
        kind = await self.kind(connector)
        self.app(connector).advance(kind.lag + kind.resolution + timedelta(seconds=1))

    async def outside_edit(self, connector: Connector, record_id: str, fields: Fields) -> None:
        self.app(connector).edit(self.object_type, record_id, fields)

    async def outside_touch(self, connector: Connector, record_id: str) -> None:
        self.app(connector).touch(self.object_type, record_id)

    async def outside_delete(self, connector: Connector, record_id: str) -> None:
        self.app(connector).delete(self.object_type, record_id)

    async def outside_merge(self, connector: Connector, loser: str, survivor: str) -> None:
        self.app(connector).merge(self.object_type, loser, survivor)

    async def expire_cursors(self, connector: Connector) -> None:
        self.app(connector).expire_cursors()

    async def target(self, connector: Connector, association: Association, n: int) -> str:
        names = {"company": {"name": f"Company {n}"}, "contact": self.fields(n)}
        return self.app(connector).create(association.target, names[association.target])


class TestLog(MemoryConformance):
    declares = CONTACTS | {C.LOG, C.DELETES, C.MERGES, C.CONDITIONAL, C.IDEMPOTENT, C.UNIQUE}

    def types(self) -> Sequence[ObjectType]:
        return [with_unique_email(contact(merges=True, idempotent=True)), company()]


class TestLogWithLagAndWithoutBodies(MemoryConformance):
    declares = CONTACTS | {C.LOG, C.DELETES}
    habits = Habits(bodies=False, stored=False)

    def types(self) -> Sequence[ObjectType]:
        return [contact(lag=timedelta(seconds=30), conditional=False), company()]


class TestWatermark(MemoryConformance):
    declares = CONTACTS | {C.WATERMARK, C.CONDITIONAL}

    def types(self) -> Sequence[ObjectType]:
        coarse, late = timedelta(minutes=1), timedelta(seconds=5)
        kind = contact(feed=Feed.WATERMARK, resolution=coarse, lag=late, deletes=False)
        return [kind, company()]


class TestSnapshotComparingOldValues(MemoryConformance):
    declares = CONTACTS | {C.SNAPSHOT, C.CONDITIONAL}
    habits = Habits(versions=False)

    def types(self) -> Sequence[ObjectType]:
        return [contact(feed=Feed.SNAPSHOT, deletes=False), company()]


class TestAtomicCompanies(MemoryConformance):
    object_type = "company"
    declares = ALWAYS | {C.WATERMARK, C.DELETES, C.KEYS, C.REQUIRED, C.ATOMIC, C.ARCHIVE}

    def types(self) -> Sequence[ObjectType]:
        ops = frozenset({Op.CREATE, Op.UPDATE, Op.DELETE, Op.ARCHIVE})
        return [company(feed=Feed.WATERMARK, ops=ops, atomic=True, conditional=False)]

    def fields(self, n: int) -> Fields:
        return {"name": f"Company {n}", "domain": f"n{n}.example", "phone": f"+49301234{n:04}"}

    def edited(self, n: int) -> Fields:
        return {"phone": f"+49309999{n:04}"}


class TestDealsOneByOne(MemoryConformance):
    object_type = "deal"
    declares = (ALWAYS | {C.LOG, C.DELETES, C.REQUIRED, C.ASSOCIATIONS, C.CONDITIONAL}) - {C.BATCH}

    def types(self) -> Sequence[ObjectType]:
        single = (Association("company", "company"),)
        return [deal(batch={}, associations=single), company()]

    def fields(self, n: int) -> Fields:
        return {"dealname": f"Deal {n}", "amount": Decimal(n) / 4}

    def edited(self, n: int) -> Fields:
        return {"dealname": f"Edited {n}"}
