"""Limits: which records a side sends (L2, L3), as data that a file, a page and a test share.

A filter is a list of groups, of which one must be met; a group is a list of criteria, all of which
must be met. Values are kept as text, as a person wrote them, and read by the kind of their field
(`twofold.core.filter_values`), so that nothing changes on the way through JSON or YAML.
"""

from __future__ import annotations

from collections.abc import Mapping
from enum import StrEnum

from msgspec import Struct

from twofold.core.values import NUMBER_KINDS, TEXT_KINDS, Kind


class Operator(StrEnum):
    """What a criterion asks of a field; the value is the word that people read and write."""

    IS = "is"
    IS_NOT = "is not"
    ANY_OF = "is any of"
    CONTAINS = "contains"
    STARTS_WITH = "starts with"
    KNOWN = "is known"
    UNKNOWN = "is unknown"
    GREATER = "is greater than"
    LESS = "is less than"
    BETWEEN = "is between"
    BEFORE = "is before"
    AFTER = "is after"
    LAST_DAYS = "is in the last days"

    @property
    def least(self) -> int:
        """The fewest values that it takes."""
        return _TAKES.get(self, (1, 1))[0]

    @property
    def most(self) -> int:
        """The most values that it takes."""
        return _TAKES.get(self, (1, 1))[1]


MOST_VALUES = 1_000
"""Of one list; also the most criteria of a filter."""

_TAKES: Mapping[Operator, tuple[int, int]] = {
    Operator.ANY_OF: (1, MOST_VALUES),
    Operator.KNOWN: (0, 0),
    Operator.UNKNOWN: (0, 0),
    Operator.BETWEEN: (2, 2),
}

_EQUAL = (Operator.IS, Operator.IS_NOT, Operator.ANY_OF)
_PRESENCE = (Operator.KNOWN, Operator.UNKNOWN)
_TEXT = (*_EQUAL, Operator.CONTAINS, Operator.STARTS_WITH, *_PRESENCE)
_NUMBER = (*_EQUAL, Operator.GREATER, Operator.LESS, Operator.BETWEEN, *_PRESENCE)
_TIME = (
    *_EQUAL,
    Operator.BEFORE,
    Operator.AFTER,
    Operator.BETWEEN,
    Operator.LAST_DAYS,
    *_PRESENCE,
)

OPERATORS: Mapping[Kind, tuple[Operator, ...]] = {
    **dict.fromkeys(sorted(TEXT_KINDS), _TEXT),
    **dict.fromkeys(sorted(NUMBER_KINDS), _NUMBER),
    Kind.BOOL: (Operator.IS, Operator.IS_NOT, *_PRESENCE),
    Kind.DATE: _TIME,
    Kind.DATETIME: _TIME,
    Kind.CHOICE: (*_EQUAL, *_PRESENCE),
    Kind.OWNER: (*_EQUAL, *_PRESENCE),
}
"""The operators that suit each kind of field: validation, pages and docs read this table."""


class Criterion(Struct, frozen=True):
    """One question about one field of a side."""

    field: str
    operator: Operator
    values: tuple[str, ...] = ()
    """As written: numbers plain, dates and datetimes in ISO 8601, options by value or label."""


class Group(Struct, frozen=True):
    """Criteria that must all be met."""

    criteria: tuple[Criterion, ...]


class Filter(Struct, frozen=True):
    """Groups of which one must be met; without any, every record meets it."""

    groups: tuple[Group, ...] = ()

    def __bool__(self) -> bool:
        return bool(self.groups)

    @property
    def fields(self) -> tuple[str, ...]:
        """The fields that it asks about, each once."""
        return tuple(dict.fromkeys(c.field for group in self.groups for c in group.criteria))


NO_FILTER = Filter()


def all_of(*criteria: Criterion) -> Filter:
    """The usual filter: every criterion must be met."""
    return Filter((Group(criteria),))


class Leaving(StrEnum):
    """What happens to a synced record that no longer meets its limit (L4, L5)."""

    STOP = "stop"
    """Nothing more is sent; nothing is deleted."""
    FINAL = "final_update"
    """What it holds at that moment is sent once more, then nothing."""
    KEEP = "keep"
    """Once in, it goes on."""
    ARCHIVE = "archive"
    """Nothing more is sent, and its twin is archived."""
