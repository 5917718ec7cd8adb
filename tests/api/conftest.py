"""One service for all tests of the API: each makes what it needs under names of its own."""

from __future__ import annotations

from collections.abc import Iterator

import pytest
from tests.api.client import Client, administrator
from tests.interfaces.program import Shop, until
from tests.service.service import Service, service


@pytest.fixture(scope="session")
def up(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Service]:
    """A running service."""
    with service(tmp_path_factory.mktemp("api") / "data") as made:
        yield made
        assert not [line for line in made.lines if line["event"] == "request failed"]


@pytest.fixture(scope="session")
def admin(up: Service) -> Client:
    """The administrator, signed in."""
    until(lambda: any("/accept#" in line for line in up.printed))
    return administrator(up)


@pytest.fixture(scope="session")
def shop(admin: Client, tmp_path_factory: pytest.TempPathFactory) -> Shop:
    """A shop that is connected and in step."""
    made = Shop(tmp_path_factory.mktemp("shop") / "shop.db", people=5, firms=2)
    connect = {"app": "sql", "label": "shop", "answers": {"url": made.url}}
    admin("POST", "/connections", connect, status=201)
    for hub_type, table in (("company", "firms"), ("contact", "people")):
        asked = {"connection": "shop", "hub_type": hub_type, "app_type": table, "by_name": True}
        admin("POST", "/syncs", asked, status=201)

    def settled() -> bool:
        found = admin("GET", "/syncs").json["syncs"]
        return all(one["status"]["word"] == "Active and listening" for one in found)

    until(settled)
    return made
