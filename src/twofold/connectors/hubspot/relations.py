"""Associations, by version 4 of their API: read with labels and primary, made and taken away.

Row "Associations" of the facts: "Associations v4" of the reference.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from typing import Any

from msgspec import Struct

from twofold.connectors.hubspot import paths
from twofold.connectors.hubspot.calls import Calls
from twofold.connectors.hubspot.objects import STANDARD, Kind, Tie
from twofold.connectors.hubspot.properties import Paging
from twofold.core.records import Target
from twofold.kit.contract import Write

READS, CREATES, ARCHIVES = 1_000, 2_000, 100
"""Most inputs in one request."""
_DEFINED = "HUBSPOT_DEFINED"


class Meaning(Struct, frozen=True, rename="camel"):
    """One type of an association."""

    type_id: int
    category: str = _DEFINED
    label: str | None = None


class Meanings(Struct, frozen=True):
    """All types of an association."""

    results: Sequence[Meaning]


class End(Struct, frozen=True, rename="camel"):
    """The far end of an association, and all that it means."""

    to_object_id: str | int
    association_types: Sequence[Meaning] = ()


class Ref(Struct, frozen=True):
    """A record."""

    id: str | int


class Ends(Struct, frozen=True, rename={"near": "from"}):
    """The far ends of one record."""

    near: Ref
    to: Sequence[End] = ()
    paging: Paging | None = None


class Found(Struct, frozen=True):
    """The far ends of several records; those that have none are told as errors."""

    results: Sequence[Ends] = ()


class Done(Struct, frozen=True, rename="camel"):
    """An answer to a batch, of which only the failures matter."""

    num_errors: int = 0
    errors: Sequence[Any] = ()


class Unlabeled(Exception):
    """A label that the account does not have for these two objects."""


class Relations:
    """The associations of one object."""

    def __init__(self, calls: Calls, kind: Kind) -> None:
        self._calls = calls
        self._kind = kind
        self._meanings: dict[str, Sequence[Meaning]] = {}

    def _path(self, tie: Tie, rest: str) -> str:
        return paths.associations(self._kind.type_id, STANDARD[tie.target].type_id, rest)

    async def of(
        self, ids: Sequence[str], names: Iterable[str]
    ) -> dict[str, dict[str, tuple[Target, ...]]]:
        """All targets of records by association name, in the order of their ids."""
        found: dict[str, dict[str, tuple[Target, ...]]] = {one: {} for one in ids}
        for name in names:
            ends = await self._ends(self._kind.ties[name], ids)
            for one, related in found.items():
                targets = sorted(ends.get(one, ()), key=lambda target: int(target.id))
                related[name] = tuple(targets)
        return found

    async def _ends(self, tie: Tie, ids: Sequence[str]) -> Mapping[str, list[Target]]:
        ends: dict[str, list[Target]] = {}
        rest: list[dict[str, str]] = [{"id": one} for one in ids]
        while rest:
            part, rest = rest[:READS], rest[READS:]
            path = self._path(tie, "batch/read")
            for found in (await self._calls.ask(path, {"inputs": part}, Found)).results:
                near = str(found.near.id)
                ends.setdefault(near, []).extend(_target(tie, end) for end in found.to)
                onward = found.paging.next if found.paging else None
                if onward:
                    rest.append({"id": near, "after": onward.after})
        return ends

    async def types(self, name: str, target: Target) -> list[dict[str, Any]]:
        """What is sent to mean a target.

        Raises:
            Unlabeled: it carries a label that the account does not have.
        """
        tie = self._kind.ties[name]
        meant = [_spec(_DEFINED, tie.plain)]
        if target.primary and tie.primary is not None:
            meant.append(_spec(_DEFINED, tie.primary))
        for label in target.labels:
            known = await self._labels(name, tie)
            found = next((one for one in known if one.label == label), None)
            if found is None:
                raise Unlabeled(label)
            meant.append(_spec(found.category, found.type_id))
        return meant

    async def _labels(self, name: str, tie: Tie) -> Sequence[Meaning]:
        if name not in self._meanings:
            found, _ = await self._calls.get(self._path(tie, "labels"), Meanings)
            self._meanings[name] = found.results
        return self._meanings[name]

    async def change(self, writes: Sequence[Write]) -> bool:
        """Take away, then add what the writes say; False where not all of it could be done.

        Raises:
            ConnectorError, Refused, Unlabeled: see `Calls`; some of it may have been done.
        """
        done = True
        for name, tie in self._kind.ties.items():
            going: list[Any] = [
                {"from": {"id": w.id}, "to": [{"id": far} for n, far in w.dissociate if n == name]}
                for w in writes
                if any(n == name for n, _ in w.dissociate)
            ]
            coming: list[Any] = [
                {"from": {"id": w.id}, "to": {"id": t.id}, "types": await self.types(name, t)}
                for w in writes
                for n, t in w.associate
                if n == name
            ]
            for start in range(0, len(going), ARCHIVES):
                part = {"inputs": going[start : start + ARCHIVES]}
                await self._calls.change(self._path(tie, "batch/archive"), part, Done)
            for start in range(0, len(coming), CREATES):
                part = {"inputs": coming[start : start + CREATES]}
                answer = await self._calls.change(self._path(tie, "batch/create"), part, Done)
                done &= not (answer.num_errors or answer.errors)
        return done


def _spec(category: str, number: int) -> dict[str, Any]:
    return {"associationCategory": category, "associationTypeId": number}


def _target(tie: Tie, end: End) -> Target:
    numbers = {one.type_id for one in end.association_types if one.category == _DEFINED}
    labels = {
        one.label
        for one in end.association_types
        if one.label and not (one.category == _DEFINED and one.type_id in {tie.plain, tie.primary})
    }
    return Target(str(end.to_object_id), tie.primary in numbers, tuple(sorted(labels)))
