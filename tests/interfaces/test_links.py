"""Links by hand through the command line, and as a CSV file (M7)."""

from __future__ import annotations

import csv
import sqlite3
from contextlib import closing
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st
from tests.interfaces.program import Program, Shop

from twofold.services.csv_text import guarded, unguarded

SYNC = "shop-contacts"
ADA = "ada@x.example"


def world(tmp_path: Path) -> tuple[Program, Shop]:
    """Two people of one address in the hub, one of them in the shop, and one person on each side.

    The hub's are 1, 2 and 3; the shop's are 1 (Ada) and 2.
    """
    program, shop = Program(tmp_path / "data"), Shop(tmp_path / "shop.db", 0)
    program("connect", "sql", "--label", "shop", "--set", f"url={shop.url}")
    program("sync", "add", "shop", "contact", "people", "--map-by-name", "--direction", "to-app")
    for email, name in ((ADA, "Ada"), (ADA, "=Ada"), ("bea@x.example", "Bea")):
        program("hub", "records", "create", "contact", "--set", f"email={email}",
                "--set", f"firstname={name}")  # fmt: skip
    shop.run("INSERT INTO people (email) VALUES (?), (?)", (ADA, "bea@x.example"))
    program("sync", "run")
    return program, shop


def pairs(program: Program) -> set[tuple[str, str]]:
    return {(x["hub_id"], x["app_id"]) for x in program.json("links", "list", SYNC)["links"]}


def apart(program: Program) -> set[tuple[str, str]]:
    found = program.json("links", "list", SYNC, "--cut")["links"]
    assert all(line["state"] == "cut" for line in found)
    return {(x["hub_id"], x["app_id"]) for x in found}


def test_an_ambiguous_record_is_decided_by_hand(tmp_path: Path) -> None:
    program, shop = world(tmp_path)
    assert pairs(program) == {("3", "2")}
    program("links", "make", SYNC, "1", "1")
    program("links", "make", SYNC, "1", "1")
    program("sync", "run")
    assert pairs(program) == {("1", "1"), ("3", "2"), ("2", "3")}
    assert shop.run("SELECT first_name FROM people WHERE id = 1") == [("Ada",)]
    assert "linked" in program("explain", SYNC, "1", "--side", "hub").out


def test_a_pair_is_cut_listed_and_allowed(tmp_path: Path) -> None:
    program, _ = world(tmp_path)
    assert program("links", "cut", SYNC, "3", "2", code=1).error == "TF-U20"
    program("links", "cut", SYNC, "3", "2", "--yes")
    assert apart(program) == {("3", "2")}
    program("sync", "run")
    assert ("3", "2") not in pairs(program)
    program("links", "allow", SYNC, "3", "2")
    assert apart(program) == set()
    assert "cut" in program("links", "cut", SYNC, "1", "1", "--yes").out
    program("sync", "run")
    assert apart(program) == {("1", "1")}
    assert "1 " in program("links", "list", SYNC, "--cut").out


def test_twins_are_swapped(tmp_path: Path) -> None:
    program, _ = world(tmp_path)
    program("links", "make", SYNC, "1", "1")
    program("links", "swap", SYNC, "1", "3")
    program("sync", "run")
    assert {("1", "2"), ("3", "1")} <= pairs(program)
    assert apart(program) == {("1", "1"), ("3", "2")}


