"""Values for the hub's properties: ones that it takes, and hostile ones."""

from __future__ import annotations

from datetime import UTC, date, datetime, timedelta, timezone
from decimal import Decimal
from typing import Any

from hypothesis import strategies as st

from twofold.core.schema import Field, ObjectType
from twofold.core.values import TEXT_KINDS, Kind, Value, is_blank

TEXT = st.text(st.characters(exclude_categories=["Cs"], exclude_characters="\0"), max_size=20)
ZONES = st.integers(-14 * 60, 14 * 60).map(lambda minutes: timezone(timedelta(minutes=minutes)))
DECIMALS = st.decimals(-(10**30), 10**30, allow_nan=False, places=6) | st.integers().filter(
    lambda number: abs(number) < 10**38
).map(Decimal)

ONE: dict[Kind, st.SearchStrategy[Any]] = {
    **dict.fromkeys(TEXT_KINDS, TEXT),
    Kind.INT: st.integers(-(2**63), 2**63 - 1),
    Kind.DECIMAL: DECIMALS,
    Kind.BOOL: st.booleans(),
    Kind.DATE: st.dates(),
    Kind.DATETIME: st.datetimes(
        datetime(2, 1, 1),  # noqa: DTZ001 — hypothesis adds the zone
        datetime(9998, 1, 1),  # noqa: DTZ001
        timezones=ZONES,
    ),
}

ANYTHING: st.SearchStrategy[Any] = st.one_of(
    st.none(),
    st.text(),
    st.text(st.characters(categories=["Cs", "Cc", "Cf"])),
    st.integers(),
    st.booleans(),
    st.floats(),
    st.decimals(),
    st.dates(),
    st.datetimes(),
    st.datetimes(timezones=ZONES),
    st.sampled_from(
        [
            "",
            " \t\n",
            "\x00",
            "a\x00b",
            "\ud800",
            "x" * 65_537,
            2**63,
            -(2**63) - 1,
            10**400,
            Decimal("1e999999"),
            Decimal("-1e-999999"),
            Decimal("sNaN"),
            Decimal("-0"),
            float("nan"),
            date.min,
            datetime.max.replace(tzinfo=timezone(timedelta(hours=-14))),
            datetime.min.replace(tzinfo=timezone(timedelta(hours=14))),
            datetime.now(UTC),
            b"bytes",
            {"a": 1},
            [1],
            (),
            ("a", "a"),
            ("a", None),
            ("", " "),
            (1, "x"),
            ("\ud800",),
            tuple(map(str, range(1001))),
            (("nested",),),
        ]
    ),
)


def values(field: Field) -> st.SearchStrategy[Any]:
    """Values that the property takes, blanks included."""
    if field.kind is Kind.OWNER:
        return st.none()
    if field.options:
        one: st.SearchStrategy[Any] = st.sampled_from([option.value for option in field.options])
    else:
        one = ONE[field.kind]
    if field.multi:
        return st.none() | st.lists(one, max_size=3).map(tuple)
    return st.none() | one


def fields(kind: ObjectType, most: int = 5) -> st.SearchStrategy[dict[str, Value]]:
    """Some properties of an object type with values."""
    writable = [field for field in kind.fields if not field.read_only]
    return st.lists(
        st.sampled_from(writable).flatmap(
            lambda field: st.tuples(st.just(field.name), values(field))
        ),
        max_size=most,
    ).map(dict)


def kept(value: Value) -> Value:
    """The value as the hub gives it back: blanks are None, several values have no repetition."""
    if isinstance(value, tuple):
        return tuple(dict.fromkeys(item for item in value if not is_blank(item))) or None
    return None if is_blank(value) else value
