"""The associations of one record: sets of targets, at most one of which is primary."""

from __future__ import annotations

from collections.abc import Mapping

import orjson

from twofold.core.records import Target
from twofold.core.schema import ObjectType

Ends = tuple[tuple[int, bool], ...]
"""(target's id, whether it is the primary one), by id."""
Links = Mapping[str, Ends]
"""By association; one without a target is absent."""


def parsed(content: bytes | None) -> Links:
    """Read the form in which links are kept."""
    if content is None:
        return {}
    return {
        name: tuple((target, primary) for target, primary in ends)
        for name, ends in orjson.loads(content).items()
    }


def kept(links: Links) -> bytes | None:
    """The form in which links are kept: the same bytes for the same links."""
    if not links:
        return None
    present = {name: ends for name, ends in links.items() if ends}
    return orjson.dumps(present, option=orjson.OPT_SORT_KEYS) if present else None


def targets(links: Links, names: tuple[str, ...]) -> dict[str, tuple[Target, ...]]:
    """Links as records show them, with every name that was asked."""
    if not links:
        return dict.fromkeys(names, ())
    return {
        name: tuple(Target(str(target), primary) for target, primary in links.get(name, ()))
        for name in names
    }


def added(kind: ObjectType, links: Links, name: str, target: int, primary: bool) -> Links:
    """Links with one more. The first target becomes primary; a new primary demotes the old one."""
    ends = dict(links.get(name, ()))
    declared = kind.association(name)
    if declared is not None and declared.primary:
        if primary:
            ends = dict.fromkeys(ends, False)
        first = not ends
        ends[target] = primary or first or ends.get(target, False)
    else:
        ends[target] = False
    return {**links, name: tuple(sorted(ends.items()))}


def removed(links: Links, name: str, target: int) -> Links:
    """Links without one. No other target becomes primary in its place."""
    left = tuple(end for end in links.get(name, ()) if end[0] != target)
    return {**links, name: left}


def differ(one: Links, other: Links) -> bool:
    """Whether two sets of links are not the same."""
    return one is not other and kept(one) != kept(other)


def pairs(links: Links) -> set[tuple[str, int]]:
    """All (association, target), without regard to which is primary."""
    return {(name, target) for name, ends in links.items() for target, _ in ends}
