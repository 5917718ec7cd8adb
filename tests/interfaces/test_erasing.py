"""One person is erased everywhere, and nobody else is touched."""

from __future__ import annotations

from pathlib import Path

import pytest
from tests.interfaces.program import Program, Shop, connected

WHO = "p0@shop.example"
LIKE = f"not-{WHO}"
"""Somebody else, whose address ends the same way."""


@pytest.fixture
def lived_in(tmp_path: Path) -> tuple[Program, Shop]:
    """Syncs with a past: made, changed, excluded, failing; and audited."""
    program, shop = connected(tmp_path)
    shop.run(f"INSERT INTO people (email, first_name) VALUES ('{LIKE}', 'Other')")
    program("sync", "run")
    shop.run(f"UPDATE people SET first_name = 'Zebedee' WHERE email = '{WHO}'")
    program("sync", "run")
    program("records", "exclude", "shop-contacts", WHO, "--reason", "Zebedee asked us to")
    return program, shop


def _kept(program: Program) -> bytes:
    return b"".join(p.read_bytes() for p in sorted(program.folder.iterdir()) if p.is_file())


def test_nothing_of_a_person_is_left(lived_in: tuple[Program, Shop]) -> None:
    program, shop = lived_in
    mine = _kept(program).replace(LIKE.encode(), b"")
    assert WHO.encode() in mine
    assert b"Zebedee" in mine
    shop.run(f"DELETE FROM people WHERE email = '{WHO}'")
    receipt = program.json("erase", WHO, "--hub", "--yes")["receipt"]
    assert (receipt["hub"], len(receipt["records"])) == (1, 2)
    assert receipt["history"] > 0
    left = _kept(program).replace(LIKE.encode(), b"")
    assert WHO.encode() not in left
    assert b"Zebedee" not in left

    report = program.json("sync", "run")["runs"][0]
    counts = {state: count for state, count in report["health"].items() if count}
    assert counts == {"in_sync": 3}
    emails = {record.get("email") for record in program.hub()}
    assert emails == {"p1@shop.example", "p2@shop.example", LIKE}
    found = shop.run("SELECT email FROM people")
    assert len(found) == 3
    assert program.json("sync", "run")["runs"][0]["did"] == {}
    assert program("erase", WHO, "--yes", code=1).error == "TF-U50"


def test_the_receipt_says_where_a_person_still_is(lived_in: tuple[Program, Shop]) -> None:
    program, shop = lived_in
    assert program("erase", WHO, code=1).error == "TF-U20"
    receipt = program.json("erase", WHO, "--yes")["receipt"]
    assert {(one["connection"], one["there"]) for one in receipt["records"]} == {
        ("hub", True),
        ("shop", True),
    }
    assert receipt["hub"] == 0
    assert len(program.hub()) == 4, "the hub was not asked for"
    assert len(shop.run("SELECT email FROM people")) == 4, "no delete travels"
    program("sync", "run", "--full")
    again = program.json("sync", "run")["runs"][0]
    assert (again["did"], again["health"]["in_sync"]) == ({}, 4), "met anew, nobody doubled"
    assert len(program.hub()) == 4
    assert len(shop.run("SELECT email FROM people")) == 4


def test_by_another_spelling_and_by_an_id(lived_in: tuple[Program, Shop]) -> None:
    program, _ = lived_in
    assert len(program.json("erase", WHO.upper(), "--yes")["receipt"]["records"]) == 2
    (row,) = program.state("SELECT id FROM records WHERE instr(shown, 'p1@') LIMIT 1")
    assert len(program.json("erase", row[0], "--yes")["receipt"]["records"]) >= 2
