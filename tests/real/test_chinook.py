"""A real shop, Chinook: its 59 customers arrive, edits travel, and nothing is written in vain."""

from __future__ import annotations

import shutil
import sqlite3
from contextlib import closing
from pathlib import Path
from typing import Any

import pytest
from tests.interfaces.program import Program, rows
from tests.real import data, watching

MAPPINGS = {
    "email": "Email",
    "firstname": "FirstName",
    "lastname": "LastName",
    "company": "Company",
    "address": "Address",
    "city": "City",
    "state": "State",
    "country": "Country",
    "zip": "PostalCode",
    "phone": "Phone",
}


class Chinook:
    """The shop and the hub in step, after the first run."""

    def __init__(self, folder: Path, *, stamped: bool = False) -> None:
        self.path = folder / "chinook.sqlite"
        shutil.copyfile(data.path("chinook.sqlite"), self.path)
        self.path.chmod(0o600)
        if stamped:
            self.run("ALTER TABLE Customer ADD COLUMN updated_at DATETIME")
            self.run("UPDATE Customer SET updated_at = '2026-01-01 00:00:00'")
        self.program = Program(folder / "data")
        self.program("connect", "sql", "--label", "shop", "--set", f"url=sqlite:///{self.path}")
        maps = [part for pair in MAPPINGS.items() for part in ("--map", "=".join(pair))]
        self.program("sync", "add", "shop", "contact", "Customer", *maps)
        self.first = self.program.json("sync", "run")["runs"][0]

    def run(self, statement: str) -> None:
        with closing(sqlite3.connect(self.path)) as connection, connection:
            connection.execute(statement)

    def customers(self) -> list[dict[str, Any]]:
        """By the hub's names; a blank is None."""
        columns = ", ".join(MAPPINGS.values())
        found = rows(self.path, f"SELECT {columns} FROM Customer ORDER BY CustomerId")
        return [dict(zip(MAPPINGS, row, strict=True)) for row in found]

    def shown(self) -> list[dict[str, Any]]:
        """The customers as values compare: without white space at their ends ("Edinburgh ")."""
        return [{n: text and text.strip() for n, text in c.items()} for c in self.customers()]

    def contacts(self) -> list[dict[str, Any]]:
        return [{name: record.get(name) for name in MAPPINGS} for record in self.program.hub()]

    def watched(self, *, restart: bool = False) -> watching.Seen:
        return watching.run(self.program.folder, self.path, restart=restart)


def _by_email(records: list[dict[str, Any]]) -> dict[str, dict[str, Any]]:
    found = {record["email"]: record for record in records}
    assert len(found) == len(records)
    return found


def test_all_customers_arrive_with_every_field(tmp_path: Path) -> None:
    shop = Chinook(tmp_path)
    assert (shop.first["ending"], shop.first["did"]["hub created"]) == ("done", 59)
    assert shop.first["health"]["in_sync"] == 59
    assert len(shop.contacts()) == 59
    assert _by_email(shop.contacts()) == _by_email(shop.shown())
    assert any(customer["company"] for customer in shop.customers())
    assert shop.customers() == [
        dict(zip(MAPPINGS, row, strict=True))
        for row in rows(
            data.path("chinook.sqlite"),
            f"SELECT {', '.join(MAPPINGS.values())} FROM Customer ORDER BY CustomerId",
        )
    ], "the shop itself was left as it was"


def test_an_edit_on_each_side_travels_and_only_that(tmp_path: Path) -> None:
    shop = Chinook(tmp_path)
    expected = _by_email(shop.shown())
    shop.run("UPDATE Customer SET Company = 'Embraer S.A.' WHERE CustomerId = 1")
    contacts = shop.program.json("hub", "records", "list", "contact", "--limit", "100")["records"]
    leonie = next(c["id"] for c in contacts if c["fields"]["email"] == "leonekohler@surfeu.de")
    shop.program("hub", "records", "edit", "contact", leonie, "--set", "city=Esslingen")
    new = {"email": "ada@example.org", "firstname": "Ada", "lastname": "Lovelace"}
    given = [part for pair in new.items() for part in ("--set", "=".join(pair))]
    shop.program("hub", "records", "create", "contact", *given)

    with watching.statements() as sent:
        report = shop.program.json("sync", "run")["runs"][0]
    assert report["did"] == {
        "app read": 1,
        "hub read": 2,
        "app created": 1,
        "app updated": 1,
        "hub updated": 1,
        "app writes": 2,
        "hub writes": 1,
    }
    assert sorted(text.split()[0] for text in sent) == ["INSERT", "UPDATE"]

    expected["luisg@embraer.com.br"]["company"] = "Embraer S.A."
    expected["leonekohler@surfeu.de"]["city"] = "Esslingen"
    expected["ada@example.org"] = {name: new.get(name) for name in MAPPINGS}
    assert _by_email(shop.shown()) == expected
    assert _by_email(shop.contacts()) == expected
    assert shop.watched() == watching.NOTHING


@pytest.mark.parametrize("stamped", [False, True], ids=["as it is", "with a column of times"])
def test_a_second_run_writes_nothing(tmp_path: Path, stamped: bool) -> None:
    shop = Chinook(tmp_path, stamped=stamped)
    assert shop.watched() == watching.NOTHING
    assert shop.watched(restart=True) == watching.NOTHING
    touch = "LastName = LastName" + (", updated_at = '2026-02-01 00:00:00'" if stamped else "")
    shop.run(f"UPDATE Customer SET {touch}")
    assert shop.watched() == watching.NOTHING
    assert shop.watched(restart=True) == watching.NOTHING
    shop.run("UPDATE Customer SET Fax = '+1 555 0100'")  # a column that is not mapped
    assert shop.watched() == watching.NOTHING

    stamp = ", updated_at = '2026-03-01 00:00:00'" if stamped else ""
    shop.run(f"UPDATE Customer SET City = 'Rio'{stamp} WHERE CustomerId = 1")
    seen = shop.watched()
    assert seen.files == ["hub.db"], "the watch sees what is written"
    assert "UPDATE records" in seen.rows
