"""Rules as a person may configure them, made from the types: a new setting is in them by itself."""

from __future__ import annotations

from collections.abc import Mapping
from enum import Enum
from typing import Any, Literal, get_args, get_origin

from hypothesis import strategies as st
from msgspec import NODEFAULT, Struct
from msgspec.structs import fields
from tests.core.fields import field

from twofold.core.mappings import AssociationMapping, FieldMapping, Rules
from twofold.core.schema import Association, Feed, ObjectType
from twofold.core.values import Kind

TEXTS = st.text(st.characters(exclude_categories=["Cs"]), max_size=8) | st.sampled_from(
    ["NO", "null", "5", "1e5", "true", "~", "- a", "#", "a: b", "'", '"', "é\n", "\t"]
)


def of_type(kind: Any) -> st.SearchStrategy[Any]:
    """Any value of a type that the rules use."""
    plain: dict[Any, st.SearchStrategy[Any]] = {
        str: TEXTS,
        bool: st.booleans(),
        int: st.integers(-(10**6), 10**6),
        float: st.floats(allow_nan=False, allow_infinity=False),
        type(None): st.none(),
    }
    if kind in plain:
        return plain[kind]
    if isinstance(kind, type) and issubclass(kind, Enum):
        return st.sampled_from(list(kind))
    if isinstance(kind, type) and issubclass(kind, Struct):
        return struct_of(kind)
    origin, parts = get_origin(kind), get_args(kind)
    if origin is tuple and parts[-1] is Ellipsis:
        return st.lists(of_type(parts[0]), max_size=2).map(tuple)
    if origin is tuple:
        return st.tuples(*map(of_type, parts))
    if origin is Literal:
        return st.sampled_from(parts)
    if isinstance(origin, type) and issubclass(origin, Mapping):
        return st.dictionaries(of_type(parts[0]), of_type(parts[1]), max_size=2)
    if parts:  # a union
        return st.one_of(*map(of_type, parts))
    raise TypeError(kind)


def struct_of(kind: type[Struct], **given: st.SearchStrategy[Any]) -> st.SearchStrategy[Any]:
    """A struct; each setting as usual, or any value of its type."""
    parts = {}
    for f in fields(kind):
        usual = st.nothing() if f.default is NODEFAULT else st.just(f.default)
        parts[f.name] = given[f.name] if f.name in given else usual | of_type(f.type)
    return st.builds(kind, **parts)


NAMES = ("email", "name", "NO", "5", "on", "a b", "é")
HUB = ObjectType(
    "contact",
    "Contact",
    tuple(field(Kind.TEXT, name) for name in NAMES),
    (Association("company", "company"), Association("no", "deal")),
    feed=Feed.LOG,
)
APP = ObjectType(
    "5",
    "People",
    tuple(field(Kind.TEXT, f"{name}x") for name in NAMES),
    (Association("firm", "firms"), Association("off", "deals")),
)

mappings = struct_of(FieldMapping, hub=st.sampled_from(HUB.fields), app=st.sampled_from(APP.fields))
associations = st.sampled_from(
    [
        AssociationMapping(ours.name, theirs.name, ours.target, theirs.target)
        for ours in HUB.associations
        for theirs in APP.associations
    ]
).flatmap(
    lambda made: struct_of(
        AssociationMapping,
        hub=st.just(made.hub),
        app=st.just(made.app),
        hub_target=st.just(made.hub_target),
        app_target=st.just(made.app_target),
    )
)
rules = struct_of(
    Rules,
    hub=st.just(HUB),
    app=st.just(APP),
    mappings=st.lists(mappings, max_size=4).map(tuple),
    associations=st.lists(associations, max_size=2).map(tuple),
    region=st.sampled_from(["", "NL", "NO"]),
)
"""Rules that may be wrong in every way but that their names exist."""
