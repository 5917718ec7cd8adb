"""Records as the API shows them, and as Twofold knows them."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence

from msgspec import Struct

from twofold.connectors.hubspot import paths
from twofold.connectors.hubspot.calls import Calls, Refused, absent
from twofold.connectors.hubspot.objects import MERGED, Kind
from twofold.connectors.hubspot.properties import Paging
from twofold.connectors.hubspot.values import instant, read
from twofold.core.records import Record, Target
from twofold.core.schema import Field
from twofold.kit.digests import digest_values

BATCH = 100
"""Most records in one request (row "Batch": "Batch endpoints" of the reference)."""
Related = Mapping[str, tuple[Target, ...]]
"""All targets by association name."""


class Shown(Struct, frozen=True, rename="camel"):
    """A record as an answer shows it."""

    id: str
    properties: Mapping[str, str | None] = {}
    updated_at: str = ""
    object_write_trace_id: str | None = None

    @property
    def merged(self) -> list[str]:
        """The ids of the records that were merged into this one."""
        text = self.properties.get(MERGED) or ""
        return [one.strip() for one in text.split(";") if one.strip()]


class Listing(Struct, frozen=True):
    """A page of records."""

    results: Sequence[Shown]
    paging: Paging | None = None


class Asked(Struct, frozen=True):
    """What a reading asks of each record."""

    kind: Kind
    fields: tuple[Field, ...]
    associations: tuple[str, ...] = ()

    @property
    def names(self) -> list[str]:
        """The properties to ask for."""
        return sorted({*(field.name for field in self.fields), MERGED})

    def silent(self, rows: Iterable[Shown]) -> set[str]:
        """Fields that some rows do not mention, as if there were no such property."""
        names = {field.name for field in self.fields}
        return set().union(*(names.difference(row.properties) for row in rows))

    def record(self, shown: Shown, related: Related) -> Record:
        """A record of Twofold's."""
        fields = {f.name: read(f, shown.properties.get(f.name)) for f in self.fields}
        digest = self.digest(shown, related)
        modified = instant(shown.updated_at) if shown.updated_at else None
        version = shown.updated_at or None
        return Record(shown.id, fields, version, related, digest, modified)

    def digest(self, shown: Shown, related: Related) -> int:
        """The hash of what was asked, as the API sent it."""
        fields = [(f".{f.name}", shown.properties.get(f.name) or None) for f in self.fields]
        return digest_values([*fields, *related.items()])


async def by_id(calls: Calls, asked: Asked, ids: Sequence[str]) -> dict[str, Shown]:
    """Records by id; a merged-away id finds the survivor, under the id that was asked.

    Straight from the records, and not through the index of searches. Only numbers are ids.
    """
    wanted = [one for one in dict.fromkeys(ids) if one.isascii() and one.isdecimal()]
    found: dict[str, Shown] = {}
    for start in range(0, len(wanted), BATCH):
        part = wanted[start : start + BATCH]
        answered = await _batch(calls, asked, part, None)
        found.update((shown.id, shown) for shown in answered if shown.id in part)
        survivors = [s for s in answered if s.id not in part] + list(found.values())
        found.update((loser, s) for s in survivors for loser in s.merged if loser in part)
        if any(shown.id not in part for shown in answered):
            # A merge of long ago may not be among the ids that its survivor tells.
            found.update(await _singly(calls, asked, [i for i in part if i not in found]))
    return found


async def _singly(calls: Calls, asked: Asked, ids: Iterable[str]) -> dict[str, Shown]:
    """Records one by one: a read of a merged-away id gives the survivor (row "Delete / merge")."""
    found: dict[str, Shown] = {}
    for one in ids:
        for shown in await _batch(calls, asked, [one], None):
            found[one] = shown
    return found


async def by_key(
    calls: Calls, asked: Asked, field: Field, texts: Sequence[str]
) -> dict[str, list[Shown]]:
    """Records by a unique property; the letters' case does not count."""
    others = ("hs_additional_emails",) if field.name == "email" else ()
    wanted = {text.casefold(): text for text in texts if text.strip()}
    found: dict[str, list[Shown]] = {}
    keys = list(wanted)
    for start in range(0, len(keys), BATCH):
        part = keys[start : start + BATCH]
        more = (field.name, *others)
        for shown in await _batch(calls, asked, part, field.name, more):
            held = {(shown.properties.get(field.name) or "").casefold()}
            held |= {
                one.strip().casefold()
                for name in others
                for one in (shown.properties.get(name) or "").split(";")
            }
            for key in held.intersection(part):
                found.setdefault(wanted[key], []).append(shown)
    return found


async def _batch(
    calls: Calls, asked: Asked, ids: Sequence[str], key: str | None, more: Iterable[str] = ()
) -> Sequence[Shown]:
    """What is there of a batch: the API names those that are not, with status 207."""
    body = {
        "inputs": [{"id": one} for one in ids],
        "properties": sorted({*asked.names, *more}),
        "propertiesWithHistory": [],
        **({"idProperty": key} if key else {}),
    }
    path = paths.objects(asked.kind.type_id, "/batch/read")
    try:
        return (await calls.ask(path, body, Listing)).results
    except Refused as refused:
        if refused.status == 404:  # none of them is there
            return ()
        raise absent(asked.kind.name, refused) from refused


def digests(asked: Asked, rows: Sequence[Shown], related: Mapping[str, Related]) -> list[int]:
    """The digest of each row."""
    return [asked.digest(shown, related.get(shown.id, {})) for shown in rows]
