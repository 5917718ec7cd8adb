"""Formatting differences are never changes (F-canon), and nothing else is one."""

from __future__ import annotations

from datetime import UTC, date, datetime, timedelta, timezone
from decimal import Decimal
from zoneinfo import ZoneInfo

import phonenumbers
import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st
from tests.core.fields import BY_KIND, anything, field, phones, texts, values_of

from twofold.core.normalize import Canonical, canonicalizer
from twofold.core.values import Kind, Value, is_blank

KINDS = st.sampled_from(Kind)
REGIONS = st.sampled_from(["", "GB", "US", "IT"])


def form(kind: Kind, value: Value, region: str = "", multi: bool = False) -> Canonical:
    return canonicalizer(field(kind, multi=multi), region)(value)


@given(KINDS, st.booleans(), REGIONS, anything)
@example(Kind.PHONE, False, "GB", "+999 123 45")
@example(Kind.PHONE, False, "GB", "+44 00 20 7946")
@example(Kind.PHONE, False, "GB", "+44 00548344248")
@example(Kind.PHONE, False, "IT", "06 698 1234")
def test_twice_is_once(kind: Kind, multi: bool, region: str, value: Value) -> None:
    normalize = canonicalizer(field(kind, multi=multi), region)
    once = normalize(value)
    again = normalize(tuple(once) if isinstance(once, frozenset) else once)  # type: ignore[arg-type]
    assert again == once
    assert hash(again) == hash(once)


@given(phones, REGIONS)
def test_phone_twice_is_once(value: str, region: str) -> None:
    once = form(Kind.PHONE, value, region)
    assert form(Kind.PHONE, once, region) == once  # type: ignore[arg-type]


@given(KINDS, st.booleans(), anything)
def test_blank_exactly_when_the_value_is(kind: Kind, multi: bool, value: Value) -> None:
    members = value if isinstance(value, tuple) else (value,)
    assert (form(kind, value, multi=multi) is None) == all(is_blank(v) for v in members)


@given(KINDS.flatmap(lambda k: st.tuples(st.just(k), BY_KIND[k], BY_KIND[k])))
def test_order_of_several_values_does_not_matter(case: tuple[Kind, Value, Value]) -> None:
    kind, one, other = case
    pair = (one, other)
    there = form(kind, pair, multi=True)  # type: ignore[arg-type]
    assert there == form(kind, (None, *pair[::-1], one), multi=True)  # type: ignore[arg-type]


@given(texts, texts)
def test_different_words_stay_different(one: str, other: str) -> None:
    flat = {" ".join(t.split("\r\n")).replace("\r", " ").replace("\n", " ") for t in (one, other)}
    if len({t.strip() for t in flat}) == 2 and (one + other).isascii():
        assert form(Kind.TEXT, one) != form(Kind.TEXT, other)


@pytest.mark.parametrize(
    ("kind", "one", "other"),
    [
        (Kind.TEXT, "Zo\u0308e", "Z\u00f6e"),
        (Kind.TEXT, "\u00a0Ada\t", "Ada"),
        (Kind.TEXT, "a\r\nb\rc", "a\nb\nc"),
        (Kind.TEXT, "  ", None),
        (Kind.EMAIL, " Ada@Example.ORG", "ada@example.org"),
        (Kind.EMAIL, "STRASSE@x.de", "straße@x.de"),
        (Kind.PHONE, "+44 (0)20 7946 0018", "+442079460018"),
        (Kind.PHONE, "020 7946 0018", "+44 20 7946 0018"),
        (Kind.PHONE, "+4402079460018", "+442079460018"),
        (Kind.PHONE, "+2001001234567", "+201001234567"),
        (Kind.PHONE, "+310612345678", "+31612345678"),
        (Kind.PHONE, "+788281831620", "+78281831620"),
        (Kind.PHONE, "tel:+44-20-7946-0018", "+442079460018"),
        (Kind.PHONE, "+1 202 555 0123 ext. 4", "+12025550123;ext=4"),
        (Kind.PHONE, "٠٢٠٧٩٤٦٠٠١٨", "02079460018"),
        (Kind.PHONE, "999-999-999-999-999-999", "99 99 99 99 99 99 99 99 99"),
        (Kind.DECIMAL, 1, Decimal("1.00")),
        (Kind.INT, Decimal("1E+2"), 100),
        (Kind.DECIMAL, Decimal("-0"), 0),
        (
            Kind.DATETIME,
            datetime(2024, 7, 1, 12, tzinfo=UTC),
            datetime(2024, 7, 1, 14, tzinfo=ZoneInfo("Europe/Amsterdam")),
        ),
        (
            Kind.DATE,
            datetime(2024, 7, 1, 23, tzinfo=timezone(timedelta(hours=9))),
            date(2024, 7, 1),
        ),
        (Kind.CHOICE, "gold ", "gold"),
    ],
)
def test_same_thing(kind: Kind, one: Value, other: Value) -> None:
    assert form(kind, one, "GB") == form(kind, other, "GB")
    assert hash(form(kind, one, "GB")) == hash(form(kind, other, "GB"))


