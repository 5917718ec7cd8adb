"""What an object has and can do, from its own description.

Row "Metadata" of the facts: "sObject Describe" of the REST API Developer Guide.
"""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from datetime import timedelta

from msgspec import Struct

from twofold.core.schema import Association, Feed, Field, ObjectType, Op, Option
from twofold.core.values import Kind

STANDARD = ("Contact", "Account", "Opportunity", "Lead")
BATCH = 200
"""Most records in one collection (row "Batch")."""
OVERLAP = timedelta(minutes=5)
"""Transactions that take long end with a time of before: rounds begin that much earlier."""
KEPT = timedelta(days=15)
"""What is deleted stays in the recycle bin so long (row "Delete/merge")."""
OWNER = "OwnerId"
CONVERTED = "ConvertedContactId"
_OPS = frozenset({Op.CREATE, Op.UPDATE, Op.ARCHIVE})


class Choice(Struct, frozen=True):
    """One entry of a picklist."""

    value: str
    label: str | None = None
    active: bool = True


class Described(Struct, frozen=True, rename="camel"):
    """A field as its object describes it."""

    name: str
    label: str
    type: str
    length: int = 0
    nillable: bool = True
    createable: bool = False
    updateable: bool = False
    calculated: bool = False
    defaulted_on_create: bool = False
    unique: bool = False
    external_id: bool = False
    filterable: bool = True
    restricted_picklist: bool = False
    picklist_values: Sequence[Choice] = ()
    reference_to: Sequence[str] = ()


class Sobject(Struct, frozen=True, rename="camel"):
    """An object as it describes itself."""

    name: str
    label: str
    fields: Sequence[Described]
    createable: bool = True
    updateable: bool = True
    deletable: bool = True


class Named(Struct, frozen=True, rename="camel"):
    """An object in the list of all."""

    name: str
    custom: bool = False
    queryable: bool = True
    custom_setting: bool = False


class Listed(Struct, frozen=True):
    """All objects of an org."""

    sobjects: Sequence[Named]


_KINDS: Mapping[str, Kind] = {
    "string": Kind.TEXT,
    "textarea": Kind.TEXT,
    "time": Kind.TEXT,
    "email": Kind.EMAIL,
    "phone": Kind.PHONE,
    "url": Kind.URL,
    "int": Kind.INT,
    "long": Kind.INT,
    "double": Kind.DECIMAL,
    "currency": Kind.DECIMAL,
    "percent": Kind.DECIMAL,
    "boolean": Kind.BOOL,
    "date": Kind.DATE,
    "datetime": Kind.DATETIME,
    "picklist": Kind.CHOICE,
    "multipicklist": Kind.CHOICE,
    "combobox": Kind.CHOICE,
}
_KEY_TYPES = frozenset({"email", "string", "url"})
_KEY_NAMES = frozenset({"Email", "Name", "Website"})


_MOVING = frozenset({"SystemModstamp", "LastModifiedDate", "IsDeleted"})
"""They follow every change, and say nothing of their own."""


def object_type(
    found: Sobject, known: Collection[str], people: tuple[Option, ...], overlap: timedelta
) -> ObjectType:
    """An object with its fields. ``known``: the objects that an association may point to."""
    fields = tuple(_field(one, people) for one in found.fields if _is_field(one))
    ties = tuple(_tie(one) for one in found.fields if _is_tie(one, known))
    allowed = {Op.CREATE: found.createable, Op.UPDATE: found.updateable}
    allowed[Op.ARCHIVE] = found.deletable
    ops = frozenset(op for op in _OPS if allowed[op])
    converts = found.name == "Lead" and any(tie.name == CONVERTED for tie in ties)
    return ObjectType(
        found.name,
        found.label,
        fields,
        ties,
        tuple(one.name for one in found.fields if _is_key(one, fields)),
        feed=Feed.WATERMARK,
        resolution=timedelta(seconds=1),
        lag=overlap,
        retention=KEPT,
        deletes=True,
        merges=found.name in {"Contact", "Account", "Lead"},
        ops=ops,
        batch=dict.fromkeys(ops, BATCH),
        becomes=CONVERTED if converts else "",
    )


def _is_field(one: Described) -> bool:
    return one.name not in _MOVING and (one.type in _KINDS or one.name == OWNER)


def _is_tie(one: Described, known: Collection[str]) -> bool:
    """References to one object that can sync, too; the owner is a value."""
    targets = one.reference_to
    told = one.name == "MasterRecordId"  # of a merge, which the feed tells
    return one.type == "reference" and not told and len(targets) == 1 and targets[0] in known


def _tie(one: Described) -> Association:
    return Association(one.name, one.reference_to[0], writable=one.updateable)


def _is_key(one: Described, fields: Sequence[Field]) -> bool:
    known = any(field.name == one.name for field in fields)
    named = one.name in _KEY_NAMES or one.unique or one.external_id
    return known and one.filterable and one.type in _KEY_TYPES and named


def _field(one: Described, people: tuple[Option, ...]) -> Field:
    owner = one.name == OWNER
    choices = tuple(Option(c.value, c.label or c.value, c.active) for c in one.picklist_values)
    kind = Kind.OWNER if owner else _KINDS[one.type]
    needed = one.createable and not (one.nillable or one.defaulted_on_create)
    return Field(
        one.name,
        one.label,
        kind,
        multi=one.type == "multipicklist",
        creatable=one.createable,
        updatable=one.updateable,
        required=needed and kind is not Kind.BOOL and not owner,
        unique=one.unique,
        nullable=one.nillable,
        max_length=one.length or None if one.type in {"string", "textarea", "url"} else None,
        options=people if owner else choices,
        closed=owner or one.restricted_picklist,
        computed="calculation" if one.calculated else "",
        silent=one.calculated,
        native=one.type,
    )
