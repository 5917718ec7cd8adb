"""Errors of configuration that take a particular app, or two people at a time, to be met."""

from __future__ import annotations

import sqlite3
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path

import pytest
from tests.interfaces.program import Program, connected
from tests.servers.postgres import Postgres


@pytest.fixture
def postgres() -> Iterator[Postgres]:
    with Postgres() as server:
        yield server


def test_a_view_whose_table_is_gone_stops_the_sync(tmp_path: Path, postgres: Postgres) -> None:
    """The view is still declared as it was, and only reading it shows what it lacks."""
    postgres.make_database("shop")
    reading = "BEGIN RETURN (SELECT name FROM named); END"
    for statement in (
        "CREATE TABLE named (name TEXT)",
        "INSERT INTO named VALUES ('Harbor Yard')",
        "CREATE TABLE firm (id INTEGER PRIMARY KEY)",
        "INSERT INTO firm VALUES (1)",
        f"CREATE FUNCTION called() RETURNS text LANGUAGE plpgsql AS '{reading}'",
        "CREATE VIEW firms AS SELECT id, called() AS name FROM firm",
    ):
        postgres.execute("shop", statement)
    program = Program(tmp_path / "data")
    program("connect", "sql", "--label", "shop", "--set", f"url={postgres.url('shop')}",
            "--set", "keys=firms=id")  # fmt: skip
    program("sync", "add", "shop", "company", "firms", "--map", "name=name:to-hub",
            "--direction", "to-hub", "--name", "firms")  # fmt: skip
    program("sync", "run", "firms")
    assert [firm["name"] for firm in program.hub()] == ["Harbor Yard"]
    postgres.execute("shop", "ALTER TABLE named RENAME TO gone")
    said = program("sync", "run", "firms", code=None)
    assert "TF-F30 PostgreSQL" in said.out
    assert 'relation "named" does not exist' in said.out
    assert [firm["name"] for firm in program.hub()] == ["Harbor Yard"]
    postgres.execute("shop", "ALTER TABLE gone RENAME TO named")
    program("sync", "run", "firms")


def test_all_targets_sync_only_where_both_sides_hold_several(tmp_path: Path) -> None:
    program, _ = connected(tmp_path, people=0, firms=1)
    program("sync", "delete", "shop-contacts", "--yes")
    new = ("sync", "add", "shop", "contact", "people", "--map-by-name", "--all-targets")
    (problem,) = program.json(*new, "company", code=1)["error"]["problems"]
    assert problem["code"] == "TF-M40"
    assert program(*new, "nothing", code=1).error == "TF-M41"
    program("sync", "add", "shop", "contact", "people", "--map-by-name")
    text = program("export", "shop-contacts").out
    path = tmp_path / "syncs.yaml"
    path.write_text(text.replace("app: firm}", "app: firm, targets: all}"))
    (problem,) = program.json("apply", "-f", str(path), code=1)["error"]["problems"]
    assert problem["code"] == "TF-M40"
    assert text.splitlines()[problem["line"] - 1] == "associations:"


def test_a_twin_in_the_making_is_not_swapped(tmp_path: Path) -> None:
    program, _ = connected(tmp_path, people=2)
    program("sync", "run")
    before = program.state("SELECT sync, hub, app FROM links")
    with closing(sqlite3.connect(program.folder / "state.db")) as state, state:
        state.execute(
            "INSERT INTO creations VALUES (?, 'app', ?, 'r', '{}', '{}', 0, 0, 0)", before[0][:2]
        )
    ids = [str(line["hub_id"]) for line in program.json("links", "list", "shop-contacts")["links"]]
    assert program("links", "swap", "shop-contacts", *ids, code=3).error == "TF-M20"
    assert program.state("SELECT sync, hub, app FROM links") == before
