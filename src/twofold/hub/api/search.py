"""Search: filters in groups, one sort rule, pages, and the limits of the real one."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from datetime import timedelta
from itertools import islice
from typing import Any, Literal

import orjson
from msgspec import Struct

from twofold.core.schema import Field
from twofold.core.values import TEXT_KINDS, Kind
from twofold.hub.api import objects, reading, wire
from twofold.hub.api.calls import Answer, Call
from twofold.hub.api.faults import invalid
from twofold.hub.api.kinds import ID, Type
from twofold.hub.projection import Row
from twofold.hub.schema import CONTACT_COUNT
from twofold.hub.writing import EPOCH

PAGE, CAP = 200, 10_000
GROUPS, FILTERS, ALL_FILTERS = 5, 6, 18
LONGEST = 3_000
"""Characters of a body."""

_MICRO = timedelta(microseconds=1)
_FAR = 2**62
_WORDS = ("email", "firstname", "lastname", "phone", "company", "name", "domain", "dealname")
"""Properties that the words of ``query`` are looked for in."""


class Filter(Struct, frozen=True, rename="camel"):
    """One condition."""

    property_name: str
    operator: str
    value: str | None = None
    high_value: str | None = None
    values: list[str] | None = None


class Group(Struct, frozen=True):
    """Conditions that must all hold."""

    filters: list[Filter] = []


class Sort(Struct, frozen=True, rename="camel"):
    """The rule of order."""

    property_name: str
    direction: Literal["ASCENDING", "DESCENDING"] = "ASCENDING"


class Search(Struct, frozen=True, rename="camel"):
    """What is looked for; one of the groups must hold."""

    filter_groups: list[Group] = []
    sorts: list[Sort | str] = []
    query: str | None = None
    properties: list[str] = []
    limit: int = 10
    after: str | int | None = None


Test = Callable[[Any], bool]
Value = Callable[[Row, dict[str, Any]], Any]
"""A property of a row, of which the second argument is the body, in a form that compares."""


def search(call: Call) -> Answer:
    """Find records; archived ones are never found."""
    kind, asked = call.kind, _checked(call)
    start = _start(asked)
    found = _found(call, kind, asked)
    page = found[start : start + asked.limit]
    records = reading.here(call.hub, kind, [str(number) for number in page])
    names = objects.complete(kind, asked.properties)
    shown = [records[str(number)] for number in page if str(number) in records]
    answer: dict[str, Any] = {
        "total": len(found),
        "results": [reading.told(call.hub, kind, reading.Seen(r), names) for r in shown],
    }
    if start + asked.limit < len(found):
        answer["paging"] = {"next": {"after": str(start + asked.limit)}}
    return Answer(200, answer)


def _checked(call: Call) -> Search:
    if len(call.content.decode("utf-8", "replace")) > LONGEST:
        raise invalid(f"The body holds more than {LONGEST} characters", "BODY_TOO_LONG")
    asked = call.body(Search)
    groups = asked.filter_groups
    if len(groups) > GROUPS or any(len(group.filters) > FILTERS for group in groups):
        message = f"At most {GROUPS} filterGroups of at most {FILTERS} filters each"
        raise invalid(message, "TOO_MANY_FILTERS")
    if sum(len(group.filters) for group in groups) > ALL_FILTERS:
        raise invalid(f"At most {ALL_FILTERS} filters in all", "TOO_MANY_FILTERS")
    if len(asked.sorts) > 1:
        raise invalid("Only one sort rule is supported", "TOO_MANY_SORTS")
    if not 1 <= asked.limit <= PAGE:
        raise invalid(f"limit must be between 1 and {PAGE}", "INVALID_LIMIT")
    return asked


def _start(asked: Search) -> int:
    text = str(asked.after or "0")
    if not (text.isascii() and text.isdecimal()):
        raise invalid("after must be the one of the page before", "INVALID_AFTER")
    start = int(text[:20])
    if start + asked.limit > CAP:
        raise invalid(f"A search gives at most {CAP} results", "CAP_EXCEEDED")
    return start


def _found(call: Call, kind: Type, asked: Search) -> list[int]:
    """The ids of all that is found, in order."""
    groups = [[_condition(kind, one) for one in group.filters] for group in asked.filter_groups]
    words = (asked.query or "").casefold().split()
    until = (call.now - call.realism.index_lag - EPOCH) // _MICRO
    until = until if call.realism.index_lag else _FAR
    above, since = _bounds(kind, asked)
    order = _order(kind, asked)
    found = []
    rows = reading.everything(call.hub, kind, above, since, until)
    while chunk := list(islice(rows, 1_000)):
        for row in call.hub.counted(chunk) if kind.name == "company" else chunk:
            body = orjson.loads(row[3])
            held = any(all(test(value(row, body)) for value, test in group) for group in groups)
            if (held or not groups) and _says(body, words):
                found.append((order(row, body), row[0]))
    rule = asked.sorts[0] if asked.sorts else ""
    descending = not isinstance(rule, str) and rule.direction == "DESCENDING"
    found.sort(key=lambda pair: pair[1])
    found.sort(key=lambda pair: pair[0], reverse=descending)
    return [number for _, number in found]


def _bounds(kind: Type, asked: Search) -> tuple[int, int]:
    """What every group demands of id and time, so that not all rows are looked at.

    Only for a search with one group: the one by which programs follow changes.
    """
    above, since = 0, 0
    for one in asked.filter_groups[0].filters if len(asked.filter_groups) == 1 else ():
        field = kind.field(one.property_name)
        if field is None or one.operator not in {"GT", "GTE"} or one.value is None:
            continue
        if one.property_name == ID:
            above = max(above, int(_comparable(field, one.value)) - (one.operator == "GTE"))
        elif one.property_name == kind.modified:
            since = max(since, _comparable(field, one.value) * 1_000)
    return max(0, min(above, _FAR)), max(0, min(since, _FAR))


def _order(kind: Type, asked: Search) -> Value:
    if not asked.sorts:
        return lambda row, body: 0
    rule = asked.sorts[0]
    value = _value(kind, rule if isinstance(rule, str) else rule.property_name)

    def order(row: Row, body: dict[str, Any]) -> Any:
        found = value(row, body)
        return (found is not None, found if found is not None else 0)

    return order


def _says(body: dict[str, Any], words: Sequence[str]) -> bool:
    text = " ".join(str(body[name]) for name in _WORDS if name in body).casefold() if words else ""
    return all(word in text for word in words)


def _field(kind: Type, name: str) -> Field:
    field = kind.field(name)
    if field is None:
        message = f"There is no property {name[:60]} of {kind.plural}"
        raise invalid(message, "PROPERTY_DOESNT_EXIST", propertyName=name)
    return field


def _value(kind: Type, name: str) -> Value:
    field = _field(kind, name)
    if name == ID:
        return lambda row, body: row[0]
    if name == kind.modified:
        return lambda row, body: row[2] // 1_000
    if name == CONTACT_COUNT:
        return lambda row, body: body[name]
    if field.multi:
        return lambda row, body: [item.casefold() for item in body[name]] if name in body else None
    return lambda row, body: _comparable(field, body[name]) if name in body else None


def _comparable(field: Field, kept: Any) -> Any:
    """A kept or sent value in a form that compares: numbers, milliseconds, text without case."""
    if not isinstance(kept, str):
        return str(kept).lower() if isinstance(kept, bool) else kept
    if field.kind in TEXT_KINDS or field.kind in {Kind.CHOICE, Kind.OWNER, Kind.BOOL}:
        return kept.casefold()
    try:
        if field.kind is Kind.DATETIME:
            return (wire.instant(kept) - EPOCH) // timedelta(milliseconds=1)
        return wire.day(kept).isoformat() if field.kind is Kind.DATE else wire.number(kept)
    except (ValueError, ArithmeticError):
        words = f"{kept[:60]} is not a valid value of {field.name}"
        raise invalid(words, "INVALID_FILTER_VALUE", propertyName=field.name) from None


def _condition(kind: Type, one: Filter) -> tuple[Value, Test]:
    """How one filter is tried.

    Raises:
        Fault: 400, an operator that there is not, or one without its value.
    """
    field = _field(kind, one.property_name)
    build = _OPERATORS.get(one.operator)
    if build is None:
        raise invalid(f"There is no operator {one.operator[:40]}", "INVALID_OPERATOR")
    needed, test = build
    lacks = {
        "value": one.value is None,
        "values": not one.values,
        "high": one.value is None or one.high_value is None,
    }
    if lacks.get(needed):
        raise invalid(f"{one.operator} of {one.property_name} lacks a value", "INVALID_FILTER")
    if field.multi and one.operator in {"LT", "LTE", "GT", "GTE", "BETWEEN"}:
        message = f"{one.operator} cannot be used with {field.name}, which holds several values"
        raise invalid(message, "INVALID_OPERATOR")
    sent = [t for t in (one.value, one.high_value, *(one.values or ())) if t is not None]
    word = "TOKEN" in one.operator
    wanted = [t.casefold() if word else _comparable(field, t) for t in sent]
    return _value(kind, one.property_name), lambda held: test(held, wanted)


def _is(held: Any, wanted: Sequence[Any]) -> bool:
    """Whether a value, or one of several, is one of those wanted."""
    if isinstance(held, list):
        return any(item in wanted for item in held)
    return held is not None and held in wanted


def _token(held: Any, wanted: Sequence[Any]) -> bool:
    """Whether the words of a text begin with those wanted; a star stands for any letters."""
    if held is None:
        return False
    text = " ".join(held) if isinstance(held, list) else str(held)
    for sign in "@.-_,;":
        text = text.replace(sign, " ")
    words = text.split()
    asked = str(wanted[0])
    for sign in "@.-_,;":
        asked = asked.replace(sign, " ")
    return all(_word(words, part) for part in asked.split())


def _word(words: Sequence[str], part: str) -> bool:
    bare = part.strip("*")
    if part.startswith("*") and part.endswith("*"):
        return any(bare in word for word in words)
    if part.startswith("*"):
        return any(word.endswith(bare) for word in words)
    return any(word.startswith(bare) if part.endswith("*") else word == bare for word in words)


def _between(held: Any, wanted: Sequence[Any]) -> bool:
    return held is not None and wanted[0] <= held <= wanted[1]


_OPERATORS: dict[str, tuple[str, Callable[[Any, Sequence[Any]], bool]]] = {
    "EQ": ("value", _is),
    "NEQ": ("value", lambda held, wanted: not _is(held, wanted)),
    "LT": ("value", lambda held, wanted: held is not None and held < wanted[0]),
    "LTE": ("value", lambda held, wanted: held is not None and held <= wanted[0]),
    "GT": ("value", lambda held, wanted: held is not None and held > wanted[0]),
    "GTE": ("value", lambda held, wanted: held is not None and held >= wanted[0]),
    "BETWEEN": ("high", _between),
    "IN": ("values", _is),
    "NOT_IN": ("values", lambda held, wanted: not _is(held, wanted)),
    "HAS_PROPERTY": ("", lambda held, wanted: held is not None),
    "NOT_HAS_PROPERTY": ("", lambda held, wanted: held is None),
    "CONTAINS_TOKEN": ("value", _token),
    "NOT_CONTAINS_TOKEN": ("value", lambda held, wanted: not _token(held, wanted)),
}
