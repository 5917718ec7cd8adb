"""What is written through the API is a change of the hub: syncs pick it up at once."""

from __future__ import annotations

from pathlib import Path

from hubspot import HubSpot
from hubspot.crm.contacts import SimplePublicObjectInput
from tests.interfaces.program import Shop, until
from tests.service.service import service


def test_a_write_travels_to_the_app_at_once(tmp_path: Path) -> None:
    shop = Shop(tmp_path / "shop.db", people=3, firms=1)
    with service(tmp_path / "data") as up:
        run = up.program
        run("connect", "sql", "--label", "shop", "--set", f"url={shop.url}")
        run("sync", "add", "shop", "contact", "people", "--map-by-name")
        until(lambda: up.settled("shop-contacts"))
        secret = run.json("hub", "token", "make", "client")["token"]
        api = HubSpot(access_token=secret, host=up.url).crm.contacts
        first = api.get_all(properties=["firstname"])[0]
        changes = SimplePublicObjectInput(properties={"firstname": "Grace"})
        api.basic_api.update(first.id, changes)
        until(lambda: shop.run("SELECT email FROM people WHERE first_name = 'Grace'"))
