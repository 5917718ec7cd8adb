"""Fields, and the values that a side may show in them, for the properties of the core."""

from __future__ import annotations

from datetime import UTC, date, datetime, timedelta, timezone
from decimal import Decimal
from zoneinfo import ZoneInfo

from hypothesis import strategies as st

from twofold.core.mappings import CustomMatching, Direction, FieldMapping, Matching, Rules
from twofold.core.schema import Field, ObjectType, Option
from twofold.core.values import Kind, Value

ZONES = (
    "UTC",
    "Europe/Amsterdam",
    "America/New_York",
    "Asia/Kathmandu",
    "America/Sao_Paulo",  # skipped midnight in spring, until 2018
    "Africa/Cairo",
    "Asia/Beirut",
    "Pacific/Kiritimati",
    "America/Havana",  # repeats midnight in autumn
)
PEOPLE = (
    Option("u1", "Ada", email="ada@firm.example"),
    Option("u2", "Bob", email="BOB@firm.example"),
)
COLORS = (Option("r", "Red"), Option("g", "Green"), Option("b", "Blue"))


def field(kind: Kind, name: str = "f", **facts: object) -> Field:
    """A field of a kind; choices get three colors, owners two people."""
    if kind is Kind.CHOICE:
        facts.setdefault("options", COLORS)
    if kind is Kind.OWNER:
        facts.setdefault("options", PEOPLE)
    return Field(name, name.title(), kind, **facts)  # type: ignore[arg-type]


def object_type(*fields: Field, label: str = "Contact") -> ObjectType:
    """An object type of these fields."""
    return ObjectType(label.lower(), label, fields)


def rules_of(
    *mappings: FieldMapping,
    direction: Direction = Direction.BOTH,
    matching: Matching | CustomMatching = Matching.NONE,
    require_email: bool = False,
    more_hub: tuple[Field, ...] = (),
    more_app: tuple[Field, ...] = (),
) -> Rules:
    """A sync of these mappings, over object types that have their fields, and more."""
    return Rules(
        object_type(*(m.hub for m in mappings), *more_hub),
        object_type(*(m.app for m in mappings), *more_app, label="Customer"),
        mappings,
        direction,
        matching=matching,
        require_email=require_email,
    )


def same_name(*names: str) -> tuple[FieldMapping, ...]:
    """Text fields mapped to fields of the same name with a prefix, so that no test mixes sides."""
    return tuple(
        FieldMapping(field(Kind.TEXT, name), field(Kind.TEXT, f"app_{name}")) for name in names
    )


texts = st.text(max_size=12) | st.sampled_from(
    [
        "Ada",
        " Ada ",
        "Zoë",
        "Zoe\u0308",
        "a\r\nb",
        "a\rb",
        "a\nb",
        "\u2000",
        "ß",
        "\u017f",
        "İ",
        "ΐ",
        "K",
    ]
)
wholes = st.integers(-(2**63), 2**63 - 1)
decimals = st.decimals(allow_nan=False, allow_infinity=False, min_value=-(10**9), max_value=10**9)
offsets = st.integers(-14 * 60, 14 * 60).map(lambda m: timezone(timedelta(minutes=m)))
instants = st.datetimes(
    min_value=datetime(1900, 1, 2),  # noqa: DTZ001  # the strategy adds the zone
    max_value=datetime(2100, 1, 1),  # noqa: DTZ001
    timezones=st.just(UTC) | offsets | st.sampled_from([ZoneInfo(z) for z in ZONES]),
)
days = st.dates(min_value=date(1900, 1, 2), max_value=date(2100, 1, 1))
phones = st.from_regex(
    r"(\+|0|00|\+44 \(0\)|tel:)?[0-9][0-9 ()./-]{3,14}( x[0-9]{1,3})?", fullmatch=True
)
emails = st.from_regex(r" ?[A-Za-z.]{1,6}@[a-z]{1,5}\.(com|ORG|test) ?", fullmatch=True)
choices = st.sampled_from(["r", "g", "b"])

BY_KIND: dict[Kind, st.SearchStrategy[Value]] = {
    Kind.TEXT: texts,
    Kind.URL: texts,
    Kind.EMAIL: emails | texts,
    Kind.PHONE: phones | texts,
    Kind.INT: wholes,
    Kind.DECIMAL: decimals | wholes,
    Kind.BOOL: st.booleans(),
    Kind.DATE: days,
    Kind.DATETIME: instants,
    Kind.CHOICE: choices,
    Kind.OWNER: st.sampled_from(["u1", "u2"]),
}


def values_of(of: Field) -> st.SearchStrategy[Value]:
    """What a side may properly show in a field."""
    one = BY_KIND[of.kind]
    return st.lists(one, max_size=3).map(tuple) if of.multi else one  # type: ignore[arg-type]


anything: st.SearchStrategy[Value] = st.one_of(
    st.none(),
    texts,
    phones,
    emails,
    wholes,
    st.decimals(),
    st.booleans(),
    st.dates(),
    st.datetimes(timezones=st.none() | offsets),
    st.lists(texts | wholes | st.booleans() | st.just(10**5000), max_size=3).map(tuple),
    st.sampled_from([Decimal("1E+999999"), Decimal("sNaN"), 10**5000, "\ud800", "a\0b", ()]),
)
"""What a hostile or broken app may show in any field."""
