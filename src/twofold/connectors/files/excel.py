"""Excel workbooks: one sheet is one table, with its header in the first row that holds something.

openpyxl reads and writes. What it would lose (charts, pictures, pivot tables, macros) is looked for
before anything is written: such a workbook is only read. Formulas are kept and never made; their
results are not known to anybody but a spreadsheet program, so their columns do not sync.

A deleted row is emptied, not taken out: rows below it that formulas point to stay where they are.
"""

from __future__ import annotations

import re
import zipfile
from collections.abc import Iterator, Mapping, Sequence
from contextlib import closing
from datetime import date, datetime, tzinfo
from decimal import Decimal
from functools import cached_property
from pathlib import Path
from typing import Any, BinaryIO

from openpyxl import load_workbook
from openpyxl.cell.cell import ILLEGAL_CHARACTERS_RE, Cell
from openpyxl.utils.cell import range_boundaries
from openpyxl.workbook import Workbook
from openpyxl.worksheet.worksheet import Worksheet

from twofold.connectors.files.table import Column, Decide, Row, Unreadable
from twofold.core.schema import Field
from twofold.core.values import Kind, Value
from twofold.kit.cells import Unfit, checked, kind_of, wider
from twofold.kit.digests import digest_bytes

LONGEST_TEXT = 32_767
"""Characters in a cell (Microsoft, "Excel specifications and limits")."""
_MOST_DIGITS = 10**15
"""Numbers are kept with 15 digits (the same page)."""
_LARGEST = 1 << 31
"""Bytes of a workbook when it is unpacked: a small file can claim any size."""
_KEPT = re.compile(
    r"\[Content_Types\]\.xml|_rels/\.rels|docProps/.*|xl/(workbook|styles|sharedStrings|calcChain)"
    r"\.xml|xl/_rels/workbook\.xml\.rels|xl/theme/.*|xl/worksheets/(_rels/)?sheet\d+\.xml(\.rels)?"
    r"|xl/tables/.*|xl/comments.*|xl/drawings/vmlDrawing\d+\.vml|xl/printerSettings/.*"
)
"""Parts of a workbook that are still there after openpyxl has written it; printer settings are
not, and nobody misses them."""
_FORMULA_COLUMN = "it holds formulas, whose results only a spreadsheet program knows"


def sheets_of(path: Path) -> tuple[list[str], bool]:
    """The names of a workbook's sheets, and whether it can be written without a loss."""
    with closing(_opened(path, read_only=True)) as book:
        names = [sheet.title for sheet in book.worksheets if sheet.sheet_state == "visible"]
    with zipfile.ZipFile(path) as parts:
        whole = all(_KEPT.fullmatch(name) for name in parts.namelist() if not name.endswith("/"))
    return names, whole and path.suffix.lower() == ".xlsx"


def _opened(path: Path, *, read_only: bool) -> Workbook:
    try:
        with zipfile.ZipFile(path) as parts:
            size = sum(part.file_size for part in parts.infolist())
        if size <= _LARGEST:
            return load_workbook(path, read_only=read_only, rich_text=not read_only)
    except OSError:
        raise
    except Exception as error:  # whatever openpyxl makes of a broken file
        raise Unreadable("it is no Excel workbook, or only a part of one") from error
    raise Unreadable("it is larger than any workbook when it is unpacked")


