"""``twofold plan`` and ``twofold apply PLAN`` through the whole program."""

from __future__ import annotations

import json
import stat
from pathlib import Path

import pytest
from tests.interfaces.program import Program, Shop, connected


def _planned(tmp_path: Path, people: int = 3, firms: int = 0) -> tuple[Program, Shop, Path]:
    program, shop = connected(tmp_path, people, firms)
    path = tmp_path / "the.plan"
    program("plan", "-o", str(path))
    return program, shop, path


def test_a_plan_is_shown_saved_and_carried_out(tmp_path: Path) -> None:
    program, shop, path = _planned(tmp_path, people=3, firms=2)
    assert program.hub() == []
    assert stat.S_IMODE(path.stat().st_mode) == 0o600
    assert sorted(p.name for p in program.folder.iterdir()) == ["hub.db", "key", "lock", "state.db"]
    header, *lines = map(json.loads, path.read_text().splitlines())
    assert [sync["counts"]["create"] for sync in header["syncs"]] == [2, 3]
    assert len(lines) == 5
    answer = program("plan").out
    assert "shop-contacts: 3 to create" in answer
    assert "hub email: p0@shop.example" in answer
    assert "hub company: with the twin of 1" in answer
    done = program("apply", str(path)).out
    assert "shop-contacts: 3 part(s) done, 0 not, 0 not in the plan" in done
    assert len(program.hub()) == 5
    assert program("plan").out.count("nothing to do") == 2
    again = program.json("apply", str(path))["syncs"]
    assert [sync["refused"] for sync in again] == [{"TF-E15": 2}, {"TF-E15": 3}]
    assert len(shop.run("SELECT id FROM people")) == 3


def test_what_moved_is_refused_and_what_is_new_is_left(tmp_path: Path) -> None:
    program, shop, path = _planned(tmp_path)
    shop.run("UPDATE people SET last_name = 'Moved' WHERE id = 1")
    program("hub", "records", "create", "contact", "--set", "email=p1@shop.example")
    shop.run("INSERT INTO people (email) VALUES ('new@shop.example')")
    (answer,) = program.json("apply", str(path))["syncs"]
    assert (answer["done"], answer["refused"], answer["left"]) == (1, {"TF-E13": 1, "TF-E14": 1}, 1)
    assert sorted(r["email"] for r in program.hub()) == ["p1@shop.example", "p2@shop.example"]
    program("sync", "run")
    assert len(program.hub()) == 4
    assert "Moved" in [record.get("lastname") for record in program.hub()]


def test_a_sync_that_is_off_is_planned_and_not_carried_out(tmp_path: Path) -> None:
    program, _ = connected(tmp_path)
    program("sync", "off", "shop-contacts")
    path = tmp_path / "the.plan"
    assert "3 to create" in program("plan", "shop-contacts", "-o", str(path)).out
    assert program.json("sync", "show", "shop-contacts")["sync"]["enabled"] is False
    assert program("apply", str(path), code=1).error == "TF-U10"
    program("sync", "on", "shop-contacts")
    program("apply", str(path))
    assert len(program.hub()) == 3


def test_a_plan_of_other_rules_is_refused(tmp_path: Path) -> None:
    program, _, path = _planned(tmp_path)
    program("sync", "edit", "shop-contacts", "--set", "require_email=false", "--yes")
    assert program("apply", str(path), code=1).error == "TF-E11"
    assert program.hub() == []


@pytest.mark.parametrize(
    "text",
    [b"", b"hello\n", b"{}\n", b'{"twofold_plan": 2, "made": "", "syncs": []}\n', b"\xff\xfe\x00"],
)
def test_what_is_no_plan(tmp_path: Path, text: bytes) -> None:
    program, _ = connected(tmp_path)
    path = tmp_path / "the.plan"
    path.write_bytes(text)
    assert program("apply", str(path), code=1).error == "TF-E10"
    assert program("apply", str(tmp_path / "absent"), code=1).error == "TF-E10"


def test_a_broken_line_of_a_plan(tmp_path: Path) -> None:
    program, _, path = _planned(tmp_path)
    path.write_text(path.read_text() + '{"sync": 5}\n')
    assert program("apply", str(path), code=1).error == "TF-E10"
    assert program.hub() == []


def test_a_plan_needs_its_apps_and_a_place(tmp_path: Path) -> None:
    program, shop = connected(tmp_path)
    assert program("plan", "-o", str(tmp_path / "no" / "x"), code=1).error == "TF-E16"
    lock = shop.lock()
    assert program("plan", code=3).error == "TF-E12"
    lock.close()
    assert "3 to create" in program("plan").out


def test_apply_takes_one_of_two_things(tmp_path: Path) -> None:
    program, _, path = _planned(tmp_path)
    assert program("apply", code=2).error == "TF-U01"
    assert program("apply", str(path), "-f", "x.yaml", code=2).error == "TF-U01"


def test_what_a_killed_rehearsal_left_is_removed(tmp_path: Path) -> None:
    program, _ = connected(tmp_path)
    left = program.folder / "rehearsal-left"
    left.mkdir()
    (left / "state.db").write_text("personal")
    program("plan")
    assert not left.exists()


def test_a_ramp_holds_the_rest_for_a_person(tmp_path: Path) -> None:
    program, shop = connected(tmp_path, people=5)
    limit = ("sync", "edit", "shop-contacts", "--yes", "--set")
    program(*limit, "most_creates={hub: 2}")
    (report,) = program.json("sync", "run")["runs"]
    assert report["did"]["hub creates held"] == 3
    assert (len(program.hub()), report["health"]["waiting"]) == (2, 3)
    program("sync", "run")
    assert len(program.hub()) == 2, "nobody said anything"
    shop.run("INSERT INTO people (email) VALUES ('late@shop.example')")
    program("sync", "run")
    assert len(program.hub()) == 3
    (effect,) = program.json(*limit, "most_creates={hub: 1}", "--dry-run")["syncs"]
    assert effect["effect"]["starts"] == 3
    program("sync", "run", "--allow-creates")
    assert len(program.hub()) == 6
    (report,) = program.json("sync", "run")["runs"]
    assert (report["did"], report["health"]["waiting"]) == ({}, 0)
    (problem,) = program(*limit, "most_creates={hub: -1}", "--json", code=1).json["error"][
        "problems"
    ]
    assert problem["code"] == "TF-B21"
