"""The files connector: rows of CSV, Excel and JSON Lines files as records."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Iterator, Mapping, Sequence
from itertools import islice
from pathlib import Path
from typing import TypeVar

import msgspec
from msgspec import Struct

from twofold.connectors.files.replacing import Changed, Stamp, stamp
from twofold.connectors.files.shelf import APP, Source, naming, opened, sources, wishes
from twofold.connectors.files.survey import Survey, key_of, surveyed
from twofold.connectors.files.table import Row, Unreadable
from twofold.connectors.files.writing import Round, record_of, rounds
from twofold.core.records import Record
from twofold.core.schema import Field, ObjectType
from twofold.core.values import Kind
from twofold.kit.cells import decoded
from twofold.kit.contract import (
    Batch,
    Http,
    Identity,
    Manifest,
    Pause,
    Question,
    Response,
    Result,
    Write,
)
from twofold.kit.errors import CursorExpired, SchemaChanged, Unavailable

T = TypeVar("T")
_PAGE = 2_000
"""Rows of a page."""
_TRIES = 5
"""How often a write begins again because another program was faster."""


class _Cursor(Struct, frozen=True, array_like=True):
    """A position in a listing of one version of a file."""

    row: int = 0
    """How many rows were delivered; 0 = a listing begins."""
    stamp: Stamp | None = None


class _Listing(Struct):
    """A listing on its way, so that its next page need not begin at the top."""

    source: Source
    stamp: Stamp
    row: int
    rows: Iterator[Row]
    ahead: Row | None = None
    """Taken already, to see that there is one more."""


class Files:
    """One file, or all files of a folder, as an app. Reading and writing leave the event loop."""

    manifest = Manifest(
        name=APP,
        label="Files",
        summary="Rows of CSV, Excel and JSON Lines files, written back as they were found.",
        questions=(
            Question("path", "The file, or the folder of files", "~/crm/contacts.csv"),
            Question(
                "keys",
                "The column that tells rows apart, if not 'id'; by file where they differ",
                "number, or contacts.csv=number, firms.xlsx=code",
                optional=True,
            ),
            Question(
                "kinds",
                "Columns that hold more than text",
                "born=date, visits=int, member=bool",
                optional=True,
            ),
            Question(
                "encoding", "Encoding of text files, where it is not found", "cp1250", optional=True
            ),
            Question(
                "timezone", "Time zone of times without one", "Europe/Amsterdam", optional=True
            ),
        ),
    )

    def __init__(
        self, settings: Mapping[str, str], http: Http | None = None, *, page_size: int = _PAGE
    ) -> None:
        """Opens nothing yet.

        Raises:
            BadAnswer: TF-A31, an answer makes no sense.
        """
        self._place = Path(settings.get("path", "")).expanduser().absolute()
        self._wishes = wishes(settings)
        self._page_size = page_size
        self._surveys: dict[str, Survey] = {}
        self._listing: _Listing | None = None
        self._turn = asyncio.Lock()

    def pauses(self, response: Response) -> Sequence[Pause]:
        """None: files grant no budgets."""
        return ()

    async def verify(self) -> Identity:
        """Look at every table once; the file's real place is its account."""

        def look() -> Identity:
            for source in sources(self._place):
                self._survey(source)
            real = str(self._place.resolve())
            return Identity(real, self._place.name, settings={"path": str(self._place)})

        return await self._working(look)

    async def describe(self) -> Sequence[ObjectType]:
        """One type per file, or per sheet of a workbook."""
        return await self._working(
            lambda: [self._survey(source).kind for source in sources(self._place)]
        )

    async def pull(
        self, obj: str, cursor: str | None, fields: Sequence[str], associations: Sequence[str] = ()
    ) -> Batch:
        """A page of the full listing; one that another program interrupts begins again."""
        return await self._working(lambda: self._page(obj, _position(cursor), fields, associations))

    async def get(
        self,
        obj: str,
        ids: Sequence[str],
        fields: Sequence[str],
        associations: Sequence[str] = (),
        key: str | None = None,
    ) -> Mapping[str, Sequence[Record]]:
        """Rows by key, or by what another column holds; e-mail addresses in any case."""
        return await self._working(lambda: self._found(obj, ids, fields, associations, key))

    async def push(self, obj: str, writes: Sequence[Write]) -> Sequence[Result]:
        """All writes in one new version of the file, each with a result of its own."""
        return await self._working(lambda: self._pushed(obj, writes))

    async def close(self) -> None:
        """Let go of a listing that was not read to its end."""
        self._listing = None

    # --- on a thread ----------------------------------------------------------------------

    async def _working(self, work: Callable[[], T]) -> T:
        async with self._turn:
            return await asyncio.to_thread(work)

    def _source(self, obj: str) -> Source:
        found = sources(self._place)
        for source in found:
            if source.name == obj:
                return source
        known = ", ".join(source.name for source in found) or "none"
        raise SchemaChanged("TF-F02", app=APP, object_type=obj, known=known)

    def _survey(self, source: Source) -> Survey:
        """What this version of the table is; looked at once per version."""
        with naming(source.path):
            seen = stamp(source.path)
            known = self._surveys.get(source.name)
            if known is None or known.stamp != seen:
                known = surveyed(source, opened(source, self._wishes), self._wishes, seen)
                _still(source, seen)
                self._surveys[source.name] = known
        return known

    def _asked(
        self, obj: str, fields: Sequence[str], associations: Sequence[str]
    ) -> tuple[Source, Survey, Sequence[Field]]:
        source = self._source(obj)
        survey = self._survey(source)
        return source, survey, survey.fields([*fields, *associations])

    # --- reading --------------------------------------------------------------------------

    def _page(
        self, obj: str, at: _Cursor, fields: Sequence[str], associations: Sequence[str]
    ) -> Batch:
        source, survey, asked = self._asked(obj, fields, associations)
        listing, self._listing = self._continued(source, survey, at), None
        with naming(source.path):
            rows = [] if listing.ahead is None else [listing.ahead]
            rows += islice(listing.rows, self._page_size - len(rows))
            following = next(listing.rows, None)
            _still(source, survey.stamp)
        after = _Cursor()
        if following is not None:
            row = listing.row + len(rows)
            self._listing = _Listing(source, survey.stamp, row, listing.rows, following)
            after = _Cursor(row, survey.stamp)
        zone, key = self._wishes.zone, survey.key
        records = [record_of(row, key, asked, zone) for row in rows]
        return Batch(
            ids=[record.id for record in records],
            digests=[record.digest for record in records],
            versions=[record.version for record in records],
            gone=(),
            decode=lambda positions: [records[position] for position in positions],
            cursor=msgspec.json.encode(after).decode(),
            more=following is not None,
            snapshot=True,
        )

    def _continued(self, source: Source, survey: Survey, at: _Cursor) -> _Listing:
        """The listing at a position; from the top where the file is another one now."""
        known, row = self._listing, at.row if at.stamp == survey.stamp else 0
        if known and row and (known.source, known.stamp, known.row) == (source, at.stamp, row):
            return known
        rows = opened(source, self._wishes).rows()
        return _Listing(source, survey.stamp, row, islice(rows, row, None))

    def _found(
        self,
        obj: str,
        ids: Sequence[str],
        fields: Sequence[str],
        associations: Sequence[str],
        key: str | None,
    ) -> Mapping[str, Sequence[Record]]:
        source, survey, asked = self._asked(obj, fields, associations)
        (by,) = survey.fields([key or survey.key])
        if key is not None and key not in survey.kind.keys:
            raise SchemaChanged("TF-F01", object_type=obj, field=f"{key} to look up by")
        fold = str.casefold if by.kind is Kind.EMAIL else str
        wanted: dict[str, list[str]] = {}
        for one in ids:
            wanted.setdefault(fold(one), []).append(one)
        found: dict[str, list[Record]] = {}
        zone, left = self._wishes.zone, len(wanted)
        with naming(source.path):
            for row in opened(source, self._wishes).rows() if wanted else ():
                cell = row.cells.get(by.name)
                text = key_of(cell) if key is None else decoded(cell, by, zone)
                for one in wanted.get(fold(text), ()) if isinstance(text, str) else ():
                    found.setdefault(one, []).append(record_of(row, survey.key, asked, zone))
                    left -= key is None
                if not left:
                    break
            _still(source, survey.stamp)
        return found

    # --- writing --------------------------------------------------------------------------

    def _pushed(self, obj: str, writes: Sequence[Write]) -> list[Result]:
        results: list[Result] = []
        for part in rounds(writes):
            results += self._carried_out(obj, part)
        return results

    def _carried_out(self, obj: str, writes: Sequence[Write]) -> list[Result]:
        source = self._source(obj)
        for _ in range(_TRIES):
            survey = self._survey(source)
            survey.fields(())
            try:
                with naming(source.path):
                    results, new = Round(source, survey, self._wishes, writes).carry_out()
            except Changed:
                continue
            if new is not None:
                self._surveys[obj] = msgspec.structs.replace(survey, stamp=new)
            return results
        raise Unavailable(APP, f"{source.path.name}: other programs keep writing it")


def _still(source: Source, seen: Stamp) -> None:
    """Whether what was read is one version of the file, and not the halves of two."""
    if stamp(source.path) != seen:
        raise Unreadable("another program is writing it")


def _position(cursor: str | None) -> _Cursor:
    try:
        return _Cursor() if cursor is None else msgspec.json.decode(cursor, type=_Cursor)
    except msgspec.DecodeError:
        raise CursorExpired(APP) from None
