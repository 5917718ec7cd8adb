"""Stored rows as a reader asked for them: some properties, some associations, and their digest."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from datetime import timedelta
from functools import lru_cache

import msgspec
import orjson

from twofold.core.records import Record
from twofold.core.schema import ObjectType
from twofold.hub import links as linking
from twofold.hub.properties import decoder
from twofold.hub.schema import OBJECT_TYPES
from twofold.hub.writing import EPOCH
from twofold.kit.digests import digest_bytes

Row = tuple[int, int, int, bytes, bytes | None]
"""A record as its table holds it: id, revision, modified, body, links. A plain tuple, as SQLite
gives it: a page holds a thousand, most of which nobody looks at."""


class Projection:
    """What was asked of an object type."""

    def __init__(
        self, kind: ObjectType, fields: Sequence[str], associations: Sequence[str]
    ) -> None:
        self.kind = kind
        self.fields = tuple(fields)
        self.associations = tuple(associations)
        self._values = decoder(kind, self.fields)
        self._links = _links_picker(kind, self.associations)
        blank = msgspec.Raw(b"null")
        asked = [(name, msgspec.Raw, blank) for name in sorted(set(fields))]
        self._pick = msgspec.json.Decoder(msgspec.defstruct("Asked", asked, gc=False))

    def digests(self, rows: Sequence[Row]) -> list[int]:
        """One per row, over what was asked alone, in whatever order it was asked.

        The values are picked out of the body as raw JSON: half the cost of parsing them.
        """
        pick, pack, links_of = self._pick.decode, _PACK, self._links
        if links_of is None:
            return [digest_bytes(pack(pick(row[3]))) for row in rows]
        return [digest_bytes(pack(pick(row[3])) + links_of(row[4])) for row in rows]

    def record(self, row: Row, digest: int | None) -> Record:
        """The row as a record."""
        number, revision, modified, body, links = row
        return Record(
            str(number),
            self._values(orjson.loads(body)),
            str(revision),
            linking.targets(linking.parsed(links), self.associations),
            digest,
            EPOCH + timedelta(microseconds=modified),
        )


_PACK = msgspec.json.Encoder().encode


@lru_cache(maxsize=64)
def projection(
    object_type: str, fields: tuple[str, ...], associations: tuple[str, ...]
) -> Projection:
    """The projection for a question; the same one for the same question."""
    return Projection(OBJECT_TYPES[object_type], fields, associations)


def _links_picker(
    kind: ObjectType, associations: tuple[str, ...]
) -> Callable[[bytes | None], bytes] | None:
    """Return a function from kept links to those asked for; None where none are."""
    if not associations:
        return None
    if set(associations) == {association.name for association in kind.associations}:
        return lambda content: content or b""

    def pick(content: bytes | None) -> bytes:
        parsed = linking.parsed(content)
        wanted = {name: parsed[name] for name in associations if name in parsed}
        return linking.kept(wanted) or b""

    return pick
