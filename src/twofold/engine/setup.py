"""Put a sync in place: who must read what for it."""

from __future__ import annotations

from twofold.core.associations import asked_name
from twofold.core.mappings import Rules
from twofold.core.matching import key_fields
from twofold.core.records import Side
from twofold.core.stages import STAGE, conversions
from twofold.store.state import State
from twofold.store.syncs import HUB_CONNECTION


def needed_fields(rules: Rules, side: Side) -> tuple[str, ...]:
    """The fields of a side that mappings, matching and scope need."""
    mapped = (mapping.end(side).name for mapping in rules.mappings)
    staged = (STAGE,) if rules.stages and side is Side.HUB else ()
    asked = (*key_fields(rules, side), *rules.filter_of(side).fields, *staged)
    return tuple(dict.fromkeys((*mapped, *asked)))


def install(
    state: State,
    name: str,
    connection: int,
    rules: Rules,
    *,
    enabled: bool,
    described: float = 0.0,
) -> int:
    """Store a sync with its readers; returns its id.

    ``described``: when the apps were asked what they declare, in seconds since 1970.
    """
    sync = state.syncs.add(name, connection, widen(state, connection, rules), rules, enabled)
    state.brakes.set_described(sync, described)
    return sync


def widen(state: State, connection: int, rules: Rules) -> tuple[int, int]:
    """Have both sides read what the rules need; returns the readers (hub, app)."""
    readers = []
    for side, its_connection in ((Side.HUB, HUB_CONNECTION), (Side.APP, connection)):
        associations = [asked_name(mapping, side) for mapping in rules.associations]
        if side is Side.APP:
            associations += conversions(rules.app)
        reader = state.records.widen(
            its_connection, rules.type_of(side).name, needed_fields(rules, side), associations
        )
        readers.append(reader.id)
        for mapping in rules.associations:  # the far ends, whose own sync says what is read there
            state.records.widen(its_connection, mapping.target(side), (), ())
    return readers[0], readers[1]
