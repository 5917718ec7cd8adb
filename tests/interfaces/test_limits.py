"""Limits through the command line: set, counted before they are saved, told, and by hand."""

from __future__ import annotations

import re
from pathlib import Path

import pytest
from tests.interfaces.program import Program, Shop

SYNC = "shop-contacts"


@pytest.fixture
def world(tmp_path: Path) -> tuple[Program, Shop]:
    """Three people in a shop, in step with the hub."""
    program, shop = Program(tmp_path / "data"), Shop(tmp_path / "shop.db", 3)
    program("connect", "sql", "--label", "shop", "--set", f"url={shop.url}")
    program("sync", "add", "shop", "contact", "people", "--map-by-name")
    program("sync", "run")
    return program, shop


def excluded(program: Program) -> list[str]:
    found = program.json("records", "excluded", "--sync", SYNC)["records"]
    return sorted(issue["code"] for line in found for issue in line["issues"])


def effect(program: Program, *options: str) -> dict[str, int]:
    (one,) = program.json("sync", "limit", SYNC, *options, "--dry-run")["syncs"]
    return {k: v for k, v in one["effect"].items() if isinstance(v, int) and v}


LIMIT = ("--to-hub", "email starts with p1", "--to-app", "email starts with p1")


def test_the_effect_is_counted_before_and_only_that_happens(world: tuple[Program, Shop]) -> None:
    program, shop = world
    assert effect(program, *LIMIT) == {"stops": 2}
    assert excluded(program) == []
    said = program("sync", "limit", SYNC, *LIMIT, "--yes").out
    assert "that stop: 2" in said
    assert program.state("SELECT count(*) FROM due") == [(2,)]
    shop.run("UPDATE people SET first_name = 'New'")
    program("sync", "run")
    assert excluded(program) == ["TF-X03", "TF-X03"]
    names = sorted(str(record.get("firstname")) for record in program.hub())
    assert names == ["First0", "First2", "New"]
    assert effect(program, "--all-to-hub", "--all-to-app") == {"starts": 2}
    program("sync", "limit", SYNC, "--all-to-hub", "--all-to-app", "--yes")
    program("sync", "run")
    assert {record.get("firstname") for record in program.hub()} == {"New"}
    assert excluded(program) == []


def test_limits_are_shown_in_words(world: tuple[Program, Shop]) -> None:
    program, _ = world
    program(
        *("sync", "limit", SYNC, "--yes", "--leaving", "keep"),
        *("--to-hub", "first_name is known", "--to-hub", "or", "--to-hub", 'email is "or so"'),
    )
    out = program("sync", "show", SYNC).out
    assert 'to the hub, only where: first_name is known or email is "or so"' in out
    assert "a record that leaves: keep" in out
    shown = program.json("sync", "show", SYNC)["sync"]
    assert shown["limit_to_hub"] == ["first_name is known", "or", 'email is "or so"']
    assert (shown["limit_to_app"], shown["leaving"]) == ([], "keep")


def test_the_hub_archives_who_leaves_and_an_app_that_cannot_refuses(
    world: tuple[Program, Shop],
) -> None:
    program, shop = world
    limit = ("sync", "limit", SYNC, "--yes", "--leaving", "archive")
    refused = program(*limit, "--to-app", "email starts with p", code=None)
    assert "TF-D10" in refused.err
    program(*limit, "--to-hub", "first_name starts with First")
    assert "leaving: archive" in program("export", SYNC).out
    program("sync", "run")
    before = len(program.hub())
    shop.run("UPDATE people SET first_name = 'New' WHERE first_name = 'First1'")
    program("sync", "run")
    assert len(program.hub()) == before - 1
    assert excluded(program) == ["TF-X03"]


def test_a_file_says_the_same_and_comes_back_as_it_was(
    world: tuple[Program, Shop], tmp_path: Path
) -> None:
    program, _ = world
    program("sync", "limit", SYNC, *LIMIT, "--yes")
    text = program("export", SYNC).out
    assert "starts with" in text
    (tmp_path / "sync.yaml").write_text(text)
    (again,) = program.json("apply", "-f", str(tmp_path / "sync.yaml"))["syncs"]
    assert again["did"] == "unchanged"


