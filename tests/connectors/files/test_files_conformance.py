"""The files connector keeps the promises of the contract, in each form and many styles."""

from __future__ import annotations

import codecs
import csv
import io
import json
from collections.abc import Callable
from datetime import date, datetime
from pathlib import Path
from typing import ClassVar

import pytest
from openpyxl import Workbook, load_workbook

from twofold.connectors.files import Files
from twofold.core.records import Fields
from twofold.kit.conformance import Capability, ConnectorConformance
from twofold.kit.contract import Connector

C = Capability
ALWAYS = frozenset(
    {
        *(C.SNAPSHOT, C.CREATE, C.UPDATE, C.DELETE, C.BATCH, C.CONDITIONAL, C.IDEMPOTENT),
        C.KEYS,
    }
)
COLUMNS = ("id", "email", "name", "notes", "visits", "credit", "member", "born", "seen", "left")
KINDS = "visits=int, credit=decimal, member=bool, born=date, seen=datetime"


class FilesConformance(ConnectorConformance):
    """A file with a column of each kind, and one that nobody asks for."""

    declares = ALWAYS
    object_type: ClassVar[str] = "people.csv"
    page_size: ClassVar[int] = 3
    path: Path

    @pytest.fixture
    def connector(self, tmp_path: Path) -> Connector:
        self.path = tmp_path / self.object_type.partition(":")[0]
        self.empty()
        return self.connect()

    def connect(self) -> Files:
        settings = {"path": str(self.path), "kinds": KINDS}
        return Files(settings, page_size=self.page_size)

    def empty(self) -> None:
        raise NotImplementedError

    async def reconnect(self, connector: Connector) -> Connector:
        return self.connect()

    def fields(self, n: int) -> Fields:
        return {"email": f"n{n}@example.org", "name": f"Name {n}", "visits": n}

    def edited(self, n: int) -> Fields:
        return {"name": f"Edited, {n}", "visits": n + 1000}


class Text(FilesConformance):
    """A text file, which its other user edits as lines of text."""

    encoding: ClassVar[str] = "utf-8"
    mark: ClassVar[bytes] = b""
    delimiter: ClassVar[str] = ","
    header: ClassVar[tuple[str, ...]] = COLUMNS
    end: ClassVar[str] = "\n"

    def empty(self) -> None:
        self.write([self.delimiter.join(self.header)])

    def write(self, lines: list[str]) -> None:
        text = "".join(line + self.end for line in lines)
        self.path.write_bytes(self.mark + text.encode(self.encoding))

    def edit(self, change: Callable[[dict[str, str]], bool]) -> None:
        """As another program that reads the file and writes all of it in its own way."""
        text = self.path.read_bytes().removeprefix(self.mark).decode(self.encoding)
        reader = csv.DictReader(io.StringIO(text, newline=""), delimiter=self.delimiter)
        rows = [row for row in reader if change(row)]
        made = io.StringIO(newline="")
        writer = csv.DictWriter(made, reader.fieldnames or (), delimiter=self.delimiter)
        writer.writeheader()
        writer.writerows(rows)
        self.path.write_bytes(self.mark + made.getvalue().encode(self.encoding))

    async def outside_edit(self, connector: Connector, record_id: str, fields: Fields) -> None:
        def change(row: dict[str, str]) -> bool:
            if row["id"] == record_id:
                row.update({name: str(value) for name, value in fields.items()})
            return True

        self.edit(change)

    async def outside_delete(self, connector: Connector, record_id: str) -> None:
        self.edit(lambda row: row["id"] != record_id)


class TestComma(Text):
    pass


class TestOnFullPages(TestComma):
    page_size = 2000
    several_pages = 2001


class TestExcelStyle(Text):
    """As Excel writes it in Europe: a mark, semicolons, and the other line ends."""

    mark = codecs.BOM_UTF8
    delimiter = ";"
    end = "\r\n"


class TestQuoted(Text):
    header = tuple(f'"{name}"' for name in COLUMNS)


class TestUnicodeText(Text):
    """As Excel saves "Unicode text"."""

    encoding = "utf-16-le"
    mark = codecs.BOM_UTF16_LE
    delimiter = "\t"
    end = "\r\n"


class TestWestern(Text):
    """In cp1252 there are fewer characters: what it lacks is refused, not replaced."""

    encoding = "cp1252"
    delimiter = ";"
    header = (*COLUMNS, "größe")
    end = "\r\n"


class TestJsonLines(FilesConformance):
    """An empty file has no columns but those that a person named."""

    object_type = "people.jsonl"

    def empty(self) -> None:
        self.path.write_text("")

    def connect(self) -> Files:
        texts = "id=text, email=email, name=text, notes=text, "
        settings = {"path": str(self.path), "kinds": texts + KINDS}
        return Files(settings, page_size=self.page_size)

    async def outside_edit(self, connector: Connector, record_id: str, fields: Fields) -> None:
        rows = [json.loads(line) for line in self.path.read_text().splitlines()]
        for row in rows:
            row.update(fields if row["id"] == record_id else {})
        self.path.write_text("".join(json.dumps(row) + "\n" for row in rows))

    async def outside_delete(self, connector: Connector, record_id: str) -> None:
        lines = self.path.read_text().splitlines(keepends=True)
        self.path.write_text("".join(line for line in lines if record_id not in line))


class TestExcel(FilesConformance):
    object_type = "people.xlsx:People"
    declares = ALWAYS | {C.BOUNDED}

    def empty(self) -> None:
        book = Workbook()
        sheet = book.active
        assert sheet is not None
        sheet.title = "People"
        sheet.append(COLUMNS)
        book.save(self.path)

    async def outside_edit(self, connector: Connector, record_id: str, fields: Fields) -> None:
        book = load_workbook(self.path)
        for row in book["People"].iter_rows(min_row=2):
            if str(row[0].value) == record_id:
                for name, value in fields.items():
                    assert not isinstance(value, tuple | date | datetime)
                    row[COLUMNS.index(name)].value = value
        book.save(self.path)

    async def outside_delete(self, connector: Connector, record_id: str) -> None:
        book = load_workbook(self.path)
        sheet = book["People"]
        for number in range(2, sheet.max_row + 1):
            if str(sheet.cell(number, 1).value) == record_id:
                sheet.delete_rows(number)
        book.save(self.path)
