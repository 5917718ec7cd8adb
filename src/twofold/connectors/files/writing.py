"""Writes → what becomes of rows, and what became of the writes."""

from __future__ import annotations

import hashlib
from collections.abc import Iterator, Mapping, Sequence
from datetime import tzinfo
from pathlib import Path
from typing import Any, BinaryIO

from twofold.connectors.files.replacing import Stamp, replace
from twofold.connectors.files.shelf import APP, Source, Wishes, opened
from twofold.connectors.files.survey import Survey, key_of
from twofold.connectors.files.table import Row, Table
from twofold.core.errors import TwofoldError
from twofold.core.records import Record
from twofold.core.schema import Field, Op
from twofold.core.values import is_blank
from twofold.kit.cells import Unfit, decoded
from twofold.kit.contract import Result, Status, Write
from twofold.kit.digests import digest_values


def record_of(row: Row, key: str, fields: Sequence[Field], zone: tzinfo) -> Record:
    """A row as a record with these fields."""
    shown = {field.name: decoded(row.cells.get(field.name), field, zone) for field in fields}
    digest = digest_values(shown.items())
    return Record(key_of(row.cells.get(key)), shown, row.version, digest=digest)


def rounds(writes: Sequence[Write]) -> Iterator[list[Write]]:
    """Split so that no record is written twice in one round; almost always one."""
    part: list[Write] = []
    seen: set[str] = set()
    for write in writes:
        if write.id is not None and write.id in seen:
            yield part
            part, seen = [], set()
        part.append(write)
        seen.add(write.id or "")
        seen.discard("")
    if part:
        yield part


