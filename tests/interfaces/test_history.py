"""The history of records as a person asks for it."""

from __future__ import annotations

import csv
import io
import json
from pathlib import Path

import pytest
from tests.interfaces.program import Program, Shop, connected

RECORD = ("history", "show", "shop-contacts", "--record")


@pytest.fixture
def edited(tmp_path: Path) -> tuple[Program, Shop]:
    """A shop in step, one of whose people was renamed since."""
    program, shop = connected(tmp_path, people=3, firms=2)
    program("sync", "run")
    shop.run("UPDATE people SET last_name = '=1+1' WHERE email = 'p1@shop.example'")
    program("sync", "run")
    return program, shop


def test_a_record_has_its_history(edited: tuple[Program, Shop]) -> None:
    program, _ = edited
    newest, made = program.json(*RECORD, "p1@shop.example")["entries"]
    assert (newest["did"], newest["side"], newest["sync"]) == ("updated", "hub", "shop-contacts")
    (field,) = newest["fields"]
    assert (field["field"], field["before"], field["after"]) == ("lastname", "Last1", "=1+1")
    assert field["rule"] == "changed on the other side only"
    assert newest["run"] > made["run"] > 0
    assert made["did"] == "created"
    with_ = {f["field"]: f["after"] for f in made["fields"]}
    assert with_["lastname"] == "Last1", "what it was made with, not what it shows now"
    assert with_["email"] == "p1@shop.example"
    assert newest["record"] == made["record"] != made["twin"] == newest["twin"]


def test_the_history_of_a_sync_comes_in_pages(edited: tuple[Program, Shop]) -> None:
    program, _ = edited
    show = ("history", "show", "shop-contacts", "--limit", "1")
    page = program.json(*show)
    found = page["entries"]
    while page["next"] is not None:
        page = program.json(*show, "--after", page["next"])
        found += page["entries"]
    assert [entry["did"] for entry in found] == ["updated", "created", "created", "created"]
    assert len({entry["record"] for entry in found[1:]}) == 3
    run = str(found[0]["run"])
    (only,) = program.json("history", "show", "shop-contacts", "--run", run)["entries"]
    assert only == found[0]
    assert program.json(*show, "--since", "2200-01-01")["entries"] == []
    assert program(*show, "--since", "soon", code=1).error == "TF-H01"
    assert program(*show, "--after", "nowhere", code=1).error == "TF-U24"


def test_the_history_is_exported_without_formulas(edited: tuple[Program, Shop]) -> None:
    program, _ = edited
    file = program.folder / "out.csv"
    program("history", "export", "shop-contacts", "--output", str(file))
    rows = list(csv.DictReader(io.StringIO(file.read_text())))
    assert rows[0]["after"] == "'=1+1"
    assert (rows[0]["did"], rows[0]["before"]) == ("updated", "Last1")
    assert {row["did"] for row in rows[1:]} == {"created"}
    assert not any(cell.startswith(("=", "+", "-", "@")) for row in rows for cell in row.values())
    lines = program("history", "export", "shop-contacts", "--format", "json").out.splitlines()
    assert json.loads(lines[0])["fields"][0]["after"] == "=1+1"
    assert len(lines) == 4


def test_history_is_kept_for_as_long_as_a_person_says(edited: tuple[Program, Shop]) -> None:
    program, _ = edited
    assert program.json("history", "keep") == {"days": 365}
    assert program.json("history", "keep", "30") == {"days": 30}
    assert program("history", "keep", "0", code=1).error == "TF-H02"
    assert program.json("history", "keep") == {"days": 30}
