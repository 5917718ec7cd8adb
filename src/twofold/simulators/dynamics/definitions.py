"""The definitions of tables as the API tells them. Row "Metadata" of the facts.

Common properties of all columns come with ``Attributes``; those of one kind by a cast to it.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

from twofold.simulators.dynamics.tables import Column, Row, Table

_TYPES = "Microsoft.Dynamics.CRM."


def definition(table: Table) -> Row:
    """A table in the list of all."""
    return {
        "LogicalName": table.name,
        "EntitySetName": table.set,
        "PrimaryIdAttribute": table.id,
        "DisplayName": label(table.label),
        "DisplayCollectionName": label(f"{table.label}s"),
        "IsCustomEntity": table.custom,
        "IsIntersect": False,
        "IsActivity": False,
        "IsPrivate": False,
        "DataProviderId": None,
        "ChangeTrackingEnabled": table.tracked,
        "IsOptimisticConcurrencyEnabled": True,
        "MetadataId": _number(table.name),
    }


def columns(table: Table) -> list[Row]:
    """All columns, with what all kinds have."""
    return [_common(column, column.name == table.id) for column in table.columns.values()]


def cast(table: Table, kind: str) -> list[Row] | None:
    """The columns of one kind with all that it has; None where there is no such kind."""
    if kind not in _CASTS:
        return None
    kinds, more = _CASTS[kind]
    found = [column for column in table.columns.values() if column.type in kinds]
    return [{**_common(one, one.name == table.id), **more(one)} for one in found]


def relations(table: Table) -> list[Row]:
    """How its lookups are written, one for each table that they may name."""
    return [
        {
            "ReferencingAttribute": column.name,
            "ReferencedEntity": target,
            "ReferencingEntityNavigationPropertyName": column.navigation(target),
            "SchemaName": f"{table.name}_{column.name}_{target}",
        }
        for column in table.columns.values()
        for target in column.targets
    ]


def keys(table: Table) -> list[Row]:
    """Its alternate keys."""
    return [
        {"LogicalName": "_".join(key), "KeyAttributes": [*key], "EntityKeyIndexStatus": "Active"}
        for key in table.keys
    ]


def label(text: str) -> Row:
    """A text in the one language of the environment."""
    words = {"Label": text, "LanguageCode": 1033}
    return {"LocalizedLabels": [words], "UserLocalizedLabel": words}


def _common(column: Column, is_id: bool) -> Row:
    many = column.type == "MultiSelectPicklist"
    required = "SystemRequired" if column.required or is_id else "None"
    return {
        "LogicalName": column.name,
        "DisplayName": label(column.label),
        "AttributeType": "Virtual" if many else column.type,
        "AttributeTypeName": {"Value": f"{column.type}Type"},
        "AttributeOf": None,
        "IsPrimaryId": is_id,
        "IsValidForCreate": column.creatable,
        "IsValidForRead": True,
        "IsValidForUpdate": column.updatable,
        "IsValidODataAttribute": True,
        "RequiredLevel": {"Value": required},
        "SourceType": 0,
        "MetadataId": _number(column.name),
    }


def _texts(column: Column) -> Row:
    return {"MaxLength": column.length or 100, "FormatName": {"Value": column.format or "Text"}}


def _times(column: Column) -> Row:
    behavior = "DateOnly" if column.day else "UserLocal"
    form = "DateOnly" if column.day else "DateAndTime"
    return {"Format": form, "DateTimeBehavior": {"Value": behavior}}


def _choices(column: Column) -> Row:
    options = [{"Value": value, "Label": label(text)} for value, text in column.options]
    return {"OptionSet": {"Options": options}, "GlobalOptionSet": None}


def _states(column: Column) -> Row:
    options = [{"Value": value, "Label": label(text)} for value, text in column.options]
    return {"OptionSet": {"Options": options}}


def _targets(column: Column) -> Row:
    return {"Targets": [*column.targets]}


_CASTS: Mapping[str, tuple[frozenset[str], Callable[[Column], Row]]] = {
    f"{_TYPES}{kind}AttributeMetadata": (frozenset(types.split()), more)
    for kind, types, more in (
        ("String", "String", _texts),
        ("Memo", "Memo", lambda column: {"MaxLength": column.length}),
        ("DateTime", "DateTime", _times),
        ("Picklist", "Picklist", _choices),
        ("MultiSelectPicklist", "MultiSelectPicklist", _choices),
        ("State", "State", _states),
        ("Status", "Status", _states),
        ("Lookup", "Lookup Customer Owner", _targets),
    )
}

KINDS = tuple(_CASTS)
"""The casts that there are."""


def _number(name: str) -> str:
    """An id that stays the same."""
    digits = name.encode().hex().ljust(32, "0")[:32]
    return "-".join((digits[:8], digits[8:12], digits[12:16], digits[16:20], digits[20:]))


def selected(row: Mapping[str, Any], names: frozenset[str]) -> Row:
    """The properties that were asked for; the id always comes."""
    return {name: value for name, value in row.items() if not names or name in names}
