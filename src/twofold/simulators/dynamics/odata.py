"""The part of OData that the simulator understands; everything else is refused.

Grammar: OData 4.0 URL Conventions, sections 5.1.1 ("$filter"), 5.1.3 ("$select") and 5.1.4
("$orderby"): comparisons and ``contains``, ``startswith`` and ``endswith``, joined by ``and``,
``or`` and ``not``. Texts stand between single quotes, a quote within one is doubled; ids, times,
numbers and truth values stand bare. ``and`` binds before ``or``.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from datetime import UTC, datetime
from typing import Any, NamedTuple

CONDITIONS = 500
_TOKEN = re.compile(
    r"\s*(?:(?P<text>'(?:[^']|'')*')"
    r"|(?P<id>[0-9a-fA-F]{8}(?:-[0-9a-fA-F]{4}){3}-[0-9a-fA-F]{12})"
    r"|(?P<moment>\d{4}-\d{2}-\d{2}T\d{2}:\d{2}:\d{2}(?:\.\d{1,7})?(?:Z|[+-]\d{2}:\d{2}))"
    r"|(?P<day>\d{4}-\d{2}-\d{2})"
    r"|(?P<number>-?\d+(?:\.\d+)?)"
    r"|(?P<name>[A-Za-z_][A-Za-z0-9_]*)"
    r"|(?P<sign>\(|\)|,))"
)
_COMPARED = frozenset({"eq", "ne", "gt", "ge", "lt", "le"})
_FUNCTIONS = frozenset({"contains", "startswith", "endswith"})

Test = Callable[[Mapping[str, Any]], bool]


class Malformed(Exception):
    """An option that is none; its message says where."""


class Compared(NamedTuple):
    """A column with what it is compared with."""

    name: str
    kind: str
    """Of the literal: text, id, moment, day, number, truth or null."""


class Filter(NamedTuple):
    """A filter that was understood."""

    test: Test
    compared: tuple[Compared, ...]


class Order(NamedTuple):
    """One column to sort by."""

    name: str
    falling: bool


def names(text: str) -> list[str]:
    """The columns of ``$select``. Raises Malformed."""
    found = [name.strip() for name in text.split(",")]
    if not all(re.fullmatch(r"[A-Za-z_][A-Za-z0-9_]*", name) for name in found):
        raise Malformed("Term in $select is no name of a column.")
    return found


def order(text: str) -> list[Order]:
    """The columns of ``$orderby``. Raises Malformed."""
    found = []
    for part in text.split(","):
        words = part.split()
        if not words or len(words) > 2 or words[1:] not in ([], ["asc"], ["desc"]):
            raise Malformed(f"Syntax error in $orderby: '{part}'.")
        found.append(Order(words[0], words[1:] == ["desc"]))
    return found


def filtered(text: str) -> Filter:
    """A filter. Raises Malformed."""
    parser = _Parser(text)
    test = parser.whole()
    if len(parser.compared) > CONDITIONS:
        raise Malformed(f"Number of conditions in query exceeded maximum limit of {CONDITIONS}.")
    return Filter(test, tuple(parser.compared))


class _Parser:
    def __init__(self, text: str) -> None:
        self._tokens = _tokens(text)
        self._at = 0
        self.compared: list[Compared] = []

    def whole(self) -> Test:
        test = self._either()
        if self._at != len(self._tokens):
            raise Malformed(f"Syntax error: unexpected '{self._tokens[self._at][1]}'.")
        return test

    def _either(self) -> Test:
        tests = [self._both()]
        while self._is("name", "or"):
            tests.append(self._both())
        return lambda row: any(test(row) for test in tests)

    def _both(self) -> Test:
        tests = [self._one()]
        while self._is("name", "and"):
            tests.append(self._one())
        return lambda row: all(test(row) for test in tests)

    def _one(self) -> Test:
        if self._is("name", "not"):
            inner = self._one()
            return lambda row: not inner(row)
        if self._is("sign", "("):
            inner = self._either()
            self._need(")")
            return inner
        kind, name = self._take()
        if kind != "name":
            raise Malformed(f"Syntax error: '{name}' is no column.")
        if name in _FUNCTIONS and self._is("sign", "("):
            return self._function(name)
        kind, sign = self._take()
        if kind != "name" or sign not in _COMPARED:
            raise Malformed(f"Syntax error: '{sign}' compares nothing.")
        literal, value = self._literal()
        self.compared.append(Compared(name, literal))
        return _test(name, sign, value)

    def _function(self, function: str) -> Test:
        _, name = self._take()
        self._need(",")
        literal, value = self._literal()
        self._need(")")
        if literal != "text":
            raise Malformed(f"'{function}' needs a text.")
        self.compared.append(Compared(name, literal))
        part = str(value)

        def test(row: Mapping[str, Any]) -> bool:
            held = str(row.get(name) or "").casefold()
            ends = {"startswith": held.startswith(part), "endswith": held.endswith(part)}
            return ends.get(function, part in held)

        return test

    def _literal(self) -> tuple[str, Any]:
        kind, text = self._take()
        if kind == "text":
            return kind, text[1:-1].replace("''", "'").casefold()
        if kind == "id":
            return kind, text.lower()
        if kind == "moment":
            return kind, datetime.fromisoformat(text).astimezone(UTC)
        if kind == "day":
            return kind, text
        if kind == "number":
            return kind, float(text)
        if kind == "name" and text in {"true", "false", "null"}:
            value = {"true": True, "false": False, "null": None}[text]
            return "null" if value is None else "truth", value
        raise Malformed(f"Syntax error: '{text}' is no literal.")

    def _need(self, sign: str) -> None:
        if not self._is("sign", sign):
            raise Malformed(f"Syntax error: '{sign}' expected.")

    def _is(self, kind: str, text: str) -> bool:
        if self._at < len(self._tokens) and self._tokens[self._at] == (kind, text):
            self._at += 1
            return True
        return False

    def _take(self) -> tuple[str, str]:
        if self._at >= len(self._tokens):
            raise Malformed("Syntax error: expression expected at the end.")
        self._at += 1
        return self._tokens[self._at - 1]


def _tokens(text: str) -> list[tuple[str, str]]:
    found, at, whole = [], 0, text.rstrip()
    while at < len(whole):
        match = _TOKEN.match(whole, at)
        if match is None:
            raise Malformed(f"Syntax error at position {at}.")
        kind = match.lastgroup or ""
        found.append((kind, match[kind]))
        at = match.end()
    return found


def _test(name: str, sign: str, wanted: Any) -> Test:
    def test(row: Mapping[str, Any]) -> bool:
        held = row.get(name)
        if isinstance(wanted, datetime) and held is not None:
            held = datetime.fromisoformat(str(held))
        elif isinstance(held, str):
            held = held.casefold()
        if sign in {"eq", "ne"}:
            return (held == wanted) is (sign == "eq")
        if held is None or wanted is None:
            return False
        low, high = held < wanted, held > wanted
        return bool({"lt": low, "gt": high, "le": not high, "ge": not low}[sign])

    return test
