"""Act as a person on the hub inside: look at its records, make them, change them, import them."""

from __future__ import annotations

import csv
import json
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from datetime import UTC, date, datetime
from decimal import Decimal, InvalidOperation
from itertools import islice
from pathlib import Path
from typing import Any

from msgspec import Struct

from twofold.core.errors import Issue, TwofoldError
from twofold.core.records import Fields, Record, Target
from twofold.core.schema import Field, ObjectType, Op
from twofold.core.values import Kind, Scalar, Value
from twofold.database.errors import coding
from twofold.hub.crm import Hub
from twofold.hub.schema import BATCH, OBJECT_TYPES
from twofold.kit.contract import Status, Write
from twofold.services.installation import Installation

LONGEST_LINE = 1 << 20
"""Characters in one cell of an imported file."""


class Page(Struct, frozen=True):
    """A part of the list of records."""

    records: tuple[Record, ...]
    next: str | None
    """The id behind which the list goes on; None at its end."""


class Refusal(Struct, frozen=True):
    """One record of a file that the hub does not take."""

    line: int
    """Counted from 1, without the header."""
    issue: Issue


class Imported(Struct, frozen=True):
    """What became of a file."""

    created: int
    refused: tuple[Refusal, ...]


def page(here: Installation, object_type: str, after: str = "", limit: int = 50) -> Page:
    """Records of a type by id."""
    _kind(object_type)
    if after and not (after.isdecimal() and len(after) < 19):
        raise TwofoldError("TF-U24", text=after)
    with opened(here) as hub:
        rows = hub.listing(object_type, int(after or 0), limit + 1).rows
        ids = [str(row[0]) for row in rows[:limit]]
        records = [record for i in ids if (record := hub.read(object_type, i)) is not None]
    return Page(tuple(records), ids[-1] if len(rows) > limit else None)


def one(here: Installation, object_type: str, record_id: str) -> Record:
    """One record, or the one that it was merged into.

    Raises:
        TwofoldError: TF-U19, there is none.
    """
    _kind(object_type)
    with opened(here) as hub:
        record = hub.read(object_type, record_id)
    if record is None:
        raise TwofoldError("TF-U19", object_type=object_type, id=record_id)
    return record


def create(here: Installation, object_type: str, texts: Mapping[str, str]) -> Record:
    """Make a record from values as a person writes them; raises TF-R… where one does not fit."""
    fields = values(_kind(object_type), texts)
    with opened(here) as hub:
        return hub.create(object_type, fields)


def edit(here: Installation, object_type: str, record_id: str, texts: Mapping[str, str]) -> Record:
    """Change some values; an empty one clears."""
    fields = values(_kind(object_type), texts)
    with opened(here) as hub:
        return hub.update(object_type, record_id, fields)


def delete(here: Installation, object_type: str, record_id: str) -> None:
    """Take a record away; it stays restorable in the hub's file."""
    _kind(object_type)
    with opened(here) as hub:
        hub.archive(object_type, record_id)


def associate(
    here: Installation,
    object_type: str,
    record_id: str,
    association: str,
    target: str,
    *,
    primary: bool = True,
    remove: bool = False,
    labels: Sequence[str] = (),
) -> Record:
    """Tie a record to another one, or cut the tie; labels are added to those it has."""
    _kind(object_type)
    with opened(here) as hub:
        if remove:
            ties = [(association, target)]
            return hub.update(object_type, record_id, {}, dissociate=ties)
        made = [(association, Target(target, primary, tuple(labels)))]
        return hub.update(object_type, record_id, {}, associate=made)


def declared(here: Installation, object_type: str) -> ObjectType:
    """What the hub declares of an object type now, its owners included (TF-F02: there is none)."""
    _kind(object_type)
    with opened(here) as hub:
        return next(kind for kind in hub.types() if kind.name == object_type)


def merge(here: Installation, object_type: str, survivor: str, loser: str) -> Record:
    """Merge a record into another one, which it is found as from now on; raises TF-R…."""
    _kind(object_type)
    with opened(here) as hub:
        return hub.merge(object_type, survivor, loser)


def import_file(here: Installation, object_type: str, path: Path) -> Imported:
    """Make a record of every row of a CSV file, or of every object of a JSON list.

    Columns are named by the hub's fields. A row that does not fit is refused, the others are made.

    Raises:
        TwofoldError: TF-U14, the file cannot be read.
    """
    kind = _kind(object_type)
    created, refused = 0, []
    with opened(here) as hub:
        rows = enumerate(file_rows(path), 1)
        while chunk := list(islice(rows, BATCH)):
            writes = []
            for number, texts in chunk:
                try:
                    fields = values(kind, texts)
                except TwofoldError as error:
                    refused.append(Refusal(number, error.issue))
                else:
                    writes.append(Write(f"import {number}", Op.CREATE, None, fields))
            for write, result in zip(writes, _made(hub, object_type, writes), strict=True):
                if result is None:
                    created += 1
                else:
                    refused.append(Refusal(int(write.ref.split()[1]), result))
    return Imported(created, tuple(sorted(refused, key=lambda r: r.line)))


