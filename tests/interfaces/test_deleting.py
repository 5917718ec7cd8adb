"""Deletes and merges through the command line: the hub inside and an SQLite file."""

from __future__ import annotations

import sqlite3
from pathlib import Path

import pytest
from tests.interfaces.program import Program, Shop
from tests.servers.radicale import Radicale


def synced(folder: Path, *options: str) -> tuple[Program, Shop]:
    """Six people on both sides, and a policy for deletes."""
    shop = Shop(folder / "shop.db", people=6)
    program = Program(folder / "data")
    program("connect", "sql", "--label", "shop", "--set", f"url={shop.url}")
    program("sync", "add", "shop", "contact", "people", "--map-by-name", *options)
    program("sync", "run")
    program("sync", "run")
    return program, shop


def emails(program: Program, shop: Shop) -> tuple[set[str], set[str]]:
    """The addresses in the hub, and those in the shop."""
    here = {record["email"] for record in program.hub()}
    return here, {email for (email,) in shop.run("SELECT email FROM people")}


def _row(shop: Shop, email: str) -> int:
    return int(shop.run("SELECT id FROM people WHERE email = ?", (email,))[0][0])


def _hub_id(program: Program, email: str) -> str:
    found = program.json("hub", "records", "list", "contact")["records"]
    return next(str(r["id"]) for r in found if r["fields"]["email"] == email)


def _full(program: Program) -> None:
    """The deletes of an app that does not report them are found by a listing."""
    program("sync", "run", "--full")


def test_a_delete_travels_both_ways(tmp_path: Path) -> None:
    program, shop = synced(tmp_path, "--deletes", "delete")
    shown = program.json("sync", "show", "shop-contacts")["sync"]
    assert shown["deletes"] == "delete"
    program("hub", "records", "delete", "contact", _hub_id(program, "p0@shop.example"), "--yes")
    program("sync", "run")
    shop.run("DELETE FROM people WHERE email = 'p1@shop.example'")
    _full(program)
    left = {f"p{n}@shop.example" for n in range(2, 6)}
    assert emails(program, shop) == (left, left)
    assert program.json("health")["syncs"][0]["total"] == 4


def test_by_default_nothing_is_deleted(tmp_path: Path) -> None:
    program, shop = synced(tmp_path)
    program("hub", "records", "delete", "contact", _hub_id(program, "p0@shop.example"), "--yes")
    program("sync", "run")
    _full(program)
    assert "p0@shop.example" in emails(program, shop)[1]
    health = program.json("health")["syncs"][0]
    assert [cause["code"] for cause in health["excluded_causes"]] == ["TF-X10"]


def test_a_person_approves_one_and_rejects_another(tmp_path: Path) -> None:
    program, shop = synced(tmp_path, "--deletes", "approve")
    for n in range(2):
        email = f"p{n}@shop.example"
        program("hub", "records", "delete", "contact", _hub_id(program, email), "--yes")
    program("sync", "run")
    asked = {one["shown"]["email"]: one for one in program.json("approvals", "list")["approvals"]}
    assert sorted(asked) == ["p0@shop.example", "p1@shop.example"]
    assert asked["p0@shop.example"]["record"] == str(_row(shop, "p0@shop.example"))
    assert program.json("health")["syncs"][0]["waiting"] == 2
    assert "p0@shop.example" in program("approvals", "list").out
    text = program("explain", "shop-contacts", "p0@shop.example").out
    assert "TF-D02" in text

    assert program("approvals", "approve", "9.9", code=1).error == "TF-D07"
    assert program("approvals", "approve", "no such", code=1).error == "TF-D07"
    program("approvals", "approve", asked["p0@shop.example"]["id"])
    program("approvals", "reject", asked["p1@shop.example"]["id"])
    program("sync", "run")
    assert emails(program, shop)[1] == {f"p{n}@shop.example" for n in range(1, 6)}
    assert program.json("approvals", "list")["approvals"] == []
    health = program.json("health")["syncs"][0]
    assert [cause["code"] for cause in health["excluded_causes"]] == ["TF-D04"]
    gone = program("approvals", "approve", asked["p0@shop.example"]["id"], code=1)
    assert gone.error == "TF-D07"


def test_a_policy_that_an_app_cannot_carry_out_is_refused(tmp_path: Path) -> None:
    shop = Shop(tmp_path / "shop.db")
    program = Program(tmp_path / "data")
    program("connect", "sql", "--label", "shop", "--set", f"url={shop.url}")
    words = ("sync", "add", "shop", "contact", "people", "--map-by-name", "--deletes", "archive")
    refused = program.json(*words, code=1)["error"]
    assert [problem["code"] for problem in refused["problems"]] == ["TF-D06"]
    program(*words, "--direction", "to-hub")  # the hub can


# --- brakes ---------------------------------------------------------------------------------


def test_a_brake_is_overridden_by_name_and_it_is_kept_who_did(tmp_path: Path) -> None:
    program, shop = synced(tmp_path, "--deletes", "delete", "--brake", "deletes=30")
    for n in range(3):
        email = f"p{n}@shop.example"
        program("hub", "records", "delete", "contact", _hub_id(program, email), "--yes")
    report = program.json("sync", "run", code=1)["runs"][0]
    assert (report["ending"], report["code"]) == ("stopped", "TF-B02")
    assert len(emails(program, shop)[1]) == 6
    shown = program.json("sync", "brakes", "shop-contacts")
    assert shown["limits"] == {"deletes": 0.3, "creates": 0.5, "changes": 0.5}
    assert (shown["pulled"]["brake"], shown["pulled"]["number"]) == ("deletes", 3)
    assert program.json("status")["syncs"][0]["word"] == "Action required"

    wrong = program("sync", "resume", "shop-contacts", "--override", "creates", code=1)
    assert wrong.error == "TF-B10"
    program("sync", "resume", "shop-contacts", "--override", "deletes")
    program("sync", "run")
    assert len(emails(program, shop)[1]) == 3
    (said,) = program.json("sync", "brakes", "shop-contacts")["overrides"]
    assert said["brake"] == "deletes"
    assert said["who"]
    assert said["used"]
    assert "3 of 6" in program("sync", "brakes", "shop-contacts").out
    again = program("sync", "resume", "shop-contacts", "--override", "deletes", code=1)
    assert again.error == "TF-B10"


