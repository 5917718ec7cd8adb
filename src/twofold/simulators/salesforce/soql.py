"""The part of SOQL that the simulator understands; everything else is refused as malformed.

Grammar: "SOQL SELECT Syntax" of the SOQL and SOSL Reference: fields, one object, conditions with
AND, OR and NOT, ORDER BY, LIMIT and OFFSET. AND beside OR needs parentheses, dates and numbers
stand bare, and texts stand between single quotes.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from datetime import UTC, date, datetime
from typing import Any, NamedTuple

MOST = 100_000
"""Characters of a query (row "List" of the facts)."""
_TOKEN = re.compile(
    r"\s*(?:(?P<text>'(?:[^'\\]|\\.)*')"
    r"|(?P<moment>\d{4}-\d{2}-\d{2}T\d{2}:\d{2}:\d{2}(?:\.\d{1,3})?(?:Z|[+-]\d{2}:?\d{2}))"
    r"|(?P<day>\d{4}-\d{2}-\d{2})"
    r"|(?P<number>-?\d+(?:\.\d+)?)"
    r"|(?P<name>[A-Za-z][A-Za-z0-9_]*(?:\.[A-Za-z][A-Za-z0-9_]*)*)"
    r"|(?P<sign><=|>=|!=|<>|=|<|>|\(|\)|,))",
    re.DOTALL,
)
_ESCAPES = {"n": "\n", "r": "\r", "t": "\t", "b": "\b", "f": "\f"}
_RESERVED = frozenset(
    {"select", "from", "where", "and", "or", "not", "in", "like", "order", "by", "limit", "offset"}
)
_COMPARED = frozenset({"=", "!=", "<>", "<", "<=", ">", ">="})

Test = Callable[[Mapping[str, Any]], bool]


class Malformed(Exception):
    """A query that is none; its message says where."""


class Order(NamedTuple):
    """One field to sort by."""

    field: str
    falling: bool


class Query(NamedTuple):
    """A query that was understood."""

    fields: tuple[str, ...]
    obj: str
    test: Test
    filtered: tuple[str, ...]
    """Fields that conditions name."""
    order: tuple[Order, ...]
    limit: int | None
    offset: int


def parsed(text: str) -> Query:
    """A query. Raises Malformed."""
    if len(text) > MOST:
        raise Malformed("SOQL statements cannot be longer than 100000 characters")
    return _Parser(text).query()


class _Parser:
    def __init__(self, text: str) -> None:
        self._tokens = list(_tokens(text))
        self._at = 0
        self._filtered: list[str] = []

    def query(self) -> Query:
        self._word("select")
        fields = [self._name()]
        while self._sign(","):
            fields.append(self._name())
        self._word("from")
        obj = self._name()
        test: Test = lambda _: True  # noqa: E731
        if self._is_word("where"):
            test = self._condition()
        order = self._order() if self._is_word("order") else ()
        limit = self._count() if self._is_word("limit") else None
        offset = self._count() if self._is_word("offset") else 0
        if self._at != len(self._tokens):
            raise Malformed(f"unexpected token: '{self._tokens[self._at][1]}'")
        return Query(tuple(fields), obj, test, tuple(self._filtered), order, limit, offset)

    # --- conditions -------------------------------------------------------------------------

    def _condition(self) -> Test:
        """Conditions joined by one word: both words beside each other need parentheses."""
        tests = [self._one()]
        joined = ""
        while self._peek_word() in {"and", "or"}:
            word = self._take()[1].lower()
            if joined and word != joined:
                raise Malformed(f"unexpected token: '{word}'")
            joined = word
            tests.append(self._one())
        if joined == "or":
            return lambda row: any(test(row) for test in tests)
        return lambda row: all(test(row) for test in tests)

    def _one(self) -> Test:
        if self._is_word("not"):
            inner = self._one()
            return lambda row: not inner(row)
        if self._sign("("):
            inner = self._condition()
            self._close()
            return inner
        field = self._name()
        self._filtered.append(field)
        if self._peek_word() in {"in", "not"}:
            return self._among(field)
        if self._is_word("like"):
            return _like(field, self._literal())
        kind, sign = self._take()
        if kind != "sign" or sign not in _COMPARED:
            raise Malformed(f"unexpected token: '{sign}'")
        return _compared(field, sign, self._literal())

    def _among(self, field: str) -> Test:
        negative = self._is_word("not")
        self._word("in")
        if not self._sign("("):
            raise Malformed("expecting a left parenthesis")
        wanted = {_folded(self._literal())}
        while self._sign(","):
            wanted.add(_folded(self._literal()))
        self._close()
        return lambda row: (_folded(row.get(field)) in wanted) is not negative

    def _literal(self) -> Any:
        kind, text = self._take()
        if kind == "text":
            return _unescaped(text[1:-1])
        if kind == "moment":
            return datetime.fromisoformat(text).astimezone(UTC)
        if kind == "day":
            return date.fromisoformat(text)
        if kind == "number":
            return float(text)
        if kind == "name" and text.lower() in {"true", "false", "null"}:
            return {"true": True, "false": False, "null": None}[text.lower()]
        raise Malformed(f"unexpected token: '{text}'")

    # --- the rest ---------------------------------------------------------------------------

    def _order(self) -> tuple[Order, ...]:
        self._word("by")
        found = [self._sorted_by()]
        while self._sign(","):
            found.append(self._sorted_by())
        return tuple(found)

    def _sorted_by(self) -> Order:
        field, falling = self._name(), False
        if self._peek_word() in {"asc", "desc"}:
            falling = self._take()[1].lower() == "desc"
        if self._is_word("nulls") and self._take()[1].lower() not in {"first", "last"}:
            raise Malformed("expecting FIRST or LAST")
        return Order(field, falling)

    def _count(self) -> int:
        kind, text = self._take()
        if kind != "number" or not text.isdigit():
            raise Malformed(f"unexpected token: '{text}'")
        return int(text)

    def _close(self) -> None:
        if not self._sign(")"):
            raise Malformed("expecting a right parenthesis, found something else")

    def _name(self) -> str:
        kind, text = self._take()
        if kind != "name" or text.lower() in _RESERVED:
            raise Malformed(f"unexpected token: '{text}'")
        return text

    def _sign(self, sign: str) -> bool:
        if self._at < len(self._tokens) and self._tokens[self._at] == ("sign", sign):
            self._at += 1
            return True
        return False

    def _word(self, word: str) -> None:
        if not self._is_word(word):
            raise Malformed(f"expecting '{word.upper()}'")

    def _is_word(self, word: str) -> bool:
        if self._peek_word() == word:
            self._at += 1
            return True
        return False

    def _peek_word(self) -> str:
        if self._at >= len(self._tokens):
            return ""
        kind, text = self._tokens[self._at]
        return text.lower() if kind == "name" else ""

    def _take(self) -> tuple[str, str]:
        if self._at >= len(self._tokens):
            raise Malformed("unexpected token: '<EOF>'")
        self._at += 1
        return self._tokens[self._at - 1]


def _tokens(text: str) -> list[tuple[str, str]]:
    found, at = [], 0
    stripped = text.rstrip()
    while at < len(stripped):
        match = _TOKEN.match(stripped, at)
        if match is None:
            raise Malformed(f"unexpected token: '{stripped[at:].strip()[:1]}'")
        kind = match.lastgroup or ""
        found.append((kind, match[kind]))
        at = match.end()
    return found


def _unescaped(text: str) -> str:
    return re.sub(r"\\(.)", lambda m: _ESCAPES.get(m[1], m[1]), text, flags=re.DOTALL)


def _folded(value: Any) -> Any:
    """Texts compare without their letters' case."""
    return value.casefold() if isinstance(value, str) else value


def _compared(field: str, sign: str, literal: Any) -> Test:
    wanted = _folded(literal)

    def test(row: Mapping[str, Any]) -> bool:
        held = _folded(_alike(row.get(field), literal))
        if sign == "=":
            return bool(held == wanted)
        if sign in {"!=", "<>"}:
            return bool(held != wanted)
        if held is None or wanted is None:
            return False
        low, high = held < wanted, held > wanted
        return bool({"<": low, ">": high, "<=": not high, ">=": not low}[sign])

    return test


def _alike(held: Any, literal: Any) -> Any:
    """A stored value in the form of a literal."""
    if isinstance(held, str) and isinstance(literal, datetime):
        return datetime.fromisoformat(held)
    if isinstance(held, str) and isinstance(literal, date):
        return date.fromisoformat(held[:10])
    return held


def _like(field: str, literal: Any) -> Test:
    if not isinstance(literal, str):
        raise Malformed("LIKE needs a text")
    parts = (re.escape(part).replace("_", ".") for part in literal.casefold().split("%"))
    pattern = re.compile(".*".join(parts), re.DOTALL)
    return lambda row: bool(pattern.fullmatch(str(row.get(field) or "").casefold()))
