"""The document that describes an app: what its keys are, and what is wrong with one.

It holds addresses, names and kinds, and nothing that decides: no condition, no expression, no
template beyond ``{name}``. An app that needs one needs a connector in Python.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any, Literal

import msgspec
from msgspec import Struct
from msgspec.structs import fields as keys_of

from twofold.core.schema import Field, Option
from twofold.core.values import Kind
from twofold.kit.converting import converted, problem, unknown_key
from twofold.kit.errors import Stop
from twofold.kit.yaml_text import Located, Node, Unreadable, read

FORMAT = 1
_NAME = re.compile(r"\{([^{}]*)\}")
_PERSON = ("user", "password", "token")


class SignIn(Struct, frozen=True, forbid_unknown_fields=True):
    """How requests say who we are; the secrets are asked from the person who connects."""

    by: Literal["none", "basic", "bearer", "header"] = "none"
    """User and password, a bearer token, or the token in a header of its own."""
    name: str = ""
    """Of that header."""


class Pages(Struct, frozen=True, forbid_unknown_fields=True):
    """How a list goes on."""

    by: Literal["none", "cursor", "link", "after", "number", "offset"] = "none"
    """A token or a link in the answer, the last id, a page's number, or how many came so far."""
    send: str = ""
    """The parameter that takes it; a link needs none."""
    at: str = ""
    """Where the answer holds the token or link."""
    first: int = 1
    """The number of the first page."""
    size: str = ""
    """The parameter that takes how many records a page has; empty: the app decides."""
    most: int = 100
    """Records of a page."""


class Request(Struct, frozen=True, forbid_unknown_fields=True):
    """One kind of write."""

    path: str
    """Below the address; ``{id}`` is the record's."""
    method: Literal["POST", "PATCH", "PUT", "DELETE"]


class FieldOf(Struct, frozen=True, forbid_unknown_fields=True):
    """One field."""

    kind: Kind = Kind.TEXT
    at: str = ""
    """Where a record holds it, as ``attributes.email``; empty: under the field's name."""
    label: str = ""
    many: bool = False
    read_only: bool = False
    required: bool = False
    unique: bool = False
    longest: int | None = None
    """In characters."""
    options: tuple[str, ...] = ()


class Tie(Struct, frozen=True, forbid_unknown_fields=True):
    """An association to one record, whose id is in a field of its own."""

    to: str
    """The object type that it points to."""
    at: str
    """Where a record holds the id."""


class ObjectOf(Struct, frozen=True, forbid_unknown_fields=True):
    """One object type."""

    list: str
    """The path of the list, below the address."""
    get: str
    """The path of one record, with ``{id}``."""
    fields: dict[str, FieldOf]
    """By name."""
    label: str = ""
    id: str = "id"
    """Where a record holds its id."""
    records: str = ""
    """Where the list's answer holds the records; empty: it is a list itself."""
    record: str = ""
    """Where the answer of one record, and the body of a write, hold it; empty: it is one."""
    version: str = ""
    """Where a record holds what moves with each of its changes."""
    if_match: bool = False
    """A write may be sent with ``If-Match`` and the version, and is then refused if it is old."""
    repeat: str = ""
    """The header by which the app recognizes a repeated create, as ``Idempotency-Key``."""
    pages: Pages = Pages()
    find: dict[str, str] = {}
    """Fields that can be looked up by: the parameter of the list for each."""
    create: Request | None = None
    update: Request | None = None
    """What is not sent stays as it is."""
    delete: Request | None = None
    associations: dict[str, Tie] = {}
    """By name."""


class Check(Struct, frozen=True, forbid_unknown_fields=True):
    """A harmless request that says which account this is."""

    path: str
    account: str
    """Where its answer holds the account's own id."""
    label: str = ""
    """Where it holds a name for people."""


class Definition(Struct, frozen=True, forbid_unknown_fields=True):
    """A whole app."""

    twofold: Literal[1]
    """The form of the document: 1."""
    name: str
    """The app's name, for people."""
    address: str
    """The base address; ``{names}`` in it are asked from the person who connects."""
    objects: dict[str, ObjectOf]
    """By name."""
    sign_in: SignIn = SignIn()
    check: Check | None = None
    requests_per_second: float | None = None


class Misdescribed(Stop):
    """The document does not describe an app; ``problems`` have lines, codes and advice."""

    def __init__(self, path: Path, problems: tuple[Located, ...]) -> None:
        self.problems = problems
        super().__init__("TF-Y13", path=path, count=len(problems))


def load(path: Path) -> Definition:
    """Read and check a document.

    Raises:
        Misdescribed: TF-Y13, with all that is wrong.
    """
    try:
        content = path.read_bytes()
    except OSError as error:
        reason = {"path": path, "reason": error.strerror or type(error).__name__}
        raise Misdescribed(path, (Unreadable(0, "TF-Y11", **reason).problem,)) from error
    definition, problems = understood(content)
    if definition is None:
        raise Misdescribed(path, problems)
    return definition


