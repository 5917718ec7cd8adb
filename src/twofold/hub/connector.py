"""The connector of the hub inside: one like any other, over a file in place of an API."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from enum import StrEnum
from pathlib import Path
from typing import Annotated, Self

import msgspec
from msgspec import Struct

from twofold.core.records import Record
from twofold.core.schema import ObjectType
from twofold.database.errors import DatabaseError, coding
from twofold.hub.crm import Hub, Page
from twofold.hub.projection import Projection, Row, projection
from twofold.hub.schema import APP, BATCH, CONTACT_COUNT, OBJECT_TYPES
from twofold.kit.contract import (
    Batch,
    DefaultMapping,
    Http,
    Identity,
    Manifest,
    Pause,
    Question,
    Response,
    Result,
    Write,
)
from twofold.kit.errors import CursorExpired, Retry, SchemaChanged, Stop

_Number = Annotated[int, msgspec.Meta(ge=0, le=2**63 - 1)]


class _Stage(StrEnum):
    LISTING = "listing"
    CHANGES = "changes"


class _Cursor(Struct, frozen=True, array_like=True):
    """A position in one hub's feed."""

    hub: str
    """Its identity: sequences of another file mean nothing here."""
    stage: _Stage
    sequence: _Number
    """Changes up to here have been delivered, or will be by the listing."""
    after: _Number = 0
    """The last id of the listing."""


class HubConnector:
    """Reads and writes a hub's file, made where it is missing when the first call comes."""

    manifest = Manifest(
        name="hub",
        label="Hub inside Twofold",
        summary="The small CRM that ships with Twofold, in a file of its own.",
        questions=(Question("path", "Database file", example="hub.db"),),
        defaults={
            kind.name: tuple(
                DefaultMapping(field.name, field.name)
                for field in kind.fields
                if not field.read_only
            )
            for kind in OBJECT_TYPES.values()
        },
        objects={name: name for name in OBJECT_TYPES},
    )

    page_size = BATCH

    def __init__(
        self,
        settings: Mapping[str, str],
        http: Http | None = None,
    ) -> None:
        self._path: Path | None = Path(settings["path"])
        self._hub: Hub | None = None

    @classmethod
    def over(cls, hub: Hub) -> Self:
        """A connector to a hub that you hold, and that you close."""
        connector = cls({"path": ""})
        connector._path, connector._hub = None, hub
        return connector

    def pauses(self, response: Response) -> Sequence[Pause]:
        """Nothing: there is no HTTP."""
        return ()

    async def verify(self) -> Identity:
        """The file's own identity is the account."""
        with self._opened() as hub:
            identity, _ = hub.position()
            if self._path is None:
                return Identity(identity, "hub in memory")
            path = str(self._path.absolute())
            return Identity(identity, path, settings={"path": path})

    async def describe(self) -> Sequence[ObjectType]:
        """Contacts, companies and deals, with the owners of the moment."""
        with self._opened() as hub:
            return hub.types()

    async def close(self) -> None:
        """Close the file, unless the hub was given."""
        if self._path is not None and self._hub is not None:
            self._hub.close()
            self._hub = None

    async def pull(
        self, obj: str, cursor: str | None, fields: Sequence[str], associations: Sequence[str] = ()
    ) -> Batch:
        """Pages of the listing by id, then of the change log from where it stood at the start."""
        asked = _asked(obj, fields, associations)
        with self._opened() as hub, hub.database.reading():
            identity, newest = hub.position()
            at = _position(identity, newest, cursor)
            if at.stage is _Stage.LISTING:
                page = hub.listing(obj, at.after, self.page_size)
                following = _behind_listing(at, page)
            else:
                page = hub.changes(obj, at.sequence, self.page_size)
                following = _behind_changes(at, page, newest)
            rows = _completed(hub, asked, page.rows)
        digests = asked.digests(rows)

        def decode(positions: Sequence[int]) -> Sequence[Record]:
            return [asked.record(rows[position], digests[position]) for position in positions]

        return Batch(
            ids=[str(row[0]) for row in rows],
            digests=digests,
            versions=[str(row[1]) for row in rows],
            gone=page.gone,
            decode=decode,
            cursor=msgspec.json.encode(following).decode(),
            more=page.more,
            snapshot=at.stage is _Stage.LISTING,
        )

    async def get(
        self,
        obj: str,
        ids: Sequence[str],
        fields: Sequence[str],
        associations: Sequence[str] = (),
        key: str | None = None,
    ) -> Mapping[str, Sequence[Record]]:
        """Straight from the table."""
        asked = _asked(obj, fields, associations)
        if key is not None and key not in asked.kind.keys:
            raise SchemaChanged("TF-F01", object_type=obj, field=key)
        with self._opened() as hub, hub.database.reading():
            found = hub.find(obj, ids) if key is None else hub.carriers(obj, key, ids)
            return {
                wanted: _records(asked, _completed(hub, asked, rows))
                for wanted, rows in found.items()
            }

    async def push(self, obj: str, writes: Sequence[Write]) -> Sequence[Result]:
        """Apply a batch in one transaction.

        Raises:
            ValueError: the batch mixes ops or is too large.
        """
        _asked(obj, (), ())
        if len(writes) > BATCH or len({write.op for write in writes}) > 1:
            raise ValueError(f"a push holds one op and at most {BATCH} writes")
        with self._opened() as hub:
            return hub.write(obj, writes)

    @contextmanager
    def _opened(self) -> Iterator[Hub]:
        """The hub; what goes wrong with its file reaches the engine in its own three groups."""
        try:
            if self._hub is None:
                self._hub = Hub.open(self._path)
            with coding(self._path):
                yield self._hub
        except DatabaseError as error:
            group = Retry if error.entry.retryable else Stop
            raise group(error.code, **error.facts) from error


