"""Which objects there are, and which associations between them sync.

Object type ids and the numbers of associations: "Understanding the CRM" and "Associations v4" of
the reference, HUBSPOT_DEFINED.
"""

from __future__ import annotations

from collections.abc import Mapping

from msgspec import Struct

MERGED = "hs_merged_object_ids"
"""The ids that were merged into a record, between semicolons."""


class Tie(Struct, frozen=True):
    """One association, seen from the object that carries it."""

    target: str
    plain: int
    """Its number without a label."""
    primary: int | None = None


class Kind(Struct, frozen=True):
    """One object."""

    name: str
    type_id: str
    plural: str
    """As scopes name it."""
    modified: str = "hs_lastmodifieddate"
    """The property that holds when a record last changed."""
    ties: Mapping[str, Tie] = {}
    keys: tuple[str, ...] = ()
    """Properties that name one record, besides those that say so themselves."""
    needed: tuple[str, ...] = ()
    """Properties that a new record must have."""


STANDARD: Mapping[str, Kind] = {
    kind.name: kind
    for kind in (
        Kind(
            "contact",
            "0-1",
            "contacts",
            "lastmodifieddate",
            {"company": Tie("company", 279, 1)},
            ("email",),
        ),
        Kind("company", "0-2", "companies"),
        Kind(
            "deal",
            "0-3",
            "deals",
            ties={"company": Tie("company", 341, 5), "contact": Tie("contact", 3)},
        ),
        Kind(
            "ticket",
            "0-5",
            "tickets",
            ties={"company": Tie("company", 339, 26), "contact": Tie("contact", 16)},
        ),
        Kind("product", "0-7", "products"),
    )
}
