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


def test_a_field_is_taken_back_where_it_was_written(edited: tuple[Program, Shop]) -> None:
    program, shop = edited
    target = ("undo", "shop-contacts", "--record", "p1@shop.example", "--field", "lastname")
    seen = program.json(*target, "--dry-run")["undo"]
    (item,) = seen["items"]
    assert (item["side"], item["now"], item["back"]) == ("hub", "=1+1", "Last1")
    assert (seen["fields"], seen["conflicts"]) == (1, 0)
    assert program(*target, code=1).error == "TF-U20", "nobody is there to say yes"
    program(*target, "--yes")
    program("sync", "run")
    newest, *_ = program.json(*RECORD, "p1@shop.example")["entries"]
    (field,) = newest["fields"]
    assert (newest["side"], field["before"], field["after"]) == ("hub", "=1+1", "Last1")
    assert field["rule"] == "put back by a person"
    rows = shop.run("SELECT last_name FROM people WHERE email = 'p1@shop.example'")
    assert rows == [("=1+1",)], "where the value came from, it stays"
    assert program.json("sync", "run")["runs"][0]["did"].get("hub updated") is None
    (item,) = program.json(*target, "--dry-run")["undo"]["items"]
    assert item["back"] == "=1+1", "taking back can be taken back"
    whole = program.json(*target, "--since", "2020-01-01", "--dry-run")["undo"]
    assert whole["items"][0]["conflict"] == "it holds that value already"


def test_a_run_is_taken_back_but_for_what_changed_since(edited: tuple[Program, Shop]) -> None:
    program, shop = edited
    shop.run("UPDATE people SET first_name = 'X', phone = '+31201234567' WHERE id <= 2")
    program("sync", "run")
    entry = program.json("history", "show", "shop-contacts", "--limit", "1")["entries"][0]
    shop.run("UPDATE people SET first_name = 'Y' WHERE id = 1")
    program("sync", "run")
    run = ("undo", "shop-contacts", "--run", str(entry["run"]))
    seen = program.json(*run, "--dry-run")["undo"]
    assert (seen["fields"], seen["conflicts"]) == (3, 1)
    assert seen["items"][-1]["conflict"] == "it was changed since"
    assert program.json(*run, "--yes")["undo"] == seen
    program("sync", "run")
    for person, first in ((0, "Y"), (1, "First1")):
        (one,) = program.json("explain", "shop-contacts", f"p{person}@shop.example")["records"]
        held = {line["field"]: line["hub"] for line in one["fields"]}
        assert (held["firstname"], held["phone"]) == (first, None)


def test_everything_since_a_moment_goes_back_to_what_was_before_all_of_it(
    edited: tuple[Program, Shop],
) -> None:
    program, shop = edited
    shop.run("UPDATE people SET last_name = 'Third' WHERE email = 'p1@shop.example'")
    program("sync", "run")
    since = ("undo", "shop-contacts", "--since", "2020-01-01")
    seen = program.json(*since, "--dry-run")["undo"]
    assert seen["fields"] == 1
    assert (seen["items"][0]["now"], seen["items"][0]["back"]) == ("Third", "Last1")
    assert "made then" in seen["items"][-1]["conflict"]
    assert program(*since[:2], "--since", "2200-01-01", "--yes", code=1).error == "TF-H03"


def test_what_is_to_be_taken_back_is_named_once(edited: tuple[Program, Shop]) -> None:
    program, _ = edited
    for flags in ([], ["--run", "1", "--field", "phone"]):
        assert program("undo", "shop-contacts", *flags, code=1).error == "TF-H04"
    assert program("undo", "shop-contacts", "--record", "x@y.example", code=1).error == "TF-U12"
    program("sync", "off", "shop-contacts")
    target = ("undo", "shop-contacts", "--record", "p1@shop.example", "--yes")
    assert program(*target, code=1).error == "TF-U10"


def test_what_is_left_of_a_deleted_sync_is_kept_where_a_person_wants_it(
    edited: tuple[Program, Shop],
) -> None:
    program, _ = edited
    folder = program.folder / "left"
    gone = ("sync", "delete", "shop-contacts", "--keep", str(folder), "--yes")
    program(*gone)
    assert (folder / "history.csv").read_text().count("updated") == 1
    assert program(*gone, code=1).error == "TF-U06"
    program("sync", "add", "shop", "contact", "people", "--map-by-name")
    assert program(*gone, code=1).error == "TF-S41", "the folder is there already"
    program("sync", "run")
    done = program.json("links", "import", "shop-contacts", str(folder / "links.csv"))
    assert (done["linked"], done["unchanged"]) == (0, 3)


def test_failing_records_are_tried_again_when_a_person_says_so(
    edited: tuple[Program, Shop],
) -> None:
    program, shop = edited
    shop.run("CREATE TRIGGER refuse BEFORE UPDATE ON people BEGIN SELECT RAISE(ABORT, 'no'); END")
    (record,) = program.json(*RECORD, "p2@shop.example")["entries"]
    program("hub", "records", "edit", "contact", record["record"], "--set", "lastname=New")
    program("sync", "run", code=4)
    (failing,) = program.json("records", "failing")["records"]
    shop.run("DROP TRIGGER refuse")
    program("sync", "run", code=4)
    code = failing["issues"][0]["code"]
    assert program.json("records", "retry", "shop-contacts", "--code", "TF-R01")["records"] == 0
    assert program.json("records", "retry", "shop-contacts", "--code", code)["records"] == 1
    program("sync", "run")
    assert program.json("records", "failing")["records"] == []
    assert program("records", "retry", "shop-contacts", "none", code=1).error == "TF-U12"
