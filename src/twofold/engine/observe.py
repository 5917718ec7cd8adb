"""What the store keeps of a record, and who wants to know."""

from __future__ import annotations

from collections.abc import Sequence

import xxhash

from twofold.core.association_sets import kept_targets
from twofold.core.associations import ALL_MARK, field_name, primary_target
from twofold.core.matching import MatchKeys, key_maker
from twofold.core.records import Fields, Record, Side
from twofold.core.values import Value
from twofold.store.syncs import Sync, subscribers_of
from twofold.store.types import Subscriber

_SIGN, _WHOLE = 1 << 63, 1 << 64
_hash = xxhash.xxh3_64_intdigest


class Audience:
    """The syncs that one reader serves, and how each of them matches."""

    def __init__(self, syncs: Sequence[tuple[Sync, Side]]) -> None:
        self.subscribers: tuple[Subscriber, ...] = subscribers_of(syncs)
        self._makers = [
            (key_maker(sync.rules), side) if sync.indexed else None for sync, side in syncs
        ]

    def keys(self, fields: Fields) -> list[list[int]]:
        """The hashes of a record's match keys, per subscriber; none before a sync is indexed."""
        return [
            key_hashes(maker[0](maker[1], fields)) if maker is not None else []
            for maker in self._makers
        ]


def key_hashes(keys: MatchKeys) -> list[int]:
    """Signed 64-bit hashes of all keys of all levels; a hash only proposes."""
    hashes = []
    for level, found in enumerate(keys.levels):
        for key in found:
            number = _hash(f"{level} {key}".encode("utf-8", "surrogatepass"))
            hashes.append(number - _WHOLE if number >= _SIGN else number)
    return hashes


def shown(record: Record, names: Sequence[str], associations: Sequence[str]) -> dict[str, Value]:
    """What is kept of a record: the fields that were asked, and its primary associations.

    Of an association with a mark behind its name, all targets are kept.
    """
    fields = record.fields
    if len(fields) == len(names) and all(map(fields.__contains__, names)):
        kept = dict(fields)  # the usual case
    else:
        kept = {name: fields[name] for name in names if name in fields}
    for association in associations:
        name = association.removesuffix(ALL_MARK)
        targets = record.associations.get(name)
        if targets is not None:
            every = name != association
            kept[field_name(association)] = (
                kept_targets(targets) if every else primary_target(targets)
            )
    return kept


def related(associations: Sequence[str]) -> tuple[str, ...]:
    """The names by which an app is asked for its associations."""
    return tuple(dict.fromkeys(name.removesuffix(ALL_MARK) for name in associations))