def _asked(obj: str, fields: Sequence[str], associations: Sequence[str]) -> Projection:
    kind = OBJECT_TYPES.get(obj)
    if kind is None:
        raise SchemaChanged("TF-F02", app=APP, object_type=obj, known=", ".join(OBJECT_TYPES))
    unknown = [name for name in fields if kind.field(name) is None]
    unknown += [name for name in associations if kind.association(name) is None]
    if unknown:
        raise SchemaChanged("TF-F01", object_type=obj, field=unknown[0])
    return projection(obj, tuple(fields), tuple(associations))


def _position(identity: str, newest: int, cursor: str | None) -> _Cursor:
    """Where to go on.

    Raises:
        CursorExpired: a position of another file, or one that this file has not reached, as after
            a backup was put back.
    """
    if cursor is None:
        return _Cursor(identity, _Stage.LISTING, newest)
    try:
        known = msgspec.json.decode(cursor, type=_Cursor)
    except (msgspec.DecodeError, UnicodeEncodeError):
        raise CursorExpired(APP) from None
    if known.hub != identity or known.sequence > newest:
        raise CursorExpired(APP)
    return known


def _behind_listing(at: _Cursor, page: Page) -> _Cursor:
    """Behind a page of the listing; behind the last one, the changes since its start."""
    if page.more:
        return msgspec.structs.replace(at, after=page.rows[-1][0])
    return msgspec.structs.replace(at, stage=_Stage.CHANGES, after=0)


def _behind_changes(at: _Cursor, page: Page, newest: int) -> _Cursor:
    return msgspec.structs.replace(at, sequence=page.sequence if page.more else newest)


def _completed(hub: Hub, asked: Projection, rows: list[Row]) -> list[Row]:
    """Rows with what is not kept but counted, where that was asked."""
    return hub.counted(rows) if CONTACT_COUNT in asked.fields else rows


def _records(asked: Projection, rows: Sequence[Row]) -> list[Record]:
    return [asked.record(*pair) for pair in zip(rows, asked.digests(rows), strict=True)]
