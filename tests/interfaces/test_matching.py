"""How a sync matches, through the command line: own rules, other rules later, duplicates before."""

from __future__ import annotations

import sqlite3
from collections import Counter
from contextlib import closing
from pathlib import Path

import pytest
from tests.interfaces.program import Program, Shop

SYNC = "shop-contacts"


def world(tmp_path: Path, *options: str, people: int = 0) -> tuple[Program, Shop]:
    program, shop = Program(tmp_path / "data"), Shop(tmp_path / "shop.db", people)
    program("connect", "sql", "--label", "shop", "--set", f"url={shop.url}")
    program("sync", "add", "shop", "contact", "people", "--map-by-name", "--all-contacts", *options)
    return program, shop


def person(program: Program, **values: str) -> str:
    sets = [part for name, value in values.items() for part in ("--set", f"{name}={value}")]
    found: str = program.json("hub", "records", "create", "contact", *sets)["record"]["id"]
    return found


def pairs(program: Program) -> set[tuple[str, str]]:
    return {(x["hub_id"], x["app_id"]) for x in program.json("links", "list", SYNC)["links"]}


def test_rules_of_one_s_own(tmp_path: Path) -> None:
    program, shop = world(tmp_path, "--match", "phone", "--match", "firstname+lastname")
    one = person(program, firstname="Ada", lastname="Lovelace", phone="+31 20 123 4567")
    two = person(program, firstname="Bea", lastname="Smith", email="b@x.example")
    shop.run(
        "INSERT INTO people (first_name, last_name, phone) VALUES ('A', 'L', '+31201234567'),"
        " ('Bea', 'Smith', NULL)"
    )
    program("sync", "run")
    assert pairs(program) == {(one, "1"), (two, "2")}
    assert program.json("sync", "show", SYNC)["sync"]["matching"] == [
        ["phone"],
        ["firstname", "lastname"],
    ]
    assert "phone, then firstname+lastname" in program("sync", "show", SYNC).out


@pytest.mark.parametrize(
    ("options", "code"),
    [
        (("--match", "nothing"), "TF-M02"),
        (("--match", "jobtitle"), "TF-M03"),
        (("--match", "+"), "TF-M01"),
        (("--match", "email", "--match", "email"), "TF-M05"),
    ],
)
def test_bad_rules_are_refused_when_a_sync_is_made_and_later(
    tmp_path: Path, options: tuple[str, ...], code: str
) -> None:
    program, shop = world(tmp_path)
    for command in (
        ("sync", "match", SYNC, *options),
        ("sync", "add", "shop", "company", "firms", "--map-by-name", *options),
    ):
        if command[1] == "add" and code != "TF-M02":
            continue
        error = program.json(*command, code=1)["error"]
        assert error["code"] == "TF-U07"
        assert code in [problem["code"] for problem in error["problems"]]
    assert program.json("sync", "show", SYNC)["sync"]["matching"] == "contacts"
    assert shop.path.exists()


def test_a_preset_and_rules_exclude_each_other(tmp_path: Path) -> None:
    program, _ = world(tmp_path)
    both = ("--matching", "none", "--match", "email")
    assert program("sync", "match", SYNC, *both, code=1).error == "TF-M07"
    assert program("sync", "match", SYNC, code=2).error == "TF-U01"


def test_other_rules_touch_no_link_and_match_the_rest_again(tmp_path: Path) -> None:
    program, shop = world(tmp_path, "--direction", "to-app")
    one = person(program, email="a@x.example", firstname="Ada")
    shop.run(
        "INSERT INTO people (email, first_name, last_name) VALUES ('a@x.example', 'Other', ''),"
        " ('', 'Cid', 'Doe'), ('', 'Cid', 'Doe')"
    )
    program("sync", "run")
    assert pairs(program) == {(one, "1")}
    before = program.state("SELECT * FROM links")
    rules = ("--match", "firstname+lastname")
    configured = program.json("sync", "show", SYNC)
    counted = program.json("sync", "match", SYNC, *rules, "--dry-run")
    assert program.json("sync", "show", SYNC) == configured
    answer = program.json("sync", "match", SYNC, *rules)
    assert counted["due"] == answer["due"] == 2
    keys = program.state("SELECT count(*) FROM match_keys")
    assert keys == [(2,)]  # the two Cids: the others have no last name
    program("sync", "run")
    assert program.state("SELECT * FROM links") == before
    late = person(program, firstname="Cid", lastname="Doe")
    program("sync", "run")
    found = {line["hub_id"]: line for line in program.json("records", "excluded")["records"]}
    assert found[late]["candidates"] == ["2", "3"]
    program("sync", "match", SYNC, "--matching", "none")
    program("sync", "run")
    assert len(pairs(program)) == 2  # nobody is matched: it got a twin of its own
    assert program.state("SELECT count(*) FROM match_keys") == [(0,)]


# --- duplicates -----------------------------------------------------------------------------------


def test_duplicates_are_reported_before_anything_is_written(tmp_path: Path) -> None:
    program, shop = world(tmp_path, people=3)
    for email in ("ada@x.example", "ADA@x.example", "bea@x.example"):
        person(program, email=email, lastname="L", company="Acme")
    with closing(sqlite3.connect(shop.path)) as connection, connection:
        connection.executemany(
            "INSERT INTO people (email) VALUES (?)",
            [("c@x.example",)] * 4 + [("d@x.example",)] * 2,
        )
    emails = Counter(shop.run("SELECT email FROM people"))
    hub, app = program.json("sync", "duplicates", SYNC)["sides"]
    assert (hub["total"], app["total"]) == (3, 9)
    assert hub["shared"] == [{"by": "e-mail", "groups": 1, "records": 2}]
    assert app["shared"] == [{"by": "e-mail", "groups": 2, "records": 6}]
    assert [(e["by"], e["records"], e["ids"]) for e in app["examples"]] == [
        ("e-mail", 4, ["4", "5", "6", "7"]),
        ("e-mail", 2, ["8", "9"]),
    ]
    shown = program("sync", "duplicates", SYNC).out
    assert "hub: 3 records" in shown
    assert "c@x.example" in shown
    assert Counter(shop.run("SELECT email FROM people")) == emails
    assert len(program.hub()) == 3
    assert program.state("SELECT count(*) FROM links") == [(0,)]
    program("sync", "run")  # goes on from what was read
    assert program.json("sync", "duplicates", SYNC)["sides"][1]["total"] == 9 + 3


def test_no_duplicates_is_said_too(tmp_path: Path) -> None:
    program, _ = world(tmp_path, people=2)
    assert program("sync", "duplicates", SYNC).out.count("No duplicates.") == 2
    assert program("sync", "duplicates", "none", code=1).error == "TF-U06"
