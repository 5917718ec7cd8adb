"""A folder of files in step with the hub inside, by the commands of the page."""

from __future__ import annotations

import json
from pathlib import Path

from openpyxl import Workbook, load_workbook
from tests.interfaces.program import Program


def _folder(tmp_path: Path) -> Path:
    folder = tmp_path / "crm"
    folder.mkdir()
    (folder / "contacts.csv").write_bytes(
        b"number;email;firstname;internal\r\n"
        b"7;ada@firm.example;Ada;keep me\r\n"
        b"8;bea@firm.example;=HYPERLINK(1);\r\n"
    )
    (folder / "leads.jsonl").write_text('{"id": 1, "email": "ada@firm.example", "lastname": "L"}\n')
    book = Workbook()
    sheet = book.active
    assert sheet is not None
    sheet.title = "Firms"
    sheet.append(["id", "name", "numberofemployees", "twice"])
    sheet.append([1, "Harbor", 7, "=C2*2"])
    book.save(folder / "firms.xlsx")
    return folder


def test_each_form_syncs_both_ways(tmp_path: Path) -> None:
    folder = _folder(tmp_path)
    program = Program(tmp_path / "data")
    program("connect", "files", "--set", f"path={folder}", "--set", "keys=contacts.csv=number")
    program("sync", "add", "files", "contact", "contacts.csv", "--map-by-name", "--name", "people")
    program("sync", "add", "files", "contact", "leads.jsonl", "--map-by-name", "--name", "leads")
    program(
        "sync", "add", "files", "company", "firms.xlsx:Firms", "--map-by-name", "--name", "firms"
    )
    for _ in range(3):  # what one file brings, the next round takes to the other
        for name in ("people", "leads", "firms"):
            program("sync", "run", name)
    names = {r.get("email"): (r.get("firstname"), r.get("lastname")) for r in program.hub()}
    assert names["ada@firm.example"] == ("Ada", "L")
    assert names["bea@firm.example"] == ("=HYPERLINK(1)", None)
    leads = [json.loads(line) for line in (folder / "leads.jsonl").read_text().splitlines()]
    assert sorted(lead["email"] for lead in leads) == ["ada@firm.example", "bea@firm.example"]

    (firm,) = (r for r in program.hub() if r.get("name") == "Harbor")
    assert firm["numberofemployees"] == 7
    hub_ids = {r.get("email") or r.get("name"): str(i) for i, r in _hub(program)}
    program("hub", "records", "edit", "company", hub_ids["Harbor"], "--set", "name==SUM(1)")
    program("hub", "records", "edit", "contact", hub_ids["ada@firm.example"],
            "--set", "firstname=Augusta")  # fmt: skip
    program("hub", "records", "create", "contact", "--set", "email=cid@firm.example",
            "--set", "firstname=+cmd|x")  # fmt: skip
    for name in ("people", "leads", "firms"):
        program("sync", "run", name)
    lines = (folder / "contacts.csv").read_bytes().split(b"\r\n")
    assert lines[:3] == [
        b"number;email;firstname;internal",
        b"7;ada@firm.example;Augusta;keep me",
        b"8;bea@firm.example;=HYPERLINK(1);",
    ]
    assert lines[3].endswith(b";cid@firm.example;'+cmd|x;")
    sheet = load_workbook(folder / "firms.xlsx")["Firms"]
    assert (sheet["B2"].value, sheet["B2"].data_type) == ("=SUM(1)", "s")
    assert sheet["D2"].value == "=C2*2"
    before = {path: path.read_bytes() for path in folder.iterdir()}
    for name in ("people", "leads", "firms"):
        program("sync", "run", name)
    assert {path: path.read_bytes() for path in folder.iterdir()} == before


def test_a_column_that_was_mapped_and_is_gone_stops_the_sync(tmp_path: Path) -> None:
    folder = _folder(tmp_path)
    program = Program(tmp_path / "data")
    path = folder / "contacts.csv"
    program("connect", "files", "--set", f"path={path}", "--set", "keys=number")
    program("sync", "add", "files", "contact", "contacts.csv", "--map-by-name", "--name", "people")
    program("sync", "run", "people")
    path.write_bytes(path.read_bytes().replace(b"firstname", b"given name"))
    assert "TF-B05" in program("sync", "run", "people", code=1).out
    path.write_bytes(path.read_bytes().replace(b"given name", b"firstname"))
    program("sync", "run", "people")
    path.write_bytes(path.read_bytes().replace(b"8;bea", b"7;bea"))
    assert "TF-F35" in program("sync", "run", "people", code=None).out


def _hub(program: Program) -> list[tuple[int, dict[str, object]]]:
    from tests.interfaces.program import rows

    found = rows(program.folder / "hub.db", "SELECT id, body FROM record WHERE gone = 0")
    return [(number, json.loads(body)) for number, body in found]
