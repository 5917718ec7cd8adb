"""What is not written stays as it was found: bytes of text, cells and formats of a workbook."""

from __future__ import annotations

import stat
from datetime import UTC, date, datetime
from pathlib import Path

import pytest
from openpyxl import Workbook, load_workbook
from openpyxl.styles import Font
from openpyxl.worksheet.table import Table
from tests.connectors.files.tables import create, delete, files, listed, update

from twofold.kit.contract import Status

ODD = (
    b"\xef\xbb\xbfsep=;\r\n"
    b'id;"Name";;Note;Name\r\n'
    b'1;"Ada";x;"two\r\nlines; and ""quotes""";twin\r\n'
    b"\r\n"
    b"2;Bea \r\n"
    b";;;;\r\n"
    b'3;5" pipe;y;z;twin;one too many\r\n'
    b"4;'s-Hertogenbosch;;;"
)
"""A mark, a told delimiter, quotes of both sorts, blank rows, ragged rows, no end of the last line,
and columns that nobody can name."""


@pytest.fixture
def odd(tmp_path: Path) -> Path:
    path = tmp_path / "odd.csv"
    path.write_bytes(ODD)
    return path


async def test_an_odd_file_is_read(odd: Path) -> None:
    found = await listed(files(odd), "odd.csv", "Name", "Note")
    assert {i: tuple(record.fields.values()) for i, record in found.items()} == {
        "1": ("Ada", 'two\r\nlines; and "quotes"'),
        "2": ("Bea ", None),
        "3": ('5" pipe', "z"),
        "4": ("'s-Hertogenbosch", None),
    }
    (kind,) = await files(odd).describe()
    assert [field.name for field in kind.fields] == ["id", "Name", "Note"]


@pytest.mark.parametrize(
    ("record_id", "value", "before", "after"),
    [
        ("1", "Eva", b'1;"Ada";', b'1;"Eva";'),
        ("2", "B;e", b"2;Bea \r\n", b'2;"B;e"\r\n'),
        ("3", 'x"y', b'3;5" pipe;', b'3;"x""y";'),
        ("4", "=1+1", b"4;'s-Hertogenbosch;", b"4;'=1+1;"),
        ("4", "+31 20 123", b"4;'s-Hertogenbosch;", b"4;+31 20 123;"),
        ("4", None, b"4;'s-Hertogenbosch;", b"4;;"),
    ],
)
async def test_only_the_written_cell_changes(
    odd: Path, record_id: str, value: str | None, before: bytes, after: bytes
) -> None:
    connector = files(odd)
    result = await update(connector, "odd.csv", record_id, {"Name": value})
    assert result.status is Status.OK
    assert odd.read_bytes() == ODD.replace(before, after)
    assert result.stored is not None
    assert result.stored.fields["Name"] == value


async def test_a_short_row_grows_only_as_far_as_it_must(odd: Path) -> None:
    await update(files(odd), "odd.csv", "2", {"Note": "here"})
    assert odd.read_bytes() == ODD.replace(b"2;Bea \r\n", b"2;Bea ;;here\r\n")


async def test_a_new_row_comes_last_and_an_old_one_goes_alone(odd: Path) -> None:
    connector = files(odd)
    made = await create(connector, "odd.csv", {"Name": "Cid", "Note": "x"})
    assert made.id is not None
    assert odd.read_bytes() == ODD + f"\r\n{made.id};Cid;;x;".encode()
    await delete(connector, "odd.csv", made.id)
    await delete(connector, "odd.csv", "3")
    lines = ODD.splitlines(keepends=True)
    assert odd.read_bytes() == b"".join(line for line in lines if not line.startswith(b"3;"))


async def test_nothing_to_write_does_not_touch_the_file(odd: Path) -> None:
    before = odd.stat()
    assert (await update(files(odd), "odd.csv", "1", {"Name": "Ada"})).status is Status.OK
    assert (await delete(files(odd), "odd.csv", "9")).status is Status.MISSING
    assert odd.stat() == before


async def test_keys_and_values_of_json_stay_as_they_were_written(tmp_path: Path) -> None:
    path = tmp_path / "people.jsonl"
    first = b'{"id":1,"price":1.10,"tags":["a","b"],"deep":{"x" : [1, 2]},"name":"Zo\\u00eb"}'
    path.write_bytes(first + b"\n\n" + b'{"id":2,"price":2e3,"name":null}')
    connector = files(path)
    (kind,) = await connector.describe()
    kinds = {f.name: (f.kind.value, f.multi, bool(f.unmappable)) for f in kind.fields}
    assert kinds["price"] == ("decimal", False, False)
    assert kinds["tags"] == ("text", True, False)
    assert kinds["deep"][2]
    await update(connector, "people.jsonl", "1", {"tags": ("b", "c")})
    made = await create(connector, "people.jsonl", {"name": "=1"})
    lines = path.read_bytes().split(b"\n")
    assert lines[0] == first.replace(b'["a","b"]', b'["b","c"]')
    assert lines[1:3] == [b"", b'{"id":2,"price":2e3,"name":null}']
    assert lines[3] == f'{{"name":"=1","id":{made.id}}}'.encode()


