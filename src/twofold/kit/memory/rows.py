"""One object type's records in memory: what is there, and what its feed shows of it by now."""

from __future__ import annotations

from bisect import bisect_left, bisect_right
from collections.abc import Iterator, Mapping, Sequence
from datetime import datetime, timedelta

import msgspec
from msgspec import Struct

from twofold.core.records import Fields, Record, Target
from twofold.core.schema import Field, ObjectType
from twofold.core.values import Kind, Value

EPOCH = datetime.fromisoformat("1970-01-01T00:00:00+00:00")


class Row(Struct, frozen=True):
    """A record as it was after one change."""

    id: str
    fields: Fields
    modified: datetime
    version: str | None
    associations: Mapping[str, tuple[Target, ...]] = msgspec.field(default_factory=dict)
    gone: bool = False
    into: str | None = None
    """The record that this one was merged into."""


def floor(moment: datetime, step: timedelta) -> datetime:
    """The moment, rounded down to whole steps; a step of zero changes nothing."""
    return moment - (moment - EPOCH) % step if step else moment


def key_form(field: Field, item: object) -> str:
    """How a key value is compared: as text, e-mail addresses regardless of case."""
    return str(item).casefold() if field.kind is Kind.EMAIL else str(item)


def items_of(value: Value) -> tuple[object, ...]:
    """The single values of a value."""
    if value is None:
        return ()
    return value if isinstance(value, tuple) else (value,)


class Table:
    """All records of one object type with their change log.

    ``rows`` is the truth, ``get`` reads it. ``visible`` is what the feed shows: the same, except
    that a change enters it only after the declared lag.
    """

    def __init__(self, kind: ObjectType) -> None:
        self.kind = kind
        self.rows: dict[str, Row] = {}
        self.log: list[Row] = []
        self.order: list[str] = []
        """All ids ever given, in the order of creation."""
        self.refs: dict[str, str] = {}
        """The id that each create's ref led to."""
        self._number: dict[str, int] = {}
        self._indexed: dict[str, Row] = {}
        self._indexed_changes = 0
        self._indexed_fields = tuple(
            field for field in kind.fields if field.unique or field.name in kind.keys
        )
        self._carriers: dict[str, dict[str, dict[str, None]]] = {
            field.name: {} for field in self._indexed_fields
        }

    def put(self, row: Row) -> None:
        """Take the new state of a record."""
        old = self.rows.get(row.id)
        if old is None:
            self._number[row.id] = len(self.order)
            self.order.append(row.id)
        elif not old.gone:
            self._index(old, present=False)
        if not row.gone:
            self._index(row, present=True)
        self.rows[row.id] = row
        self.log.append(row)

    def _index(self, row: Row, *, present: bool) -> None:
        for field in self._indexed_fields:
            carriers = self._carriers[field.name]
            for item in items_of(row.fields.get(field.name)):
                ids = carriers.setdefault(key_form(field, item), {})
                if present:
                    ids[row.id] = None
                else:
                    ids.pop(row.id, None)

    def live(self, record_id: str | None) -> Row | None:
        """The record, if it is there."""
        row = None if record_id is None else self.rows.get(record_id)
        return None if row is None or row.gone else row

    def survivor(self, record_id: str) -> Row | None:
        """The record, or the one that it was merged into where this app tells."""
        row = self.rows.get(record_id)
        while row is not None and row.into is not None and self.kind.merges:
            row = self.rows.get(row.into)
        return None if row is None or row.gone else row

    def carriers(self, field: Field, value: object) -> Sequence[str]:
        """The ids of all records that carry this value of a key or unique field."""
        return tuple(self._carriers[field.name].get(key_form(field, value), ()))

    # --- what the feed shows --------------------------------------------------------------

    def catch_up(self, now: datetime) -> None:
        """Let the changes that are older than the lag appear in the feed."""
        due = now - self.kind.lag
        while self._indexed_changes < len(self.log):
            row = self.log[self._indexed_changes]
            if row.modified > due:
                break
            self._indexed[row.id] = row
            self._indexed_changes += 1

    @property
    def position(self) -> int:
        """The number of changes that the feed shows."""
        return self._indexed_changes

    def listing(self, after: str | None) -> Iterator[Row]:
        """The visible records behind one id, in the order of creation."""
        start = 0 if after is None else self._number[after] + 1
        for number in range(start, len(self.order)):
            row = self._indexed.get(self.order[number])
            if row is not None and not row.gone:
                yield row

    def changes(self, position: int, size: int) -> tuple[list[Row], int]:
        """The current state of what changed after a position, and the position reached."""
        end = min(position + size, self._indexed_changes)
        ids = dict.fromkeys(row.id for row in self.log[position:end])
        return [self._indexed[record_id] for record_id in ids], end

    def since(self, stamp: datetime, after: str) -> list[Row]:
        """What changed at or after a stamp, by (stamp, id), behind that pair."""
        step = self.kind.resolution
        start = bisect_left(self.log, stamp, hi=self._indexed_changes, key=lambda row: row.modified)
        ids = dict.fromkeys(row.id for row in self.log[start : self._indexed_changes])
        rows = [self._indexed[record_id] for record_id in ids]
        keyed = sorted(((floor(row.modified, step), row.id), row) for row in rows)
        first = bisect_right(keyed, (stamp, after), key=lambda pair: pair[0])
        return [row for _, row in keyed[first:]]


def record_of(
    row: Row, fields: Sequence[str], associations: Sequence[str], digest: int | None = None
) -> Record:
    """A row as a connector shows it: only what was asked."""
    return Record(
        row.id,
        {name: row.fields.get(name) for name in fields},
        row.version,
        {name: row.associations.get(name, ()) for name in associations},
        digest,
        row.modified,
    )
