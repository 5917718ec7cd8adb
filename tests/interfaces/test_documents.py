"""Syncs as YAML through the whole program, and edits of a sync that lives."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
from tests.interfaces.program import Answer, Program, Shop, connected


def _written(tmp_path: Path, text: str) -> str:
    path = tmp_path / "syncs.yaml"
    path.write_text(text)
    return str(path)


def _other(tmp_path: Path, shop: Shop) -> Program:
    """A second installation, connected to the same shop."""
    other = Program(tmp_path / "other")
    other("connect", "sql", "--label", "shop", "--set", f"url={shop.url}")
    return other


def _syncs(program: Program) -> list[dict[str, Any]]:
    found: list[dict[str, Any]] = program.json("sync", "list")["syncs"]
    return [{key: value for key, value in sync.items() if key != "status"} for sync in found]


def _problems(answer: Answer) -> list[tuple[int, str]]:
    error = answer.json["error"]
    assert error["code"] == "TF-Y09"
    assert error["sentence"].startswith("syncs.yaml") or "syncs.yaml" in error["sentence"]
    for problem in error["problems"]:
        assert problem["sentence"]
        assert problem["advice"]
    return [(problem["line"], problem["code"]) for problem in error["problems"]]


def test_export_and_apply_elsewhere_is_the_same(tmp_path: Path) -> None:
    program, shop = connected(tmp_path, people=3, firms=2)
    text = program("export").out
    path = _written(tmp_path, text)
    assert program("apply", "-f", path).out.count("as it was") == 2

    other = _other(tmp_path, shop)
    assert other("validate", "-f", path).out.endswith("2 sync(s), nothing wrong.\n")
    assert other("sync", "list").out == "No active syncs\n"
    other("apply", "-f", path)
    assert other("export").out == text
    assert _syncs(other) == _syncs(program)
    other("sync", "run")
    assert len(other.hub()) == 5


def test_a_sync_is_off_until_its_document_says_otherwise(tmp_path: Path) -> None:
    program, shop = connected(tmp_path)
    text = program("export").out
    other = _other(tmp_path, shop)
    silent = text.replace("enabled: true\n", "")
    path = _written(tmp_path, silent)
    other("apply", "-f", path)
    assert [sync["enabled"] for sync in _syncs(other)] == [False]
    assert other("sync", "run", "shop-contacts", code=1).error == "TF-U10"
    other("apply", "-f", _written(tmp_path, text), "--yes")
    assert [sync["enabled"] for sync in _syncs(other)] == [True]
    other("apply", "-f", _written(tmp_path, silent))
    assert [sync["enabled"] for sync in _syncs(other)] == [True], "not said, not changed"


def test_all_problems_of_a_file_are_told_with_their_lines(tmp_path: Path) -> None:
    program, _ = connected(tmp_path)
    text = """\
twofold: 1
name: one
connection: nowhere
hub: contact
app: people
---
twofold: 1
name: shop-contacts
connection: shop
hub: contact
app: people
timezone: Mars/Olympus
region: XX
direction: up
mappings:
  - {hub: email, app: email}
  - {hub: nothing, app: last_name}
  - {hub: lastname, app: nothing}
  - {hub: firstname, app: email}
  - {hub: phone, app: id}
