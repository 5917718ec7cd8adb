"""What is stored of records, notes, flips and outcomes, and back."""

from __future__ import annotations

from datetime import UTC, date, datetime, timedelta, timezone
from decimal import Decimal

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from twofold.core.errors import Issue
from twofold.core.health import Outcome, State
from twofold.core.links import Flip, Note, Sent
from twofold.core.records import Side
from twofold.core.values import Value
from twofold.store.codec import decode, encode
from twofold.store.linkrows import (
    decode_flips,
    decode_note,
    decode_outcome,
    encode_flips,
    encode_note,
    encode_outcome,
)

offsets = st.timedeltas(timedelta(hours=-23), timedelta(hours=23))
instants = st.datetimes(timezones=st.one_of(st.just(UTC), st.builds(timezone, offsets)))
whole = st.text()  # without halves of surrogate pairs, NUL included
scalars: st.SearchStrategy[Value] = st.one_of(
    whole,
    st.booleans(),
    st.integers(),
    st.integers(-(10**30), 10**30),
    st.decimals(allow_nan=False, allow_infinity=False),
    st.dates(),
    instants,
)
values: st.SearchStrategy[Value] = st.one_of(
    st.none(), scalars, st.lists(scalars, max_size=4).map(tuple)
)
fields = st.dictionaries(whole, values, max_size=6)
broken_text = st.text(st.characters(categories=("Cs", "L")))


def spelled(value: Value) -> object:
    """A value with its types: True is not 1, and 1.0 is not 1.00."""
    if isinstance(value, tuple):
        return tuple(map(spelled, value))
    if isinstance(value, datetime):
        return (datetime, value.isoformat())
    return (type(value), str(value) if isinstance(value, Decimal) else value)


@given(fields)
@example({"n": Decimal("1E+999999"), "z": Decimal("-0.00"), "few": Decimal("1E-999999")})
@example({"long": 1 << 63, "longer": -(10**30), "list": (1, True, 10**40, "", Decimal(1))})
@example({"t": datetime(1, 1, 1, tzinfo=timezone(timedelta(hours=5, seconds=7, microseconds=1)))})
@example({"t": datetime(2026, 10, 25, 2, 30, fold=1, tzinfo=UTC), "d": date.max, "none": ()})
def test_values_come_back_as_they_were(record: dict[str, Value]) -> None:
    back = decode(encode(record))
    assert back == record
    assert {n: spelled(v) for n, v in back.items()} == {n: spelled(v) for n, v in record.items()}


def test_a_number_of_ten_thousand_digits_comes_back() -> None:
    huge = 10**10_000
    assert decode(encode({"n": huge, "many": (-huge, 1)})) == {"n": huge, "many": (-huge, 1)}


@given(fields)
def test_equal_fields_are_equal_bytes(record: dict[str, Value]) -> None:
    turned = dict(reversed(record.items()))
    assert encode(turned) == encode(record)


@given(st.dictionaries(broken_text, st.one_of(broken_text, st.tuples(broken_text, values))))
@example({"a": "\ud83d", "b": "x\udfffy\U0001f600", "c": ("\ud800", 1 << 70)})
def test_broken_text_is_stored_with_a_sign_in_its_place(record: dict[str, Value]) -> None:
    """Whatever an app shows is stored, and what is stored is stored as the same bytes again."""
    data = encode(record)
    back = decode(data)
    assert "�" in str(back) or back == record
    assert encode(back) == data


def test_only_what_is_broken_is_replaced() -> None:
    record: dict[str, Value] = {"a": "x\udfffy\U0001f600", "b": ("\ud800", 1 << 70), "c": "é\0"}
    assert decode(encode(record)) == {"a": "x�y\U0001f600", "b": ("�", 1 << 70), "c": "é\0"}


@pytest.mark.parametrize("number", ["NaN", "sNaN", "-Infinity"])
def test_a_number_that_is_none_is_stored_as_text(number: str) -> None:
    """NaN is not even equal to itself, and comparing a signaling one is an error."""
    back = decode(encode({"n": Decimal(number), "many": (Decimal(number), Decimal(1))}))
    assert back == {"n": number, "many": (number, Decimal(1))}


def test_what_is_no_value_is_a_mistake_of_a_connector() -> None:
    with pytest.raises(TypeError, match="bytes"):
        encode({"photo": b"\xff"})  # type: ignore[dict-item]


# --- links ----------------------------------------------------------------------------------

names = st.one_of(st.sampled_from(["email", "a:b", "@company", ":", "hub"]), whole)
sent = st.builds(Sent, values, values, values)


@given(st.dictionaries(st.sampled_from(Side), st.dictionaries(names, sent, max_size=4)))
def test_notes_come_back(note: Note) -> None:
    """A side that is written has an entry, though only an association is: it must be looked at."""
    assert decode_note(encode_note(note)) == note


flips = st.builds(
    Flip, st.dictionaries(st.sampled_from(Side), values, min_size=1), st.integers(0, 9)
)


@given(st.dictionaries(names, flips, min_size=1))
def test_flips_come_back(counted: dict[str, Flip]) -> None:
    data = encode_flips(counted)
    assert data is not None
    assert decode_flips(data) == counted
    assert encode_flips({}) is None


def test_outcomes_come_back_and_say_nothing_where_there_is_nothing_to_say() -> None:
    told = Outcome(State.FAILING, (Issue("TF-R03", "No.", "email", "7", "é"),), ("1", "2"))
    assert decode_outcome(2, encode_outcome(told)) == told
    for state in State:
        assert encode_outcome(Outcome(state)) is None
        assert decode_outcome(int(state), None) == Outcome(state)


def test_an_app_that_refuses_in_broken_words_ends_no_run() -> None:
    text = encode_outcome(Outcome(State.FAILING, (Issue("TF-R03", "Nó \ud83d!"),), ("\udfff",)))
    back = decode_outcome(2, text)
    assert (back.issues[0].sentence, back.candidates) == ("Nó �!", ("�",))
