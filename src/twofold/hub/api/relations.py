"""Which associations there are, and the numbers by which the API names them.

The hub keeps an association with one of its two records; the API shows it from both ends, with one
number for each direction.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from sqlite3 import Connection
from typing import Any

from msgspec import Struct

from twofold.core.records import Target
from twofold.hub.api.faults import Fault, invalid
from twofold.hub.api.kinds import Type
from twofold.hub.schema import NUMBERS

DEFINED, OWN = "HUBSPOT_DEFINED", "USER_DEFINED"
_FIRST_OWN = 1000
"""Numbers of labels that users made begin here: an even one forward, the next one backward."""


class Spec(Struct, frozen=True, rename="camel"):
    """One meaning of an association."""

    association_category: str
    association_type_id: int


class Relation(Struct, frozen=True):
    """One association, seen from the end that keeps it."""

    source: str
    name: str
    plain: tuple[int, int]
    """Forward and backward."""
    primary: tuple[int, int] | None = None

    @property
    def target(self) -> str:
        """The type at the far end, for which the hub names its associations."""
        return self.name


RELATIONS = (
    Relation("contact", "company", (279, 280), (1, 2)),
    Relation("deal", "contact", (3, 4)),
    Relation("deal", "company", (341, 342), (5, 6)),
)


class Way(Struct, frozen=True):
    """A relation from one of its ends to the other."""

    relation: Relation
    backward: bool

    @property
    def plain(self) -> int:
        """The number of the association without a label."""
        return self.relation.plain[self.backward]

    @property
    def primary(self) -> int | None:
        """The number of the primary one."""
        return None if self.relation.primary is None else self.relation.primary[self.backward]

    def ends(self, near: str, far: str) -> tuple[str, str]:
        """(source, target) of the record near and the one far."""
        return (far, near) if self.backward else (near, far)


def way(one: Type, other: Type) -> Way:
    """The way from a type to another.

    Raises:
        Fault: 400, there is none.
    """
    for relation in RELATIONS:
        if (relation.source, relation.target) == (one.name, other.name):
            return Way(relation, backward=False)
        if (relation.target, relation.source) == (one.name, other.name):
            return Way(relation, backward=True)
    raise invalid(f"{one.plural} and {other.plural} cannot be associated", "INVALID_ASSOCIATION")


def meant(db: Connection, one: Way, specs: Sequence[Spec]) -> Target:
    """Whether primary, and with which labels, as a target without an id.

    Raises:
        Fault: 400, a number that means nothing between these types.
    """
    primary, labels = False, []
    for spec in specs:
        number, category = spec.association_type_id, spec.association_category
        if category == DEFINED and number == one.primary:
            primary = True
        elif category == OWN:
            labels.append(_label(db, one, number))
        elif category != DEFINED or number != one.plain:
            raise _unknown(number)
    return Target("", primary, tuple(sorted(set(labels))))


def types(one: Way, target: Target, numbers: Mapping[str, int]) -> list[dict[str, Any]]:
    """All meanings of an association, as an answer shows them."""
    found = [_shown(DEFINED, one.plain, None)]
    if target.primary and one.primary is not None:
        found.append(_shown(DEFINED, one.primary, "Primary"))
    return found + [_shown(OWN, numbers[label], label) for label in target.labels]


def definitions(db: Connection, one: Way) -> list[dict[str, Any]]:
    """All meanings that an association of this way can have."""
    target = Target("", one.primary is not None, tuple(known_labels(db, one)))
    return types(one, target, known_labels(db, one))


def known_labels(db: Connection, one: Way) -> dict[str, int]:
    """Labels and their numbers."""
    query = "SELECT label, id FROM api_label WHERE source = ? AND name = ? ORDER BY id"
    found = db.execute(query, (NUMBERS[one.relation.source], one.relation.name))
    return {label: _FIRST_OWN + 2 * number + one.backward for label, number in found}


def number_labels(db: Connection, one: Way, labels: Sequence[str]) -> dict[str, int]:
    """The numbers of labels; one that the API has not met gets its own. In a transaction."""
    source = NUMBERS[one.relation.source]
    db.executemany(
        "INSERT OR IGNORE INTO api_label (source, name, label) VALUES (?, ?, ?)",
        [(source, one.relation.name, label) for label in labels],
    )
    return known_labels(db, one)


def _label(db: Connection, one: Way, number: int) -> str:
    for label, known in known_labels(db, one).items():
        if known == number:
            return label
    raise _unknown(number)


def _unknown(number: int) -> Fault:
    message = f"There is no association type {number} between these objects"
    return invalid(message, "INVALID_ASSOCIATION_TYPE", associationTypeId=str(number))


def _shown(category: str, number: int, label: str | None) -> dict[str, Any]:
    return {"category": category, "typeId": number, "label": label}