@pytest.mark.parametrize(
    ("kind", "one", "other"),
    [
        (Kind.TEXT, "Ada", "ada"),
        (Kind.TEXT, "a b", "a  b"),
        (Kind.DECIMAL, 1, True),
        (Kind.BOOL, False, None),
        (Kind.INT, 0, None),
        (Kind.PHONE, "+12025550123", "+12025550123 x4"),
        (Kind.PHONE, "1-800-FLOWERS", "1-800-CANDIES"),
        (Kind.PHONE, "0207 946 0018 (Ann)", "0207 946 0018 (Bob)"),
        (Kind.PHONE, "unknown", None),
        (Kind.DATE, date(2024, 7, 1), date(2024, 7, 2)),
        (Kind.CHOICE, "gold", "Gold"),
    ],
)
def test_different_things(kind: Kind, one: Value, other: Value) -> None:
    assert form(kind, one, "GB") != form(kind, other, "GB")


def test_the_repeated_hour_of_autumn_is_two_instants() -> None:
    zone = ZoneInfo("Europe/Amsterdam")
    first = datetime(2024, 10, 27, 2, 30, tzinfo=zone)
    assert form(Kind.DATETIME, first) != form(Kind.DATETIME, first.replace(fold=1))
    assert form(Kind.DATETIME, first) == datetime(2024, 10, 27, 0, 30, tzinfo=UTC)


@given(st.integers(10**6, 10**14).map(lambda number: f"+{number}"))
@settings(max_examples=300)
def test_the_fast_path_leaves_what_the_parser_leaves(value: str) -> None:
    try:
        parsed = phonenumbers.parse(value)
    except phonenumbers.NumberParseException:
        return
    written = phonenumbers.format_number(parsed, phonenumbers.PhoneNumberFormat.E164)
    if form(Kind.PHONE, value) == value:
        assert written == value


@pytest.mark.parametrize("region", sorted(phonenumbers.SUPPORTED_REGIONS))
def test_every_country_s_numbers_are_equal_in_every_format(region: str) -> None:
    """The fast path for E.164 must agree with the parser, country by country."""
    formats = phonenumbers.PhoneNumberFormat
    for number_type in (
        phonenumbers.PhoneNumberType.MOBILE,
        phonenumbers.PhoneNumberType.FIXED_LINE,
    ):
        number = phonenumbers.example_number_for_type(region, number_type)
        if number is None:
            continue
        plain = phonenumbers.format_number(number, formats.E164)
        for how in (formats.INTERNATIONAL, formats.NATIONAL, formats.RFC3966):
            written = phonenumbers.format_number(number, how)
            assert form(Kind.PHONE, written, region) == form(Kind.PHONE, plain, region) == plain


@given(KINDS.flatmap(lambda k: values_of(field(k))))
def test_canonical_values_have_one_hash(value: Value) -> None:
    for kind in Kind:
        hash(form(kind, value))
