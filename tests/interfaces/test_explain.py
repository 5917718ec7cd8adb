"""Explaining a record: from what is stored, by the engine's own rules, without a write."""

from __future__ import annotations

import sqlite3
from pathlib import Path
from typing import Any

import pytest
from tests.interfaces.program import Program, connected


@pytest.fixture
def settled(tmp_path: Path) -> Program:
    program, _ = connected(tmp_path, people=3, firms=2)
    program("sync", "run")
    return program


def _one(program: Program, text: str, *flags: str) -> dict[str, Any]:
    (found,) = program.json("explain", "shop-contacts", text, *flags)["records"]
    assert isinstance(found, dict)
    return found


def _field(found: dict[str, Any], name: str) -> dict[str, Any]:
    return next(line for line in found["fields"] if line["field"] == name)


def test_a_pair_in_sync(settled: Program) -> None:
    found = _one(settled, "P1@shop.example")
    assert found["state"] == "in sync"
    assert found["match"].startswith("linked")
    assert found["next"] == "Nothing to do: both sides agree."
    assert {line["reason"] for line in found["fields"]} == {"both sides hold the same"}
    assert _field(found, "@company")["app"] == "2"
    assert _one(settled, found["app_id"], "--side", "app")["hub_id"] == found["hub_id"]


def test_an_edit_that_has_been_read_and_not_written(settled: Program) -> None:
    """As after a kill between reading and writing: the edit is in the state only."""
    connection = sqlite3.connect(settled.folder / "state.db")
    connection.execute(
        "UPDATE links SET agreed_app = (SELECT shown FROM records WHERE row = app)"
        " WHERE agreed_app IS NULL"
    )
    connection.execute(
        "UPDATE records SET shown ="
        " CAST(replace(CAST(shown AS TEXT), 'Last1', 'Lovelace') AS BLOB)"
        " WHERE reader = (SELECT app_reader FROM syncs WHERE name = 'shop-contacts')"
    )
    connection.commit()
    connection.close()
    found = _one(settled, "p1@shop.example")
    line = _field(found, "lastname")
    assert (line["hub"], line["app"]) == ("Last1", "Lovelace")
    assert line["reason"] == "changed on the other side only"
    assert (line["to"], line["value"]) == ("hub", "Lovelace")
    assert found["next"] == "The hub's lastname will be written with the next run."


def test_an_excluded_record(settled: Program) -> None:
    made = settled.json("hub", "records", "create", "contact", "--set", "firstname=Nobody")
    settled("sync", "run")
    found = _one(settled, made["record"]["id"], "--side", "hub")
    assert found["state"] == "excluded"
    assert found["issues"][0]["code"] == "TF-X01"
    assert "No valid e-mail" in found["filter"]


def test_an_ambiguous_record(tmp_path: Path) -> None:
    program, shop = connected(tmp_path)
    shop.run("INSERT INTO people (email, last_name) SELECT email, 'Twin' FROM people LIMIT 1")
    program("hub", "records", "create", "contact", "--set", "email=p0@shop.example")
    program("sync", "run")
    found = program.json("explain", "shop-contacts", "p0@shop.example")["records"]
    assert len(found) == 3
    hub = next(one for one in found if one["hub_id"])
    assert hub["candidates"] == ["1", "4"]
    assert hub["match"].startswith("ambiguous: 1, 4")
    assert {one["issues"][0]["code"] for one in found} == {"TF-X12"}


def test_a_record_that_will_be_made(settled: Program) -> None:
    """Read, and no longer linked: what comes next is a create."""
    connection = sqlite3.connect(settled.folder / "state.db")
    connection.executescript(
        "DELETE FROM links; DELETE FROM match_keys WHERE side = 'hub';"
        " UPDATE syncs SET enabled = 0 WHERE name = 'shop-contacts'"
    )
    connection.close()
    found = _one(settled, "p1@shop.example", "--side", "app")
    assert found["state"] == "waiting"
    assert found["next"] == "It is created in the hub once the sync is turned on."
    assert (_field(found, "email")["to"], _field(found, "email")["value"]) == (
        "hub",
        "p1@shop.example",
    )


def test_explaining_writes_nothing(settled: Program) -> None:
    def dump() -> list[str]:
        connection = sqlite3.connect(settled.folder / "state.db")
        try:
            return list(connection.iterdump())
        finally:
            connection.close()

    before = dump()
    settled(
        "sync",
        "add",
        "shop",
        "deal",
        "people",
        "--no-default-mappings",
        "--map",
        "dealname=id:to-hub",
        code=0,
    )
    added = dump()
    settled("explain", "shop-contacts", "p1@shop.example")
    settled("explain", "shop-companies", "firm1.example")
    assert dump() == added != before


def test_what_an_app_holds_cannot_steer_the_terminal(tmp_path: Path) -> None:
    program, shop = connected(tmp_path, people=1)
    shop.run("UPDATE people SET last_name = ?", ("\x1b[2J\u202eevil\nline",))
    program("sync", "run")
    for command in (["explain", "shop-contacts", "p0@shop.example"], ["records", "in-sync"]):
        out = program(*command).out
        assert "evil" in out
        assert not {"\x1b", "\u202e"} & set(out)