def values(kind: ObjectType, texts: Mapping[str, str]) -> Fields:
    """From values as people write them to values of the fields; an empty one is None.

    Raises:
        TwofoldError: TF-F01, there is no such field; TF-R01, the value is not one of its kind.
    """
    found: dict[str, Value] = {}
    for name, text in texts.items():
        field = kind.field(name)
        if field is None:
            raise TwofoldError("TF-F01", object_type=kind.label, field=name)
        found[name] = _value(field, text)
    return found


def _value(field: Field, text: str) -> Value:
    if not text.strip():
        return None
    if field.multi:
        return tuple(_scalar(field, part.strip()) for part in text.split(";") if part.strip())
    return _scalar(field, text)


_EXPECTED = {
    Kind.INT: "a whole number",
    Kind.DECIMAL: "a number",
    Kind.BOOL: "true or false",
    Kind.DATE: "a date such as 2026-12-31",
    Kind.DATETIME: "a time such as 2026-12-31T12:00:00Z",
}


def _scalar(field: Field, text: str) -> Scalar:
    try:
        return _parsed(field.kind, text)
    except (ValueError, InvalidOperation):
        expected = _EXPECTED[field.kind]
        raise TwofoldError(
            "TF-R01", field=field.name, value=text[:100], expected=expected
        ) from None


def _parsed(kind: Kind, text: str) -> Scalar:
    stripped = text.strip()
    if kind is Kind.INT:
        return int(stripped)
    if kind is Kind.DECIMAL:
        return Decimal(stripped)
    if kind is Kind.BOOL:
        return _truth(stripped.lower())
    if kind is Kind.DATE:
        return date.fromisoformat(stripped)
    if kind is Kind.DATETIME:
        moment = datetime.fromisoformat(stripped)
        return moment if moment.tzinfo else moment.replace(tzinfo=UTC)
    return text


def _truth(text: str) -> bool:
    if text not in {"true", "false"}:
        raise ValueError(text)
    return text == "true"


def _kind(object_type: str) -> ObjectType:
    kind = OBJECT_TYPES.get(object_type)
    if kind is None:
        known = ", ".join(OBJECT_TYPES)
        raise TwofoldError("TF-F02", app="the hub", object_type=object_type, known=known)
    return kind


@contextmanager
def opened(here: Installation) -> Iterator[Hub]:
    """The hub inside, closed at the end of the block."""
    hub = Hub.open(here.hub_path)
    try:
        with coding(here.hub_path):
            yield hub
    finally:
        hub.close()


def _made(hub: Hub, object_type: str, writes: Sequence[Write]) -> list[Issue | None]:
    if not writes:
        return []
    results = hub.write(object_type, writes)
    return [None if result.status is Status.OK else result.issue for result in results]


def file_rows(path: Path) -> Iterator[Mapping[str, str]]:
    """The rows of a CSV file or of a JSON list (TF-U14: it cannot be read)."""
    try:
        with path.open(encoding="utf-8-sig", newline="") as file:
            if path.suffix.lower() == ".json":
                yield from _objects(json.load(file))
            else:
                csv.field_size_limit(LONGEST_LINE)
                yield from _cells(csv.DictReader(file, strict=True))
    except (OSError, UnicodeDecodeError, ValueError, RecursionError, csv.Error) as error:
        reason = error.strerror if isinstance(error, OSError) else str(error)
        raise TwofoldError("TF-U14", path=path, reason=reason) from error


def _cells(reader: csv.DictReader[str]) -> Iterator[Mapping[str, str]]:
    for row in reader:
        if None in row or None in row.values():
            raise ValueError(f"line {reader.line_num} has not as many cells as the header")
        yield row


def _objects(found: Any) -> Iterator[Mapping[str, str]]:
    if not isinstance(found, list) or not all(isinstance(item, dict) for item in found):
        raise ValueError("it is not a list of objects")
    for item in found:
        yield {name: _text(value) for name, value in item.items()}


def _text(value: Any) -> str:
    if value is None:
        return ""
    if isinstance(value, list):
        return ";".join(map(_text, value))
    return json.dumps(value) if isinstance(value, bool) else str(value)