---
twofold: 1
name: shop-contacts
connection: shop
hub: contact
app: firms
---
twofold: 1
name: three
connection: hub
hub: contact
app: contact
---
twofold: 1
name: four
connection: shop
hub: customer
app: people
---
twofold: 1
name: "a\\tb"
connection: shop
hub: company
app: firm
"""
    path = _written(tmp_path, text)
    answer = program("apply", "-f", path, "--json", code=1)
    assert _problems(answer) == [
        (3, "TF-U05"),
        (12, "TF-F11"),
        (13, "TF-F12"),
        (14, "TF-Y06"),
        (15, "TF-F03"),
        (17, "TF-F01"),
        (18, "TF-F01"),
        (23, "TF-Y08"),
        (23, "TF-Y10"),
        (30, "TF-U32"),
        (37, "TF-F02"),
        (41, "TF-U31"),
    ]
    assert _problems(program("validate", "-f", path, "--json", code=1)) == _problems(answer)
    shown = program("validate", "-f", path, code=1).err
    assert "line 12: TF-F11 There is no time zone Mars/Olympus." in shown
    assert [sync["name"] for sync in _syncs(program)] == ["shop-contacts"]


def test_the_same_object_types_twice(tmp_path: Path) -> None:
    program, shop = connected(tmp_path)
    text = program("export").out
    again = text.replace("name: shop-contacts", "name: again")
    other = _other(tmp_path, shop)
    answer = other("apply", "-f", _written(tmp_path, f"{text}---\n{again}"), "--json", code=1)
    assert [code for _, code in _problems(answer)] == ["TF-U21"]
    assert _syncs(other) == []
    answer = program("apply", "-f", _written(tmp_path, again), "--json", code=1)
    assert [code for _, code in _problems(answer)] == ["TF-U21"]


@pytest.mark.parametrize(
    ("text", "code"),
    [("", "TF-Y12"), ("a: [\n", "TF-Y09"), ("# nothing\n", "TF-Y12"), (None, "TF-Y11")],
)
def test_what_is_no_file_of_syncs(tmp_path: Path, text: str | None, code: str) -> None:
    program, _ = connected(tmp_path)
    path = str(tmp_path / "absent.yaml") if text is None else _written(tmp_path, text)
    assert program("validate", "-f", path, code=1).error == code
    assert program("apply", "-f", path, code=1).error == code


def test_the_schema_is_printed(tmp_path: Path) -> None:
    answer = Program(tmp_path)("validate", "--schema")
    assert answer.json["$ref"] == "#/$defs/SyncDocument"
    assert Program(tmp_path)("validate", code=2).error == "TF-U01"


def _effect(answer: Any) -> dict[str, Any]:
    (sync,) = answer["syncs"]
    return {key: value for key, value in sync["effect"].items() if value}


def test_an_edit_tells_its_effect_and_asks(tmp_path: Path) -> None:
    program, shop = connected(tmp_path, people=4)
    shop.run("UPDATE people SET email = NULL WHERE id <= 3")
    program("sync", "run")
    edit = ("sync", "edit", "shop-contacts", "--set", "require_email=false")
    assert _effect(program.json(*edit, "--dry-run")) == {"starts": 3}
    assert program.json("sync", "show", "shop-contacts")["sync"]["require_email"] is True
    assert _effect(program.json(*edit, "--yes")) == {"starts": 3}
    program("sync", "run")
    assert len(program.hub()) == 4
    back = ("sync", "edit", "shop-contacts", "--set", "require_email=true", "--yes")
    assert _effect(program.json(*back)) == {"stops": 3}
    health = program.json("health")["syncs"][0]
    program("sync", "run")
    assert program.json("health")["syncs"][0]["excluded"] == health["excluded"] + 3


def test_a_new_mapping_is_read_and_fills_blanks(tmp_path: Path) -> None:
    program, shop = connected(tmp_path, people=3)
    shop.run("ALTER TABLE people ADD COLUMN city TEXT")
    program("sync", "run")
    shop.run("UPDATE people SET city = 'Delft' WHERE id = 1")
    answer = program.json("sync", "edit", "shop-contacts", "--map", "city=city", "--yes")
    assert _effect(answer)["unread"] == ["city of the hub", "city of the app"]
    program("sync", "run")
    assert sorted(record.get("city") or "" for record in program.hub()) == ["", "", "Delft"]


def test_mappings_are_replaced_and_left_out(tmp_path: Path) -> None:
    program, _ = connected(tmp_path)
    edit = ("sync", "edit", "shop-contacts")
    program(*edit, "--without", "phone", "--map", "lastname=last_name:to-hub", "--yes")
    mappings = program.json("sync", "show", "shop-contacts")["sync"]["mappings"]
    assert {"hub": "lastname", "app": "last_name", "direction": "to-hub"} in mappings
    assert all(mapping["hub"] != "phone" for mapping in mappings)


@pytest.mark.parametrize(
    ("options", "code"),
    [
        (("--without", "nothing"), "TF-U23"),
        (("--map", "lastname"), "TF-U18"),
        (("--map", "lastname=last_name:up"), "TF-U18"),
        (("--set", "region"), "TF-E02"),
        (("--set", "name=other"), "TF-E02"),
        (("--set", "region=[NL"), "TF-E02"),
        (("--set", "bogus=1"), "TF-U07"),
        (("--set", "timezone=Mars"), "TF-U07"),
        (("--map", "lastname=nothing"), "TF-U07"),
    ],
)
def test_an_edit_that_cannot_be(tmp_path: Path, options: tuple[str, ...], code: str) -> None:
    program, _ = connected(tmp_path)
    before = program("export").out
    answer = program("sync", "edit", "shop-contacts", *options, "--yes", "--json", code=1)
    assert answer.error == code
    assert program("export").out == before


@pytest.mark.parametrize("name", ["a/b", " a", "-a"])
def test_a_name_is_refused_however_it_is_given(tmp_path: Path, name: str) -> None:
    program, _ = connected(tmp_path)
    given = ("sync", "add", "shop", "company", "firms", "--map-by-name", f"--name={name}")
    assert program(*given, code=1).error == "TF-U31"
    text = f'twofold: 1\nname: "{name}"\nconnection: shop\nhub: company\napp: firms\n'
    answer = program("validate", "-f", _written(tmp_path, text), "--json", code=1)
    assert _problems(answer) == [(2, "TF-U31")]


def test_a_brake_is_refused_at_its_line(tmp_path: Path) -> None:
    program, _ = connected(tmp_path)
    text = program("export", "shop-contacts").out + "brakes: {deletes: 20}\n"
    answer = program("apply", "-f", _written(tmp_path, text), "--yes", "--json", code=1)
    ((line, code),) = _problems(answer)
    assert code == "TF-B22"
    assert text.splitlines()[line - 1].startswith("brakes")
