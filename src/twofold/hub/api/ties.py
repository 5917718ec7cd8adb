"""Associations from both ends: read, made, and taken away."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import orjson
from msgspec import Struct

from twofold.core.records import Target
from twofold.core.schema import Op
from twofold.hub.api import reading
from twofold.hub.api.faults import invalid
from twofold.hub.api.kinds import BY_NAME, Type
from twofold.hub.api.relations import RELATIONS, Spec, Way, known_labels, meant, way
from twofold.hub.crm import Hub
from twofold.hub.schema import NUMBERS
from twofold.hub.writing import Writing, number_of
from twofold.kit.contract import Write


class Tie(Struct, frozen=True):
    """An association that is to be made: its way, and the record far."""

    way: Way
    far: str
    meaning: Target

    @property
    def backward(self) -> bool:
        """The record far keeps it."""
        return self.way.backward

    @property
    def kept(self) -> tuple[str, Target]:
        """As the record that keeps it is told."""
        target = Target(self.far, self.meaning.primary, self.meaning.labels)
        return self.way.relation.name, target

    def made_from(self, writing: Writing, near: str) -> None:
        """Make it."""
        relation = self.way.relation
        source, target = self.way.ends(near, self.far)
        end = Target(target, self.meaning.primary, self.meaning.labels)
        write = Write("", Op.UPDATE, source, {}, ((relation.name, end),))
        writing.update(relation.source, write)


def planned(writing: Writing, kind: Type, far: str, specs: Sequence[Spec]) -> Tie:
    """The tie that a new record asks for; its type is found by the numbers.

    Raises:
        Fault: 400, the numbers mean nothing for this type, or the record far is not there.
    """
    for other in BY_NAME.values():
        if not _related(kind, other):
            continue
        one = way(kind, other)
        numbers = {one.plain, one.primary, *_own(writing, one)}
        if specs and specs[0].association_type_id in numbers:
            if writing.look(other.name, far) is None:
                raise invalid(f"There is no {other.name} {far[:18]}", "INVALID_OBJECT_ID", id=far)
            return Tie(one, far, meant(writing.connection, one, specs))
    number = specs[0].association_type_id if specs else 0
    raise invalid(f"There is no association type {number}", "INVALID_ASSOCIATION_TYPE")


def _own(writing: Writing, one: Way) -> set[int]:
    return set(known_labels(writing.connection, one).values())


def _related(kind: Type, other: Type) -> bool:
    pairs = {(r.source, r.target) for r in RELATIONS}
    return (kind.name, other.name) in pairs or (other.name, kind.name) in pairs


def cut(writing: Writing, one: Way, near: str, far: str) -> None:
    """Take an association away where it is there."""
    source, target = one.ends(near, far)
    if writing.look(one.relation.source, source) is not None:
        write = Write("", Op.UPDATE, source, dissociate=((one.relation.name, target),))
        writing.update(one.relation.source, write)


def unlabel(writing: Writing, one: Way, near: str, far: str, meaning: Target) -> None:
    """Take labels off an association, which stays."""
    source, target = one.ends(near, far)
    record = writing.look(one.relation.source, source)
    name = one.relation.name
    held = [t for t in record.associations.get(name, ()) if t.id == target] if record else []
    for end in held:
        labels = tuple(label for label in end.labels if label not in meaning.labels)
        left = Target(target, end.primary and not meaning.primary, labels)
        write = Write("", Op.UPDATE, source, {}, ((name, left),), ((name, target),))
        writing.update(one.relation.source, write)


def ends(hub: Hub, one: Way, ids: Sequence[str]) -> dict[str, list[Target]]:
    """The far ends of records that are there."""
    relation = one.relation
    if not one.backward:
        found = reading.here(hub, BY_NAME[relation.source], ids)
        return {asked: list(r.associations[relation.name]) for asked, r in found.items()}
    near = reading.here(hub, BY_NAME[relation.target], ids)
    pairs = _sources(hub, one, [record.id for record in near.values()])
    sources = reading.here(hub, BY_NAME[relation.source], list({s for _, s in pairs}))
    back: dict[str, list[Target]] = {record.id: [] for record in near.values()}
    for target, source in pairs:
        held = sources[source].associations[relation.name] if source in sources else ()
        back[target] += [Target(source, e.primary, e.labels) for e in held if e.id == target]
    return {asked: back[record.id] for asked, record in near.items()}


def _sources(hub: Hub, one: Way, targets: Sequence[str]) -> list[tuple[str, str]]:
    query = (
        "SELECT a.target, a.source FROM json_each(?) AS asked JOIN association a"
        " ON a.target = asked.value WHERE a.type = ? AND a.name = ? ORDER BY a.source"
    )
    asked = orjson.dumps([number_of(target) for target in targets]).decode()
    values = (asked, NUMBERS[one.relation.source], one.relation.name)
    return [(str(t), str(s)) for t, s in hub.database.connection.execute(query, values)]


def attach(hub: Hub, kind: Type, far: Sequence[Type], answers: Sequence[dict[str, Any]]) -> None:
    """Add to answers about records what they are associated with."""
    for other in far:
        one = way(kind, other)
        found: Mapping[str, list[Target]] = ends(hub, one, [a["id"] for a in answers])
        for answer in answers:
            targets = found.get(answer["id"], [])
            if targets:
                told = [each for t in targets for each in _told(kind, other, one, t)]
                answer.setdefault("associations", {})[other.plural] = {"results": told}


def _told(kind: Type, other: Type, one: Way, target: Target) -> list[dict[str, str]]:
    name = f"{kind.name}_to_{other.name}"
    if one.primary is None:
        return [{"id": target.id, "type": name}]
    primary = [{"id": target.id, "type": name}] if target.primary else []
    return [*primary, {"id": target.id, "type": f"{name}_unlabeled"}]
