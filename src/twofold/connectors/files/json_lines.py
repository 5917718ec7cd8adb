"""JSON Lines: one object per line. Only the values that are written change; all other bytes stay.

https://jsonlines.org
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from datetime import date
from decimal import Decimal
from pathlib import Path
from typing import Any, BinaryIO

import msgspec
from msgspec import Raw

from twofold.connectors.files.table import Column, Decide, Row, Unreadable
from twofold.core.schema import Field
from twofold.core.values import Kind, Scalar, Value
from twofold.kit.cells import as_text, checked, kind_of, wider
from twofold.kit.digests import digest_bytes

_MARK = b"\xef\xbb\xbf"
_NESTED = "it holds values within values"
_OBJECT: msgspec.json.Decoder[dict[str, Raw]] = msgspec.json.Decoder(dict[str, Raw])
_VALUE: msgspec.json.Decoder[Any] = msgspec.json.Decoder(float_hook=Decimal)


class JsonLines:
    """One file of objects."""

    def __init__(self, path: Path, named: Sequence[str] = ()) -> None:
        """``named``: columns that a person named, which may be in no object yet."""
        self._path = path
        self._named = named

    def columns(self) -> Sequence[Column]:
        """Every name that some object has, in their order, and those that a person named."""
        kinds: dict[str, Kind | None] = {}
        lists: set[str] = set()
        nested: set[str] = set()
        for row in self.rows():
            for name, cell in row.cells.items():
                if isinstance(cell, list):
                    lists.add(name)
                if _is_nested(cell):
                    nested.add(name)
                kinds[name] = wider(kinds.get(name), _kind(cell))
        kinds = {**kinds, **{name: None for name in self._named if name not in kinds}}
        nested |= {name for name in lists if kinds[name] is not Kind.TEXT}
        return [
            Column(name, kind, name in lists, _NESTED if name in nested else "")
            for name, kind in kinds.items()
            if name.strip()
        ]

    def rows(self) -> Iterator[Row]:
        """Objects, with their values decoded."""
        for number, line, parts in self._objects():
            if parts is not None:
                yield _row(number, line, parts)

    def _objects(self) -> Iterator[tuple[int, bytes, dict[str, Raw] | None]]:
        """Each line with its object; None of a blank line."""
        with self._path.open("rb") as file:
            if file.read(len(_MARK)) != _MARK:
                file.seek(0)
            for number, line in enumerate(file, start=1):
                try:
                    yield number, line, _OBJECT.decode(line) if line.strip() else None
                except msgspec.DecodeError:
                    raise Unreadable(f"line {number} is no JSON object") from None

    def encode(self, value: Value, field: Field) -> Any:
        """A JSON value; times as ISO 8601."""
        found = checked(value, field)
        if isinstance(found, tuple):
            return [_plain(member) for member in found]
        return None if found is None else _plain(found)

    def rewrite(self, out: BinaryIO, decide: Decide, added: Sequence[Mapping[str, Any]]) -> None:
        """Copy, with the decided objects changed or left out, and new ones behind."""
        with self._path.open("rb") as file:
            out.write(_MARK if file.read(len(_MARK)) == _MARK else b"")
        last, ends, spaced = b"", True, True
        for number, line, parts in self._objects():
            kept: bytes | None = line
            if parts is not None:
                spaced = b'": ' in line or b'":' not in line
                kept = _decided(_row(number, line, parts), parts, decide, spaced)
            if kept is not None:
                out.write(last)
                last = kept
            ends = line.endswith(b"\n")
        if not added and (not last or ends == last.endswith(b"\n")):
            out.write(last)
            return
        end = b"\r\n" if last.endswith(b"\r\n") else b"\n"
        new = [_object({n: _raw(c) for n, c in cells.items()}, spaced) for cells in added]
        lines = [*([last.rstrip(b"\r\n")] if last else []), *new]
        out.write(end.join(lines) + (end if ends else b""))


def _row(number: int, line: bytes, parts: Mapping[str, Raw]) -> Row:
    try:
        cells = {name: _VALUE.decode(part) for name, part in parts.items()}
    except (msgspec.DecodeError, ArithmeticError):
        raise Unreadable(f"line {number} is no JSON object") from None
    return Row(number, cells, str(digest_bytes(line.strip())), native=line)


def _decided(row: Row, parts: dict[str, Raw], decide: Decide, spaced: bool) -> bytes | None:
    changes = decide(row)
    if not changes:
        return None if changes is None else bytes(row.native)
    line: bytes = row.native
    merged = {**parts, **{name: _raw(cell) for name, cell in changes.items()}}
    return _object(merged, spaced) + line[len(line.rstrip(b"\r\n")) :]


def _object(parts: Mapping[str, bytes | Raw], spaced: bool) -> bytes:
    colon, comma = (b": ", b", ") if spaced else (b":", b",")
    pairs = [msgspec.json.encode(name) + colon + bytes(part) for name, part in parts.items()]
    return b"{" + comma.join(pairs) + b"}"


def _raw(cell: Any) -> bytes:
    return format(cell, "f").encode() if isinstance(cell, Decimal) else msgspec.json.encode(cell)


def _plain(value: Scalar) -> Any:
    return as_text(value) if isinstance(value, date) else value


def _kind(cell: Any) -> Kind | None:
    if isinstance(cell, dict):
        return Kind.TEXT
    if isinstance(cell, list):
        found: Kind | None = None
        for member in cell:
            found = wider(found, _kind(member))
        return found or Kind.TEXT
    return kind_of(cell)


def _is_nested(cell: Any) -> bool:
    members = cell if isinstance(cell, list) else [cell]
    return any(isinstance(member, dict | list) for member in members)