async def test_owner_and_permissions_stay(odd: Path) -> None:
    odd.chmod(0o640)
    await update(files(odd), "odd.csv", "1", {"Name": "Eva"})
    assert stat.S_IMODE(odd.stat().st_mode) == 0o640
    assert [path.name for path in odd.parent.iterdir()] == ["odd.csv"]


async def test_a_link_to_a_file_stays_a_link(odd: Path, tmp_path: Path) -> None:
    link = tmp_path / "link.csv"
    link.symlink_to(odd)
    same = [(await files(path).verify()).account for path in (odd, link)]
    assert same[0] == same[1]
    await update(files(link), "odd.csv", "1", {"Name": "Eva"})
    assert link.is_symlink()
    assert b"Eva" in odd.read_bytes()


# --- workbooks ------------------------------------------------------------------------------------


@pytest.fixture
def book(tmp_path: Path) -> Path:
    made = Workbook()
    sheet = made.active
    assert sheet is not None
    sheet.title = "Firms"
    rows = (
        ("id", "Name", "Staff", "Born", "Seen", "Double"),
        (
            1,
            "Harbor",
            7,
            date(2024, 2, 29),
            NOON,
            "=C2*2",
        ),
        (2, "Yard", 8.5, None, None, "=C3*2"),
    )
    for row in rows:
        sheet.append(row)
    sheet["B2"].font = Font(bold=True)
    sheet["C2"].number_format = "0.00"
    sheet.column_dimensions["B"].width = 40
    sheet.add_table(Table(displayName="firms", ref="A1:F3"))
    made.create_sheet("Sums").append(["=SUM(Firms!C2:C3)"])
    path = tmp_path / "firms.xlsx"
    made.save(path)
    return path


NOON = datetime(2024, 2, 29, 12, 30, tzinfo=UTC).replace(tzinfo=None)
FIRMS = "firms.xlsx:Firms"


async def test_a_workbook_tells_the_kinds_of_its_columns(book: Path) -> None:
    kinds = {kind.name: kind for kind in await files(book).describe()}
    told = {f.name: f.kind.value for f in kinds[FIRMS].fields if not f.unmappable}
    assert told == {
        "id": "text",
        "Name": "text",
        "Staff": "decimal",
        "Born": "date",
        "Seen": "datetime",
    }
    found = await listed(files(book, timezone="Europe/Amsterdam"), FIRMS, "Born", "Seen")
    assert found["1"].fields["Born"] == date(2024, 2, 29)
    assert found["1"].fields["Seen"] == datetime(2024, 2, 29, 11, 30, tzinfo=UTC)


async def test_formulas_and_formats_are_kept_and_no_formula_is_made(book: Path) -> None:
    connector = files(book)
    await update(connector, FIRMS, "1", {"Name": "=1+1", "Staff": 9})
    made = await create(connector, FIRMS, {"Name": "New"})
    await delete(connector, FIRMS, "2")
    sheet = load_workbook(book)["Firms"]
    assert [cell.value for cell in sheet[2]][:3] == [1, "=1+1", 9]
    assert (sheet["B2"].data_type, sheet["F2"].data_type) == ("s", "f")
    assert sheet["B2"].font.b
    assert sheet["C2"].number_format == "0.00"
    assert sheet.column_dimensions["B"].width == 40
    assert [cell.value for cell in sheet[3]] == [None] * 6  # emptied, so that formulas still point
    assert (str(sheet["A4"].value), sheet["B4"].value) == (made.id, "New")
    assert sheet.tables["firms"].ref == "A1:F4"
    assert load_workbook(book)["Sums"]["A1"].value == "=SUM(Firms!C2:C3)"
    found = await listed(connector, FIRMS, "Name")
    assert {record.fields["Name"] for record in found.values()} == {"=1+1", "New"}


async def test_a_cell_that_became_a_formula_is_not_written(book: Path) -> None:
    connector = files(book)
    opened = load_workbook(book)
    opened["Firms"]["B3"].value = "=A3"
    opened.save(book)
    result = await update(connector, FIRMS, "2", {"Name": "Other"})
    assert result.status is Status.INVALID
    assert result.issue is not None
    assert load_workbook(book)["Firms"]["B3"].value == "=A3"


async def test_a_workbook_that_would_lose_something_is_only_read(book: Path) -> None:
    import zipfile

    with zipfile.ZipFile(book, "a") as parts:
        parts.writestr("xl/charts/chart1.xml", "<x/>")
    kinds = {kind.name: kind for kind in await files(book).describe()}
    assert not kinds[FIRMS].ops
    assert all(not f.updatable for f in kinds[FIRMS].fields)
    result = await update(files(book), FIRMS, "1", {"Name": "x"})
    assert result.status is Status.INVALID
    assert len(await listed(files(book), FIRMS, "Name")) == 2
