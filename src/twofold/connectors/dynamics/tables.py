"""What the API says of its tables: definitions, as they are asked for and as they come.

Row "Metadata" of the facts: "Query table definitions using the Web API". The properties of a kind
of column come by a cast to that kind, one request for each; they are sent as one batch.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from typing import Any
from urllib.parse import quote

import msgspec
from msgspec import Struct

from twofold.connectors.dynamics.batches import Part

STANDARD = ("contact", "account", "opportunity", "lead")
_ACTIVE_KEY = "Active"
_TYPES = "Microsoft.Dynamics.CRM."
_TABLE = (
    "LogicalName,EntitySetName,PrimaryIdAttribute,DisplayName,DisplayCollectionName,"
    "IsCustomEntity,IsIntersect,IsActivity,IsPrivate,DataProviderId,ChangeTrackingEnabled,"
    "IsOptimisticConcurrencyEnabled"
)
_COMMON = (
    "LogicalName,DisplayName,AttributeType,AttributeTypeName,AttributeOf,IsPrimaryId,"
    "IsValidForCreate,IsValidForRead,IsValidForUpdate,IsValidODataAttribute,RequiredLevel,"
    "SourceType"
)
_OPTIONS = "?$select=LogicalName&$expand=OptionSet($select=Options)"
_CASTS = {
    "PicklistAttributeMetadata": f"{_OPTIONS},GlobalOptionSet($select=Options)",
    "MultiSelectPicklistAttributeMetadata": f"{_OPTIONS},GlobalOptionSet($select=Options)",
    "StateAttributeMetadata": _OPTIONS,
    "StatusAttributeMetadata": _OPTIONS,
    "StringAttributeMetadata": "?$select=LogicalName,MaxLength,FormatName",
    "MemoAttributeMetadata": "?$select=LogicalName,MaxLength",
    "DateTimeAttributeMetadata": "?$select=LogicalName,Format,DateTimeBehavior",
    "LookupAttributeMetadata": "?$select=LogicalName,Targets",
}
_THEIRS = ("msdyn", "msfp_", "mspp_", "mspcat_", "mserp_", "adx_", "aib", "bot")
"""How Microsoft names the tables of its own packages, which count as custom ones."""


class Words(Struct, frozen=True, rename="pascal"):
    """A text in one language."""

    label: str | None = None


class Label(Struct, frozen=True, rename="pascal"):
    """A text in the user's language, or in others."""

    user_localized_label: Words | None = None
    localized_labels: Sequence[Words] = ()

    def text(self, otherwise: str) -> str:
        """The words, where there are some."""
        first = self.localized_labels[0] if self.localized_labels else None
        found = self.user_localized_label or first
        return (found.label if found is not None else None) or otherwise


class Valued(Struct, frozen=True, rename="pascal"):
    """A value that comes wrapped."""

    value: str | None = None


class Choice(Struct, frozen=True, rename="pascal"):
    """One option."""

    value: int
    label: Label = Label()


class Choices(Struct, frozen=True, rename="pascal"):
    """A set of options, of one column or of many."""

    options: Sequence[Choice] = ()


class Listed(Struct, frozen=True, rename="pascal"):
    """A table in the list of all."""

    logical_name: str
    entity_set_name: str | None = None
    primary_id_attribute: str | None = None
    display_name: Label = Label()
    display_collection_name: Label = Label()
    is_custom_entity: bool = False
    is_intersect: bool = False
    is_activity: bool = False
    is_private: bool = False
    data_provider_id: str | None = None
    change_tracking_enabled: bool = False
    is_optimistic_concurrency_enabled: bool = False

    @property
    def syncs(self) -> bool:
        """Whether it is a table that people mean by their data."""
        if not (self.entity_set_name and self.primary_id_attribute):
            return False
        if self.logical_name in STANDARD:
            return True
        inner = self.is_intersect or self.is_activity or self.is_private or self.data_provider_id
        return self.is_custom_entity and not inner and not self.logical_name.startswith(_THEIRS)


class Column(Struct, frozen=True, rename="pascal"):
    """A column, with what the cast to its kind adds."""

    logical_name: str
    attribute_type: str | None = None
    attribute_type_name: Valued | None = None
    attribute_of: str | None = None
    display_name: Label = Label()
    is_primary_id: bool = False
    is_valid_for_create: bool = False
    is_valid_for_update: bool = False
    is_valid_for_read: bool = False
    is_valid_o_data_attribute: bool = msgspec.field(name="IsValidODataAttribute", default=True)
    required_level: Valued | None = None
    source_type: int | None = None
    max_length: int | None = None
    format_name: Valued | None = None
    format: str | None = None
    date_time_behavior: Valued | None = None
    targets: Sequence[str] = ()
    option_set: Choices | None = None
    global_option_set: Choices | None = None

    @property
    def choices(self) -> Sequence[Choice]:
        """The options of a choice."""
        found = self.option_set or self.global_option_set
        return found.options if found is not None else ()


class Relation(Struct, frozen=True, rename="pascal"):
    """How a lookup is named where it is written."""

    referencing_attribute: str
    referenced_entity: str
    referencing_entity_navigation_property_name: str


class AlternateKey(Struct, frozen=True, rename="pascal"):
    """Columns whose values name one record."""

    key_attributes: Sequence[str]
    entity_key_index_status: str | None = None


class Table(Struct, frozen=True):
    """A table with its columns."""

    listed: Listed
    columns: Sequence[Column]
    relations: Sequence[Relation]
    keys: Sequence[AlternateKey]

    @property
    def entity_set(self) -> str:
        """Its name in addresses."""
        return self.listed.entity_set_name or ""

    @property
    def id(self) -> str:
        """The column of its id."""
        return self.listed.primary_id_attribute or ""

    @property
    def names(self) -> frozenset[str]:
        """The columns that it has."""
        return frozenset(column.logical_name for column in self.columns)

    @property
    def unique(self) -> frozenset[str]:
        """Columns of which no two records have the same value."""
        alone = (key for key in self.keys if len(key.key_attributes) == 1)
        active = (k for k in alone if k.entity_key_index_status in {None, _ACTIVE_KEY})
        return frozenset(key.key_attributes[0] for key in active)


LIST = ("EntityDefinitions", {"select": _TABLE})


def questions(name: str) -> Iterator[Part]:
    """The requests that tell all of a table."""
    base = f"EntityDefinitions(LogicalName='{quote(name, safe='')}')"
    yield Part("GET", f"{base}/Attributes?$select={_COMMON}")
    for kind, more in _CASTS.items():
        yield Part("GET", f"{base}/Attributes/{_TYPES}{kind}{more}")
    relation = "ReferencingAttribute,ReferencedEntity,ReferencingEntityNavigationPropertyName"
    yield Part("GET", f"{base}/ManyToOneRelationships?$select={relation}")
    yield Part("GET", f"{base}/Keys?$select=KeyAttributes,EntityKeyIndexStatus")


EACH = 3 + len(_CASTS)
"""Requests for one table."""


def table(listed: Listed, answers: Sequence[Sequence[Mapping[str, Any]]]) -> Table:
    """A table of the answers to its questions. Raises msgspec.ValidationError."""
    *columns, relations, keys = answers
    known: dict[str, dict[str, Any]] = {}
    for row in (row for rows in columns for row in rows):
        told = {name: value for name, value in row.items() if value is not None}
        known.setdefault(str(row.get("LogicalName")), {}).update(told)
    return Table(
        listed,
        msgspec.convert(list(known.values()), list[Column]),
        msgspec.convert(list(relations), list[Relation]),
        msgspec.convert(list(keys), list[AlternateKey]),
    )
