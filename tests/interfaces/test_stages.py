"""Two tables of one app share the hub's contacts by their stage: commands and files (S9)."""

from __future__ import annotations

from pathlib import Path

import pytest
from tests.interfaces.program import Program, Shop

ADD = ("sync", "add", "shop", "contact")


@pytest.fixture
def world(tmp_path: Path) -> tuple[Program, Shop]:
    """A shop with people and leads, connected."""
    program, shop = Program(tmp_path / "data"), Shop(tmp_path / "shop.db", 1)
    shop.run("CREATE TABLE leads (id INTEGER PRIMARY KEY, email TEXT, first_name TEXT)")
    program("connect", "sql", "--label", "shop", "--set", f"url={shop.url}")
    return program, shop


def added(program: Program, table: str, *options: str, code: int = 0) -> list[str]:
    """Add the sync of a table; returns the codes of what is wrong."""
    given = (*ADD, table, "--name", table, "--map-by-name", *options)
    answer = program.json(*given, code=code)
    return [problem["code"] for problem in answer.get("error", {}).get("problems", ())]


def test_leads_and_people_by_their_stage(world: tuple[Program, Shop]) -> None:
    program, shop = world
    added(program, "leads", "--stage", "Lead", "--stage", "subscriber")
    added(program, "people", "--stage", "customer")
    shown = program("sync", "show", "leads").out
    assert "only the stages: Lead, subscriber" in shown
    for name, stage in (("ada", "lead"), ("bob", "customer"), ("cy", "evangelist")):
        values = ("--set", f"email={name}@x.org", "--set", f"lifecyclestage={stage}")
        program("hub", "records", "create", "contact", *values)
    program("sync", "run")
    assert shop.run("SELECT email FROM leads") == [("ada@x.org",)]
    assert shop.run("SELECT email FROM people ORDER BY id")[1:] == [("bob@x.org",)]
    made = [r["lifecyclestage"] for r in program.hub() if r["email"] == "p0@shop.example"]
    assert made == ["customer"], "what the sync of the customers makes is a customer"
    why = program.json("records", "excluded", "--sync", "leads")["records"]
    sentences = [issue["sentence"] for line in why for issue in line["issues"]]
    assert "Its lifecycle stage in the hub is Customer, and this sync takes Lead, subscriber." in (
        sentences
    )
    told = program("explain", "people", "cy@x.org").out
    assert "Evangelist, and this sync takes customer" in told


def test_a_stage_belongs_to_one_sync(world: tuple[Program, Shop]) -> None:
    program, _ = world
    assert added(program, "leads", "--stage", "boss", code=1) == ["TF-L06"]
    added(program, "leads", "--stage", "lead")
    assert added(program, "people", "--stage", "Lead", code=1) == ["TF-L18"]
    assert added(program, "people", code=1) == ["TF-L19"]
    added(program, "people", "--off")
    answer = program("sync", "on", "people", code=1)
    assert "TF-L19" in answer.err + answer.out
    program("sync", "limit", "people", "--stage", "customer", "--yes")
    program("sync", "on", "people")
    answer = program("sync", "limit", "people", "--all-stages", "--yes", code=1)
    assert "TF-L19" in answer.err
    answer = program("sync", "edit", "people", "--set", "stages=[lead]", "--yes", code=1)
    assert "TF-L18" in answer.err


def test_only_an_object_type_with_stages_has_them(world: tuple[Program, Shop]) -> None:
    program, _ = world
    given = ("sync", "add", "shop", "company", "firms", "--map-by-name", "--stage", "lead")
    (problem,) = program.json(*given, code=1)["error"]["problems"]
    assert problem["code"] == "TF-L17"


def test_a_file_changes_both_at_once(world: tuple[Program, Shop], tmp_path: Path) -> None:
    """Where neither has stages, each alone would be refused; and what is exported is the same."""
    program, _ = world
    added(program, "leads")
    added(program, "people")
    answer = program("sync", "limit", "leads", "--stage", "lead", "--yes", code=1)
    assert "TF-L19" in answer.err
    path = tmp_path / "both.yaml"
    text = program("export").out.replace("enabled: true\n", "enabled: true\nstages: [lead]\n", 1)
    usual, staged = "enabled: true\nmatching", "enabled: true\nstages: [lead]\nmatching"
    path.write_text(text.replace(usual, staged))
    answer = program("validate", "-f", str(path), code=1)
    assert answer.err.count("TF-L18") == 2
    assert "line" in answer.err
    path.write_text(path.read_text().replace("stages: [lead]", "stages: [customer]", 1))
    program("apply", "-f", str(path), "--yes")
    assert program.json("sync", "show", "leads")["sync"]["stages"] == ["customer"]
    assert program.json("sync", "show", "people")["sync"]["stages"] == ["lead"]
    before = program("export").out
    path.write_text(before)
    program("apply", "-f", str(path), "--yes")
    assert program("export").out == before
