"""CSV and its kin, with everything that makes one file differ from another left as it is.

Encoding, byte order mark, delimiter, quoting, line ends, blank lines and unknown columns are found
out and kept. A row that is not written stays byte for byte; of one that is, only the cells change
that are.
"""

from __future__ import annotations

import codecs
import csv
import io
import re
from collections.abc import Iterable, Iterator, Mapping, Sequence
from functools import cached_property
from pathlib import Path
from typing import Any, BinaryIO, TextIO

from msgspec import Struct

from twofold.connectors.files.table import Column, Decide, Row, Unreadable
from twofold.core.schema import Field
from twofold.core.values import Value
from twofold.kit.cells import Unfit, as_text, checked, guarded, unguarded
from twofold.kit.digests import digest_bytes

_LONGEST_CELL = 1 << 24
_CHUNK = 1 << 20
_DELIMITERS = ",;\t|"
_MARKS = ((codecs.BOM_UTF8, "utf-8"), (codecs.BOM_UTF16_LE, "utf-16-le"),
          (codecs.BOM_UTF16_BE, "utf-16-be"))  # fmt: skip
_TOLD = re.compile(r"sep=(.)[\r\n]*", re.IGNORECASE)
"""The line by which Excel tells itself the delimiter."""
_ENDS = ("\r\n", "\n", "\r")


class Style(Struct, frozen=True):
    """How one file is written."""

    encoding: str
    mark: bytes
    """The byte order mark; empty where there is none."""
    delimiter: str
    end: str
    """Of lines."""
    preamble: str
    """What stands before the header, with its line end."""


class Delimited:
    """One text file of rows and cells."""

    def __init__(self, path: Path, encoding: str = "") -> None:
        """``encoding``: as a person named it; empty = it is found out."""
        self._path = path
        self._told = encoding
        csv.field_size_limit(_LONGEST_CELL)

    @cached_property
    def style(self) -> Style:
        """What this file looks like."""
        encoding, mark = encoding_of(self._path, self._told)
        with self._text(encoding, mark) as text:
            first = text.readline()
            told = _TOLD.fullmatch(first)
            header = text.readline() if told else first
        outside = re.sub(r'"[^"]*"?', "", header)
        most = max(_DELIMITERS, key=outside.count)
        end = next((end for end in _ENDS if header.endswith(end)), "\n")
        return Style(encoding, mark, told[1] if told else most, end, first if told else "")

    @cached_property
    def _header(self) -> tuple[list[str], list[str]]:
        """The names of the columns, as they stand there; and the header's own cells."""
        for raw, cells in self._records():
            names = [cell.strip() for cell in cells]
            return names, split(raw, self.style.delimiter)[0] or cells
        raise Unreadable("it is empty")

    @cached_property
    def _places(self) -> Mapping[str, int]:
        """Where each column is; of two with one name, the first."""
        names = self._header[0]
        return {name: names.index(name) for name in names if name}

    def columns(self) -> Sequence[Column]:
        """Columns with a name; text has no kinds."""
        return [Column(name) for name in self._places]

    def rows(self) -> Iterator[Row]:
        """Rows that are not blank."""
        places = self._places
        records = enumerate(self._records(), start=1)
        next(records)
        for number, (raw, cells) in records:
            if any(cells):
                yield self._row(number, raw, cells, places)

    def _row(self, number: int, raw: str, cells: Sequence[str], places: Mapping[str, int]) -> Row:
        length = len(cells)
        return Row(
            number,
            {n: unguarded(cells[at]) if at < length else "" for n, at in places.items()},
            str(digest_bytes(raw.rstrip("\r\n").encode("utf-8", "surrogatepass"))),
            native=raw,
        )

    def encode(self, value: Value, field: Field) -> str:
        """Text in the file's encoding, and never a formula."""
        found = checked(value, field)
        if found is None or isinstance(found, tuple):
            return ""
        text = as_text(found)
        try:
            text.encode(self.style.encoding)
        except UnicodeEncodeError:
            raise Unfit(f"characters that {self.style.encoding} has") from None
        return text

    # --- reading --------------------------------------------------------------------------

    def _text(self, encoding: str, mark: bytes) -> TextIO:
        binary = self._path.open("rb")
        binary.seek(len(mark))
        return io.TextIOWrapper(binary, encoding, newline="")

    def _records(self) -> Iterator[tuple[str, list[str]]]:
        """Each record, from the header on, as it stands there and as its cells."""
        style = self.style
        with self._text(style.encoding, style.mark) as text:
            text.read(len(style.preamble))
            taken: list[str] = []
            raw = ""
            try:
                for cells in csv.reader(_noting(text, taken), delimiter=style.delimiter):
                    raw = "".join(taken)
                    taken.clear()
                    yield raw, cells
            except (csv.Error, UnicodeDecodeError) as error:
                raise Unreadable(str(error)) from error
        if not split(raw, style.delimiter)[1]:
            raise Unreadable("it ends amid a quoted cell")

    # --- writing --------------------------------------------------------------------------

    def rewrite(self, out: BinaryIO, decide: Decide, added: Sequence[Mapping[str, Any]]) -> None:
        """Copy, with the decided rows changed or left out, and new ones behind."""
        style = self.style
        out.write(style.mark)
        text = io.TextIOWrapper(out, style.encoding, newline="", write_through=True)
        text.write(style.preamble)
        last, ends, template = "", True, self._header[1]
        for number, (raw, cells) in enumerate(self._records(), start=1):
            kept: str | None = raw
            if number > 1 and any(cells):
                template = split(raw, style.delimiter)[0] if added else template
                kept = self._decided(self._row(number, raw, cells, self._places), decide)
            if kept is not None:
                text.write(last)
                last = kept
            ends = raw.endswith(("\r", "\n"))
        body = last.rstrip("\r\n")
        lines = [last] if last and ends and not added else []
        if not lines:
            lines = [body, *(self._new(cells, template) for cells in added)]
            lines = [style.end.join(lines) + (style.end if ends else "")]
        text.write("".join(lines))
        text.flush()
        text.detach()

    def _decided(self, row: Row, decide: Decide) -> str | None:
        changes = decide(row)
        if not changes:
            return None if changes is None else str(row.native)
        delimiter = self.style.delimiter
        parts, _ = split(row.native, delimiter)
        for name, cell in changes.items():
            at = self._places[name]
            parts += [""] * (at + 1 - len(parts))
            quoted = parts[at].startswith('"')
            parts[at] = quote(guarded(cell), delimiter, always=quoted)
        body = delimiter.join(parts)
        ended: str = row.native[len(row.native.rstrip("\r\n")) :]
        return body + ended

    def _new(self, cells: Mapping[str, Any], template: Sequence[str]) -> str:
        """A new row, its cells in quotes where those of the last row are."""
        names, delimiter = self._header[0], self.style.delimiter
        parts = []
        for at, name in enumerate(names):
            cell = guarded(cells.get(name, "")) if self._places.get(name) == at else ""
            quoted = at < len(template) and template[at].startswith('"')
            parts.append(quote(cell, delimiter, always=quoted))
        return delimiter.join(parts)


