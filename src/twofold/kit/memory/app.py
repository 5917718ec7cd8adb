"""A whole app in memory: what its users do, and what its API answers to writes."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from datetime import UTC, datetime, timedelta

import msgspec
from msgspec import Struct

from twofold.core.errors import Issue
from twofold.core.records import Fields, Record, Target
from twofold.core.schema import ObjectType, Op
from twofold.core.values import Scalar, Value
from twofold.kit.contract import Result, Status, Write
from twofold.kit.errors import SchemaChanged
from twofold.kit.memory.checks import canonical, issue, refused_fields
from twofold.kit.memory.faults import Call, Fault, Phase, Script
from twofold.kit.memory.rows import Row, Table, floor, items_of, record_of

_START = datetime(2026, 1, 1, tzinfo=UTC)
_TICK = timedelta(milliseconds=1)

Association = tuple[str, Target]


class Habits(Struct, frozen=True):
    """How this app answers, beyond what its object types declare."""

    stored: bool = True
    """Results carry the record as it was stored."""
    versions: bool = True
    """Records and results carry versions; without them old values are compared."""
    bodies: bool = True
    """Pages carry the records; without it rows have no digest and need ``get``."""
    holders: bool = True
    """A refused duplicate names the record that holds the value."""
    rewrite: Mapping[str, Callable[[Scalar], Scalar]] = msgspec.field(default_factory=dict)
    """By field name: how the app changes a value that it is given (trims, rounds, formats)."""


class MemoryApp:
    """Records, versions and a change log per object type, deterministic and without waiting.

    Without a clock of yours, time starts at 2026-01-01 UTC and moves 1 ms with every change, and
    further with ``advance``.
    """

    def __init__(
        self,
        types: Sequence[ObjectType],
        page_size: int = 100,
        clock: Callable[[], datetime] | None = None,
        *,
        name: str = "memory",
        habits: Habits | None = None,
    ) -> None:
        self.name = name
        self.types = tuple(types)
        self.page_size = page_size
        self.habits = habits or Habits()
        self.fault: Script | None = None
        """Scripted trouble; None = none."""
        self.calls: list[Call] = []
        """Every call of a connector, as it arrived."""
        self.writes = 0
        """How many writes of connectors took effect."""
        self.cursors_from = 0
        """Cursors of an earlier number are expired."""
        self.tables = {kind.name: Table(kind) for kind in types}
        self._clock = clock
        self._time = _START
        self._changes = 0

    # --- time and cursors -----------------------------------------------------------------

    def now(self) -> datetime:
        """The app's time; it never runs backwards."""
        if self._clock is not None:
            self._time = max(self._time, self._clock())
        return self._time

    def advance(self, by: timedelta) -> None:
        """Let time pass (only without a clock of your own)."""
        if self._clock is not None:
            raise ValueError("this app follows the clock that it was given")
        self._time += by

    def expire_cursors(self) -> None:
        """Forget all positions given out so far."""
        self.cursors_from += 1

    # --- what users do --------------------------------------------------------------------

    def create(self, obj: str, fields: Fields, associations: Sequence[Association] = ()) -> str:
        """A user makes a record; returns its id.

        Raises:
            ValueError: the app refuses these values from anybody.
        """
        table = self.table(obj)
        write = Write("", Op.CREATE, fields=fields, associate=tuple(associations))
        self._demand(self._refusal(table, write, None, {}, inside=True))
        return self._apply(table, write).id

    def edit(self, obj: str, record_id: str, fields: Fields) -> None:
        """A user changes fields; None clears."""
        self._by_user(obj, Write("", Op.UPDATE, record_id, fields))

    def touch(self, obj: str, record_id: str) -> None:
        """A new version with the same values."""
        self._by_user(obj, Write("", Op.UPDATE, record_id))

    def delete(self, obj: str, record_id: str) -> None:
        """A user deletes a record."""
        self._by_user(obj, Write("", Op.DELETE, record_id))

    def restore(self, obj: str, record_id: str) -> None:
        """A user takes a deleted record back, without the associations that it had."""
        table = self.table(obj)
        row = table.rows.get(record_id)
        if row is None or not row.gone or row.into is not None:
            raise ValueError(f"there is no deleted {obj} {record_id}")
        self._put(table, msgspec.structs.replace(row, gone=False, associations={}))

    def associate(self, obj: str, record_id: str, name: str, target: Target) -> None:
        """A user relates a record to another one."""
        self._by_user(obj, Write("", Op.UPDATE, record_id, associate=((name, target),)))

    def dissociate(self, obj: str, record_id: str, name: str, target_id: str) -> None:
        """A user ends a relation."""
        self._by_user(obj, Write("", Op.UPDATE, record_id, dissociate=((name, target_id),)))

    def merge(self, obj: str, loser: str, survivor: str) -> None:
        """A user merges two records: the survivor keeps its values and takes what it lacks."""
        table = self.table(obj)
        lost, kept = table.rows[loser], table.rows[survivor]
        if lost.gone or kept.gone or loser == survivor:
            raise ValueError("only two records that are there can be merged")
        known = {name: value for name, value in kept.fields.items() if value is not None}
        associations = {
            name: kept.associations.get(name) or lost.associations.get(name, ())
            for name in {**kept.associations, **lost.associations}
        }
        self._put(table, msgspec.structs.replace(lost, gone=True, into=survivor))
        fields = {**lost.fields, **known}
        self._put(table, msgspec.structs.replace(kept, fields=fields, associations=associations))
        self._retarget(obj, loser, survivor)

    def convert(self, obj: str, record_id: str, fields: Fields) -> str:
        """A user makes a record of another type of this one, as a lead becomes a contact.

        The object type must declare ``becomes``, and the other one ``origin``.

        Returns:
            The id of what it became.
        """
        kind = self.table(obj).kind
        becomes = kind.association(kind.becomes)
        if becomes is None:
            raise ValueError(f"no {obj} is ever converted")
        origin = self.table(becomes.target).kind.origin
        made = self.create(becomes.target, fields, [(origin, Target(record_id))])
        self.associate(obj, record_id, becomes.name, Target(made))
        return made

    def read(self, obj: str, record_id: str) -> Record | None:
        """A record as a user sees it, whole."""
        table = self.table(obj)
        row = table.live(record_id)
        return None if row is None else self._shown(table, row)

    def all(self, obj: str) -> list[Record]:
        """All records of a type, in the order of creation."""
        table = self.table(obj)
        return [self._shown(table, row) for row in table.rows.values() if not row.gone]

    def _by_user(self, obj: str, write: Write) -> None:
        table = self.table(obj)
        row = table.live(write.id)
        if row is None:
            raise ValueError(f"there is no {obj} {write.id}")
        self._demand(self._refusal(table, write, row, {}, inside=True))
        self._apply(table, write)

    @staticmethod
    def _demand(refusal: tuple[Status, Issue] | None) -> None:
        if refusal is not None:
            raise ValueError(refusal[1].sentence)

    # --- what connectors do ---------------------------------------------------------------

    def begin(self, name: str, obj: str = "", items: int = 0) -> Fault | None:
        """Log a call and ask the script what goes wrong before its effect."""
        call = Call(name, obj, items, Phase.BEFORE, len(self.calls) + 1)
        self.calls.append(call)
        return None if self.fault is None else self.fault(call)

    def end(self, name: str, obj: str = "", items: int = 0) -> Fault | None:
        """Ask the script what goes wrong after the effect of the call begun last."""
        call = Call(name, obj, items, Phase.AFTER, len(self.calls))
        return None if self.fault is None else self.fault(call)

    def called(self, name: str, obj: str | None = None) -> int:
        """How many calls of that name arrived (for one object type)."""
        return sum(c.name == name and obj in (None, c.obj) for c in self.calls)

    def table(self, obj: str) -> Table:
        """The records of an object type.

        Raises:
            SchemaChanged: there is no such type.
        """
        table = self.tables.get(obj)
        if table is None:
            known = ", ".join(self.tables)
            raise SchemaChanged("TF-F02", app=self.name, object_type=obj, known=known)
        return table

    def write(self, obj: str, writes: Sequence[Write]) -> list[Result]:
        """Apply what is acceptable and answer each write, in order."""
        table = self.table(obj)
        if not table.kind.atomic:
            return [self._write_one(table, write) for write in writes]
        taken: dict[tuple[str, str], str] = {}
        refusals = [self._refused(table, write, taken) for write in writes]
        if not any(refusals):
            return [self._write_one(table, write) for write in writes]
        reason = "another record of the same batch was refused"
        other = Status.RETRY, issue("TF-R07", app=self.name, reason=reason)
        return [
            Result(write.ref, status, write.id, issue=found)
            for write, (status, found) in zip(writes, (r or other for r in refusals), strict=True)
        ]

    def _write_one(self, table: Table, write: Write) -> Result:
        refusal = self._refused(table, write, {})
        if refusal is not None:
            return Result(write.ref, refusal[0], write.id, issue=refusal[1])
        repeated = self._repeated(table, write)
        if repeated is None:
            self.writes += 1
            row = self._apply(table, write)
        else:
            row = repeated
        version = row.version
        stored = self._shown(table, row) if self.habits.stored and not row.gone else None
        return Result(write.ref, Status.OK, row.id, version, stored)

    def _repeated(self, table: Table, write: Write) -> Row | None:
        if write.op is not Op.CREATE or not table.kind.idempotent:
            return None
        known = table.refs.get(write.ref)
        return None if known is None else table.rows[known]

    def _refused(
        self, table: Table, write: Write, taken: dict[tuple[str, str], str]
    ) -> tuple[Status, Issue] | None:
        """Why a connector's write is refused, or None."""
        if write.op not in table.kind.ops:
            action = f"{write.op} a {table.kind.name}"
            return Status.DENIED, issue("TF-A03", app=self.name, action=action)
        if self._repeated(table, write) is not None:
            return None
        row = None if write.op is Op.CREATE else table.live(write.id)
        if write.op is not Op.CREATE and row is None:
            return Status.MISSING, issue("TF-R06", app=self.name)
        if row is not None and table.kind.conditional and self._moved(table, write, row):
            return Status.CONFLICT, issue("TF-R05", app=self.name)
        return self._refusal(table, write, row, taken, inside=False)

    def _moved(self, table: Table, write: Write, row: Row) -> bool:
        if self.habits.versions:
            return write.if_version is not None and write.if_version != row.version
        expected = ((n, self._kept(table, n, v)) for n, v in write.expected.items())
        return any(row.fields.get(name) != value for name, value in expected)

    def _refusal(
        self,
        table: Table,
        write: Write,
        row: Row | None,
        taken: dict[tuple[str, str], str],
        *,
        inside: bool,
    ) -> tuple[Status, Issue] | None:
        """What is wrong with the values and associations of a write, whoever makes it."""
        if write.op in (Op.DELETE, Op.ARCHIVE):
            return None
        found = refused_fields(
            self.name, table.kind, write.fields, creating=row is None, inside=inside
        ) or self._refused_association(table, write)
        if found is not None:
            return Status.INVALID, found
        holder = self._holder(table, write, taken)
        if holder is None:
            return None
        field, other = holder
        code_facts = {"field": field, "other_id": other if self.habits.holders else None}
        return Status.DUPLICATE, issue("TF-R02", **code_facts)

    def _refused_association(self, table: Table, write: Write) -> Issue | None:
        named = [(name, target.id) for name, target in write.associate]
        for name, target_id in (*named, *write.dissociate):
            association = table.kind.association(name)
            if association is None:
                return issue("TF-F01", object_type=table.kind.name, field=name)
            targets = self.tables.get(association.target)
            missing = targets is not None and targets.live(target_id) is None
            if missing and (name, target_id) in named:
                reason = f"there is no {association.target} {target_id}"
                return issue("TF-R03", app=self.name, reason=reason, field=name)
        return None

    def _holder(
        self, table: Table, write: Write, taken: dict[tuple[str, str], str]
    ) -> tuple[str, str] | None:
        """The unique field, and the record that already has its value."""
        for field in table.kind.fields:
            if not field.unique:
                continue
            for item in items_of(self._kept(table, field.name, write.fields.get(field.name))):
                others = [i for i in table.carriers(field, item) if i != write.id]
                other = others[0] if others else taken.get((field.name, str(item)))
                if other is not None:
                    return field.name, other
                taken[field.name, str(item)] = write.id or write.ref
        return None

    # --- effects --------------------------------------------------------------------------

    def _kept(self, table: Table, name: str, value: Value) -> Value:
        """A value as this app keeps it."""
        field = table.kind.field(name)
        rewrite = self.habits.rewrite.get(name)
        if field is None or value is None:
            return None
        if rewrite is not None:
            value = tuple(map(rewrite, value)) if isinstance(value, tuple) else rewrite(value)
        return canonical(field, value)

    def _apply(self, table: Table, write: Write) -> Row:
        if write.op is Op.CREATE:
            row = self._blank_row(table)
            table.refs[write.ref] = row.id
        else:
            row = table.rows[write.id or ""]
        if write.op in (Op.DELETE, Op.ARCHIVE):
            row = self._put(table, msgspec.structs.replace(row, gone=True))
            self._retarget(table.kind.name, row.id, None)
            return row
        fields = {n: self._kept(table, n, value) for n, value in write.fields.items()}
        associations = _related(table.kind, row.associations, write)
        changed = msgspec.structs.replace(
            row, fields={**row.fields, **fields}, associations=associations
        )
        return self._put(table, changed)

    def _blank_row(self, table: Table) -> Row:
        number = len(table.order) + 1
        created = table.kind.field("createdate")
        stamped = created is not None and created.read_only
        fields: Fields = {"createdate": self.now()} if stamped else {}
        return Row(str(number), fields, self.now(), None)

    def _put(self, table: Table, row: Row) -> Row:
        """Store a state under a new version, and log it."""
        if self._clock is None:
            self._time += _TICK
        self._changes += 1
        now, version = self.now(), str(self._changes)
        if table.kind.resolution:
            version = floor(now, table.kind.resolution).isoformat()
        row = msgspec.structs.replace(
            row, modified=now, version=version if self.habits.versions else None
        )
        table.put(row)
        return row

    def _retarget(self, obj: str, old: str, new: str | None) -> None:
        """Relations to a record that is gone end, or move to the record that it was merged into."""
        for table in self.tables.values():
            names = [a.name for a in table.kind.associations if a.target == obj]
            for row in [r for r in table.rows.values() if names and not r.gone]:
                moved = {n: _moved(row.associations.get(n, ()), old, new) for n in names}
                if any(row.associations.get(n, ()) != targets for n, targets in moved.items()):
                    associations = {**row.associations, **moved}
                    self._put(table, msgspec.structs.replace(row, associations=associations))

    def _shown(self, table: Table, row: Row) -> Record:
        names = [field.name for field in table.kind.fields]
        return record_of(row, names, [a.name for a in table.kind.associations])


def _moved(targets: tuple[Target, ...], old: str, new: str | None) -> tuple[Target, ...]:
    kept = {target.id: target for target in targets if target.id != old}
    lost = next((target for target in targets if target.id == old), None)
    if lost is not None and new is not None and new not in kept:
        kept[new] = msgspec.structs.replace(lost, id=new)
    return tuple(kept.values())


def _related(
    kind: ObjectType, before: Mapping[str, tuple[Target, ...]], write: Write
) -> Mapping[str, tuple[Target, ...]]:
    """The relations of a record after a write."""
    after = dict(before)
    for name, target_id in write.dissociate:
        after[name] = _moved(after.get(name, ()), target_id, None)
    for name, target in write.associate:
        association = kind.association(name)
        others = after.get(name, ()) if association is not None and association.many else ()
        if target.primary:
            others = tuple(msgspec.structs.replace(t, primary=False) for t in others)
        held = next((t for t in others if t.id == target.id), target)
        labels = tuple(sorted({*held.labels, *target.labels}))
        made = Target(target.id, target.primary or held.primary, labels)
        after[name] = (*(t for t in others if t.id != target.id), made)
    return after
