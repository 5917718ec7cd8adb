"""A sync as a document: the same words as its rules, field and type names in place of schemas.

The keys and their values come from the types of the rules themselves, so that whatever a person
can configure can be written down. `core.validate` decides about a document as about everything.
"""

from __future__ import annotations

from collections.abc import Mapping
from enum import Enum
from typing import Any, Literal

import msgspec
from msgspec import NODEFAULT, Struct
from msgspec.structs import FieldInfo, fields

from twofold.core.mappings import AssociationMapping, FieldMapping, Rules
from twofold.core.parts import plain_name
from twofold.kit.converting import converted, problem, unknown_key
from twofold.kit.yaml_text import Located, Node

FORMAT = 1
"""Of documents; another number would be another form."""


def _own(of: type[Struct], but: tuple[str, ...]) -> list[tuple[str, Any, Any]]:
    """The settings of a type that are values of their own, as fields of another type."""
    return [(f.encode_name, f.type, _default(f)) for f in fields(of) if f.name not in but]


def _default(field: FieldInfo) -> Any:
    factory = field.default_factory
    return field.default if factory is NODEFAULT else msgspec.field(default_factory=factory)


MappingDocument = msgspec.defstruct(
    "MappingDocument",
    [("hub", str), ("app", str), *_own(FieldMapping, ("hub", "app"))],
    frozen=True,
    forbid_unknown_fields=True,
)
"""A mapping: the names of its two fields, and what is not as usual."""

AssociationDocument = msgspec.defstruct(
    "AssociationDocument",
    [
        ("hub", str),
        ("app", str),
        *_own(AssociationMapping, ("hub", "app", "hub_target", "app_target")),
    ],
    frozen=True,
    forbid_unknown_fields=True,
)
"""An association: its name on each side; the object types at its far end follow from them."""

SyncDocument = msgspec.defstruct(
    "SyncDocument",
    [
        ("twofold", Literal[1]),
        ("name", str),
        ("connection", str),
        ("hub", str),
        ("app", str),
        ("enabled", bool | None, None),
        *_own(Rules, ("hub", "app", "mappings", "associations")),
        ("mappings", tuple[MappingDocument, ...], ()),  # type: ignore[valid-type]
        ("associations", tuple[AssociationDocument, ...], ()),  # type: ignore[valid-type]
    ],
    frozen=True,
    forbid_unknown_fields=True,
)
"""A whole sync."""

_LISTS = ("mappings", "associations")
_RULES = tuple(f.name for f in fields(Rules) if f.name not in {"hub", "app", *_LISTS})
_MAPPING = tuple(f.name for f in fields(FieldMapping) if f.name not in {"hub", "app"})
_ASSOCIATION = tuple(
    f.name
    for f in fields(AssociationMapping)
    if f.name not in {"hub", "app", "hub_target", "app_target"}
)


def schema() -> dict[str, Any]:
    """The JSON Schema (2020-12) of a document."""
    made = msgspec.json.schema(SyncDocument)
    for definition in made["$defs"].values():
        definition.pop("description", None)
        if "properties" in definition:
            definition.setdefault("additionalProperties", False)
    whole = {
        "$schema": "https://json-schema.org/draft/2020-12/schema",
        "title": "A sync of Twofold",
        **made,
    }
    return dict(msgspec.json.decode(msgspec.json.encode(whole)))


# --- writing --------------------------------------------------------------------------------------


def document_of(name: str, connection: str, rules: Rules, enabled: bool) -> dict[str, Any]:
    """A sync as plain data, without what is as usual."""
    head = {
        "twofold": FORMAT,
        "name": name,
        "connection": connection,
        "hub": rules.hub.name,
        "app": rules.app.name,
        "enabled": enabled,
    }
    lists = {
        "mappings": [
            {
                "hub": plain_name(m.hub.name),
                "app": plain_name(m.app.name),
                **_unusual(m, _MAPPING),
            }
            for m in rules.mappings
        ],
        "associations": [
            {"hub": m.hub, "app": m.app, **_unusual(m, _ASSOCIATION)} for m in rules.associations
        ],
    }
    return {
        **head,
        **_unusual(rules, _RULES),
        **{key: found for key, found in lists.items() if found},
    }


def _unusual(of: Struct, names: tuple[str, ...]) -> dict[str, Any]:
    """The settings that are not as usual, as plain data."""
    usual = {f.name: f for f in fields(of)}
    return {
        usual[name].encode_name: _plain(getattr(of, name))
        for name in names
        if not _is_usual(usual[name], getattr(of, name))
    }


def _is_usual(field: FieldInfo, value: Any) -> bool:
    if field.default_factory is not NODEFAULT:
        return bool(value == field.default_factory())
    return field.default is not NODEFAULT and bool(value == field.default)


def _plain(value: Any) -> Any:
    if isinstance(value, Struct):
        tag = value.__struct_config__.tag
        named = {} if tag is None else {str(value.__struct_config__.tag_field): tag}
        return {**named, **_unusual(value, value.__struct_fields__)}
    if isinstance(value, Enum):
        return value.value
    if isinstance(value, Mapping):
        return {str(_plain(key)): _plain(part) for key, part in value.items()}
    if isinstance(value, list | tuple):
        return [_plain(part) for part in value]
    if isinstance(value, set | frozenset):
        return sorted(_plain(part) for part in value)
    return msgspec.to_builtins(value)


# --- reading --------------------------------------------------------------------------------------


class Read(Struct, frozen=True):
    """One document as it was read: its values by key, without those that do not fit."""

    node: Node
    values: Mapping[str, Any]
    problems: tuple[Located, ...]

    @property
    def name(self) -> str:
        """The sync's name; empty where there is none."""
        return str(self.values.get("name", ""))

    def settings(self) -> dict[str, Any]:
        """The settings of the rules that are values of their own."""
        return {n: self.values[n] for n in _RULES if n in self.values}


def understood(node: Node) -> Read:
    """Take a document apart, each key and each item of a list by itself: all that is wrong."""
    if node.entries is None:
        reason = "a sync is a map of keys"
        return Read(node, {}, (problem(node, (), "TF-Y06", reason=reason),))
    known = {f.encode_name: f for f in fields(SyncDocument)}
    problems: list[Located] = []
    values: dict[str, Any] = {}
    for key, child in node.entries.items():
        if key not in known:
            problems.append(unknown_key(node, (key,), known))
        elif key in _LISTS and child.items is not None:
            kind = MappingDocument if key == "mappings" else AssociationDocument
            items = [
                converted(node, (key, position), item, kind, problems)
                for position, item in enumerate(child.items)
            ]
            values[key] = tuple(items)
        else:
            found = converted(node, (key,), child, known[key].type, problems)
            if found is not None:
                values[known[key].name] = found
    for key, field in known.items():
        if field.required and key not in node.entries:
            problems.append(problem(node, (), "TF-Y07", key=key))
    return Read(node, values, tuple(problems))


def extras(item: Any, of: type[Struct]) -> dict[str, Any]:
    """The settings of one mapping or association besides its names."""
    names = _MAPPING if of is FieldMapping else _ASSOCIATION
    return {name: getattr(item, name) for name in names}
