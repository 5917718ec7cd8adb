"""Which tables there are, and what a person said about them."""

from __future__ import annotations

import codecs
import re
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from datetime import UTC, tzinfo
from pathlib import Path
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

from msgspec import Struct

from twofold.connectors.files.delimited import Delimited
from twofold.connectors.files.excel import Excel, sheets_of
from twofold.connectors.files.json_lines import JsonLines
from twofold.connectors.files.replacing import stamp
from twofold.connectors.files.table import Table, Unreadable
from twofold.core.values import Kind
from twofold.kit.errors import Stop, Unavailable

APP = "files"
_TEXT = frozenset({".csv", ".tsv", ".txt"})
_JSON = frozenset({".jsonl", ".ndjson"})
_BOOKS = frozenset({".xlsx", ".xlsm"})
_SUFFIXES = _TEXT | _JSON | _BOOKS
_ENDS = sorted(_SUFFIXES)


class BadAnswer(Stop):
    """What a person answered to a question does not fit."""

    def __init__(self, question: str, reason: str) -> None:
        super().__init__("TF-A31", question=question, reason=reason)


class Source(Struct, frozen=True):
    """Where one object type lives."""

    name: str
    """Of the object type: the file's name, with the sheet's behind a colon."""
    path: Path
    sheet: str = ""
    writable: bool = True
    """False: writing it would lose something that we cannot keep."""


class Wishes(Struct, frozen=True):
    """The answers of a person, understood."""

    keys: Mapping[str, str]
    """Column by object type or file; "" = for all others."""
    kinds: Mapping[str, Kind]
    """Kind by column, in every file that has it."""
    encoding: str
    zone: tzinfo

    def key(self, source: Source) -> str:
        """The column that a person named for this table; empty = none."""
        for name in (source.name, source.path.name, ""):
            if name in self.keys:
                return self.keys[name]
        return ""


def wishes(settings: Mapping[str, str]) -> Wishes:
    """Understand the answers.

    Raises:
        BadAnswer: one of them makes no sense.
    """
    keys = dict(_pairs(settings.get("keys", "")))
    kinds: dict[str, Kind] = {}
    for column, word in _pairs(settings.get("kinds", "")):
        if word not in _KINDS:
            known = ", ".join(_KINDS)
            raise BadAnswer("kinds", f"{word or 'nothing'} is none of {known}")
        kinds[column] = _KINDS[word]
    encoding, timezone = settings.get("encoding", ""), settings.get("timezone", "")
    try:
        encoding = codecs.lookup(encoding).name if encoding else ""
    except LookupError:
        raise BadAnswer("encoding", f"there is no encoding {encoding}") from None
    try:
        zone: tzinfo = ZoneInfo(timezone) if timezone else UTC
    except (ZoneInfoNotFoundError, ValueError):
        raise BadAnswer("timezone", f"there is no time zone {timezone}") from None
    return Wishes(keys, kinds, encoding, zone)


_KINDS = {
    kind.value: kind
    for kind in (
        *(Kind.TEXT, Kind.EMAIL, Kind.PHONE, Kind.URL),
        *(Kind.INT, Kind.DECIMAL, Kind.BOOL, Kind.DATE, Kind.DATETIME),
    )
}


def _pairs(answer: str) -> list[tuple[str, str]]:
    """``a=b, c=d`` as pairs; a part without "=" has no name."""
    parts = [part.rpartition("=") for part in answer.split(",") if part.strip()]
    return [(name.strip(), value.strip()) for name, _, value in parts]


def sources(place: Path) -> Sequence[Source]:
    """The tables of a file, or of all files of a folder.

    Raises:
        Unavailable: nothing is there that can be read.
        BadAnswer: the file is of another form, by its name: it is not looked into.
    """
    try:
        if not place.is_dir():
            stamp(place)
            if not _SUFFIXES.issuperset({place.suffix.lower(), place.resolve().suffix.lower()}):
                raise BadAnswer("path", f"{place.name} ends in none of {', '.join(_ENDS)}")
            return _sources_of(place, alone=True)
        found = sorted(path for path in place.iterdir() if _is_ours(path))
    except OSError as error:
        raise unavailable(place, error) from error
    return [source for path in found for source in _sources_of(path, alone=False)]


def _is_ours(path: Path) -> bool:
    hidden = path.name.startswith((".", "~$"))
    ends = {path.suffix.lower(), path.resolve().suffix.lower()}
    return _SUFFIXES.issuperset(ends) and not hidden and path.is_file()


def _sources_of(path: Path, *, alone: bool) -> Sequence[Source]:
    path = path.resolve()
    if path.suffix.lower() not in _BOOKS:
        return [Source(path.name, path)]
    try:
        names, writable = sheets_of(path)
    except (OSError, Unreadable) as error:
        if alone:
            raise unavailable(path, error) from error
        return []  # its neighbors can be read
    return [Source(f"{path.name}:{name}", path, name, writable) for name in names]


def opened(source: Source, wishes: Wishes, path: Path | None = None) -> Table:
    """The table of a source; ``path``: of another version of its file."""
    place = path or source.path
    if source.sheet:
        return Excel(place, source.sheet, wishes.zone)
    if source.path.suffix.lower() in _JSON:
        return JsonLines(place, [*filter(None, [wishes.key(source)]), *wishes.kinds])
    return Delimited(place, wishes.encoding)


@contextmanager
def naming(path: Path) -> Iterator[None]:
    """Say of which file it is that it cannot be read or written. Raises Unavailable."""
    try:
        yield
    except (OSError, Unreadable) as error:
        raise unavailable(path, error) from error


def unavailable(path: Path, error: OSError | Unreadable) -> Unavailable:
    """The error of a file that cannot be read or written at this moment."""
    if isinstance(error, Unreadable):
        return Unavailable(APP, f"{path.name}: {error.reason}")
    words = re.sub(r"\s+", " ", error.strerror or type(error).__name__)
    return Unavailable(APP, f"{path.name}: {words[:1].lower()}{words[1:]}")
