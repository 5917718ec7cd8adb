"""Writes to one table, many at a time: each has its own result, all share one transaction.

Updates and deletes first read their rows with a lock, so that the comparison with what the plan saw
(``Write.if_version`` and ``Write.expected``) is made on decoded values, by our rules and not by a
collation's, and holds until the commit. Then rows that set the same columns go in one statement; a
statement that is refused is rolled back to its savepoint and halved until the culprits stand alone.
At the end the rows are read again, still in the transaction: what triggers and column types made of
the values is what the results report.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Callable, Iterator, Mapping, Sequence
from datetime import datetime
from operator import itemgetter
from typing import Any

import sqlalchemy as sa
from msgspec import Struct
from sqlalchemy.engine import Connection

from twofold.connectors.sql.columns import Decoder, as_text, instant
from twofold.connectors.sql.faults import OF_ONE_RECORD, Fault, column_of, fault_of, message_of
from twofold.connectors.sql.lookups import rows_by_id
from twofold.connectors.sql.rows import (
    Row,
    View,
    digests_of,
    records_of,
    version_covers,
    versions_of,
    whole,
)
from twofold.connectors.sql.tables import Keeper, Table, among, id_of, key_of
from twofold.connectors.sql.updating import set_rows
from twofold.connectors.sql.values import Unfit, Values, creation, modification
from twofold.core.errors import Issue, TwofoldError, sentence
from twofold.core.schema import Op
from twofold.core.values import Value
from twofold.kit.contract import Result, Status, Write

_LAST_KEY = (1 << 63) - 1
_SEQUENCES = sa.table("sqlite_sequence", sa.column("name"), sa.column("seq"))
"""SQLite's memory of the keys that AUTOINCREMENT may not use again; there from its first use."""
_HAS_SEQUENCES = (
    sa.select(sa.func.count())
    .select_from(sa.table("sqlite_schema", sa.column("name")))
    .where(sa.column("name") == _SEQUENCES.name)
)


class _Item(Struct):
    """One write on its way."""

    write: Write
    values: Values
    id: str = ""
    """Empty until the database made it."""
    current: Mapping[str, Any] = {}
    """The row before an update or delete, by column name."""


def push(
    connection: Connection,
    table: Table,
    writes: Sequence[Write],
    asked: View,
    app: str,
    moment: datetime,
) -> list[Result]:
    """Carry out writes of one op at ``moment``; the caller commits.

    ``asked`` is what the feed reads of this table: the results' digests and versions are those that
    the next pull will show.
    """
    work = _Push(connection, table, asked, app, moment)
    for round_ in _distinct(writes):
        work.carry_out(round_)
    return [work.results[write.ref] for write in writes]


def clock(connection: Connection, table: Table, ours: datetime) -> datetime:
    """What time it is for this table: the server's where it has one, for a column that we keep."""
    if table.family == "sqlite" or Keeper.CLOCK not in table.keepers.values():
        return ours
    precise = sa.func.utc_timestamp(6)
    now = precise if table.family == "mysql" else sa.func.current_timestamp()
    return instant(connection.execute(sa.select(now)).scalar()) or ours


def refused_late(write: Write, error: BaseException, app: str) -> Result:
    """The result of a write that the database refused at commit."""
    issue = TwofoldError("TF-R03", app=app, reason=message_of(error), field=column_of(error)).issue
    return Result(write.ref, Status.INVALID, write.id, issue=issue)


def _distinct(writes: Sequence[Write]) -> Iterator[list[Write]]:
    """Split so that no record is written twice in one part; almost always one part."""
    part: list[Write] = []
    seen: set[str] = set()
    for write in writes:
        if write.id is not None and write.id in seen:
            yield part
            part, seen = [], set()
        part.append(write)
        if write.id is not None:
            seen.add(write.id)
    yield part


