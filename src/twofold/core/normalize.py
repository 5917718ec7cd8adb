"""The canonical form of values: what two spellings of the same thing have in common (F-canon).

Canonical values are for comparing only and are never written anywhere. Every function here takes
whatever an app shows, however wrong, and never raises: a value of another kind than its field
declares is compared by what it is.
"""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Callable, Hashable
from datetime import UTC, date, datetime
from decimal import Decimal
from functools import lru_cache

import phonenumbers

from twofold.core.parts import parts_of
from twofold.core.schema import Field
from twofold.core.values import NUMBER_KINDS, Kind, Value, is_blank

Canonical = str | int | Decimal | date | frozenset[Hashable] | None
"""None stands for every blank (D2). Numbers are int or Decimal, which compare and hash alike;
booleans are "true" and "false", because ``True == 1`` in Python. Datetimes are in UTC."""

Canonicalizer = Callable[[Value], Canonical]


def canonicalizer(field: Field, region: str = "") -> Canonicalizer:
    """Return the function that turns a value of this field into its canonical form.

    ``region`` is the ISO 3166 code that phone numbers without a country belong to.
    """
    one = _of_parts if field.parts else _of_kind(field.kind, region)
    return set_of(one) if field.multi else one


def _of_parts(value: Value) -> Canonical:
    if not isinstance(value, str) or is_blank(value):
        return by_type(value)
    return "\n".join(str(text(part) or "") for part in parts_of(value))


def set_of(one: Canonicalizer) -> Canonicalizer:
    """The canonical form of several values, whatever their order; blank members do not count."""

    def several(value: Value) -> Canonical:
        members = value if isinstance(value, tuple) else (value,)
        return frozenset(c for c in map(one, members) if c is not None) or None

    return several


def text(value: Value) -> Canonical:
    """Text in NFC with trimmed ends and unified line ends."""
    if value.__class__ is not str:
        return by_type(value)
    trimmed = value.strip()
    if not trimmed.isascii():
        trimmed = unicodedata.normalize("NFC", trimmed)
    if "\r" in trimmed:
        trimmed = trimmed.replace("\r\n", "\n").replace("\r", "\n")
    return trimmed or None


def email(value: Value) -> Canonical:
    """Text, case-folded."""
    form = text(value)
    if not isinstance(form, str):
        return form
    if form.isascii():
        return form.lower()
    return unicodedata.normalize("NFC", form.casefold())


def number(value: Value) -> Canonical:
    """The number itself: 1, 1.0 and 1.00 are one. True is no number."""
    if value.__class__ is int or (value.__class__ is Decimal and value.is_finite()):
        return value
    return by_type(value)


def instant(value: Value) -> Canonical:
    """A point in time, in UTC. A datetime without a zone counts as UTC."""
    if not isinstance(value, datetime):
        return by_type(value)
    if value.tzinfo is None:
        return value.replace(tzinfo=UTC)
    if value.tzinfo is UTC:
        return value
    try:
        return value.astimezone(UTC)
    except OverflowError:  # in the first or the last hours of the calendar
        return value.isoformat()


def day(value: Value) -> Canonical:
    """A calendar day; of a datetime, the day that it shows in its own zone."""
    return value.date() if isinstance(value, datetime) else by_type(value)


def by_type(value: Value) -> Canonical:
    """The canonical form by the value's own type, where its field's kind expects another one."""
    if value is None or is_blank(value):
        return None
    if isinstance(value, str):
        return text(value)
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, Decimal) and not value.is_finite():
        return str(value)  # NaN is not even equal to itself
    if isinstance(value, datetime):
        return instant(value)
    if isinstance(value, tuple):
        return set_of(by_type)(value)
    return value


_E164 = re.compile(
    r"\+(?:1[2-9]|7[3-79]|(?:2[07]|3[0-469]|4[013-9]|5[1-36-8]|6[02-6]|8[124]|9[0-58]"
    r"|35[13-9]|38[0-35-79]|42[013])[1-9])\d{4,11}",
    re.ASCII,
)
"""Numbers in E.164 that the parser leaves as they are, so that it need not run: the country codes
of most phones (ITU-T E.164, annex), then no digit that could be a trunk prefix written by mistake,
as in +44 (0)20. The parser decides about all others."""

_DIALABLE = re.compile(
    r"(?:tel:)?(?P<number>[\d\s+()./\u2010-\u2015-]+)(?:(?:;ext=|#|ext(?:ension|n)?\.?|x)\s*\d{1,7})?",
    re.IGNORECASE,
)
"""A phone number and an optional extension. Anything else in a phone field is words."""

_LONGEST_PHONE = 100
"""Longer values are no phone numbers, and must not fill the cache."""


def phone(region: str = "") -> Canonicalizer:
    """Phone numbers: E.164 (with ";ext=" for an extension, RFC 3966) when they parse, else digits.

    What holds words besides a number ("ask for Ann") is compared as text: an edit of the words is
    an edit.
    """

    def one(value: Value) -> Canonical:
        if value.__class__ is not str:
            return by_type(value)
        if _E164.fullmatch(value):
            return value
        return _phone(value, region) if len(value) <= _LONGEST_PHONE else text(value)

    return one


@lru_cache(maxsize=1 << 16)
def _phone(value: str, region: str) -> Canonical:
    form = value.strip()
    dialable = _DIALABLE.fullmatch(form)
    if dialable is None:
        return text(value)
    parsed = _parsed(form, region)
    if parsed or dialable["number"] != form:
        return parsed or text(value)
    digits = "".join(str(unicodedata.digit(c)) for c in form if c.isdigit())
    return _parsed(digits, region) or digits or text(value)


def _parsed(number: str, region: str) -> str:
    """E.164 and extension; "" for what does not parse to something that parses to itself."""
    form = _parsed_once(number, region)
    return form if _E164.fullmatch(form) or _parsed_once(form, region) == form else ""


def _parsed_once(number: str, region: str) -> str:
    try:
        parsed = phonenumbers.parse(number, region or None)
    except phonenumbers.NumberParseException:
        return ""
    form = phonenumbers.format_number(parsed, phonenumbers.PhoneNumberFormat.E164)
    return f"{form};ext={parsed.extension}" if parsed.extension else form


def _of_kind(kind: Kind, region: str) -> Canonicalizer:
    if kind is Kind.PHONE:
        return phone(region)
    if kind is Kind.EMAIL:
        return email
    if kind in NUMBER_KINDS:
        return number
    return {Kind.BOOL: by_type, Kind.DATE: day, Kind.DATETIME: instant}.get(kind, text)
