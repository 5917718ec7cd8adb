"""Many records of the hub inside at once: sought by a text, taken out and brought in as files."""

from __future__ import annotations

import os
import secrets
import time
from collections.abc import Iterator, Mapping
from pathlib import Path

from msgspec import Struct

from twofold.core.errors import TwofoldError
from twofold.core.records import Record
from twofold.core.values import Value, as_text, is_blank
from twofold.services.csv_text import csv_line
from twofold.services.hub import Page, Refusal, declared, file_rows, opened, page, values
from twofold.services.installation import Installation

LOOKED_AT = 20_000
"""Records that one page of a search looks at."""
MOST_REFUSED = 20
"""Refused rows that a look at a file tells."""
_FOLDER = "uploads"
_KEPT = 86_400.0
"""Seconds for which a file waits for somebody's yes."""


class Look(Struct, frozen=True):
    """What a file would bring, before anything is made."""

    sound: int
    """Rows that fit."""
    wrong: int
    refused: tuple[Refusal, ...]
    """The first rows that do not fit."""
    first: tuple[Mapping[str, str], ...]
    """The first rows, as they are."""


def sought(
    here: Installation, object_type: str, text: str, after: str = "", limit: int = 50
) -> Page:
    """Records of which a value contains a text, by id; a page may be short, see its ``next``.

    Raises:
        TwofoldError: TF-U24, ``after`` names no place; TF-F02, there is no such object type.
    """
    if not text:
        return page(here, object_type, after, limit)
    if after and not (after.isdecimal() and len(after) < 19):
        raise TwofoldError("TF-U24", text=after)
    declared(here, object_type)
    with opened(here) as hub:
        found, last = hub.containing(object_type, text, after or None, limit, LOOKED_AT)
    return Page(tuple(found), last)


def exported(here: Installation, object_type: str) -> Iterator[str]:
    """All records as lines of CSV: their ids, and the hub's fields by name."""
    names = [f.name for f in declared(here, object_type).fields if not f.silent]
    yield csv_line(["id", *names])
    after: str | None = ""
    while after is not None:
        found = page(here, object_type, after, 500)
        for record in found.records:
            yield csv_line([record.id, *(_cell(record, name) for name in names)])
        after = found.next


def keep_upload(here: Installation, data: Iterator[bytes], suffix: str) -> str:
    """Keep a file that a person sent until it is imported; returns what it is called by."""
    folder = here.folder / _FOLDER
    folder.mkdir(mode=0o700, exist_ok=True)
    for old in folder.iterdir():
        if time.time() - old.stat().st_mtime > _KEPT:
            old.unlink(missing_ok=True)
    name = secrets.token_hex(16) + (".json" if suffix == ".json" else ".csv")
    flags = os.O_WRONLY | os.O_CREAT | os.O_EXCL
    with os.fdopen(os.open(folder / name, flags, 0o600), "wb") as file:
        for part in data:
            file.write(part)
    return name


def upload(here: Installation, name: str) -> Path:
    """A file that was kept. Raises TwofoldError (TF-U14) where there is none of that name."""
    path = here.folder / _FOLDER / name
    plain = name.replace(".", "", 1).isalnum() and name.isascii()
    if not plain or not path.is_file():
        raise TwofoldError("TF-U14", path=name[:60], reason="it was imported or is too old")
    return path


def look(here: Installation, object_type: str, path: Path) -> Look:
    """What a file would bring. Nothing is made. Raises TwofoldError (TF-U14)."""
    kind = declared(here, object_type)
    first: list[Mapping[str, str]] = []
    refused: list[Refusal] = []
    sound = wrong = 0
    for number, texts in enumerate(file_rows(path), 1):
        if len(first) < 5:
            first.append(texts)
        try:
            values(kind, texts)
            sound += 1
        except TwofoldError as error:
            wrong += 1
            if len(refused) < MOST_REFUSED:
                refused.append(Refusal(number, error.issue))
    return Look(sound, wrong, tuple(refused), tuple(first))


def title(record: Record) -> str:
    """What people call a record."""
    for names in (("firstname", "lastname"), ("name",), ("dealname",), ("email",), ("domain",)):
        found = [as_text(v) for n in names if not is_blank(v := record.fields.get(n))]
        if found:
            return " ".join(found)
    return record.id


def text_of(value: Value) -> str:
    """A value as a person writes it, and an import takes it."""
    if is_blank(value):
        return ""
    if isinstance(value, tuple):
        return ";".join(as_text(part) for part in value)
    return as_text(value)


def _cell(record: Record, name: str) -> str:
    return text_of(record.fields.get(name))