class Excel:
    """One sheet of one workbook."""

    def __init__(self, path: Path, sheet: str, zone: tzinfo) -> None:
        """``zone``: of its times, which know none."""
        self._path = path
        self._sheet = sheet
        self._zone = zone

    # --- reading --------------------------------------------------------------------------

    def _grid(self) -> Iterator[tuple[int, Sequence[Any]]]:
        """All rows with their numbers, in memory one at a time."""
        with closing(_opened(self._path, read_only=True)) as book:
            if self._sheet not in book.sheetnames:
                raise Unreadable(f"it has no sheet {self._sheet}")
            sheet = book[self._sheet]
            sheet.reset_dimensions()  # some programs write wrong ones
            try:
                yield from enumerate(sheet.iter_rows(), start=1)
            except (zipfile.BadZipFile, EOFError, ValueError, KeyError, SyntaxError) as error:
                raise Unreadable("it is only a part of a workbook") from error

    @cached_property
    def _header(self) -> tuple[int, Mapping[str, int]]:
        """The header's row, and the position of each column with a name of its own."""
        for number, cells in self._grid():
            names = ["" if c.value is None else str(c.value).strip() for c in cells]
            if any(names):
                return number, {name: names.index(name) for name in names if name}
        raise Unreadable(f"its sheet {self._sheet} is empty")

    def columns(self) -> Sequence[Column]:
        """Columns with the kind of what is in them."""
        kinds: dict[str, Kind | None] = dict.fromkeys(self._header[1])
        formulas: set[str] = set()
        for row in self.rows():
            formulas |= row.formulas
            for name, cell in row.cells.items():
                kinds[name] = wider(kinds[name], kind_of(cell))
        return [
            Column(name, kind, unmappable=_FORMULA_COLUMN if name in formulas else "")
            for name, kind in kinds.items()
        ]

    def rows(self) -> Iterator[Row]:
        """Rows below the header with something in them."""
        header, places = self._header
        for number, cells in self._grid():
            if number > header and any(cell.value is not None for cell in cells):
                yield _row(number, cells, places)

    # --- writing --------------------------------------------------------------------------

    def encode(self, value: Value, field: Field) -> Any:
        """A value of Excel's own types."""
        found = checked(value, field)
        if isinstance(found, str):
            if ILLEGAL_CHARACTERS_RE.search(found):
                raise Unfit("text without control characters")
            return found.replace("\r\n", "\n").replace("\r", "\n")
        if isinstance(found, datetime):
            found = found.astimezone(self._zone).replace(tzinfo=None)
        if isinstance(found, date) and found.year < 1900:
            raise Unfit("a date from 1900 on")
        if isinstance(found, int | Decimal) and abs(Decimal(found)) >= _MOST_DIGITS:
            raise Unfit("a number of at most 15 digits")
        return found

    def rewrite(self, out: BinaryIO, decide: Decide, added: Sequence[Mapping[str, Any]]) -> None:
        """The whole workbook, with the decided cells changed."""
        book = _opened(self._path, read_only=False)
        sheet = book[self._sheet]
        header, places = self._header
        last = header
        for number, cells in enumerate(sheet.iter_rows(), start=1):
            if number <= header or not any(cell.value is not None for cell in cells):
                continue
            last = number
            _apply(sheet, number, cells, places, decide)
        for number, values in enumerate(added, start=last + 1):
            for name, value in values.items():
                _set(sheet.cell(number, places[name] + 1), value)
        _widen_tables(sheet, header, last, len(added))
        book.save(out)


def _row(number: int, cells: Sequence[Any], places: Mapping[str, int]) -> Row:
    length = len(cells)
    found = {n: cells[at] if at < length else None for n, at in places.items()}
    formulas = {n for n, c in found.items() if c is not None and c.data_type == "f"}
    content = [cell.value for cell in cells]
    while content and content[-1] is None:
        content.pop()
    return Row(
        number,
        {n: None if c is None or n in formulas else _value(c) for n, c in found.items()},
        str(digest_bytes(repr(list(map(_seen, content))).encode("utf-8", "surrogatepass"))),
        frozenset(formulas),
    )


def _value(cell: Any) -> Any:
    return None if cell.data_type == "e" else _seen(cell.value)


def _seen(value: Any) -> Any:
    """A value without what openpyxl adds to it; a formula of several cells by its text."""
    if isinstance(value, str | int | float | bool | date | None):
        return value
    return getattr(value, "text", None) or str(value)


def _apply(
    sheet: Worksheet, number: int, cells: Sequence[Any], places: Mapping[str, int], decide: Decide
) -> None:
    changes = decide(_row(number, cells, places))
    if changes is None:
        for cell in cells:
            if isinstance(cell, Cell):
                cell.value = None
    else:
        for name, value in changes.items():
            _set(sheet.cell(number, places[name] + 1), value)


def _set(cell: Any, value: Any) -> None:
    """A text stays a text, whatever it begins with."""
    cell.value = value
    if isinstance(value, str):
        cell.data_type = "s"


def _widen_tables(sheet: Worksheet, header: int, last: int, added: int) -> None:
    """A table that ended with the last row ends with the last new one."""
    for table in sheet.tables.values():
        _, top, _, bottom = range_boundaries(table.ref)
        if added and top == header and bottom == last:
            table.ref = re.sub(r"\d+$", str(last + added), table.ref)
            if table.autoFilter is not None:
                table.autoFilter.ref = table.ref
