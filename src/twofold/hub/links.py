"""The associations of one record: sets of targets, at most one of which is primary."""

from __future__ import annotations

from collections.abc import Mapping
from typing import NamedTuple

import orjson

from twofold.core.records import Target
from twofold.core.schema import ObjectType


class End(NamedTuple):
    """The far end of one tie."""

    target: int
    primary: bool
    labels: tuple[str, ...] = ()


Ends = tuple[End, ...]
"""By the target's id."""
Links = Mapping[str, Ends]
"""By association; one without a target is absent."""


def parsed(content: bytes | None) -> Links:
    """Read the form in which links are kept."""
    if content is None:
        return {}
    return {
        name: tuple(End(target, primary, tuple(labels)) for target, primary, *labels in ends)
        for name, ends in orjson.loads(content).items()
    }


def kept(links: Links) -> bytes | None:
    """The form in which links are kept: the same bytes for the same links."""
    if not links:
        return None
    present = {
        name: [(end.target, end.primary, *end.labels) for end in ends]
        for name, ends in links.items()
        if ends
    }
    return orjson.dumps(present, option=orjson.OPT_SORT_KEYS) if present else None


def targets(links: Links, names: tuple[str, ...]) -> dict[str, tuple[Target, ...]]:
    """Links as records show them, with every name that was asked."""
    if not links:
        return dict.fromkeys(names, ())
    return {
        name: tuple(Target(str(e.target), e.primary, e.labels) for e in links.get(name, ()))
        for name in names
    }


def added(kind: ObjectType, links: Links, name: str, new: End) -> Links:
    """Links with one more. The first target becomes primary; a new primary demotes the old one.

    Labels are added to those that the target has.
    """
    ends = {end.target: end for end in links.get(name, ())}
    held = ends.get(new.target)
    declared = kind.association(name)
    primary = False
    if declared is not None and declared.primary:
        if new.primary:
            ends = {target: end._replace(primary=False) for target, end in ends.items()}
        primary = new.primary or not ends or (held is not None and held.primary)
    labels = {*new.labels, *(held.labels if held is not None else ())}
    ends[new.target] = End(new.target, primary, tuple(sorted(labels)))
    return {**links, name: tuple(ends[target] for target in sorted(ends))}


def removed(links: Links, name: str, target: int) -> Links:
    """Links without one. No other target becomes primary in its place."""
    left = tuple(end for end in links.get(name, ()) if end.target != target)
    return {**links, name: left}


def differ(one: Links, other: Links) -> bool:
    """Whether two sets of links are not the same."""
    return one is not other and kept(one) != kept(other)


def pairs(links: Links) -> set[tuple[str, int]]:
    """All (association, target), without regard to which is primary."""
    return {(name, end.target) for name, ends in links.items() for end in ends}
