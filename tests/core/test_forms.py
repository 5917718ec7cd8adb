"""A value of an app's own form is ours; any other value is somebody's edit."""

from __future__ import annotations

from decimal import Decimal

import pytest
from hypothesis import given
from hypothesis import strategies as st

from twofold.core.forms import arrived
from twofold.core.values import Value


def _as_is(value: Value) -> object:
    return value


@pytest.mark.parametrize(
    ("holds", "sent"),
    [
        ("Ada", " ada "),
        ("+4930123456", "+49 (30) 123-456"),
        ("STRASSE", "straße"),
        (Decimal("12.3"), Decimal("12.26")),
        (Decimal("12.2"), Decimal("12.26")),
        (12, Decimal("12.49")),
        (("b", "A"), ("a", "B")),
    ],
)
def test_a_form_of_its_own(holds: Value, sent: Value) -> None:
    assert arrived(_as_is, holds, sent)


@pytest.mark.parametrize(
    ("holds", "sent"),
    [
        ("Ada L", "Ada"),
        ("", "-"),
        ("!", "-"),
        (None, "Ada"),
        ("Ada", None),
        (Decimal("12.4"), Decimal("12.26")),
        (Decimal("12.36"), Decimal("12.26")),
        (13, 12),
        (1200, 1249),
        (Decimal("1E+2"), 105),
        (Decimal("Infinity"), 1),
        (1, Decimal("Infinity")),
        (Decimal("NaN"), 1),
        (True, 1),
        (1, True),
        ("1", 1),
        (("a",), ("a", "b")),
        (("a",), "a"),
    ],
)
def test_an_edit(holds: Value, sent: Value) -> None:
    assert not arrived(_as_is, holds, sent) or holds == sent
    if not isinstance(holds, bool) and not isinstance(sent, bool):
        assert not arrived(_as_is, holds, sent)


@given(st.text())
def test_what_is_canonically_the_same_arrived(text: str) -> None:
    assert arrived(lambda value: str(value).strip(), f" {text} ", text)


@given(st.decimals(-1_000_000, 1_000_000, places=6), st.integers(0, 6))
def test_rounded_to_any_number_of_digits(number: Decimal, places: int) -> None:
    assert arrived(_as_is, round(number, places), number)
