"""What an object can do, as the contract says it."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping
from datetime import timedelta

import msgspec

from twofold.connectors.hubspot.objects import Kind
from twofold.connectors.hubspot.properties import Property, field_of
from twofold.connectors.hubspot.records import BATCH
from twofold.core.schema import Association, Feed, ObjectType, Op, Option

OPS = frozenset({Op.CREATE, Op.UPDATE, Op.ARCHIVE})
_RESOLUTION = timedelta(milliseconds=1)


def object_type(
    kind: Kind,
    defined: Iterable[Property],
    people: tuple[Option, ...],
    listed: Mapping[str, tuple[Option, ...]],
    lag: timedelta,
) -> ObjectType:
    """An object with its properties; see `field_of`. ``lag``: of the index of searches."""
    fields = tuple(field_of(one, kind, people, listed) for one in defined)
    ties = tuple(
        Association(name, tie.target, many=True, primary=tie.primary is not None, labels=True)
        for name, tie in kind.ties.items()
    )
    return ObjectType(
        kind.name,
        kind.name.capitalize(),
        fields,
        ties,
        tuple(field.name for field in fields if field.unique),
        feed=Feed.WATERMARK,
        resolution=_RESOLUTION,
        lag=lag,
        merges=True,
        ops=OPS,
        batch=dict.fromkeys(OPS, BATCH),
    )


def within(one: ObjectType, known: Collection[str]) -> ObjectType:
    """An object without associations to others that this account may not read."""
    kept = tuple(tie for tie in one.associations if tie.target in known)
    return msgspec.structs.replace(one, associations=kept)
