"""The page of a sync's YAML keys, and its JSON Schema, from the types of the rules."""

from __future__ import annotations

import ast
import inspect
import json
import textwrap
from typing import Any

from msgspec import Struct

from twofold.connectors.rest import definition
from twofold.core import filters, mappings
from twofold.services.documents import schema

INTRODUCTION = """# The YAML of a sync

Made by `make reference` from the types of the rules. A sync is one document; `---` parts several.
[How to use it](../how-to/syncs-as-files.md); the same as a JSON Schema, for editors:
[sync.schema.json](sync.schema.json).

What is as usual may be left out, and `twofold export` leaves it out. Keys and values are plain: no
anchors, no tags, and text that looks like a number, true, false or null stands in quotes. A key
that is not listed is refused.
"""

HEAD = {
    "twofold": "The form of the document: 1.",
    "name": "The sync's name; one of that name is edited, else it is made.",
    "connection": "The connection's label, as in `twofold connection list`.",
    "hub": "The hub's object type.",
    "app": "The app's object type.",
    "enabled": "Whether it is on. Not said: a sync stays as it is, and a new one is off.",
    "mappings": "Field mappings, each a MappingDocument.",
    "associations": "Associations, each an AssociationDocument.",
}
OF_PAIRS = {"hub": "Its name in the hub.", "app": "Its name in the app."}


def schema_text() -> str:
    """The text of docs/reference/sync.schema.json."""
    return json.dumps(schema(), indent=2, ensure_ascii=False) + "\n"


def rest_schema_text() -> str:
    """The text of docs/reference/rest-app.schema.json."""
    return json.dumps(definition.schema(), indent=2, ensure_ascii=False) + "\n"


def documents_page() -> str:
    """The text of docs/reference/sync-documents.md."""
    found = schema()["$defs"]
    names = ("SyncDocument", *(name for name in found if name != "SyncDocument"))
    return "\n".join([INTRODUCTION, *(_section(name, found[name]) for name in names)])


def _section(name: str, definition: dict[str, Any]) -> str:
    if "enum" in definition:
        words = ", ".join(f"`{word}`" for word in definition["enum"])
        return f"## {name}\n\nOne of {words}.\n"
    meanings = {**_meanings(name), **(HEAD if name == "SyncDocument" else {})}
    if name in {"MappingDocument", "AssociationDocument"}:
        meanings |= OF_PAIRS
    needed = definition.get("required", ())
    rows = ["| key | value | usual | meaning |", "|---|---|---|---|"]
    for key, told in definition.get("properties", {}).items():
        usual = "needed" if key in needed else _cell(told.get("default"))
        rows.append(f"| `{key}` | {_kind(told)} | {usual} | {meanings.get(key, '')} |")
    return f"## {name}\n\n" + "\n".join(rows) + "\n"


def _kind(told: dict[str, Any]) -> str:
    if "$ref" in told:
        name = told["$ref"].rsplit("/", 1)[1]
        return f"[{name}](#{name.lower()})"
    if "anyOf" in told:
        return " or ".join(_kind(part) for part in told["anyOf"])
    if "enum" in told or "const" in told:
        return ", ".join(f"`{word}`" for word in told.get("enum", [told.get("const")]))
    if told.get("type") == "array":
        return f"list of {_kind(told.get('items', {})) if told.get('items') else 'values'}"
    words = {"string": "text", "boolean": "true or false", "null": "null", "integer": "number"}
    return words.get(str(told.get("type")), str(told.get("type", "anything")))


def _cell(value: Any) -> str:
    return "" if value in (None, [], {}, "") else f"`{json.dumps(value, ensure_ascii=False)}`"


_SOURCES = {
    "SyncDocument": mappings.Rules,
    "MappingDocument": mappings.FieldMapping,
    "AssociationDocument": mappings.AssociationMapping,
}


def _meanings(name: str) -> dict[str, str]:
    """What is written below the fields of a class, in one line each."""
    places = (getattr(module, name, None) for module in (mappings, filters))
    source = _SOURCES.get(name) or next((place for place in places if place), None)
    if not isinstance(source, type) or not issubclass(source, Struct):
        return {}
    (made,) = ast.parse(textwrap.dedent(inspect.getsource(source))).body
    assert isinstance(made, ast.ClassDef)
    found: dict[str, str] = {}
    for field, below in zip(made.body, made.body[1:], strict=False):
        if isinstance(field, ast.AnnAssign) and isinstance(below, ast.Expr):
            assert isinstance(field.target, ast.Name)
            text = getattr(below.value, "value", "")
            found[field.target.id] = " ".join(str(text).split()).replace("|", "\\|")
    return found