class Round:
    """Writes of one op to one table, carried out in one replacement of its file."""

    def __init__(
        self, source: Source, survey: Survey, wishes: Wishes, writes: Sequence[Write]
    ) -> None:
        self._source = source
        self._survey = survey
        self._wishes = wishes
        self._writes = writes
        self._results: dict[str, Result] = {}
        self._done: dict[str, str] = {}
        """Ref of a write that counts → id of its row."""

    def carry_out(self) -> tuple[list[Result], Stamp | None]:
        """The results in order, and the stamp of the file's new version.

        Raises:
            Changed: nothing was written; begin again with what is there now.
            Unreadable: the file is locked or broken.
            OSError: it cannot be written.
        """
        new = replace(self._source.path, self._write, self._look)
        if new is None:
            self._look(self._source.path)
        return [self._results[write.ref] for write in self._writes], new

    # --- within the replacement -----------------------------------------------------------

    def _write(self, out: BinaryIO) -> None:
        table = opened(self._source, self._wishes)
        if self._writes[0].op is Op.CREATE:
            table.rewrite(out, lambda _: {}, self._created(table))
        else:
            wanted = {write.id: write for write in self._writes}

            def decide(row: Row) -> Mapping[str, Any] | None:
                write = wanted.get(key_of(row.cells.get(self._survey.key)))
                return {} if write is None else self._decided(table, row, write)

            table.rewrite(out, decide, ())
            for write in self._writes:
                self._results.setdefault(write.ref, self._missing(write))

    def _missing(self, write: Write) -> Result:
        issue = TwofoldError("TF-R06", app=APP).issue
        return Result(write.ref, Status.MISSING, write.id, issue=issue)

    def _decided(self, table: Table, row: Row, write: Write) -> Mapping[str, Any] | None:
        record_id = str(write.id)
        if write.if_version not in {None, row.version} or not self._expected(row, write):
            issue = TwofoldError("TF-R05", app=APP).issue
            self._results[write.ref] = Result(write.ref, Status.CONFLICT, record_id, issue=issue)
            return {}
        if write.op is Op.DELETE:
            self._results[write.ref] = Result(write.ref, Status.OK, record_id)
            return None
        cells = self._cells(table, write, row)
        if cells is None:
            return {}
        self._done[write.ref] = record_id
        return {name: cell for name, cell in cells.items() if not _same(row.cells.get(name), cell)}

    def _expected(self, row: Row, write: Write) -> bool:
        """Whether the row still shows what the plan saw of what is written."""
        for name, value in write.expected.items():
            field = self._survey.kind.field(name)
            if field is not None:
                shown = decoded(row.cells.get(name), field, self._wishes.zone)
                if not (is_blank(shown) and is_blank(value)) and shown != value:
                    return False
        return True

    def _created(self, table: Table) -> list[Mapping[str, Any]]:
        """The new rows; a key that is there already is that of a row, not of a new one."""
        survey, made = self._survey, {}
        for write in self._writes:
            cells = self._cells(table, write, None)
            if cells is not None:
                given: str | int = key_of(cells.get(survey.key))
                if survey.numbered and not self._is_text() and str(given).isdecimal():
                    given = int(given)  # among numbers it is one
                made[write.ref] = {**cells, survey.key: given or self._derived(write)}
        ids = {ref: key_of(cells[survey.key]) for ref, cells in made.items()}
        wanted = set(ids.values())
        taken = {key_of(r.cells.get(survey.key)) for r in table.rows()} & wanted if wanted else {}
        rows: list[Mapping[str, Any]] = []
        for write in self._writes:
            if write.ref not in made:
                continue
            record_id = ids[write.ref]
            if record_id in taken and record_id != str(self._derived(write)):
                self._refuse(write, Status.DUPLICATE, "TF-R02", survey.key, other_id=record_id)
                continue
            if record_id not in taken:
                taken = {*taken, record_id}
                rows.append(made[write.ref])
            self._done[write.ref] = record_id
        return rows

    def _derived(self, write: Write) -> str | int:
        """A key that is the same whenever this write is repeated: a number among numbers."""
        number = int.from_bytes(hashlib.sha256(write.ref.encode()).digest()[:7], "big")
        small = 10**14 + number % (9 * 10**14)  # as many digits as a spreadsheet keeps
        if not self._survey.numbered:
            return f"t{small}"
        return small if not self._is_text() else str(small)

    def _is_text(self) -> bool:
        return not self._source.sheet and self._source.path.suffix.lower() not in {
            ".jsonl",
            ".ndjson",
        }

    def _cells(self, table: Table, write: Write, row: Row | None) -> dict[str, Any] | None:
        """The cells of a write; None: it was refused."""
        cells: dict[str, Any] = {}
        for name, value in write.fields.items():
            field = self._survey.kind.field(name)
            if field is None:
                self._refuse(write, Status.INVALID, "TF-F01", name, object_type=self._source.name)
                return None
            reason = self._closed(field, row)
            if reason:
                self._refuse(write, Status.INVALID, "TF-R03", name, app=APP, reason=reason)
                return None
            try:
                cells[name] = table.encode(value, field)
            except Unfit as unfit:
                facts = {"value": value, "expected": unfit.expected}
                self._refuse(write, Status.INVALID, "TF-R01", name, **facts)
                return None
        return cells

    def _closed(self, field: Field, row: Row | None) -> str:
        """Why a cell takes no value at all; empty = it does."""
        if row is not None and field.name in row.formulas:
            return f"a formula makes the cell {field.name} of row {row.number}"
        open_ = field.creatable if row is None else field.updatable
        return "" if open_ else f"{field.name} is read-only"

    def _refuse(self, write: Write, status: Status, code: str, field: str, **facts: object) -> None:
        issue = TwofoldError(code, field=field, **facts).issue
        self._results[write.ref] = Result(write.ref, status, write.id, issue=issue)

    def _look(self, path: Path) -> None:
        """Read the written rows again, as they now stand in the new version."""
        refs = {record_id: ref for ref, record_id in self._done.items()}
        if not refs:
            return
        fields, zone = self._survey.kind.fields, self._wishes.zone
        for row in opened(self._source, self._wishes, path).rows():
            ref = refs.pop(key_of(row.cells.get(self._survey.key)), None)
            if ref is not None:
                stored = record_of(row, self._survey.key, fields, zone)
                self._results[ref] = Result(ref, Status.OK, stored.id, stored.version, stored)
            if not refs:
                break


def _same(old: Any, new: Any) -> bool:
    """Whether a cell need not be touched: 7 and 7.0 are one, blank is blank, true is not 1."""
    if is_blank(old) and is_blank(new):
        return True
    return isinstance(old, bool) == isinstance(new, bool) and bool(old == new)