def understood(content: bytes) -> tuple[Definition | None, tuple[Located, ...]]:
    """A document as what it describes, or all that is wrong with it."""
    try:
        nodes = read(content)
    except Unreadable as error:
        return None, (error.problem,)
    if len(nodes) != 1 or nodes[0].entries is None:
        reason = "an app is one map of keys"
        return None, (problem(nodes[0] if nodes else Node(0), (), "TF-Y06", reason=reason),)
    problems: list[Located] = []
    values = _values(nodes[0], nodes[0].entries, problems)
    if problems:
        return None, tuple(problems)
    definition = Definition(**values)
    problems += [
        problem(nodes[0], path, "TF-Y06", reason=reason) for path, reason in _amiss(definition)
    ]
    return None if problems else definition, tuple(problems)


def schema() -> dict[str, Any]:
    """The JSON Schema (2020-12) of a document."""
    made = msgspec.json.schema(Definition)
    head = {
        "$schema": "https://json-schema.org/draft/2020-12/schema",
        "title": "An app with a REST API, for Twofold",
    }
    return {**head, **dict(msgspec.json.decode(msgspec.json.encode(made)))}


def _values(node: Node, entries: Mapping[str, Node], problems: list[Located]) -> dict[str, Any]:
    """Each key by itself, and each object by itself: all problems at once."""
    known = {f.encode_name: f for f in keys_of(Definition)}
    values: dict[str, Any] = {}
    for key, child in entries.items():
        if key not in known:
            problems.append(unknown_key(node, (key,), known))
        elif key == "objects" and child.entries is not None:
            values[key] = {
                name: _object(node, name, one, problems) for name, one in child.entries.items()
            }
        else:
            values[key] = converted(node, (key,), child, known[key].type, problems)
    absent = [key for key, field in known.items() if field.required and key not in entries]
    problems += [problem(node, (), "TF-Y07", key=key) for key in absent]
    return values


def _object(node: Node, name: str, one: Node, problems: list[Located]) -> Any:
    """An object type; its fields one by one first, so that each problem has its own line."""
    before = len(problems)
    fields = (one.entries or {}).get("fields", Node(0))
    for key, child in (fields.entries or {}).items():
        converted(node, ("objects", name, "fields", key), child, FieldOf, problems)
    if len(problems) > before:
        return None
    return converted(node, ("objects", name), one, ObjectOf, problems)


def names_in(text: str) -> list[str]:
    """The names in braces."""
    return _NAME.findall(text)


_Amiss = Iterator[tuple[tuple[str | int, ...], str]]


def _amiss(of: Definition) -> _Amiss:
    """What types cannot say: a path of keys, and why it does not fit."""
    for name in names_in(of.address):
        if not name.isidentifier() or name in _PERSON:
            yield ("address",), f"{{{name}}} is no name that can be asked for"
    if of.sign_in.by == "header" and not of.sign_in.name:
        yield ("sign_in",), "a header needs a name"
    if not of.objects:
        yield ("objects",), "an app has at least one object type"
    for name, one in of.objects.items():
        for path, reason in _amiss_in(one, of):
            yield ("objects", name, *path), reason


def _amiss_in(one: ObjectOf, of: Definition) -> _Amiss:
    if names_in(one.list):
        yield ("list",), "the path of a list has no names"
    needing: dict[str, Request | None] = {"update": one.update, "delete": one.delete}
    paths = {"get": one.get, **{key: made.path for key, made in needing.items() if made}}
    for key, path in paths.items():
        if names_in(path) != ["id"]:
            yield (key,), "the path of one record has {id}, once, and no other name"
    if one.create and names_in(one.create.path):
        yield ("create",), "the path of a create has no names"
    if not one.fields:
        yield ("fields",), "an object type has at least one field"
    if one.if_match and not one.version:
        yield ("if_match",), "it needs a version"
    yield from _amiss_pages(one.pages)
    for name in one.find:
        if name not in one.fields:
            yield ("find", name), f"there is no field {name}"
    for name, tie in one.associations.items():
        if tie.to not in of.objects:
            yield ("associations", name), f"there is no object type {tie.to}"


def _amiss_pages(pages: Pages) -> _Amiss:
    if pages.by in {"cursor", "after", "number", "offset"} and not pages.send:
        yield ("pages",), f"pages by {pages.by} need the parameter to send"
    if pages.by in {"cursor", "link"} and not pages.at:
        yield ("pages",), f"pages by {pages.by} need the place in the answer"
    if pages.most < 1:
        yield ("pages", "most"), "a page has at least one record"


def field_of(name: str, said: FieldOf, writes: bool, creates: bool) -> Field:
    """A field as the engine knows it."""
    return Field(
        name,
        said.label or name,
        said.kind,
        multi=said.many,
        creatable=creates and not said.read_only,
        updatable=writes and not said.read_only,
        required=said.required,
        unique=said.unique,
        nullable=not said.required,
        max_length=said.longest,
        options=tuple(Option(option, option) for option in said.options),
        closed=bool(said.options),
    )
