"""A real shop's database, Chinook: its customers through the connector, both ways.

The data is not part of the repository. Where the folder ``shared/data`` is found beside one of the
folders above this file, these tests exist; elsewhere one test says that they do not.
"""

from __future__ import annotations

import shutil
from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from twofold.connectors.sql import Sql
from twofold.core.records import Target
from twofold.core.schema import Feed, Op
from twofold.core.values import Kind
from twofold.kit.contract import Status, Write

_FIELDS = ["FirstName", "LastName", "Email", "Company", "Phone"]


def _data() -> Path | None:
    for folder in Path(__file__).resolve().parents:
        found = folder / "shared" / "data" / "chinook.sqlite"
        if found.is_file():
            return found
    return None


if (SOURCE := _data()) is None:

    def test_chinook_is_not_here() -> None:
        print("shared/data/chinook.sqlite is in no folder above: its tests do not exist here")

else:

    @pytest.fixture
    async def chinook(tmp_path: Path) -> AsyncIterator[Sql]:
        assert SOURCE is not None
        copy = tmp_path / "chinook.sqlite"
        shutil.copyfile(SOURCE, copy)
        connector = Sql({"url": f"sqlite:///{copy}"}, page_size=20)
        yield connector
        await connector.close()

    async def test_customers_are_described(chinook: Sql) -> None:
        kinds = {kind.name: kind for kind in await chinook.describe()}
        customer = kinds["Customer"]
        assert customer.feed is Feed.SNAPSHOT
        assert customer.keys[0] == "Email"
        assert [(a.name, a.target) for a in customer.associations] == [("SupportRep", "Employee")]
        required = [f.name for f in customer.fields if f.required]
        assert required == ["FirstName", "LastName", "Email"]
        email = customer.field("Email")
        assert email is not None
        assert (email.kind, email.max_length) == (Kind.TEXT, 60)
        key = customer.field("CustomerId")
        assert key is not None
        assert key.read_only
        total = kinds["Invoice"].field("Total")
        assert total is not None
        assert total.kind is Kind.DECIMAL

    async def test_all_customers_are_listed(chinook: Sql) -> None:
        ids: list[str] = []
        cursor, pages, more = None, 0, True
        while more:
            page = await chinook.pull("Customer", cursor, _FIELDS, ["SupportRep"])
            ids += page.ids
            cursor, more, pages = page.cursor, page.more, pages + 1
        assert ids == [str(n) for n in range(1, 60)]
        assert pages == 3
        first = (await chinook.get("Customer", ["1"], _FIELDS, ["SupportRep"]))["1"][0]
        assert first.fields["Email"] == "luisg@embraer.com.br"
        assert first.associations == {"SupportRep": (Target("3"),)}

    async def test_a_customer_is_made_changed_and_removed(chinook: Sql) -> None:
        fields = {"FirstName": "Ada", "LastName": "Lovelace", "Email": "ada@example.org"}
        boss = (("SupportRep", Target("4")),)
        (made,) = await chinook.push("Customer", [Write("1", Op.CREATE, None, fields, boss)])
        assert made.status is Status.OK
        assert made.stored is not None
        assert made.stored.associations["SupportRep"] == (Target("4"),)
        change = Write(
            "2",
            Op.UPDATE,
            made.id,
            {"Company": "Analytical Engines"},
            dissociate=(("SupportRep", "4"),),
            if_version=made.version,
            expected={"Company": None},
        )
        (changed, stale) = await chinook.push(
            "Customer", [change, Write("3", Op.UPDATE, "1", {"City": "x"}, expected={"City": "y"})]
        )
        assert (changed.status, stale.status) == (Status.OK, Status.CONFLICT)
        found = await chinook.get("Customer", ["ada@example.org"], _FIELDS, key="Email")
        assert [r.fields["Company"] for r in found["ada@example.org"]] == ["Analytical Engines"]
        gone, held = await chinook.push(
            "Customer", [Write("4", Op.DELETE, made.id), Write("5", Op.DELETE, "1")]
        )
        assert gone.status is Status.OK
        assert held.status is Status.INVALID, "a customer with invoices stays"
        page = await chinook.pull("Customer", None, ())
        assert len(page.ids) == 59