@pytest.mark.parametrize(
    ("command", "code"),
    [
        (("make", SYNC, "9", "1"), "TF-M21"),
        (("make", SYNC, "1", "9"), "TF-M21"),
        (("make", SYNC, "1", "2"), "TF-M23"),
        (("make", SYNC, "3", "1"), "TF-M23"),
        (("swap", SYNC, "1", "3"), "TF-M25"),
        (("cut", SYNC, "9", "9", "--yes"), "TF-M21"),
        (("allow", SYNC, "9", "9"), "TF-M21"),
        (("make", "none", "1", "1"), "TF-U06"),
        (("list", SYNC, "--after", "x"), "TF-U24"),
        (("export", SYNC, "/nowhere/links.csv"), "TF-M33"),
        (("import", SYNC, "/nowhere/links.csv"), "TF-U14"),
    ],
)
def test_what_cannot_be_done_says_why(tmp_path: Path, command: tuple[str, ...], code: str) -> None:
    program, _ = world(tmp_path)
    before = pairs(program)
    assert program("links", *command, code=1).error == code
    assert program.json("links", *command, code=1)["error"]["code"] == code
    assert pairs(program) == before


def test_a_deleted_record_is_not_linked(tmp_path: Path) -> None:
    program, shop = world(tmp_path)
    shop.run("DELETE FROM people WHERE id = 1")
    program("sync", "run")
    assert program("links", "make", SYNC, "1", "1", code=1).error == "TF-M22"


def test_a_record_whose_twin_is_being_made_is_not_linked(tmp_path: Path) -> None:
    program, _ = world(tmp_path)
    with closing(sqlite3.connect(program.folder / "state.db")) as state, state:
        state.execute("INSERT INTO creations VALUES (1, 'app', 1, 'r', '{}', '{}', 0, 0, 0)")
    assert program("links", "make", SYNC, "1", "1", code=3).error == "TF-M24"


def test_a_long_list_has_pages(tmp_path: Path) -> None:
    program, _ = world(tmp_path)
    program("links", "make", SYNC, "1", "1")
    first = program.json("links", "list", SYNC, "--limit", "1")
    rest = program.json("links", "list", SYNC, "--after", first["next"])
    assert [x["hub_id"] for x in (*first["links"], *rest["links"])] == ["1", "3"]
    assert rest["next"] is None
    assert "--after" in program("links", "list", SYNC, "--limit", "1").out


def test_what_looks_alike_is_proposed_and_nothing_is_linked(tmp_path: Path) -> None:
    program, shop = Program(tmp_path / "data"), Shop(tmp_path / "shop.db", 0)
    program("connect", "sql", "--label", "shop", "--set", f"url={shop.url}")
    program("sync", "add", "shop", "contact", "people", "--map-by-name")  # only with an e-mail
    for first, last, phone in (
        ("Jonathan", "Smithers", "+31 20 123 4567"),
        ("Ada", "Lovelace", ""),
        ("Bea", "Quux", ""),
    ):
        sets = [f"firstname={first}", f"lastname={last}", f"phone={phone}"]
        program("hub", "records", "create", "contact",
                *(part for text in sets for part in ("--set", text)))  # fmt: skip
    shop.run(
        "INSERT INTO people (first_name, last_name, phone) VALUES"
        " ('Jonathon', 'Smithers', '+31201234567'), ('Ada', 'Lovelase', NULL),"
        " ('Somebody', 'Else', NULL)"
    )
    program("sync", "run")
    assert pairs(program) == set()
    found = program.json("links", "propose", SYNC)["proposals"]
    assert [(p["hub_id"], p["app_id"]) for p in found] == [("1", "1"), ("2", "2")]
    assert found[0]["score"] == 100
    assert 80 <= found[1]["score"] < 100
    assert len(program.json("links", "propose", SYNC, "--limit", "1")["proposals"]) == 1
    assert "Link a pair" in program("links", "propose", SYNC).out
    program("links", "cut", SYNC, "2", "2", "--yes")
    program("links", "make", SYNC, "1", "1")
    assert "Nothing looks alike." in program("links", "propose", SYNC).out
    assert pairs(program) == {("1", "1")}


# --- files ----------------------------------------------------------------------------------------


