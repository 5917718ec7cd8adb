"""What became of records, for people who ask: lists by state, groups, and single records.

Nothing here writes.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from typing import Any

from msgspec import Struct

from twofold.core.health import Outcome, State
from twofold.core.records import Side
from twofold.database.sqlite import Database
from twofold.store.codec import as_json
from twofold.store.linkrows import decode_outcome
from twofold.store.records import as_stored
from twofold.store.types import Place, Stored

_RECORD = "{0}.row, {0}.id, {0}.version, {0}.shown, {0}.gone, {0}.into_id"
_HUB, _APP, _ONE = _RECORD.format("h"), _RECORD.format("a"), _RECORD.format("r")

_PAIRS = (
    f"SELECT l.state, l.outcome, {_HUB}, {_APP} FROM links l"
    " JOIN records h ON h.row = l.hub JOIN records a ON a.row = l.app"
    " WHERE l.sync = ? AND l.state = ? AND l.hub > ? AND NOT (h.gone AND a.gone)"
    " ORDER BY l.hub LIMIT ?"
)
_SINGLES = (
    f"SELECT s.state, s.outcome, {_ONE} FROM singles s JOIN records r ON r.row = s.row"
    " WHERE s.sync = ? AND s.side = ? AND s.state = ? AND s.row > ? AND r.gone = 0"
    " ORDER BY s.row LIMIT ?"
)
_UNSETTLED = (
    f"SELECT 0, s.outcome, {_ONE} FROM syncs y JOIN records r ON r.reader = y.{{side}}_reader"
    " LEFT JOIN links l ON l.sync = y.id AND l.{side} = r.row"
    " LEFT JOIN singles s ON s.sync = y.id AND s.side = '{side}' AND s.row = r.row"
    " WHERE y.id = ? AND r.row > ? AND r.gone = 0"
    " AND l.sync IS NULL AND coalesce(s.state, 0) = 0 ORDER BY r.row LIMIT ?"
)
"""Read and not planned yet, or planned and held."""


class Position(Struct, frozen=True):
    """Behind which record a list goes on: pairs come first, then singles of the hub, of the app."""

    part: int = 0
    row: int = 0


class Standing(Struct, frozen=True):
    """Where one pair or one unlinked record stands."""

    hub: Stored | None
    app: Stored | None
    outcome: Outcome
    position: Position

    @property
    def place(self) -> Place:
        """One of its records."""
        if self.hub is not None:
            return (Side.HUB, self.hub.row)
        assert self.app is not None
        return (Side.APP, self.app.row)


class Outcomes:
    """The outcomes of all syncs."""

    def __init__(self, database: Database) -> None:
        self._connection = database.connection

    def each(self, sync: int, state: State) -> Iterator[Outcome]:
        """The stored outcomes of a state that tell something, in no order."""
        for table in ("links", "singles"):
            found = self._connection.execute(
                f"SELECT state, outcome FROM {table}"
                " WHERE sync = ? AND state = ? AND outcome IS NOT NULL",
                (sync, int(state)),
            )
            for number, text in found:
                yield decode_outcome(number, text)

    def page(self, sync: int, state: State, after: Position, limit: int) -> list[Standing]:
        """Pairs and unlinked records of one state, behind a position."""
        found: list[Standing] = []
        for part in range(after.part, 3):
            if len(found) < limit:
                row = after.row if part == after.part else 0
                found += self._part(sync, state, Position(part, row), limit - len(found))
        return found

    def _part(self, sync: int, state: State, after: Position, limit: int) -> Iterator[Standing]:
        if after.part == 0:
            values = (sync, int(state), after.row, limit)
            for number, text, *records in self._connection.execute(_PAIRS, values):
                hub, app = as_stored(*records[:6]), as_stored(*records[6:])
                outcome = decode_outcome(number, text)
                yield Standing(hub, app, outcome, Position(0, hub.row))
            return
        side = Side.HUB if after.part == 1 else Side.APP
        for number, text, *record in self._singles(sync, side, state, after.row, limit):
            stored = as_stored(*record)
            outcome = decode_outcome(number, text)
            position = Position(after.part, stored.row)
            yield _alone(side, stored, outcome, position)

    def _singles(
        self, sync: int, side: Side, state: State, after: int, limit: int
    ) -> Iterable[Sequence[Any]]:
        if state is State.WAITING:
            query = _UNSETTLED.format(side=side.value)
            return self._connection.execute(query, (sync, after, limit))
        return self._connection.execute(_SINGLES, (sync, side.value, int(state), after, limit))

    def standing(self, sync: int, place: Place) -> Standing | None:
        """Where a record stands; None where it is not known to this sync."""
        side, row = place
        pair = self._connection.execute(
            f"SELECT l.state, l.outcome, {_HUB}, {_APP} FROM links l"
            " JOIN records h ON h.row = l.hub JOIN records a ON a.row = l.app"
            f" WHERE l.sync = ? AND l.{side.value} = ?",
            (sync, row),
        ).fetchone()
        if pair is not None:
            hub, app = as_stored(*pair[2:8]), as_stored(*pair[8:])
            return Standing(hub, app, decode_outcome(pair[0], pair[1]), Position(0, hub.row))
        single = self._connection.execute(
            f"SELECT coalesce(s.state, 0), s.outcome, {_ONE} FROM records r LEFT JOIN singles s"
            " ON s.sync = ? AND s.side = ? AND s.row = r.row WHERE r.row = ?",
            (sync, side.value, row),
        ).fetchone()
        if single is None:
            return None
        part = 1 if side is Side.HUB else 2
        outcome = decode_outcome(single[0], single[1])
        return _alone(side, as_stored(*single[2:]), outcome, Position(part, row))

    def row_of(self, reader: int, record_id: str) -> int | None:
        """The row of a record, living or gone."""
        found = self._connection.execute(
            "SELECT row FROM records WHERE reader = ? AND id = ?", (reader, record_id)
        ).fetchone()
        return None if found is None else int(found[0])

    def carrying(self, sync: int, side: Side, hashes: Iterable[int]) -> list[int]:
        """Rows of a side that carry one of these match keys, linked ones included."""
        found = self._connection.execute(
            "SELECT DISTINCT row FROM match_keys WHERE sync = ? AND side = ? AND hash IN"
            " (SELECT value FROM json_each(?)) ORDER BY row LIMIT 20",
            (sync, side.value, as_json(list(hashes))),
        )
        return [row for (row,) in found]

    def retry_at(self, sync: int, place: Place) -> float | None:
        """When a record is tried again by itself, seconds since 1970."""
        found = self.retry(sync, place)
        return None if found is None else found[0]

    def retry(self, sync: int, place: Place) -> tuple[float, int] | None:
        """When a record is tried again by itself, and how often it was tried in vain."""
        found = self._connection.execute(
            "SELECT at, attempts FROM retries WHERE sync = ? AND side = ? AND row = ?",
            (sync, place[0].value, place[1]),
        ).fetchone()
        return None if found is None else (float(found[0]), int(found[1]))

    def retries(self, sync: int) -> tuple[int, float]:
        """How many records are tried again, or let go on, later, and when the first of them is."""
        number, first = self._connection.execute(
            "SELECT count(*), coalesce(min(at), 0) FROM retries WHERE sync = ?", (sync,)
        ).fetchone()
        return int(number), float(first)

    def waits(self, sync: int) -> dict[int, int]:
        """How many associations wait for a link of their far end, by the far end's reader.

        Both records of a pair may wait for the same far end: that is one association.
        """
        found = self._connection.execute(
            "SELECT w.reader, count(DISTINCT w.target || ' ' ||"
            " coalesce(l.hub, CASE w.side WHEN 'hub' THEN w.row ELSE -w.row END))"
            " FROM waits w LEFT JOIN links l ON w.side = 'app' AND l.sync = w.sync"
            " AND l.app = w.row WHERE w.sync = ? GROUP BY w.reader",
            (sync,),
        )
        return dict(found.fetchall())


def _alone(side: Side, stored: Stored, outcome: Outcome, position: Position) -> Standing:
    if side is Side.HUB:
        return Standing(stored, None, outcome, position)
    return Standing(None, stored, outcome, position)
