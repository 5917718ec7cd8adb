"""YAML as this program takes it: data with line numbers, and nothing that surprises.

A subset on purpose: maps with text keys, lists, and plain values by the rules of YAML 1.2, so that
``NO`` is a country and not a "no". Anchors, aliases and tags are refused, and so are duplicate keys
and documents beyond a size or depth that no person writes.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from typing import Any

import yaml
from msgspec import Struct

from twofold.core.errors import sentence
from twofold.core.validate import Problem

MOST_BYTES = 1 << 20
MOST_DEPTH = 24
MOST_NODES = 100_000
MOST_DIGITS = 100
"""Of a number; Python itself sets a limit only at some thousands."""


class Node(Struct):
    """A value, with the line (from 1) where it begins."""

    line: int
    value: Any = None
    """Of a plain value; maps and lists have children instead."""
    items: list[Node] | None = None
    entries: dict[str, Node] | None = None
    keys: dict[str, int] = {}
    """Of a map: the line of each key."""

    def plain(self) -> Any:
        """The value without its lines."""
        if self.entries is not None:
            return {key: node.plain() for key, node in self.entries.items()}
        if self.items is not None:
            return [node.plain() for node in self.items]
        return self.value

    def at(self, path: Sequence[str | int]) -> int:
        """The line of what a path of keys and positions leads to, as far as it leads."""
        node, line = self, self.line
        for step in path:
            if isinstance(step, str) and node.entries and step in node.entries:
                line, node = node.keys[step], node.entries[step]
            elif isinstance(step, int) and node.items and step < len(node.items):
                node = node.items[step]
                line = node.line
            else:
                break
        return line


class Located(Problem, frozen=True):
    """A problem with its place in a file."""

    line: int = 0
    """From 1; 0 = the file as a whole."""


class Unreadable(Exception):
    """Text that is not understood; carries one located problem."""

    def __init__(self, line: int, code: str, /, **facts: object) -> None:
        self.problem = Located(code, sentence(code, facts), line=line)
        super().__init__(self.problem.sentence)


def node_of(value: Any) -> Node:
    """Plain data that no text was read for; nothing of it has a line."""
    if isinstance(value, dict):
        entries = {key: node_of(part) for key, part in value.items()}
        return Node(0, entries=entries, keys=dict.fromkeys(entries, 0))
    if isinstance(value, list | tuple):
        return Node(0, items=[node_of(item) for item in value])
    return Node(0, value)


def read(data: bytes) -> list[Node]:
    """All documents of a YAML text.

    Raises:
        Unreadable: TF-Y01 not YAML · TF-Y02 a key twice · TF-Y03 an anchor, alias or tag · TF-Y04
            too large or too deep.
    """
    if len(data) > MOST_BYTES:
        raise Unreadable(0, "TF-Y04", limit=f"{MOST_BYTES} bytes")
    try:
        text = data.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        line = data.count(b"\n", 0, error.start) + 1
        raise Unreadable(line, "TF-Y01", reason="it is not text in UTF-8") from error
    try:
        return _documents(yaml.parse(text, Loader=yaml.SafeLoader))
    except yaml.MarkedYAMLError as error:
        mark = error.problem_mark or error.context_mark
        line = 0 if mark is None else mark.line + 1
        raise Unreadable(line, "TF-Y01", reason=_one_line(error.problem)) from error
    except yaml.reader.ReaderError as error:
        line = text.count("\n", 0, error.position) + 1
        raise Unreadable(line, "TF-Y01", reason=_one_line(error.reason)) from error
    except (yaml.YAMLError, ValueError) as error:  # a directive or escape that is out of range
        raise Unreadable(0, "TF-Y01", reason=_one_line(str(error))) from error


def write(documents: Sequence[Any]) -> str:
    """Plain data as YAML, one document after the other."""
    return "---\n".join(
        yaml.dump(_shaped(document), Dumper=_Dumper, sort_keys=False, allow_unicode=True, width=100)
        for document in documents
    )


# --- reading --------------------------------------------------------------------------------------


def _documents(events: Iterator[yaml.Event]) -> list[Node]:
    """Put nodes together without recursion, so that no depth can exhaust the stack."""
    found: list[Node] = []
    stack: list[Node] = []
    pending: list[tuple[str, int] | None] = []
    """By open container: the key that waits for its value."""
    nodes = 0
    for event in events:
        if isinstance(event, yaml.CollectionEndEvent):
            stack.pop()
            pending.pop()
            continue
        if not isinstance(event, yaml.NodeEvent):
            continue
        nodes += 1
        node = _node(event)
        if nodes > MOST_NODES or len(stack) >= MOST_DEPTH:
            limit = f"{MOST_DEPTH} levels and {MOST_NODES} values"
            raise Unreadable(node.line, "TF-Y04", limit=limit)
        _attach(found, stack, pending, node, event)
        if isinstance(event, yaml.CollectionStartEvent):
            stack.append(node)
            pending.append(None)
    return found


def _node(event: yaml.NodeEvent) -> Node:
    line = event.start_mark.line + 1 if event.start_mark else 0
    tag = getattr(event, "tag", None)
    if isinstance(event, yaml.AliasEvent) or event.anchor or tag not in {None, "!"}:
        raise Unreadable(line, "TF-Y03")
    if isinstance(event, yaml.ScalarEvent):
        if _SURROGATE.search(event.value):
            raise Unreadable(line, "TF-Y01", reason="it has half of a character")
        return Node(line, _resolved(event, line))
    if isinstance(event, yaml.SequenceStartEvent):
        return Node(line, items=[])
    return Node(line, entries={}, keys={})


def _attach(
    found: list[Node],
    stack: list[Node],
    pending: list[tuple[str, int] | None],
    node: Node,
    event: yaml.NodeEvent,
) -> None:
    """Put a node where it belongs: a document, an item, a key, or the value of a key."""
    if not stack:
        found.append(node)
        return
    holder, key = stack[-1], pending[-1]
    if holder.items is not None:
        holder.items.append(node)
    elif key is not None:
        assert holder.entries is not None
        holder.entries[key[0]], holder.keys[key[0]] = node, key[1]
        pending[-1] = None
    else:
        if not isinstance(event, yaml.ScalarEvent):
            raise Unreadable(node.line, "TF-Y01", reason="a key must be a plain text")
        if event.value in (holder.entries or {}):
            raise Unreadable(node.line, "TF-Y02", key=event.value)
        pending[-1] = (event.value, node.line)


_SURROGATE = re.compile("[\ud800-\udfff]")
_INTEGER = re.compile(r"[-+]?[0-9]+")
_FLOAT = re.compile(r"[-+]?(\.[0-9]+|[0-9]+(\.[0-9]*)?)([eE][-+]?[0-9]{1,3})?")
_WORDS = {
    **dict.fromkeys(("", "~", "null", "Null", "NULL"), None),
    **dict.fromkeys(("true", "True", "TRUE"), True),
    **dict.fromkeys(("false", "False", "FALSE"), False),
}
"""YAML 1.2.2, section 10.3.2 (https://yaml.org/spec/1.2.2/#103-core-schema)."""


def _resolved(event: yaml.ScalarEvent, line: int) -> Any:
    return event.value if event.style or event.tag == "!" else _meant(event.value, line)


def _meant(text: str, line: int = 0) -> Any:
    """What a text without quotes means."""
    if text in _WORDS:
        return _WORDS[text]
    if _FLOAT.fullmatch(text) is None:
        return text
    if len(text) > MOST_DIGITS:
        raise Unreadable(line, "TF-Y04", limit=f"{MOST_DIGITS} digits")
    return int(text) if _INTEGER.fullmatch(text) else float(text)


def _one_line(text: str | None) -> str:
    return " ".join((text or "it has no form that YAML knows").split()).rstrip(".")


# --- writing --------------------------------------------------------------------------------------


class _Flow(dict[str, Any]):
    """A map that is written on one line."""


class _FlowList(list[Any]):
    """A list that is written on one line."""


class _Dumper(yaml.SafeDumper):
    """Quotes what would be read as another value, and writes small maps on one line."""

    def increase_indent(self, flow: bool = False, indentless: bool = False) -> None:
        """Lists stand further in than their key."""
        super().increase_indent(flow, indentless=False)

    def ignore_aliases(self, data: object) -> bool:
        """The same value twice is written twice."""
        return True


def _text(dumper: yaml.SafeDumper, text: str) -> yaml.Node:
    style = None
    if not text.isprintable():
        style = '"'  # other styles fold line ends, of which Unicode has several
    elif len(text) <= MOST_DIGITS and not isinstance(_meant(text), str):
        style = "'"
    return dumper.represent_scalar("tag:yaml.org,2002:str", text, style=style)


def _flow(dumper: yaml.SafeDumper, data: _Flow) -> yaml.Node:
    return dumper.represent_mapping("tag:yaml.org,2002:map", data.items(), flow_style=True)


_Dumper.add_representer(str, _text)


def _flow_list(dumper: yaml.SafeDumper, data: _FlowList) -> yaml.Node:
    return dumper.represent_sequence("tag:yaml.org,2002:seq", data, flow_style=True)


_Dumper.add_representer(_Flow, _flow)
_Dumper.add_representer(_FlowList, _flow_list)


def _is_short(value: Any) -> bool:
    return isinstance(value, _FlowList) or not isinstance(value, dict | list)


def _shaped(value: Any, inside: bool = False) -> Any:
    """Maps inside lists go on one line where they hold only a few plain values; such lists too."""
    if isinstance(value, dict):
        shaped = {key: _shaped(part) for key, part in value.items()}
        short = len(shaped) <= 4 and all(map(_is_short, shaped.values()))
        return _Flow(shaped) if inside and short else shaped
    if isinstance(value, list):
        items = [_shaped(part, inside=True) for part in value]
        plain = len(items) <= 4 and not any(isinstance(item, dict | list) for item in items)
        return _FlowList(items) if plain else items
    return value