def test_an_export_is_imported_as_it_is(tmp_path: Path) -> None:
    program, _ = world(tmp_path)
    program("links", "cut", SYNC, "1", "1", "--yes")
    file = tmp_path / "links.csv"
    assert program.json("links", "export", SYNC, str(file))["exported"] == 2
    found = list(csv.DictReader(file.open(encoding="utf-8")))
    assert [(r["hub_id"], r["app_id"], r["decision"]) for r in found] == [
        ("3", "2", "linked"),
        ("1", "1", "cut"),
    ]
    assert program("links", "export", SYNC).out == file.read_text(encoding="utf-8")
    before = program.state("SELECT * FROM links"), program.state("SELECT * FROM due")
    again = program.json("links", "import", SYNC, str(file))
    assert again == {"linked": 0, "cut": 0, "unchanged": 2}
    assert (program.state("SELECT * FROM links"), program.state("SELECT * FROM due")) == before


def test_a_file_makes_and_cuts(tmp_path: Path) -> None:
    program, _ = world(tmp_path)
    file = tmp_path / "links.csv"
    file.write_text("\ufeffHub_ID,app_id,decision,why\n\n3,2,cut,no\n3,1,,yes\n1,2,LINKED,yes\n")
    assert program.json("links", "import", SYNC, str(file)) == {
        "linked": 2,
        "cut": 1,
        "unchanged": 0,
    }
    assert "3 were so already" in program("links", "import", SYNC, str(file)).out
    program("sync", "run")
    assert {("3", "1"), ("1", "2")} <= pairs(program)
    assert apart(program) == {("3", "2")}


def test_every_bad_line_is_named_and_nothing_is_imported(tmp_path: Path) -> None:
    program, _ = world(tmp_path)
    file = tmp_path / "links.csv"
    file.write_text(
        "hub_id,app_id,decision,name\n"
        "1,1,linked,good\n"
        '2,1,linked,"the same\nrecord of the app"\n'
        "9,1,linked,\n"
        "1,1,cut,\n"
        "2,2,perhaps,\n"
        "2,,linked,\n"
        "2\n"
        "2,2,linked,taken\n"
    )
    before = program.state("SELECT * FROM links"), program.state("SELECT fence FROM syncs")
    error = program.json("links", "import", SYNC, str(file), code=1)["error"]
    assert error["code"] == "TF-M26"
    assert [(p["line"], p["code"]) for p in error["problems"]] == [
        (3, "TF-M30"),
        (5, "TF-M21"),
        (6, "TF-M31"),
        (7, "TF-M29"),
        (8, "TF-M28"),
        (9, "TF-M32"),
        (10, "TF-M30"),
        (10, "TF-M23"),
    ]
    assert all(p["advice"] for p in error["problems"])
    assert "line 3: Record 1 of the app" in program("links", "import", SYNC, str(file), code=1).err
    assert (
        program.state("SELECT * FROM links"),
        program.state("SELECT fence FROM syncs"),
    ) == before


@pytest.mark.parametrize(
    ("content", "code"),
    [
        (b"", "TF-M27"),
        (b"hub_id\n1\n", "TF-M27"),
        (b"\xff\xfe", "TF-U14"),
        (b'hub_id,app_id\n1,"1\n', "TF-U14"),
    ],
)
def test_a_file_that_is_none(tmp_path: Path, content: bytes, code: str) -> None:
    program, _ = world(tmp_path)
    file = tmp_path / "links.csv"
    file.write_bytes(content)
    assert program("links", "import", SYNC, str(file), code=1).error == code


@given(st.text() | st.from_regex(r"['=+@\t\r-]{1,3}[a-z]*", fullmatch=True))
def test_no_cell_is_a_formula_and_each_comes_back(cell: str) -> None:
    assert not guarded(cell).startswith(tuple("=+-@\t\r"))
    assert unguarded(guarded(cell)) == cell


def test_a_name_that_is_a_formula_is_none_in_the_file(tmp_path: Path) -> None:
    program, _ = world(tmp_path)
    program("links", "make", SYNC, "2", "1")
    assert "'=Ada" in program("links", "export", SYNC).out
