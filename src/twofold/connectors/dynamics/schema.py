"""What a table can do as an object type, from its definition.

Rows "Metadata", "Types", "Associations" and "Delete/merge" of the facts.

- A column counts as required only where the API itself refuses a record without it: the level
  "business required" is one of forms, which the API passes over.
- An inactive record is a record: opportunities end so, and qualified leads. A merged one is not,
  as it is the record that it was merged into. Deleting is deleting.
"""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from datetime import timedelta

from twofold.connectors.dynamics.tables import STANDARD, Column, Table
from twofold.core.schema import Association, Feed, Field, ObjectType, Op, Option
from twofold.core.values import Kind

BATCH = 100
"""Writes in one batch, which may hold 1,000: it has to end within the time of one request."""
KEPT = timedelta(days=7)
"""Life of a delta link, unless the organization changed it (row "Change feed")."""
OWNER, OWNERS = "ownerid", "systemusers"
MERGED, MASTER = "merged", "masterid"
BECOMES, ORIGIN = "parentcontactid", "originatingleadid"
_OPS = frozenset({Op.CREATE, Op.UPDATE, Op.DELETE})
_KEYS = frozenset({"emailaddress1", "name", "websiteurl"})
_MOVES = frozenset({"modifiedon", "versionnumber"})
"""Columns that each write moves, ours too."""
_BY_ACTIONS = frozenset({"opportunity", "lead"})
"""Tables whose state is changed by actions: win, lose, qualify, disqualify."""
_TEXTS = {"Email": Kind.EMAIL, "Phone": Kind.PHONE, "Url": Kind.URL}
_KINDS: Mapping[str, Kind] = {
    "String": Kind.TEXT,
    "Memo": Kind.TEXT,
    "Integer": Kind.INT,
    "BigInt": Kind.INT,
    "Decimal": Kind.DECIMAL,
    "Double": Kind.DECIMAL,
    "Money": Kind.DECIMAL,
    "Boolean": Kind.BOOL,
    "DateTime": Kind.DATETIME,
    "Picklist": Kind.CHOICE,
    "State": Kind.CHOICE,
    "Status": Kind.CHOICE,
    "Owner": Kind.OWNER,
}


def object_type(found: Table, known: Collection[str], people: tuple[Option, ...]) -> ObjectType:
    """A table with its fields. ``known``: the tables that an association may point to."""
    fields = tuple(
        _field(found, column, kind, people)
        for column in found.columns
        if (kind := _kind(column)) is not None
    )
    ties = tuple(tie for column in found.columns if (tie := _tie(found, column, known)))
    named, listed = {tie.name for tie in ties}, found.listed
    keys = found.unique | (_KEYS if listed.logical_name in STANDARD else frozenset())
    label = listed.display_collection_name.text(listed.display_name.text(listed.logical_name))
    tracked = listed.change_tracking_enabled
    return ObjectType(
        listed.logical_name,
        label,
        fields,
        ties,
        tuple(f.name for f in fields if f.name in keys and not f.multi and f.kind in _LOOKED_UP),
        feed=Feed.LOG if tracked else Feed.WATERMARK,
        retention=KEPT if tracked else None,
        deletes=tracked,
        merges=merges(found),
        ops=_OPS,
        batch=dict.fromkeys(_OPS, BATCH),
        conditional=listed.is_optimistic_concurrency_enabled,
        becomes=BECOMES if listed.logical_name == "lead" and BECOMES in named else "",
        origin=ORIGIN if listed.logical_name == "contact" and ORIGIN in named else "",
        idempotent=True,
    )


_LOOKED_UP = frozenset({Kind.TEXT, Kind.EMAIL, Kind.URL})


def merges(found: Table) -> bool:
    """Whether records of this table can be merged."""
    return {MERGED, MASTER} <= found.names


def target(column: Column, known: Collection[str]) -> str:
    """The one table that an association by this column points to; empty where there is none.

    A customer is an account or a contact: accounts are meant, and what points to a contact shows
    no target.
    """
    if column.attribute_type not in {"Lookup", "Customer"} or column.logical_name == MASTER:
        return ""
    at = "account" if "account" in column.targets else next(iter(column.targets), "")
    return at if at in known else ""


def navigation(found: Table, column: str, to: str) -> str:
    """The name by which a lookup to that table is written; empty where it is not."""
    for relation in found.relations:
        if (relation.referencing_attribute, relation.referenced_entity) == (column, to):
            return relation.referencing_entity_navigation_property_name
    return ""


def _tie(found: Table, column: Column, known: Collection[str]) -> Association | None:
    to = target(column, known)
    if not to or not column.is_valid_for_read:
        return None
    converts = found.listed.logical_name == "lead" and column.logical_name == BECOMES
    can = column.is_valid_for_update and bool(navigation(found, column.logical_name, to))
    return Association(column.logical_name, to, writable=can and not converts)


def _kind(column: Column) -> Kind | None:
    """The kind of field that a column is; None of one that is no field."""
    hidden = column.attribute_of or column.is_primary_id or not column.is_valid_for_read
    if hidden or not column.is_valid_o_data_attribute:
        return None
    if _many(column):
        return Kind.CHOICE
    kind = _KINDS.get(column.attribute_type or "")
    if kind is Kind.DATETIME and _said(column.date_time_behavior) == "DateOnly":
        return Kind.DATE
    if column.attribute_type == "String":
        return _TEXTS.get(_said(column.format_name), Kind.TEXT)
    return kind


def _many(column: Column) -> bool:
    return _said(column.attribute_type_name) == "MultiSelectPicklistType"


def _field(found: Table, column: Column, kind: Kind, people: tuple[Option, ...]) -> Field:
    name, owner = column.logical_name, kind is Kind.OWNER
    state = column.attribute_type in {"State", "Status"}
    fixed = state and found.listed.logical_name in _BY_ACTIONS
    computed = column.source_type in {1, 2}  # calculated, rolled up
    creatable = column.is_valid_for_create and not state and not computed
    needed = creatable and _said(column.required_level) == "SystemRequired"
    choices = _options(column)
    return Field(
        name,
        column.display_name.text(name),
        kind,
        multi=_many(column),
        creatable=creatable,
        updatable=column.is_valid_for_update and not fixed and not computed,
        required=needed and kind not in {Kind.BOOL, Kind.OWNER},
        unique=name in found.unique,
        nullable=not (owner or state or needed),
        max_length=column.max_length if column.attribute_type in {"String", "Memo"} else None,
        options=people if owner else choices,
        closed=True,
        computed="calculation" if computed else "",
        silent=computed,
        unmappable="each write to the record moves it" if name in _MOVES else "",
        native=column.attribute_type or "",
    )


def _options(column: Column) -> tuple[Option, ...]:
    found: Sequence[Option] = [
        Option(str(c.value), c.label.text(str(c.value))) for c in column.choices
    ]
    return tuple(found)


def _said(value: object) -> str:
    """What a wrapped value holds."""
    return str(getattr(value, "value", None) or "")
