"""The demo: it tells the truth, twice in a row, and leaves a state to look at and no process."""

from __future__ import annotations

import os
from collections import Counter
from pathlib import Path
from typing import Any

import pytest
from tests.interfaces.program import Program, rows

from twofold.demo.people import Cast, Place, cast
from twofold.services.writer import only_writer

SECRET = "a-password-of-this-run"


def _holds_secret(path: Path) -> bool:
    return SECRET.encode() in path.read_bytes()


def _children() -> list[str]:
    return Path(f"/proc/self/task/{os.getpid()}/children").read_text().split()


def _claims(told: Any) -> list[str]:
    return [check["claim"] for chapter in told["chapters"] for check in chapter["checks"]]


def test_three_places_come_into_step(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("twofold.demo.address_book.secrets.token_urlsafe", lambda _: SECRET)
    program = Program(tmp_path / "demo")
    before = _children()
    told = program.json("demo")
    assert SECRET not in str(told)
    assert [p for p in program.folder.rglob("*") if p.is_file() and _holds_secret(p)] == []
    assert told["failed"] == 0
    assert len(_claims(told)) == 20
    assert sum("new" in claim and "made in" in claim for claim in _claims(told)) == 6
    assert _children() == before
    syncs = program.json("health")["syncs"]
    assert {s["sync"]: (s["in_sync"] > 30, s["waiting"]) for s in syncs} == dict.fromkeys(
        ("shop-companies", "shop-contacts", "book-companies", "book-contacts"), (True, 0)
    )
    emails = [e for (e,) in rows(program.folder / "shop.db", "SELECT email FROM customers") if e]
    assert len(emails) == len(set(emails)) > 200


def test_the_small_demo_runs_twice_in_a_row_and_reads_well(tmp_path: Path) -> None:
    program = Program(tmp_path / "demo")
    for _ in range(2):
        out = program("demo", "--small").out
        assert "WRONG" not in out
        assert "nothing left to do" in out
        assert f"twofold health --data {program.folder}" in out
    assert [one["failing"] for one in program.json("health")["syncs"]] == [0, 5]


def test_a_claim_that_does_not_hold_is_an_error(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def too_many(self: Cast, place: Place) -> Counter[str]:
        return Counter(person.email for person in self.people)

    monkeypatch.setattr(Cast, "expected", too_many)
    answer = Program(tmp_path / "demo")("demo", "--small", code=1)
    assert "WRONG" in answer.out
    assert answer.error == "TF-U30"


def test_a_folder_with_something_else_in_it_is_left_alone(tmp_path: Path) -> None:
    program = Program(tmp_path / "data")
    program("status")
    files = sorted(program.folder.iterdir())
    assert program("demo", "--small", code=1).error == "TF-U27"
    assert sorted(program.folder.iterdir()) == files


def test_a_demo_that_goes_on_is_not_swept_away(tmp_path: Path) -> None:
    program = Program(tmp_path / "demo")
    program("demo", "--small")
    with only_writer(program.folder):
        assert program("demo", "--small", code=3).error == "TF-U11"
    assert (program.folder / "shop.db").exists()


def test_without_a_server_it_says_what_to_do(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("twofold.demo.address_book.importlib.util.find_spec", lambda _: None)
    assert Program(tmp_path / "demo")("demo", code=1).error == "TF-U28"


def test_the_same_seed_makes_the_same_people() -> None:
    assert cast(7) == cast(7)
    assert cast(7) != cast(8)
    scripts = {person.first[0] for person in cast().people}
    assert {"Γ", "花", "م"} & scripts
    assert any(ord(letter) > 0x900 for letter in scripts)
