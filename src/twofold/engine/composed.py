"""Fields made of two others (F17): put together where a side is read, taken apart where written.

To everything behind a port such a field is one like any other; the connector never hears of it.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import msgspec

from twofold.core.parts import SEPARATOR, part_names, parts_of, whole_of
from twofold.core.records import Fields, Record
from twofold.core.values import Value, as_text, is_blank
from twofold.kit.contract import Batch, Connector, Result, Write
from twofold.kit.wrapped import Wrapped


def composed(connector: Connector, fields: Sequence[str]) -> Connector:
    """The connector, with those of these fields that are made of others."""
    wholes = {name: part_names(name) for name in fields if SEPARATOR in name}
    return Composed(connector, wholes) if wholes else connector


class Composed(Wrapped):
    """A connector like the one that it wraps, with more fields."""

    def __init__(self, connector: Connector, wholes: Mapping[str, tuple[str, ...]]) -> None:
        super().__init__(connector)
        self._wholes = wholes
        self._whole_of = {part: name for name, parts in wholes.items() for part in parts}

    async def pull(
        self, obj: str, cursor: str | None, fields: Sequence[str], associations: Sequence[str] = ()
    ) -> Batch:
        """Ask for the parts; its digests are over them."""
        batch = await self._inner.pull(obj, cursor, _parts(fields), associations)
        decode = batch.decode

        def decoded(positions: Sequence[int]) -> Sequence[Record]:
            return [self._whole(record, fields) for record in decode(positions)]

        return msgspec.structs.replace(batch, decode=decoded)

    async def get(
        self,
        obj: str,
        ids: Sequence[str],
        fields: Sequence[str],
        associations: Sequence[str] = (),
        key: str | None = None,
    ) -> Mapping[str, Sequence[Record]]:
        """Ask for the parts."""
        found = await self._inner.get(obj, ids, _parts(fields), associations, key)
        return {
            asked: [self._whole(record, fields) for record in records]
            for asked, records in found.items()
        }

    async def push(self, obj: str, writes: Sequence[Write]) -> Sequence[Result]:
        """Write the parts; what is refused of one of them is refused of the whole."""
        taken = [
            msgspec.structs.replace(
                write, fields=_apart(write.fields), expected=_apart(write.expected)
            )
            for write in writes
        ]
        return [self._answer(result) for result in await self._inner.push(obj, taken)]

    def _answer(self, result: Result) -> Result:
        stored, issue = result.stored, result.issue
        if stored is not None:
            stored = self._whole(stored, tuple(self._wholes))
        if issue is not None and issue.field in self._whole_of:
            issue = msgspec.structs.replace(issue, field=self._whole_of[issue.field])
        return msgspec.structs.replace(result, stored=stored, issue=issue)

    def _whole(self, record: Record, asked: Sequence[str]) -> Record:
        made: dict[str, Value] = {}
        for name in asked:
            if name in self._wholes:
                whole = whole_of([record.fields.get(part) for part in self._wholes[name]])
                made[name] = None if is_blank(whole) else whole
        return msgspec.structs.replace(record, fields={**record.fields, **made})


def _parts(fields: Sequence[str]) -> list[str]:
    return list(dict.fromkeys(part for name in fields for part in part_names(name)))


def _apart(fields: Fields) -> Fields:
    """Fields with those that are made of others taken apart; a blank part is cleared."""
    if not any(SEPARATOR in name for name in fields):
        return fields
    apart: dict[str, Value] = {}
    for name, value in fields.items():
        names = part_names(name)
        if len(names) == 1:
            apart[name] = value
            continue
        texts = [] if value is None else parts_of(as_text(value))
        for at, part in enumerate(names):
            apart[part] = texts[at] or None if at < len(texts) else None
    return apart
