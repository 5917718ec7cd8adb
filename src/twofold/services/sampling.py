"""The first records of a side, read for a look and not kept."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from msgspec import Struct

from twofold.core.mappings import Rules
from twofold.core.parts import part_names
from twofold.core.records import Record, Side
from twofold.core.scope import UNREMEMBERED, Scoper, scoper
from twofold.engine.setup import needed_fields
from twofold.kit.contract import Connector
from twofold.services.installation import Installation

MOST_COUNTED = 2_000
"""Records of each side by which the effect of a limit is shown."""


class Sample(Struct, frozen=True):
    """Some records of an object type."""

    records: list[Record]
    whole: bool
    """These are all."""


class Share(Struct, frozen=True):
    """How many of the records that were looked at would be sent."""

    sent: int
    seen: int
    whole: bool
    """The side has no more records than these."""


async def sampled(
    connector: Connector, object_type: str, names: Sequence[str], most: int
) -> Sample:
    """The first records of an object type, with these fields.

    Raises:
        ConnectorError: the app cannot be asked.
    """
    found: list[Record] = []
    cursor: str | None = None
    while True:
        batch = await connector.pull(object_type, cursor, names)
        room = most - len(found)
        at = range(min(room, len(batch.ids)))
        known = [position for position in at if batch.digests[position] is not None]
        found += list(batch.decode(known)) if known else []
        unseen = [batch.ids[position] for position in at if batch.digests[position] is None]
        if unseen:
            answered = await connector.get(object_type, unseen, names)
            found += [record for records in answered.values() for record in records]
        if not batch.more or len(found) >= most:
            return Sample(found, not batch.more and len(batch.ids) <= room)
        cursor = batch.cursor


async def shares(here: Installation, label: str, rules: Rules) -> Mapping[Side, Share]:
    """How many records of each side that sends would be sent, of the first ones.

    Nothing is kept. What a person excluded, and what matching says, does not count here.

    Raises:
        TwofoldError: TF-U05, there is no such connection; a limit that cannot be run.
        ConnectorError: an app cannot be asked.
    """
    scope = scoper(rules, here.world.now())
    found: dict[Side, Share] = {}
    async with here.between(here.connection(label).id) as connectors:
        for side in Side:
            if not rules.direction.reaches(side.other):
                continue
            name = rules.type_of(side).name
            asked = [part for n in needed_fields(rules, side) for part in part_names(n)]
            sample = await sampled(connectors[side], name, asked, MOST_COUNTED)
            sent = sum(_sent(scope, side, record) for record in sample.records)
            found[side] = Share(sent, len(sample.records), sample.whole)
    return found


def _sent(scope: Scoper, side: Side, record: Record) -> bool:
    hub, app = (record.fields, None) if side is Side.HUB else (None, record.fields)
    return scope(hub, app, UNREMEMBERED).exclusion is None
