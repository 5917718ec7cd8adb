"""The promises of the people connector, as tests: what `twofold connector check` runs."""

from pathlib import Path

import pytest

from twofold.core.records import Fields
from twofold.kit.conformance import Capability, ConnectorConformance
from twofold.kit.contract import Connector
from twofold.kit.scaffold.people import People


class TestPeople(ConnectorConformance):
    object_type = "person"
    several_pages = 0  # a listing is always one page
    declares = frozenset(map(Capability, ("snapshot", "create", "update", "conditional", "keys")))

    @pytest.fixture
    def connector(self, tmp_path: Path) -> Connector:
        self.path = tmp_path / "people.json"
        self.path.write_text("{}")
        return People({"path": str(self.path)})

    async def reconnect(self, connector: Connector) -> Connector:
        return People({"path": str(self.path)})

    def fields(self, n: int) -> Fields:
        return {"email": f"n{n}@example.org", "name": f"Name {n}"}

    def edited(self, n: int) -> Fields:
        return {"name": f"Edited {n}"}
