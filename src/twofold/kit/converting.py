"""A node of YAML as a value of a type: everything that does not fit, with its line and its code."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from typing import Any

import msgspec
from msgspec import Struct
from msgspec.structs import fields

from twofold.core.errors import TwofoldError
from twofold.kit.yaml_text import Located, Node


def converted(
    node: Node, path: tuple[str | int, ...], child: Node, kind: Any, problems: list[Located]
) -> Any:
    """One value in the type of its key; None, with a problem, where it does not fit."""
    plain = child.plain()
    try:
        found = msgspec.convert(plain, kind)
    except msgspec.ValidationError as error:
        text, _, at = str(error).partition(" - at `$")
        whole = (*path, *_steps(at))
        lacking = re.fullmatch(r"Object missing required field `(.*)`", text)
        unknown = re.fullmatch(r"Object contains unknown field `(.*)`", text)
        if lacking:
            problems.append(problem(node, whole, "TF-Y07", key=lacking[1]))
        elif unknown:
            names = {f.encode_name: f for f in fields(kind)} if _is_struct(kind) else {}
            problems.append(unknown_key(node, (*whole, unknown[1]), names))
        else:
            problems.append(problem(node, whole, "TF-Y06", reason=_reason(text)))
        return None
    problems.extend(unknown_key(node, (*path, *more), {}) for more in _ignored(plain, found))
    return found


def _is_struct(kind: Any) -> bool:
    return isinstance(kind, type) and issubclass(kind, Struct)


def _ignored(plain: Any, found: Any) -> Iterator[tuple[str | int, ...]]:
    """Paths of keys that the types inside do not know, and would leave out without a word."""
    if isinstance(plain, dict) and isinstance(found, Struct):
        config = found.__struct_config__
        names = {f.encode_name: f.name for f in fields(found)}
        for key, part in plain.items():
            if key in names:
                for rest in _ignored(part, getattr(found, names[key])):
                    yield (key, *rest)
            elif config.tag is None or key != config.tag_field:
                yield (key,)
    elif isinstance(plain, dict) and isinstance(found, Mapping):
        for key, value in zip(plain, found.values(), strict=False):
            for rest in _ignored(plain[key], value):
                yield (key, *rest)
    elif isinstance(plain, list) and isinstance(found, list | tuple):
        for position, (part, value) in enumerate(zip(plain, found, strict=False)):
            for rest in _ignored(part, value):
                yield (position, *rest)


def _steps(path: str) -> list[str | int]:
    """``.rules[0].field`` as steps; a key that cannot be told apart ends them."""
    steps: list[str | int] = []
    for name, position in re.findall(r"\.(\w+)|\[(\d+|\.\.\.)\]", path):
        if position == "...":
            break
        steps.append(int(position) if position else name)
    return steps


_WORDS = {
    "`str`": "a text",
    "`int`": "a whole number",
    "`float`": "a number",
    "`decimal`": "a number",
    "`bool`": "true or false",
    "`null`": "nothing",
    "`object`": "a map of keys",
    "`array`": "a list",
    "Expected": "expected",
}


def _reason(text: str) -> str:
    for word, meaning in _WORDS.items():
        text = text.replace(word, meaning)
    return re.sub(r"got (?=a |true|nothing)", "and not ", text).replace("`", "").rstrip(".")


def unknown_key(node: Node, path: tuple[str | int, ...], known: Mapping[str, Any]) -> Located:
    """The problem of a key that nobody knows; ``known`` are those that there are."""
    names = ", ".join(known) or "the keys that 'twofold validate --schema' lists"
    return problem(node, path, "TF-Y05", key=path[-1], known=names)


def problem(node: Node, path: tuple[str | int, ...], code: str, **facts: object) -> Located:
    """A problem at the place that a path of keys and positions leads to."""
    error = TwofoldError(code, **facts)
    return Located(code, error.sentence, line=node.at(path))
