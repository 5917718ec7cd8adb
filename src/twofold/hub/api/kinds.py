"""The hub's object types as the API names them, and the properties that only the API shows."""

from __future__ import annotations

from collections.abc import Iterator

from msgspec import Struct

from twofold.core.schema import Field, ObjectType
from twofold.core.values import Kind
from twofold.hub.api.faults import invalid
from twofold.hub.schema import OBJECT_TYPES

ID = "hs_object_id"
MERGED = "hs_merged_object_ids"


class Type(Struct, frozen=True):
    """One object type."""

    kind: ObjectType
    plural: str
    type_id: str
    modified: str
    """The property that holds when a record last changed."""
    shown: tuple[str, ...]
    """Properties that a read shows where none are named."""

    @property
    def name(self) -> str:
        """The hub's own name."""
        return self.kind.name

    @property
    def unique(self) -> tuple[str, ...]:
        """Properties that name one record."""
        return ("email",) if self.name == "contact" else ()

    def field(self, name: str) -> Field | None:
        """A property, also one that only the API shows."""
        return self.kind.field(name) or next((f for f in self.virtual() if f.name == name), None)

    def fields(self) -> Iterator[Field]:
        """All properties."""
        yield from self.kind.fields
        yield from self.virtual()

    def virtual(self) -> Iterator[Field]:
        """The properties that only the API shows."""
        for name, label, kind in (
            (ID, "Record ID", Kind.INT),
            (self.modified, "Last modified date", Kind.DATETIME),
            (MERGED, "Merged record IDs", Kind.TEXT),
        ):
            yield Field(name, label, kind, creatable=False, updatable=False)


def _type(name: str, plural: str, type_id: str, modified: str, *shown: str) -> Type:
    always = ("createdate", ID, modified)
    return Type(OBJECT_TYPES[name], plural, type_id, modified, (*shown, *always))


TYPES = (
    _type("contact", "contacts", "0-1", "lastmodifieddate", "email", "firstname", "lastname"),
    _type("company", "companies", "0-2", "hs_lastmodifieddate", "name", "domain"),
    _type(
        *("deal", "deals", "0-3", "hs_lastmodifieddate"),
        *("dealname", "amount", "closedate", "dealstage", "pipeline"),
    ),
)

_BY_NAME = {name: t for t in TYPES for name in (t.name, t.plural, t.type_id)}
BY_NAME = {t.name: t for t in TYPES}


def named(text: str) -> Type:
    """The type that a path or a body names.

    Raises:
        Fault: 400, the hub inside has no such type.
    """
    found = _BY_NAME.get(text.casefold())
    if found is None:
        raise invalid(f"Unable to infer object type from: {text[:60]}", "INVALID_OBJECT_TYPE")
    return found
