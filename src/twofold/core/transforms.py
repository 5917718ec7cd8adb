"""Transforms: what a mapping does to a text on its way (F17), each with its inverse or one-way.

A small fixed catalog, `CATALOG`, which validation, the CLI and the docs read alike. A transform
makes the form of one side (``to``); on the way back its inverse runs, and a transform without
inverse leaves only the way to that side.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from enum import StrEnum

import phonenumbers
from msgspec import Struct

from twofold.core import normalize
from twofold.core.countries import country_forms, country_in
from twofold.core.parts import parts_of, whole_of
from twofold.core.records import Side

Text = Callable[[str], str]


class NoFit(Exception):
    """A text that a transform has no answer for. Carries what it expects."""


class Change(StrEnum):
    """The catalog by name."""

    TRIM = "trim"
    CASE = "case"
    PREFIX = "prefix"
    LOOKUP = "lookup"
    PHONE = "phone"
    COUNTRY = "country"
    JOIN = "join"


class Transform(Struct, frozen=True, omit_defaults=True):
    """One change to a text."""

    change: Change
    to: Side = Side.APP
    """The side whose form it makes."""
    form: str = ""
    """Upper, lower or title; the prefix; the format of phones or countries; for a joined name what
    stands between its two parts."""
    back: str = ""
    """The format of the other side (phones and countries); empty = the usual one."""
    table: tuple[tuple[str, str], ...] = ()
    """Of a lookup: (what the other side holds, what ``to`` holds)."""

    @property
    def invertible(self) -> bool:
        """Whether values may also travel back."""
        return CATALOG[self.change].invertible(self)

    @property
    def problem(self) -> str:
        """What is wrong with it, as the end of a sentence; empty where nothing is."""
        return CATALOG[self.change].problem(self)

    def toward(self, side: Side, region: str = "") -> Text | None:
        """What it does to a text that travels to a side; None where nothing may travel there.

        The function raises NoFit. ``region`` is the country of phone numbers without one.
        """
        entry = CATALOG[self.change]
        if side is self.to:
            return entry.forward(self, region)
        return entry.inverse(self, region) if self.invertible else None


class Entry(Struct, frozen=True):
    """One line of the catalog."""

    explanation: str
    """What it does, as a sentence."""
    undone: str
    """What its inverse does, as a sentence; where it has none, why not."""
    forward: Callable[[Transform, str], Text]
    inverse: Callable[[Transform, str], Text]
    invertible: Callable[[Transform], bool]
    problem: Callable[[Transform], str]


# --- spaces and case --------------------------------------------------------------------------


def _trimmed(text: str) -> str:
    return " ".join(text.split())


def _titled(text: str) -> str:
    return " ".join(word[:1].upper() + word[1:].lower() for word in text.split(" "))


_CASES: Mapping[str, Text] = {"upper": str.upper, "lower": str.lower, "title": _titled}


def _never(_transform: Transform) -> bool:
    return False


def _always(_transform: Transform) -> bool:
    return True


def _same(_transform: Transform, _region: str) -> Text:
    return lambda text: text


def _fine(_transform: Transform) -> str:
    return ""


def _one_of(known: Mapping[str, object]) -> Callable[[Transform], str]:
    def problem(transform: Transform) -> str:
        wrong = [f for f in (transform.form, transform.back or transform.form) if f not in known]
        return f"it knows {', '.join(known)}, and not {wrong[0]!r}" if wrong else ""

    return problem


# --- prefix -----------------------------------------------------------------------------------


def _prefixed(transform: Transform, _region: str) -> Text:
    return lambda text: transform.form + text.strip()


def _unprefixed(transform: Transform, _region: str) -> Text:
    prefix = transform.form.lstrip()

    def strip(text: str) -> str:
        rest = text.strip()
        if not rest.startswith(prefix) or not rest[len(prefix) :].strip():
            raise NoFit(f"a text that begins with {prefix!r}")
        return rest[len(prefix) :].strip()

    return strip


def _prefix_problem(transform: Transform) -> str:
    return "" if transform.form.strip() else "it needs the text to put in front"


# --- lookup -----------------------------------------------------------------------------------


def _looked_up(table: Mapping[str, str]) -> Text:
    def look(text: str) -> str:
        found = table.get(str(normalize.text(text)))
        if found is None:
            raise NoFit("a text that its lookup table has")
        return found

    return look


def _keyed(pairs: tuple[tuple[str, str], ...], *, back: bool = False) -> dict[str, str]:
    ordered = ((there, here) if back else (here, there) for here, there in pairs)
    return {str(normalize.text(key)): value for key, value in ordered}


def _lookup_problem(transform: Transform) -> str:
    if not transform.table:
        return "its table is empty"
    if any(not text.strip() for pair in transform.table for text in pair):
        return "its table has a blank"
    if len(_keyed(transform.table)) < len(transform.table):
        return "its table names a value twice"
    return ""


def _one_to_one(transform: Transform) -> bool:
    return len(_keyed(transform.table, back=True)) == len(transform.table)


# --- phones -----------------------------------------------------------------------------------

_PHONE_FORMATS: Mapping[str, int] = {
    "e164": phonenumbers.PhoneNumberFormat.E164,
    "international": phonenumbers.PhoneNumberFormat.INTERNATIONAL,
    "national": phonenumbers.PhoneNumberFormat.NATIONAL,
}


def _phone(form: str, region: str) -> Text:
    """Write a number in a format, where that keeps the number; anything else stays as it is."""
    canonical = normalize.phone(region)

    def write(text: str) -> str:
        number = canonical(text)
        if not isinstance(number, str) or not number.startswith("+"):
            return text
        try:
            parsed = phonenumbers.parse(number)
        except phonenumbers.NumberParseException:
            return text
        written = phonenumbers.format_number(parsed, _PHONE_FORMATS[form])
        return written if canonical(written) == number else number

    return write


# --- countries --------------------------------------------------------------------------------


def _country(form: str) -> Text:
    def write(text: str) -> str:
        return country_in(form, text) or text

    return write


# --- names ------------------------------------------------------------------------------------

_SURNAME = re.compile(r" (?=[a-z\u00df-\u00ff])")
"""Before "van der Berg": a surname begins at its first word in lower case."""


def _joined(transform: Transform, _region: str) -> Text:
    between = transform.form or " "

    def join(text: str) -> str:
        whole = between.join(part for part in parts_of(text) if part)
        return whole if between.strip() else _trimmed(whole)

    return join


def _split(transform: Transform, _region: str) -> Text:
    between = transform.form or " "

    def split(text: str) -> str:
        if between.strip():
            first, _, last = text.partition(between)
            return whole_of((first, last) if first.strip() else (last, ""))
        whole = _trimmed(text)
        surname = _SURNAME.search(whole)
        cut = surname.start() if surname else whole.rfind(" ")
        return whole_of((whole[:cut], whole[cut:]) if cut > 0 else (whole, ""))

    return split


CATALOG: Mapping[Change, Entry] = {
    Change.TRIM: Entry(
        "Takes away spaces at the ends, and makes one of several.",
        "One-way: which spaces there were is lost.",
        lambda _transform, _region: _trimmed,
        _same,
        _never,
        _fine,
    ),
    Change.CASE: Entry(
        "Writes a text in upper, lower or title case.",
        "One-way: how it was written is lost.",
        lambda transform, _region: _CASES[transform.form],
        _same,
        _never,
        _one_of(_CASES),
    ),
    Change.PREFIX: Entry(
        "Puts a text in front.",
        "Takes it away again; a value without it fails that field.",
        _prefixed,
        _unprefixed,
        _always,
        _prefix_problem,
    ),
    Change.LOOKUP: Entry(
        "Replaces a text by what a table pairs it with; a value without a pair fails that field.",
        "The table the other way round; one-way where two values become the same.",
        lambda transform, _region: _looked_up(_keyed(transform.table)),
        lambda transform, _region: _looked_up(_keyed(transform.table, back=True)),
        _one_to_one,
        _lookup_problem,
    ),
    Change.PHONE: Entry(
        "Writes phone numbers as e164, international or national; words stay as they are.",
        "Writes them in the other side's format, which is the same where none is named.",
        lambda transform, region: _phone(transform.form, region),
        lambda transform, region: _phone(transform.back or transform.form, region),
        _always,
        _one_of(_PHONE_FORMATS),
    ),
    Change.COUNTRY: Entry(
        "Writes countries as name, alpha2 or alpha3 (ISO 3166-1); other words stay as they are.",
        "Writes them in the other side's format, which is the same where none is named.",
        lambda transform, _region: _country(transform.form),
        lambda transform, _region: _country(transform.back or transform.form),
        _always,
        _one_of(country_forms()),
    ),
    Change.JOIN: Entry(
        "Joins the two parts of a name, such as first and last name.",
        "Splits it: before the first later word in lower case, else before the last word; or at "
        "the text that stands between the parts.",
        _joined,
        _split,
        _always,
        _fine,
    ),
}
"""By name. Properties of each: its inverse gives back what it was given, in canonical form."""
