"""Criteria in words, and back: ``country is any of Belgium, Netherlands``.

A value is put into double quotes where it could be mistaken for something else; a quote within is
doubled. ``criterion`` reads what ``words`` says.
"""

from __future__ import annotations

import csv
import re
from collections.abc import Iterable, Sequence

from twofold.core.errors import TwofoldError
from twofold.core.filters import Criterion, Filter, Group, Operator

OR = "or"
"""The word that begins another group."""


def words(criterion: Criterion) -> str:
    """A criterion as people read and write it."""
    field, operator = _field_words(criterion.field), criterion.operator
    values = [_value_words(value) for value in criterion.values]
    if operator is Operator.LAST_DAYS:
        return f"{field} is in the last {' '.join(values)} days"
    between = " and " if operator is Operator.BETWEEN else ", "
    return " ".join(filter(None, (field, operator.value, between.join(values))))


def filter_words(asked: Filter) -> list[str]:
    """A filter as one line per criterion, with the word *or* between groups."""
    lines: list[str] = []
    for number, group in enumerate(asked.groups):
        lines += [OR] if number else []
        lines += map(words, group.criteria)
    return lines


def parsed(lines: Iterable[str], fields: Sequence[str]) -> Filter:
    """The inverse of ``filter_words``; ``fields`` are the names that the object type has.

    Raises:
        TwofoldError: TF-L10, a line that is no criterion; TF-L07, a group without any.
    """
    groups: list[list[Criterion]] = []
    for line in lines:
        if line.strip() == OR:
            groups += [[]] if groups else [[], []]
        else:
            groups = groups or [[]]
            groups[-1].append(criterion(line, fields))
    if any(not group for group in groups):
        raise TwofoldError("TF-L07")
    return Filter(tuple(Group(tuple(group)) for group in groups))


_PHRASES = (
    (Operator.LAST_DAYS, r"is in the last (?P<values>\S+) days?"),
    (Operator.KNOWN, r"is known"),
    (Operator.UNKNOWN, r"is unknown"),
    (Operator.ANY_OF, r"is any of (?P<values>.+)"),
    (Operator.BETWEEN, r"(?:is )?between (?P<values>.+)"),
    (Operator.GREATER, r"(?:is )?(?:greater than|>) ?(?P<values>.+)"),
    (Operator.LESS, r"(?:is )?(?:less than|<) ?(?P<values>.+)"),
    (Operator.BEFORE, r"(?:is )?before (?P<values>.+)"),
    (Operator.AFTER, r"(?:is )?after (?P<values>.+)"),
    (Operator.STARTS_WITH, r"starts with (?P<values>.+)"),
    (Operator.CONTAINS, r"contains (?P<values>.+)"),
    (Operator.IS_NOT, r"is not (?P<values>.+)"),
    (Operator.IS, r"is (?!(?:any of|in the last|between)\b)(?P<values>.+)"),
)
"""Operators as people write them; the first that fits counts."""

_QUOTED = re.compile(r'"((?:[^"]|"")*)"', re.DOTALL)


def criterion(text: str, fields: Sequence[str] = ()) -> Criterion:
    """Read one criterion. A field name with blanks is found among ``fields``, or quoted.

    Raises:
        TwofoldError: TF-L10, this is none.
    """
    field, rest = _field(text.strip(), fields)
    for operator, phrase in _PHRASES:
        found = re.fullmatch(phrase, rest, re.IGNORECASE | re.DOTALL)
        if found:
            given = found.groupdict().get("values")
            return Criterion(field, operator, () if given is None else _values(operator, given))
    raise TwofoldError("TF-L10", text=text)


def _field(text: str, fields: Sequence[str]) -> tuple[str, str]:
    quoted = _QUOTED.match(text)
    if quoted:
        return quoted[1].replace('""', '"'), text[quoted.end() :].strip()
    known = [name for name in fields if text.startswith(f"{name} ")]
    name = max(known, key=len, default=text.partition(" ")[0])
    return name, text[len(name) :].strip()


def _values(operator: Operator, given: str) -> tuple[str, ...]:
    if operator is Operator.ANY_OF:
        try:
            rows = list(csv.reader([given], skipinitialspace=True))
        except csv.Error as error:
            raise TwofoldError("TF-L10", text=given) from error
        return tuple(value.strip() for row in rows for value in row)
    if operator is Operator.BETWEEN:
        ends = re.fullmatch(rf"({_END}) and ({_END})", given.strip(), re.DOTALL | re.IGNORECASE)
        return (_plain(given),) if ends is None else (_plain(ends[1]), _plain(ends[2]))
    return (_plain(given),)


_END = r'"(?:[^"]|"")*"|[^"]+?'


def _plain(value: str) -> str:
    quoted = _QUOTED.fullmatch(value.strip())
    return quoted[1].replace('""', '"') if quoted else value.strip()


_SAFE = re.compile(r"[\w@.:+/-]+(?: [\w@.:+/-]+)*")
_MISTAKABLE = frozenset({"known", "unknown", "not", "any", "between", "in", "and", "before"})
_MISTAKABLE |= {"after", "greater", "less", "of", "or", "the", "last", "than"}


def _value_words(value: str) -> str:
    safe = _SAFE.fullmatch(value) and not _MISTAKABLE & set(value.casefold().split())
    return value if safe else '"' + value.replace('"', '""') + '"'


def _field_words(name: str) -> str:
    return name if re.fullmatch(r"[\w.@:-]+", name) else '"' + name.replace('"', '""') + '"'
