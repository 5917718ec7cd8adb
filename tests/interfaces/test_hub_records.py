"""Acting as a person on the hub inside."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
from tests.interfaces.program import Program


def test_values_are_read_as_their_fields_say(tmp_path: Path) -> None:
    program = Program(tmp_path)
    given = {
        "numberofemployees": "12",
        "annualrevenue": "1234.50",
        "industry": "RETAIL",
        "name": "Acme",
    }
    words = [word for name, value in given.items() for word in ("--set", f"{name}={value}")]
    made = program.json("hub", "records", "create", "company", *words)["record"]
    fields = made["fields"]
    assert (fields["numberofemployees"], fields["annualrevenue"]) == (12, "1234.5")
    contact = program.json(
        *("hub", "records", "create", "contact", "--set", "date_of_birth=1815-12-10"),
        *("--set", "hs_email_optout=True", "--set", "hs_buying_role=CHAMPION;END_USER"),
    )["record"]
    assert contact["fields"]["date_of_birth"] == "1815-12-10"
    assert contact["fields"]["hs_email_optout"] is True
    assert set(contact["fields"]["hs_buying_role"]) == {"CHAMPION", "END_USER"}
    cleared = program.json("hub", "records", "edit", "company", made["id"], "--set", "industry=")
    assert cleared["record"]["fields"]["industry"] is None


def test_ties_are_made_and_cut(tmp_path: Path) -> None:
    program = Program(tmp_path)
    for kind, field in (("company", "name=A"), ("company", "name=B"), ("contact", "lastname=C")):
        program("hub", "records", "create", kind, "--set", field)
    tie = ("hub", "records", "associate", "contact", "3", "company")
    program(*tie, "1")
    found = program.json(*tie, "2", "--not-primary")["record"]["associations"]["company"]
    assert {(t["id"], t["primary"]) for t in found} == {("1", True), ("2", False)}
    left = program.json(*tie, "1", "--remove")["record"]["associations"]["company"]
    assert [t["id"] for t in left] == ["2"]


@pytest.mark.parametrize("name", ["rows.csv", "rows.json"])
def test_a_file_is_imported_and_what_does_not_fit_is_named(tmp_path: Path, name: str) -> None:
    rows = [{"name": f"Firm {n}", "numberofemployees": str(n)} for n in range(2500)]
    rows[7]["numberofemployees"] = "many"
    path = tmp_path / name
    if name.endswith("json"):
        path.write_text(json.dumps(rows))
    else:
        lines = [f"{row['name']},{row['numberofemployees']}" for row in rows]
        path.write_text("\n".join(["name,numberofemployees", *lines]), encoding="utf-8-sig")
    program = Program(tmp_path / "data")
    done = program.json("hub", "records", "import", "company", str(path), code=1)
    assert done["created"] == 2499
    assert [(r["line"], r["issue"]["code"]) for r in done["refused"]] == [(8, "TF-R01")]
    assert len(program.hub()) == 2499


@pytest.mark.parametrize(
    ("name", "content"),
    [
        ("a.csv", b"name,domain\nonly-one-cell"),
        ("a.csv", b"name\n\xff\xfe"),
        ("a.json", b"{}"),
        ("a.json", b"[1]"),
        ("a.json", b"[{"),
        ("a.json", b"[" * 100_000),
    ],
)
def test_a_file_that_is_none_is_named(tmp_path: Path, name: str, content: bytes) -> None:
    path = tmp_path / name
    path.write_bytes(content)
    program = Program(tmp_path / "data")
    answer = program("hub", "records", "import", "company", str(path), code=1)
    assert answer.error == "TF-U14"
    assert program.hub() == []


def test_owners_are_added_once_and_listed(tmp_path: Path) -> None:
    program = Program(tmp_path)
    assert program("hub", "owners", "list").out == "None.\n"
    made = program.json("hub", "owners", "add", "ada@example.org", "--name", "Ada")["owner"]
    assert made == {"id": "1", "name": "Ada", "email": "ada@example.org"}
    assert program("hub", "owners", "add", "ADA@example.org", code=1).error == "TF-U34"
    assert program("hub", "owners", "add", "ada@", code=1).error == "TF-U33"
    assert program.json("hub", "owners", "list")["owners"] == [made]
    given = ("--set", "hubspot_owner_id=1", "--set", "email=c@x.org")
    program("hub", "records", "create", "contact", *given)
