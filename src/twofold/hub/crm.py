"""The hub inside: records, owners and a change log in one database file.

Users and the connector come through the same door, so that each sees what the other did::

    hub = Hub.open(path)
    ada = hub.create("contact", {"email": "ada@example.org", "firstname": "Ada"})
    hub.update("contact", ada.id, {"lastname": "Lovelace"})
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from datetime import UTC, datetime
from functools import cache
from pathlib import Path
from typing import NamedTuple, Self

import msgspec
import orjson

from twofold.core.records import Fields, Record, Target
from twofold.core.schema import Field, ObjectType, Op, Option
from twofold.database.sqlite import Database
from twofold.hub.projection import Projection, Row, projection
from twofold.hub.properties import Refused, key_form
from twofold.hub.schema import CONTACT_COUNT, NUMBERS, OBJECT_TYPES, OWNER_FIELD
from twofold.hub.tables import APPLICATION_ID, MIGRATIONS, Gone, new_identity
from twofold.hub.writing import Draft, Unique, Writing, key_hash, number_of, shown
from twofold.kit.contract import Result, Status, Write

Associate = Sequence[tuple[str, Target]]

_LISTING = """
SELECT id, revision, modified, body, links FROM record
WHERE type = ? AND gone = 0 AND id > ? ORDER BY id LIMIT ?
"""
_CHANGES = """
SELECT id, revision, modified, body, links, survivor, gone, sequence FROM record
WHERE type = ? AND sequence > ? ORDER BY sequence LIMIT ?
"""
# The plus keeps SQLite from reading all records of the type by an index of it
# (https://sqlite.org/optoverview.html#uplus).
_BY_ID = """
SELECT named.id, record.id, record.revision, record.modified, record.body, record.links
FROM json_each(?) AS asked
JOIN record AS named ON named.id = asked.value AND +named.type = ?
JOIN record ON record.id = coalesce(named.survivor, named.id) AND record.gone = 0
"""
_BY_KEY = """
SELECT match_key.hash, record.id, record.revision, record.modified, record.body, record.links
FROM json_each(?) AS asked
JOIN match_key ON match_key.hash = asked.value
JOIN record ON record.id = match_key.record AND record.gone = 0
"""
_COUNTS = """
SELECT asked.value, (SELECT count(*) FROM association WHERE target = asked.value AND type = ?)
FROM json_each(?) AS asked
"""


class Page(NamedTuple):
    """A part of a listing or of the change log."""

    rows: list[Row]
    gone: list[tuple[str, str | None]]
    """(id, the id that it was merged into, or None)."""
    more: bool
    """There may be a next page."""
    sequence: int
    """Of the last change in it."""


def _wall_clock() -> datetime:
    return datetime.now(UTC)


@cache
def _template() -> bytes:
    """An empty hub: copying it takes a tenth of the time that making one does."""
    return Database(None, MIGRATIONS, application_id=APPLICATION_ID).image()


class Hub:
    """A small CRM. Every call is one transaction; several processes may have the file open.

    ``unique`` names key fields whose values no two records of a type may share. None by default:
    real address books hold people who share an e-mail address.

    Raises (from every method): DatabaseError where the file cannot be used; Refused, from the
    methods that change one record, where the hub does not accept the change.
    """

    def __init__(
        self,
        database: Database,
        *,
        clock: Callable[[], datetime] = _wall_clock,
        unique: Unique | None = None,
    ) -> None:
        self.database = database
        self._clock = clock
        self._unique = unique or {}

    @classmethod
    def open(
        cls,
        path: Path | None,
        *,
        clock: Callable[[], datetime] = _wall_clock,
        unique: Unique | None = None,
    ) -> Self:
        """Open a hub's file, made where it is missing; None keeps everything in memory."""
        if path is None:
            database = Database.from_template(_template())
            with database.transaction() as connection:
                connection.execute("UPDATE hub SET identity = ?", (new_identity(),))
        else:
            database = Database(path, MIGRATIONS, application_id=APPLICATION_ID)
        return cls(database, clock=clock, unique=unique)

    def close(self) -> None:
        """Close the file."""
        self.database.close()

    # --- what the hub is --------------------------------------------------------------------

    def types(self) -> tuple[ObjectType, ...]:
        """All object types, with the owners of the moment as options."""
        owners = self.owners()
        return tuple(self._described(kind, owners) for kind in OBJECT_TYPES.values())

    def _described(self, kind: ObjectType, owners: tuple[Option, ...]) -> ObjectType:
        def described(field: Field) -> Field:
            if field.name == OWNER_FIELD:
                return msgspec.structs.replace(field, options=owners)
            unique = field.name in self._unique.get(kind.name, ())
            return msgspec.structs.replace(field, unique=unique)

        return msgspec.structs.replace(kind, fields=tuple(map(described, kind.fields)))

    def owners(self) -> tuple[Option, ...]:
        """All users whom records can be given to, by id."""
        query = "SELECT id, name, active, email FROM owner ORDER BY id"
        return tuple(
            Option(str(number), name, bool(active), email)
            for number, name, active, email in self.database.connection.execute(query)
        )

    def add_owner(self, email: str, name: str) -> str:
        """Add a user whom records can be given to; returns the owner's id."""
        with self.database.transaction() as connection:
            query = "INSERT INTO owner (email, name) VALUES (?, ?)"
            return str(connection.execute(query, (email, name)).lastrowid)

    # --- reading ----------------------------------------------------------------------------

    def position(self) -> tuple[str, int]:
        """The identity of this hub, and the sequence of its newest change."""
        query = "SELECT identity, sequence FROM hub"
        identity, newest = self.database.connection.execute(query).fetchone()
        return identity, newest

    def listing(self, object_type: str, after: int, size: int) -> Page:
        """Records by id, above an id."""
        values = (NUMBERS[object_type], after, size)
        rows = self.database.connection.execute(_LISTING, values).fetchall()
        return Page(rows, [], len(rows) == size, 0)

    def records(self, object_type: str, after: str | None = None, size: int = 100) -> list[Record]:
        """Whole records by id, above an id: a page for a person."""
        whole = self._whole(object_type)
        rows = self.listing(object_type, number_of(after), size).rows
        return [whole.record(row, None) for row in rows]

    def _whole(self, object_type: str) -> Projection:
        """Everything of a record but what others make of it."""
        kind = OBJECT_TYPES[object_type]
        return projection(
            object_type,
            tuple(field.name for field in kind.fields if not field.silent),
            tuple(association.name for association in kind.associations),
        )

    def containing(
        self, object_type: str, text: str, after: str | None, size: int, looked_at: int
    ) -> tuple[list[Record], str | None]:
        """Records of which a value contains a text, by id, and where to go on; None at the end.

        Case does not count. At most ``looked_at`` records are looked at, so that a call comes back
        in bounded time; it may find none although there is more.
        """
        needle, found, last = text.casefold(), [], number_of(after)
        written = orjson.dumps(text)[1:-1].decode().casefold()
        whole = self._whole(object_type)
        rows = self.listing(object_type, last, looked_at).rows
        for row in rows:
            last = row[0]
            if written in row[3].decode().casefold():
                record = whole.record(row, None)
                if any(needle in str(value).casefold() for value in record.fields.values()):
                    found.append(record)
            if len(found) == size:
                return found, str(last)
        return found, str(last) if len(rows) == looked_at else None

    def changes(self, object_type: str, after: int, size: int) -> Page:
        """Records that changed after a sequence, in that order, each once and as it is now."""
        values = (NUMBERS[object_type], after, size)
        found = self.database.connection.execute(_CHANGES, values).fetchall()
        gone = [
            (str(number), str(survivor) if survivor else None)
            for number, *_, survivor, state, _ in found
            if state != Gone.HERE
        ]
        here = [row[:5] for row in found if row[6] == Gone.HERE]
        return Page(here, gone, len(found) == size, found[-1][-1] if found else after)

    def find(self, object_type: str, ids: Sequence[str]) -> dict[str, list[Row]]:
        """Records by id; the id of a merged record finds the one that it was merged into."""
        numbers = {number_of(record_id): record_id for record_id in ids}
        asked = orjson.dumps(list(numbers)).decode()
        query = self.database.connection.execute(_BY_ID, (asked, NUMBERS[object_type]))
        return {numbers[number]: [tuple(row)] for number, *row in query}

    def carriers(self, object_type: str, field: str, values: Sequence[str]) -> dict[str, list[Row]]:
        """All records that carry each value of a key field."""
        hashes: dict[int, list[str]] = {}
        for value in dict.fromkeys(values):
            hashes.setdefault(key_hash(object_type, field, value), []).append(value)
        found: dict[str, list[Row]] = {}
        asked = orjson.dumps(list(hashes)).decode()
        for number, *carrier in self.database.connection.execute(_BY_KEY, (asked,)):
            held = orjson.loads(carrier[3]).get(field)
            for value in hashes[number]:
                if held is not None and key_form(field, held) == key_form(field, value):
                    found.setdefault(value, []).append(tuple(carrier))
        return found

    def counted(self, rows: list[Row]) -> list[Row]:
        """Rows of companies with the number of their contacts in their bodies."""
        asked = orjson.dumps([row[0] for row in rows]).decode()
        query = self.database.connection.execute(_COUNTS, (NUMBERS["contact"], asked))
        counts: dict[int, int] = dict(query.fetchall())
        return [
            (number, revision, modified, _with_count(body, counts[number]), links)
            for number, revision, modified, body, links in rows
        ]

    # --- changing many records --------------------------------------------------------------

    def write(self, object_type: str, writes: Sequence[Write]) -> list[Result]:
        """Apply what is acceptable in one transaction and answer each write, in order."""
        with self.writing() as writing:
            writing.prepare(writes)
            return [_answer(writing, object_type, write) for write in writes]

    @contextmanager
    def writing(self) -> Iterator[Writing]:
        """One change of the hub, on the disk when it is answered.

        Whoever reads the hub keeps a position in its log: were a change undone by a power cut, the
        next one would take its number and never be read.
        """
        with self.database.durable_transaction() as connection:
            writing = Writing(connection, self._clock(), self._unique)
            yield writing
            writing.finish()

    # --- changing one record ----------------------------------------------------------------

    def create(self, object_type: str, fields: Fields, associate: Associate = ()) -> Record:
        """Make a record."""
        write = Write("", Op.CREATE, None, fields, tuple(associate))
        return self._change(lambda writing: writing.create(object_type, write))

    def update(
        self,
        object_type: str,
        record_id: str,
        fields: Fields,
        *,
        associate: Associate = (),
        dissociate: Sequence[tuple[str, str]] = (),
    ) -> Record:
        """Change values, None clears; and associations, of which a new primary demotes the old."""
        write = Write("", Op.UPDATE, record_id, fields, tuple(associate), tuple(dissociate))
        return self._change(lambda writing: writing.update(object_type, write))

    def archive(self, object_type: str, record_id: str) -> None:
        """Take a record away, with its associations; ``restore`` brings its values back."""
        self._change(lambda writing: writing.remove(object_type, record_id, Gone.ARCHIVED))

    def delete(self, object_type: str, record_id: str) -> None:
        """Take a record away and erase its values."""
        self._change(lambda writing: writing.remove(object_type, record_id, Gone.DELETED))

    def restore(self, object_type: str, record_id: str) -> Record:
        """Bring an archived record back."""
        return self._change(lambda writing: writing.restore(object_type, record_id))

    def merge(self, object_type: str, winner_id: str, loser_id: str) -> Record:
        """Fold the loser into the winner, which keeps its own values and takes what it lacks."""
        return self._change(lambda writing: writing.merge(object_type, winner_id, loser_id))

    def _change(self, change: Callable[[Writing], Draft]) -> Record:
        with self.writing() as writing:
            return shown(change(writing))

    def read(self, object_type: str, record_id: str) -> Record | None:
        """A record with all that is kept of it, or the one that it was merged into."""
        with self.database.reading() as connection:
            return Writing(connection, self._clock(), {}).look(object_type, record_id)


def _answer(writing: Writing, object_type: str, write: Write) -> Result:
    try:
        draft = writing.apply(object_type, write)
    except Refused as refused:
        return Result(write.ref, refused.status, write.id, issue=refused.issue)
    record = shown(draft)
    stored = None if draft.gone else record
    return Result(write.ref, Status.OK, record.id, record.version, stored)


def _with_count(body: bytes, count: int) -> bytes:
    return orjson.dumps({**orjson.loads(body), CONTACT_COUNT: count})