def _noting(lines: Iterable[str], taken: list[str]) -> Iterator[str]:
    """The lines, each noted as it is taken: so many make the record that comes out next."""
    for line in lines:
        taken.append(line)
        yield line


def split(raw: str, delimiter: str) -> tuple[list[str], bool]:
    """A record's cells with their quotes, as they stand there; and whether the last one ends."""
    body = raw.rstrip("\r\n")
    cells: list[str] = []
    start = at = 0
    while True:
        if body[at : at + 1] == '"':
            at = _behind(body, at + 1)
            if at < 0:
                return [*cells, body[start:]], False
        at = body.find(delimiter, at)
        if at < 0:
            return [*cells, body[start:]], True
        cells.append(body[start:at])
        start = at = at + 1


def _behind(body: str, at: int) -> int:
    """The place behind the quote that ends a cell; -1: none does."""
    while True:
        at = body.find('"', at)
        if at < 0:
            return -1
        if body[at + 1 : at + 2] != '"':
            return at + 1
        at += 2


def quote(cell: str, delimiter: str, *, always: bool) -> str:
    """A cell as it is written."""
    needed = always or any(c in cell for c in (delimiter, '"', "\r", "\n")) or cell != cell.strip()
    doubled = cell.replace('"', '""')
    return f'"{doubled}"' if needed else cell


def encoding_of(path: Path, told: str) -> tuple[str, bytes]:
    """The encoding of a file, and its byte order mark.

    Without a mark it is UTF-8 where all of it is; else what Western spreadsheets write, cp1252.

    Raises:
        Unreadable: it is neither.
    """
    with path.open("rb") as file:
        start = file.read(4)
    for mark, encoding in _MARKS:
        if start.startswith(mark):
            return encoding, mark
    for encoding in (told,) if told else ("utf-8", "cp1252"):
        if _decodes(path, encoding):
            return encoding, b""
    raise Unreadable(f"its text is not in {told or 'UTF-8'}; name its encoding under 'encoding'")


def _decodes(path: Path, encoding: str) -> bool:
    decoder = codecs.getincrementaldecoder(encoding)()
    with path.open("rb") as file:
        try:
            while part := file.read(_CHUNK):
                decoder.decode(part)
            decoder.decode(b"", final=True)
        except UnicodeDecodeError:
            return False
    return True