def test_a_column_that_is_gone_is_a_brake_and_the_sync_goes_on_without_it(tmp_path: Path) -> None:
    program, shop = synced(tmp_path)
    shop.run("ALTER TABLE people DROP COLUMN phone")
    program(
        "hub",
        "records",
        "edit",
        "contact",
        _hub_id(program, "p0@shop.example"),
        "--set",
        "lastname=New",
    )
    report = program.json("sync", "run", code=1)["runs"][0]
    assert report["code"] == "TF-B05"
    assert "phone" in report["sentence"]
    program("sync", "resume", "shop-contacts", "--override", "field-gone")
    program("sync", "run")
    names = dict(shop.run("SELECT email, last_name FROM people"))
    assert names["p0@shop.example"] == "New"
    mapped = program.json("sync", "show", "shop-contacts")["sync"]["mappings"]
    assert "phone" not in {mapping["app"] for mapping in mapped}
    assert program.json("health")["syncs"][0]["in_sync"] == 6


@pytest.mark.parametrize("limit", ["deletes", "deletes=", "deletes=x", "deletes=101", "speed=1"])
def test_a_limit_that_is_none_is_refused(tmp_path: Path, limit: str) -> None:
    program = Program(tmp_path / "data")
    program("sync", "add", "shop", "contact", "people", "--brake", limit, code=2)


# --- verification, and what is frozen -----------------------------------------------------------


def test_all_pairs_are_compared_on_request(tmp_path: Path) -> None:
    program, shop = synced(tmp_path)
    assert program.json("sync", "verify", "shop-contacts") == {
        "sync": "shop-contacts",
        "checked": 6,
        "drift": 0,
    }
    # The hub's log does not tell of it, as after a file was restored beside it.
    with sqlite3.connect(program.folder / "hub.db") as hub:
        hub.execute(
            "UPDATE record SET body = json_set(body, '$.lastname', 'Restored')"
            " WHERE body ->> 'email' = 'p0@shop.example'"
        )
    hub.close()
    assert program.json("sync", "verify", "shop-contacts")["drift"] == 1
    program("sync", "run")
    assert shop.run("SELECT last_name FROM people WHERE email = 'p0@shop.example'") == [
        ("Restored",)
    ]
    assert program.json("health")["syncs"][0]["verified"]["drift"] == 1
    assert "1 pairs had drifted" in program("health").out


def test_two_apps_that_rewrite_each_other_are_frozen_and_let_go(tmp_path: Path) -> None:
    program, shop = synced(tmp_path)
    ada = _hub_id(program, "p0@shop.example")
    for _ in range(6):
        program("hub", "records", "edit", "contact", ada, "--set", "lastname=ADA")
        program("sync", "run", code=None)
        shop.run("UPDATE people SET last_name = 'ada' WHERE email = 'p0@shop.example'")
        program("sync", "run", code=None)
    (line,) = program.json("records", "failing")["records"]
    assert [issue["code"] for issue in line["issues"]] == ["TF-R10"]
    assert "'ADA' in the hub and 'ada' in the app" in line["issues"][0]["sentence"]
    assert program("sync", "unfreeze", "shop-contacts", "nobody", code=1).error == "TF-R20"
    freed = program.json("sync", "unfreeze", "shop-contacts", ada)
    assert freed["fields"] == ["lastname"]
    program("sync", "run")
    (hub,) = (r for r in program.hub() if r["email"] == "p0@shop.example")
    assert hub["lastname"] == "ada", "the latest edit travels"
    assert program.json("health")["syncs"][0]["in_sync"] == 6


# --- an address book --------------------------------------------------------------------------


def test_a_delete_travels_to_and_from_an_address_book(tmp_path: Path) -> None:
    with Radicale() as book:
        told = [
            word for name, value in book.settings.items() for word in ("--set", f"{name}={value}")
        ]
        program = Program(tmp_path / "data")
        program("connect", "carddav", "--label", "book", *told)
        for n in range(6):
            words = ("--set", f"email=p{n}@book.example", "--set", f"lastname=L{n}")
            program("hub", "records", "create", "contact", *words)
        program("sync", "add", "book", "contact", "--name", "book", "--deletes", "delete")
        program("sync", "run", "book")
        program("sync", "run", "book")
        assert len(book.cards()) == 6
        program("hub", "records", "delete", "contact", _hub_id(program, "p0@book.example"), "--yes")
        program("sync", "run", "book")
        assert not any(b"p0@book.example" in card for card in book.cards().values())
        (name,) = (n for n, card in book.cards().items() if b"p1@book.example" in card)
        book.delete(name)
        program("sync", "run", "book")
        left = {f"p{n}@book.example" for n in range(2, 6)}
        assert {record["email"] for record in program.hub()} == left
        assert len(book.cards()) == 4
        assert program.json("health", "book")["syncs"][0]["in_sync"] == 4