class _Push:
    def __init__(
        self, connection: Connection, table: Table, asked: View, app: str, moment: datetime
    ) -> None:
        self.connection = connection
        self.table = table
        self.asked = asked
        self.app = app
        self.all = whole(table)
        self.moment = moment
        self.results: dict[str, Result] = {}
        self.readers = {name: _reader(at, decode) for name, at, decode in self.all.fields}
        self.covers: dict[str, View | None] = {}
        """What versions that are hashes cover, by the marks they begin with."""

    def carry_out(self, writes: Sequence[Write]) -> None:
        """One round: no record twice."""
        if not writes:
            return
        op = writes[0].op
        allowed = op in self.table.object_type.ops
        if not allowed:
            for write in writes:
                self._refuse(write, Status.DENIED, "TF-A03", action=f"{op} {self.table.name}")
        elif op is Op.CREATE:
            self._create(writes)
        else:
            self._change(writes, op)

    # --- creates ------------------------------------------------------------------------------

    def _create(self, writes: Sequence[Write]) -> None:
        items = []
        for write in writes:
            try:
                items.append(_Item(write, creation(self.table, write, self.app, self.moment)))
            except Unfit as unfit:
                self._answer(write, Status.INVALID, unfit.issue)
        for group in _alike(items):
            self._attempt(group, self._insert)
        self._report(items)

    def _insert(self, items: Sequence[_Item]) -> None:
        """Insert rows that set the same columns, and learn their keys."""
        rows = [item.values for item in items]
        if self.table.derived or not self.table.generated:
            keys = self._insert_with_keys(rows)
        elif self.table.family == "sqlite" and (first := self._free_key(len(rows))) is not None:
            name = self.table.key[0].name
            keys = self._insert_with_keys([{name: first + n, **row} for n, row in enumerate(rows)])
        else:
            keys = self._insert_without_keys(rows)
        for item, key in zip(items, keys, strict=True):
            item.id = id_of(key)

    def _insert_with_keys(self, rows: Sequence[Values]) -> Sequence[Sequence[Any]]:
        """Insert rows whose keys we know, in one statement; gives the keys."""
        statement = sa.insert(self.table.table).execution_options(preserve_rowcount=True)
        if self.table.family == "postgresql":  # its driver sends a list row by row otherwise
            returned = self.connection.execute(statement.returning(*self.table.key_sql), rows).all()
            self._check(len(returned), len(rows))
        else:
            self._check(self.connection.execute(statement, rows).rowcount, len(rows))
        return [[row[column.name] for column in self.table.key] for row in rows]

    def _insert_without_keys(self, rows: Sequence[Values]) -> Sequence[Sequence[Any]]:
        """Insert rows whose keys the database makes; gives the keys."""
        statement = sa.insert(self.table.table)
        if self.connection.dialect.insert_returning:
            ordered = statement.returning(*self.table.key_sql, sort_by_parameter_order=True)
            return self.connection.execute(ordered, rows).all()
        # MySQL returns no rows from an insert, only the last generated key.
        return [self.connection.execute(statement, row).inserted_primary_key or () for row in rows]

    def _free_key(self, count: int) -> int | None:
        """The first of so many free keys in a row, those that SQLite would make; None = too few.

        Nobody else can write before our commit. SQLite does not say in which order it returns the
        keys of one statement's rows, so it would need a statement for each ("RETURNING", 3; for
        the keys, "SQLite Autoincrement").
        """
        key, name = self.table.key_sql[0], self.table.table.name
        highest = self.connection.execute(sa.select(sa.func.max(key))).scalar() or 0
        if self.connection.execute(_HAS_SEQUENCES).scalar():
            used = sa.select(_SEQUENCES.c.seq).where(_SEQUENCES.c.name == name)
            highest = max(highest, self.connection.execute(used).scalar() or 0)
        return highest + 1 if highest <= _LAST_KEY - count else None

    # --- updates and deletes --------------------------------------------------------------------

    def _change(self, writes: Sequence[Write], op: Op) -> None:
        ids = [write.id for write in writes if write.id is not None]
        rows = rows_by_id(self.connection, self.all, ids, lock=True)
        names = [column.name for column in self.all.columns]
        items = []
        for write in writes:
            row = rows.get(write.id or "")
            if row is None:
                self._refuse(write, Status.MISSING, "TF-R06", app=self.app)
            elif self._moved(write, row):
                self._refuse(write, Status.CONFLICT, "TF-R05", app=self.app)
            else:
                current = dict(zip(names, row, strict=True))
                items.append(_Item(write, {}, write.id or "", current))
        if op is Op.DELETE:
            self._attempt(items, self._delete)
            for item in items:
                self.results.setdefault(item.write.ref, Result(item.write.ref, Status.OK, item.id))
        else:
            self._update(items)

    def _moved(self, write: Write, row: Row) -> bool:
        """Whether the row is no longer what the plan saw."""
        if write.if_version is not None and not self._is_version(write.if_version, row):
            return True
        return any(
            name in self.readers and self.readers[name](row) != value
            for name, value in write.expected.items()
        )

    def _is_version(self, version: str, row: Row) -> bool:
        if self.all.version_at is not None:
            return as_text(row[self.all.version_at]) == version
        mask = version.partition(":")[0]
        if mask not in self.covers:
            self.covers[mask] = version_covers(self.table, version)
        covered = self.covers[mask]
        if covered is None:
            return False
        projected = _projected(self.all, covered, [row])
        return versions_of(covered, projected, digests_of(covered, projected))[0] == version

    def _update(self, items: Sequence[_Item]) -> None:
        changing = []
        for item in items:
            try:
                item.values = modification(
                    self.table, item.write, item.current, self.app, self.moment
                )
            except Unfit as unfit:
                self._answer(item.write, Status.INVALID, unfit.issue)
                continue
            changing.append(item)
        for group in _alike([item for item in changing if item.values]):
            self._attempt(group, self._set)
        self._report(changing)

    def _set(self, items: Sequence[_Item]) -> None:
        columns = sorted(items[0].values)
        rows = [
            (*key_of(self.table.key, item.id), *(item.values[column] for column in columns))
            for item in items
        ]
        self._check(set_rows(self.connection, self.table, columns, rows), len(items))

    def _delete(self, items: Sequence[_Item]) -> None:
        keys = [key_of(self.table.key, item.id) for item in items]
        if keys:
            statement = sa.delete(self.table.table).where(among(self.table, keys))
            self._check(self.connection.execute(statement).rowcount, len(items))

    def _check(self, changed: int, wanted: int) -> None:
        """A policy or trigger of the database may leave a row as it was without an error."""
        if 0 <= changed < wanted:
            raise _LeftAlone

    # --- results ----------------------------------------------------------------------------------

    def _attempt(self, items: Sequence[_Item], run: Callable[[Sequence[_Item]], None]) -> None:
        """Run for all; where the database refuses, find out which ones it means."""
        if len(items) > 1 and not self.table.transactional:
            for item in items:
                self._attempt([item], run)
            return
        savepoint = self.connection.begin_nested()
        try:
            run(items)
            savepoint.commit()
        except (sa.exc.DBAPIError, _LeftAlone) as error:
            if isinstance(error, sa.exc.DBAPIError) and fault_of(error) not in OF_ONE_RECORD:
                raise  # the database may have undone the transaction, savepoints included
            savepoint.rollback()
            if len(items) == 1:
                self._refused(items[0], error)
                return
            middle = len(items) // 2
            self._attempt(items[:middle], run)
            self._attempt(items[middle:], run)

    def _refused(self, item: _Item, error: Exception) -> None:
        if isinstance(error, _LeftAlone):
            self._refuse(
                item.write, Status.DENIED, "TF-A03", action=f"change this row of {self.table.name}"
            )
            return
        fault = fault_of(error)
        if fault is Fault.TAKEN:
            self._taken(item, error)
        elif fault is Fault.FORBIDDEN:
            action = f"{item.write.op} {self.table.name}"
            self._refuse(item.write, Status.DENIED, "TF-A03", action=action)
        elif fault is Fault.BLANK and column_of(error) is not None:
            self._refuse(item.write, Status.INVALID, "TF-R04", field=column_of(error))
        else:
            reason = f"{fault} ({message_of(error)})" if fault is not Fault.OTHER else None
            self._refuse(
                item.write,
                Status.INVALID,
                "TF-R03",
                reason=reason or message_of(error),
                field=column_of(error),
            )

    def _taken(self, item: _Item, error: Exception) -> None:
        """Find who holds the unique value: a repeated create of ours, or another row."""
        table = self.table
        for names in table.uniques:
            merged = {name: item.values.get(name, item.current.get(name)) for name in names}
            if any(value is None for value in merged.values()):
                continue
            same = [table.table.c[name] == value for name, value in merged.items()]
            keys = self.connection.execute(sa.select(*table.key_sql).where(*same)).all()
            others = [id_of(key) for key in keys if id_of(key) != item.id]
            if not others:
                continue
            if table.derived and names == (table.key[0].name,):
                item.id = others[0]  # the key comes from the write's ref: this is that write
                return
            field = ", ".join(names)
            self._refuse(item.write, Status.DUPLICATE, "TF-R02", field=field, other_id=others[0])
            return
        told = sentence("TF-R02", {"field": "unique value", "other_id": message_of(error)})
        self._answer(item.write, Status.DUPLICATE, Issue("TF-R02", told, raw=message_of(error)))

    def _report(self, items: Sequence[_Item]) -> None:
        """OK for all that were not refused, with the rows as they are now."""
        done = [item for item in items if item.write.ref not in self.results]
        rows = rows_by_id(self.connection, self.all, [item.id for item in done])
        found = list(rows.values())
        projected = _projected(self.all, self.asked, found)
        digests = digests_of(self.asked, projected)
        versions = versions_of(self.asked, projected, digests)
        decoded = records_of(self.all, found, list(rows), digests, versions)
        records = {record.id: record for record in decoded}
        for item in done:
            stored = records.get(item.id)
            version = None if stored is None else stored.version
            ref = item.write.ref
            self.results[ref] = Result(ref, Status.OK, item.id, version, stored)

    def _refuse(self, write: Write, status: Status, code: str, **facts: object) -> None:
        self._answer(write, status, TwofoldError(code, **{"app": self.app, **facts}).issue)

    def _answer(self, write: Write, status: Status, issue: Issue) -> None:
        self.results[write.ref] = Result(write.ref, status, write.id, issue=issue)


def _reader(place: int, decode: Decoder) -> Callable[[Row], Value]:
    return lambda row: decode(row[place])


class _LeftAlone(Exception):
    """The database reported success, but changed fewer rows than were named."""


def _alike(items: Sequence[_Item]) -> list[list[_Item]]:
    """Groups that set the same columns, in the order of their first members."""
    groups: defaultdict[frozenset[str], list[_Item]] = defaultdict(list)
    for item in items:
        groups[frozenset(item.values)].append(item)
    return list(groups.values())


def _projected(source: View, target: View, rows: Sequence[Row]) -> list[Row]:
    """Rows of one view as rows of another that asks for less."""
    places = {column.name: at for at, column in enumerate(source.columns)}
    picked = [places[column.name] for column in target.columns]
    if len(picked) == 1:
        return [(row[picked[0]],) for row in rows]
    pick = itemgetter(*picked)
    return [pick(row) for row in rows]