@pytest.mark.parametrize(
    ("options", "code"),
    [
        (("--to-hub", "nothing is 1"), "TF-L01"),
        (("--to-hub", "email is greater than 1"), "TF-L02"),
        (("--to-app", "closedate is 1"), "TF-L01"),
        (("--to-hub", "email is between a"), "TF-L02"),
    ],
)
def test_a_limit_that_cannot_work_is_refused(
    world: tuple[Program, Shop], options: tuple[str, ...], code: str
) -> None:
    program, _ = world
    answer = program("sync", "limit", SYNC, *options, "--yes", code=1)
    assert code in answer.err
    assert program.json("sync", "show", SYNC)["sync"]["limit_to_hub"] == []


@pytest.mark.parametrize(
    ("options", "code"),
    [
        (("--to-hub", "gibberish"), "TF-L10"),
        (("--to-hub", "or"), "TF-L07"),
        ((), "TF-U01"),
        (("--to-hub", "email is known", "--all-to-hub"), "TF-U01"),
    ],
)
def test_what_is_no_limit(world: tuple[Program, Shop], options: tuple[str, ...], code: str) -> None:
    program, _ = world
    answer = program("sync", "limit", SYNC, *options, "--yes", code=2 if code == "TF-U01" else 1)
    assert answer.error == code


def test_a_sync_is_made_with_limits(tmp_path: Path) -> None:
    program, shop = Program(tmp_path / "data"), Shop(tmp_path / "shop.db", 3)
    program("connect", "sql", "--label", "shop", "--set", f"url={shop.url}")
    program(
        *("sync", "add", "shop", "contact", "people", "--map-by-name"),
        *("--limit-to-hub", "email is any of p0@shop.example, p2@shop.example"),
    )
    program("sync", "run")
    assert len(program.hub()) == 2
    assert excluded(program) == ["TF-X03"]


def test_from_now_on(tmp_path: Path) -> None:
    program, shop = Program(tmp_path / "data"), Shop(tmp_path / "shop.db", 2)
    program("connect", "sql", "--label", "shop", "--set", f"url={shop.url}")
    program("sync", "add", "shop", "contact", "people", "--map-by-name", "--from-now-on")
    program("sync", "run")
    assert program.hub() == []
    assert excluded(program) == ["TF-X06", "TF-X06"]
    shop.run("UPDATE people SET first_name = 'Ada' WHERE id = 1")
    program("sync", "run")
    assert len(program.hub()) == 1
    program("sync", "limit", SYNC, "--with-history", "--yes")
    program("sync", "run")
    assert len(program.hub()) == 2
    answer = program("sync", "limit", SYNC, "--from-now-on", "--yes", code=1)
    assert "TF-L11" in answer.err


def test_by_hand(world: tuple[Program, Shop]) -> None:
    program, shop = world
    out = program("records", "exclude", SYNC, "p1@shop.example", "--reason", "on hold").out
    assert re.search(r"First1 Last1 p1@shop.example is excluded", out)
    shop.run("UPDATE people SET first_name = 'New' WHERE email LIKE 'p1%'")
    program("sync", "run")
    program("sync", "run", "--full")
    assert excluded(program) == ["TF-X04"]
    assert "on hold" in program("explain", SYNC, "p1@shop.example").out
    assert "New" not in str(program.hub())
    program("records", "include", SYNC, "p1@shop.example")
    program("sync", "run")
    assert "New" in str(program.hub())
    assert excluded(program) == []
    assert program("records", "include", SYNC, "p1@shop.example", code=1).error == "TF-L15"


def test_paused_by_hand(world: tuple[Program, Shop]) -> None:
    program, _ = world
    record = ("records", "exclude", SYNC, "p1@shop.example", "--reason", "holiday", "--until")
    for text in ("yesterday", "2001-01-01", "9999-12-31T23:59:59-23:59"):
        assert program(*record, text, code=1).error == "TF-L16"
    program(*record, "2999-01-01")
    program("sync", "run")
    assert excluded(program) == ["TF-X05"]


def test_an_id_of_both_sides_must_be_told_apart(world: tuple[Program, Shop]) -> None:
    program, shop = world
    program("hub", "records", "create", "contact", "--set", "lastname=Alone")
    shop.run("INSERT INTO people (id, last_name) VALUES (4, 'Alone too')")
    program("sync", "run")
    record = ("records", "exclude", SYNC, "4", "--reason", "a")
    assert program(*record, code=1).error == "TF-L14"
    program(*record, "--side", "app")
    program("sync", "run")
    assert excluded(program) == ["TF-X01", "TF-X04"]
    assert program("records", "exclude", SYNC, "x", "--reason", "a", code=1).error == "TF-U12"
