"""What one version of a table is: its fields, its key, and whether the key tells rows apart."""

from __future__ import annotations

from array import array
from collections.abc import Iterable, Sequence
from itertools import pairwise

import xxhash
from msgspec import Struct

from twofold.connectors.files.excel import LONGEST_TEXT
from twofold.connectors.files.replacing import Stamp
from twofold.connectors.files.shelf import Source, Wishes
from twofold.connectors.files.table import Column, Row, Table
from twofold.core.schema import Feed, Field, ObjectType, Op
from twofold.core.values import TEXT_KINDS, Kind
from twofold.kit.cells import shown
from twofold.kit.errors import SchemaChanged

WRITES = 1_000
"""Most items of one push: each push writes the whole file anew."""
_OPS = (Op.CREATE, Op.UPDATE, Op.DELETE)
_BUCKETS = 256
_NAMED = 3
"""So many offending keys are told."""
_BY_NAME = {
    Kind.EMAIL: ("email", "e-mail", "mail"),
    Kind.PHONE: ("phone", "mobile", "telephone"),
    Kind.URL: ("website", "url", "homepage"),
}


class Survey(Struct, frozen=True):
    """What was found out about one version of a table."""

    stamp: Stamp
    kind: ObjectType
    key: str
    """The column that tells rows apart; empty = there is none."""
    numbered: bool
    """All keys are numbers, so new ones have to be numbers too."""

    def fields(self, names: Iterable[str]) -> Sequence[Field]:
        """Fields by name.

        Raises:
            SchemaChanged: TF-F01, a column is gone; TF-F31, there is no key.
        """
        if not self.key:
            raise SchemaChanged("TF-F31", object_type=self.kind.name)
        found = []
        for name in names:
            field = self.kind.field(name)
            if field is None:
                raise SchemaChanged("TF-F01", object_type=self.kind.name, field=name)
            found.append(field)
        return found


def surveyed(source: Source, table: Table, wishes: Wishes, seen: Stamp) -> Survey:
    """Look at a whole table once.

    Raises:
        SchemaChanged: TF-F32, the named key column is not there; TF-F35, keys are missing, or
            stand in several rows.
        Unreadable: the file is broken.
    """
    columns = table.columns()
    key = _key(source, columns, wishes)
    numbered = _check(source, table, key) if key else False
    fields = tuple(_field(column, key, source, wishes) for column in columns)
    ops = _OPS if key and source.writable else ()
    kind = ObjectType(
        name=source.name,
        label=source.name if source.writable else f"{source.name} (holds what we cannot keep)",
        fields=fields,
        keys=tuple(f.name for f in fields if f.kind in TEXT_KINDS and not _is_odd(f)),
        feed=Feed.SNAPSHOT,
        ops=frozenset(ops),
        batch=dict.fromkeys(ops, WRITES),
        conditional=bool(ops),
        idempotent=bool(ops),
    )
    return Survey(seen, kind, key, numbered)


def key_of(cell: object) -> str:
    """A key as text: the id of its row."""
    return "" if cell is None else shown(cell).strip()


def _key(source: Source, columns: Sequence[Column], wishes: Wishes) -> str:
    names = [column.name for column in columns if not column.unmappable]
    told = wishes.key(source)
    if told and told not in names:
        facts = {"object_type": source.name, "column": told, "role": "key", "question": "keys"}
        raise SchemaChanged("TF-F32", **facts)
    return told or next((name for name in names if name.casefold() == "id"), "")


def _field(column: Column, key: str, source: Source, wishes: Wishes) -> Field:
    kind = wishes.kinds.get(column.name) or column.kind or Kind.TEXT
    if column.name not in wishes.kinds and kind is Kind.TEXT:
        low = column.name.casefold()
        kind = next((kind for kind, words in _BY_NAME.items() if low in words), kind)
    is_key = column.name == key
    writable = source.writable and bool(key) and not column.unmappable
    return Field(
        column.name,
        column.name,
        Kind.TEXT if is_key else kind,
        multi=column.multi,
        creatable=writable,
        updatable=writable and not is_key,
        unique=is_key,
        nullable=not is_key,
        max_length=LONGEST_TEXT if source.sheet and (is_key or kind in TEXT_KINDS) else None,
        unmappable=column.unmappable,
    )


def _is_odd(field: Field) -> bool:
    return field.multi or bool(field.unmappable)


# --- keys -----------------------------------------------------------------------------------------


def _check(source: Source, table: Table, key: str) -> bool:
    """Whether all keys are numbers, once it is sure that each row has one of its own.

    Of millions of rows, eight bytes each are held.
    """
    buckets = [array("Q") for _ in range(_BUCKETS)]
    without: list[Row] = []
    numbered = some = False
    for row in table.rows():
        text = key_of(row.cells.get(key))
        if not text:
            without.append(row)
            if len(without) == _NAMED:
                break
            continue
        numbered = text.isascii() and text.isdecimal() and (numbered or not some)
        some = True
        number = xxhash.xxh3_64_intdigest(text.encode("utf-8", "surrogatepass"))
        buckets[number % _BUCKETS].append(number)
    if without:
        rows = ", ".join(str(row.number) for row in without)
        raise _untold(source, key, f"there is nothing in it in row {rows}")
    twice = {number for bucket in buckets for number in _repeated(bucket)}
    if twice:
        raise _untold(source, key, _named(table, key, twice))
    return numbered


def _repeated(numbers: array[int]) -> Iterable[int]:
    if len(set(numbers)) == len(numbers):
        return ()
    ordered = sorted(numbers)
    return {one for one, other in pairwise(ordered) if one == other}


def _named(table: Table, key: str, twice: set[int]) -> str:
    """Some of the keys that stand in several rows, with the rows."""
    found: dict[str, list[int]] = {}
    for row in table.rows():
        text = key_of(row.cells.get(key))
        if xxhash.xxh3_64_intdigest(text.encode("utf-8", "surrogatepass")) in twice:
            found.setdefault(text, []).append(row.number)
    named = list(found.items())[:_NAMED]
    rows = [f"{text!r} stands in row {' and '.join(map(str, at[:5]))}" for text, at in named]
    return "; ".join(rows)


def _untold(source: Source, key: str, reason: str) -> SchemaChanged:
    return SchemaChanged("TF-F35", object_type=source.name, column=key, reason=reason)
