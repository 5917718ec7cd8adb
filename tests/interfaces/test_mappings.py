"""Mappings of a sync through the command line: seen, added, told, turned off and on, suggested."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
from tests.interfaces.program import Program, Shop, connected

SYNC = "shop-contacts"
MAPPING = ("sync", "mapping")


def started(tmp_path: Path, people: int = 2) -> tuple[Program, Shop]:
    """A shop whose people are in step, and who have a function that the hub does not know."""
    program, shop = connected(tmp_path, people)
    shop.run("ALTER TABLE people ADD COLUMN function TEXT")
    program("sync", "run")
    return program, shop


def listed(program: Program) -> dict[str, dict[str, Any]]:
    found = program.json(*MAPPING, "list", SYNC)["mappings"]
    return {line["hub"]: line for line in found}


def column(shop: Shop, name: str) -> list[Any]:
    return [value for (value,) in shop.run(f"SELECT {name} FROM people ORDER BY id")]


def test_a_mapping_is_added_told_turned_off_and_on_and_removed(tmp_path: Path) -> None:
    program, shop = started(tmp_path)
    shop.run("UPDATE people SET function = 'chief'")
    dry = program.json(*MAPPING, "add", SYNC, "jobtitle", "function", "--dry-run")["syncs"][0]
    assert dry["does"] == "edit"
    assert dry["effect"]["unread"] == ["jobtitle of the hub", "function of the app"]
    assert "jobtitle" not in listed(program)
    program(*MAPPING, "add", SYNC, "jobtitle", "function", "--when", "if-empty", "--yes")
    assert listed(program)["jobtitle"]["when"] == "if_empty"
    program("sync", "run")
    assert {r["jobtitle"] for r in program.hub()} == {"chief"}
    program(*MAPPING, "set", SYNC, "jobtitle", "--blanks", "clear", "--default", "app", "--yes")
    told = listed(program)["jobtitle"]
    assert (told["when"], told["blanks"], told["default"]) == ("if_empty", "clear", "app")
    program(*MAPPING, "set", SYNC, "jobtitle", "--when", "always", "--default", "sync", "--yes")
    program(*MAPPING, "off", SYNC, "jobtitle", "--yes")
    assert not listed(program)["jobtitle"]["enabled"]
    shop.run("UPDATE people SET function = 'boss'")
    program("sync", "run")
    assert {r["jobtitle"] for r in program.hub()} == {"chief"}
    program(*MAPPING, "on", SYNC, "jobtitle", "--yes")
    program("sync", "run")
    assert {r["jobtitle"] for r in program.hub()} == {"boss"}
    assert "off" not in program(*MAPPING, "list", SYNC).out
    program(*MAPPING, "remove", SYNC, "jobtitle", "--yes")
    assert "jobtitle" not in listed(program)
    assert column(shop, "function") == ["boss", "boss"]


def test_a_side_seeds_a_mapping_where_values_differ(tmp_path: Path) -> None:
    for seed, expected in (("blanks", "theirs"), ("hub", "ours"), ("app", "theirs")):
        folder = tmp_path / seed
        folder.mkdir()
        program, shop = started(folder, people=1)
        (record,) = program.json("hub", "records", "list", "contact")["records"]
        program("hub", "records", "edit", "contact", record["id"], "--set", "jobtitle=ours")
        shop.run("UPDATE people SET function = 'theirs'")
        program(*MAPPING, "add", SYNC, "jobtitle", "function", "--seed", seed, "--yes")
        program("sync", "run")
        assert column(shop, "function") == [expected]
        left = "ours" if seed != "app" else "theirs"
        assert [r["jobtitle"] for r in program.hub()] == [left]


def test_two_fields_make_one(tmp_path: Path) -> None:
    program, shop = connected(tmp_path, people=0)
    shop.run("ALTER TABLE people ADD COLUMN called TEXT")
    for name in ("firstname", "lastname"):
        program(*MAPPING, "remove", SYNC, name, "--yes")
    program(*MAPPING, "add", SYNC, "firstname+lastname", "called", "--transform", "join", "--yes")
    shop.run("INSERT INTO people (email, called) VALUES ('a@x.example', 'Jan van der Berg')")
    program("sync", "run")
    assert [(r["firstname"], r["lastname"]) for r in program.hub()] == [("Jan", "van der Berg")]
    (record,) = program.json("hub", "records", "list", "contact")["records"]
    program("hub", "records", "edit", "contact", record["id"], "--set", "firstname=Piet")
    program("sync", "run")
    assert column(shop, "called") == ["Piet van der Berg"]
    assert "firstname+lastname" in program("export", SYNC).out
    program("explain", SYNC, record["id"])
    said = program(*MAPPING, "list", SYNC).out
    assert "join" in said
    assert "\x1f" not in said + program("sync", "show", SYNC).out


def test_a_default_mapping_can_be_turned_off_and_says_what_it_is(tmp_path: Path) -> None:
    program, _ = connected(tmp_path, people=0)
    program(*MAPPING, "off", SYNC, "phone", "--yes")
    assert not listed(program)["phone"]["enabled"]


@pytest.mark.parametrize(
    ("command", "code"),
    [
        (("add", SYNC, "gone", "phone"), "TF-F01"),
        (("set", SYNC, "gone", "--when", "always"), "TF-U23"),
        (("remove", SYNC, "gone"), "TF-U23"),
        (("off", "nothing", "phone"), "TF-U06"),
        (("add", SYNC, "jobtitle", "function", "--pair", "x"), "TF-U18"),
        (("add", SYNC, "jobtitle", "function", "--pair", "x=y"), "TF-F17"),
        (("add", SYNC, "jobtitle", "function", "--transform", "magic"), "TF-F23"),
        (("add", SYNC, "jobtitle", "function", "--transform", "lookup:a"), "TF-F23"),
        (("add", SYNC, "jobtitle", "function", "--transform", "case:odd"), "TF-F19"),
        (("add", SYNC, "jobtitle+city", "function"), "TF-F21"),
        (("add", SYNC, "lifecyclestage", "function", "--transform", "prefix:x"), "TF-F20"),
    ],
)
def test_what_cannot_be_is_refused_by_its_code(
    tmp_path: Path, command: tuple[str, ...], code: str
) -> None:
    program, _ = started(tmp_path, people=0)
    before = program("export", SYNC).out
    answer = program.json(*MAPPING, *command, code=1)
    problems = [p["code"] for p in answer["error"].get("problems", [])]
    assert code in {answer["error"]["code"], *problems}
    assert program("export", SYNC).out == before


def refusals(program: Program, *command: str) -> list[str]:
    """The codes of what keeps a command from being done."""
    answer = program.json(*command, code=1)
    return [
        problem["code"] for problem in answer["error"]["problems"] if not problem.get("warning")
    ]


def test_a_new_sync_s_mapping_is_no_wider_either(tmp_path: Path) -> None:
    program, shop = Program(tmp_path / "data"), Shop(tmp_path / "shop.db", 0)
    program("connect", "sql", "--label", "shop", "--set", f"url={shop.url}")
    new = ("sync", "add", "shop", "contact", "people", "--direction", "to-app", "--map")
    for way in ("both", "to-hub"):
        assert "TF-F15" in refusals(program, *new, f"phone=phone:{way}")
    program(*new, "phone=phone")


def test_a_direction_is_never_wider_than_the_sync_s(tmp_path: Path) -> None:
    program, shop = Program(tmp_path / "data"), Shop(tmp_path / "shop.db", 0)
    program("connect", "sql", "--label", "shop", "--set", f"url={shop.url}")
    program("sync", "add", "shop", "contact", "people", "--map-by-name", "--direction", "to-hub")
    path, text = tmp_path / "sync.yaml", program("export", SYNC).out
    plain = "{hub: phone, app: phone}"
    assert plain in text
    for way in ("both", "to-app"):
        told = f"phone, direction: {way.replace('-', '_')}}}"
        path.write_text(text.replace(plain, plain.replace("phone}", told)))
        for command in (
            (*MAPPING, "set", SYNC, "phone", "--direction", way, "--yes"),
            (*MAPPING, "add", SYNC, "phone", "phone", "--direction", way, "--yes"),
            ("sync", "edit", SYNC, "--map", f"phone=phone:{way}", "--yes"),
            ("apply", "-f", str(path), "--yes"),
        ):
            assert refusals(program, *command) == ["TF-F15"], command
        program("sync", "edit", SYNC, "--set", "direction=both", "--yes")
        program(*MAPPING, "set", SYNC, "phone", "--direction", "to-app", "--yes")
        narrowed = ("sync", "edit", SYNC, "--set", "direction=to_hub", "--yes")
        assert refusals(program, *narrowed) == ["TF-F15"]
        path.write_text(text)
        program("apply", "-f", str(path), "--yes")
    program("sync", "edit", SYNC, "--map", "phone=phone", "--yes")
    program(*MAPPING, "set", SYNC, "phone", "--direction", "to-hub", "--yes")


def test_suggestions_come_with_a_confidence_and_change_nothing(tmp_path: Path) -> None:
    program, shop = started(tmp_path)
    shop.run("ALTER TABLE people ADD COLUMN town TEXT")
    program("sync", "edit", SYNC, "--without", "phone", "--yes")
    before = program("export", SYNC).out
    found = program.json("sync", "suggest", SYNC)["suggestions"]
    pairs = {(s["hub"], s["app"]): s["confidence"] for s in found}
    assert pairs["phone", "phone"] > 0.8
    assert all(0 <= sure <= 1 for sure in pairs.values())
    assert "mapping add" in program("sync", "suggest", SYNC).out
    assert program("export", SYNC).out == before
