"""The promises of a connector, kept against a real server."""

from __future__ import annotations

from collections.abc import AsyncIterator, Iterator
from typing import ClassVar

import pytest
from tests.connectors.carddav.connecting import connected
from tests.servers.radicale import Radicale

from twofold.connectors.carddav import CardDav, feed
from twofold.core.records import Fields
from twofold.kit.conformance import Capability, ConnectorConformance
from twofold.kit.contract import Connector

LOG_AND_WRITES = frozenset(
    {
        Capability.LOG,
        Capability.DELETES,
        Capability.CREATE,
        Capability.UPDATE,
        Capability.DELETE,
        Capability.BATCH,
        Capability.CONDITIONAL,
        Capability.IDEMPOTENT,
        Capability.READ_ONLY,
    }
)


@pytest.fixture(scope="module")
def radicale() -> Iterator[Radicale]:
    with Radicale() as server:
        yield server


class _OnRadicale(ConnectorConformance):
    declares: ClassVar = LOG_AND_WRITES
    server: Radicale

    @pytest.fixture
    async def connector(
        self, radicale: Radicale, monkeypatch: pytest.MonkeyPatch
    ) -> AsyncIterator[Connector]:
        monkeypatch.setattr(feed, "PAGE_CARDS", 3)  # so that few cards take several pages
        self.server = radicale
        for name in radicale.cards():
            radicale.delete(name)
        async with connected(radicale.settings) as connector:
            yield connector

    async def reconnect(self, connector: Connector) -> Connector:
        assert isinstance(connector, CardDav)
        return CardDav(self.server.settings, connector._http)

    async def outside_edit(self, connector: Connector, record_id: str, fields: Fields) -> None:
        card = self.server.get(record_id)
        for name, value in fields.items():
            before = {"firstname": b"N:Last", "name": b"ORG:"}[name]
            lines = card.split(b"\r\n")
            at = next(i for i, line in enumerate(lines) if line.startswith(before))
            old = lines[at].partition(b":")[2]
            new = str(value).encode()
            lines[at] = (
                b"ORG:" + new
                if name == "name"
                else b"N:" + old.split(b";")[0] + b";" + new + b";;;"
            )
            card = b"\r\n".join(lines)
        self.server.put(record_id, card)

    async def outside_touch(self, connector: Connector, record_id: str) -> None:
        card = self.server.get(record_id)
        self.server.put(record_id, card.replace(b"END:VCARD", b"REV:20240101T000000Z\r\nEND:VCARD"))

    async def outside_delete(self, connector: Connector, record_id: str) -> None:
        self.server.delete(record_id)

    async def expire_cursors(self, connector: Connector) -> None:
        self.server.forget_tokens()


class TestContacts(_OnRadicale):
    def fields(self, n: int) -> Fields:
        return {"email": f"n{n}@example.org", "firstname": f"First {n}", "lastname": f"Last {n}"}

    def edited(self, n: int) -> Fields:
        return {"firstname": f"Edited {n}"}


class TestCompanies(_OnRadicale):
    declares: ClassVar = LOG_AND_WRITES | {Capability.REQUIRED}
    object_type = "company"

    def fields(self, n: int) -> Fields:
        return {"name": f"Company {n}", "website": f"https://www{n}.example.org", "note": f"no {n}"}

    def edited(self, n: int) -> Fields:
        return {"name": f"Edited {n}"}
