"""The promises of a connector on a server without sync-collection: every listing is a full one."""

from __future__ import annotations

import re
from collections.abc import AsyncIterator
from typing import ClassVar

import pytest
from tests.connectors.carddav.connecting import connected
from tests.servers.scripted_dav import ScriptedDav

from twofold.connectors.carddav import CardDav, feed
from twofold.core.records import Fields
from twofold.kit.conformance import Capability, ConnectorConformance
from twofold.kit.contract import Connector


class TestSnapshots(ConnectorConformance):
    declares: ClassVar = frozenset(
        {
            Capability.SNAPSHOT,
            Capability.CREATE,
            Capability.UPDATE,
            Capability.DELETE,
            Capability.BATCH,
            Capability.CONDITIONAL,
            Capability.IDEMPOTENT,
            Capability.READ_ONLY,
        }
    )
    server: ScriptedDav

    @pytest.fixture
    async def connector(self, monkeypatch: pytest.MonkeyPatch) -> AsyncIterator[Connector]:
        monkeypatch.setattr(feed, "PAGE_CARDS", 3)  # so that few cards take several pages
        async with ScriptedDav() as server:
            server.manners.syncs = False
            self.server = server
            async with connected(server.settings) as connector:
                yield connector

    async def reconnect(self, connector: Connector) -> Connector:
        assert isinstance(connector, CardDav)
        return CardDav(self.server.settings, connector._http)

    def fields(self, n: int) -> Fields:
        return {"email": f"n{n}@example.org", "firstname": f"First {n}", "lastname": f"Last {n}"}

    def edited(self, n: int) -> Fields:
        return {"firstname": f"Edited {n}"}

    async def outside_edit(self, connector: Connector, record_id: str, fields: Fields) -> None:
        new = f"\\g<1>{fields['firstname']};;;\r\n".encode()
        card = self.server.cards[record_id]
        self.server.store(record_id, re.sub(rb"(?m)^(N:[^;]*;).*\r\n", new, card))

    async def outside_touch(self, connector: Connector, record_id: str) -> None:
        self.server.store(record_id, self.server.cards[record_id])

    async def outside_delete(self, connector: Connector, record_id: str) -> None:
        self.server.drop(record_id)
