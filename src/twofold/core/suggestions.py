"""Suggestions for mappings, from names, kinds and sampled values, each with a confidence (F16).

A suggestion is an offer to a person; nothing here is ever applied by itself.
"""

from __future__ import annotations

import re
from collections.abc import Collection, Iterator, Mapping, Sequence
from difflib import SequenceMatcher

from msgspec import Struct

from twofold.core.convert import Conversion, conversion
from twofold.core.mapping_check import check_mapping
from twofold.core.mappings import Direction, FieldMapping, Rules
from twofold.core.parts import part_names
from twofold.core.records import Side
from twofold.core.schema import Field
from twofold.core.values import TEXT_KINDS, Value

Samples = Mapping[Side, Mapping[str, Sequence[Value]]]
"""By side and field name: some values that records hold."""

LEAST = 0.5
"""Nothing less sure than this is suggested."""
_ENOUGH = 10
"""Different values on each side that make a comparison of them count in full."""
_FEWEST = 3

_WORDS: Sequence[frozenset[str]] = tuple(
    frozenset(words.split())
    for words in (
        "email mail emailaddress",
        "phone telephone tel phonenumber telephonenumber",
        "mobile cell mobilephone cellphone mobilenumber",
        "firstname givenname forename",
        "lastname surname familyname",
        "company employer organization companyname account",
        "zip postcode postalcode zipcode",
        "city town",
        "website url homepage web",
        "dateofbirth birthday birthdate dob born",
        "jobtitle title position function",
        "country countryname",
        "street address streetaddress",
        "owner assignee accountmanager",
        "numberofemployees employees headcount",
        "annualrevenue revenue turnover",
    )
)
"""Names that mean the same in most apps."""


class Suggestion(Struct, frozen=True):
    """Two fields that may hold the same thing."""

    hub: str
    app: str
    direction: Direction
    """The widest that is open between them."""
    confidence: float
    """0 to 1."""
    reasons: tuple[str, ...]
    """Why, in words."""


def suggest(rules: Rules, samples: Samples, least: float = LEAST) -> list[Suggestion]:
    """Suggest mappings between fields that no mapping uses, the surest first, each field once."""
    found = sorted(_candidates(rules, samples), key=lambda s: (-s.confidence, s.hub, s.app))
    taken: dict[Side, set[str]] = {side: set() for side in Side}
    kept = []
    for one in found:
        if one.confidence < least or one.hub in taken[Side.HUB] or one.app in taken[Side.APP]:
            continue
        taken[Side.HUB].add(one.hub)
        taken[Side.APP].add(one.app)
        kept.append(one)
    return kept


def unmapped(rules: Rules, side: Side) -> list[Field]:
    """The fields of a side that no mapping uses."""
    used = {name for m in rules.mappings for name in part_names(m.end(side).name)}
    return [f for f in rules.type_of(side).fields if f.name not in used and not f.unmappable]


def _candidates(rules: Rules, samples: Samples) -> Iterator[Suggestion]:
    theirs = unmapped(rules, Side.APP)
    for hub in unmapped(rules, Side.HUB):
        for app in theirs:
            found = _judged(rules, FieldMapping(hub, app), samples)
            if found is not None:
                yield found


def _judged(rules: Rules, mapping: FieldMapping, samples: Samples) -> Suggestion | None:
    """How sure it is that two fields mean the same; None where they cannot be mapped."""
    named, why = _names(mapping.hub, mapping.app)
    if any(error.code != "TF-F09" for error in check_mapping(rules, mapping, ())):
        return None
    c = conversion(mapping, rules.direction, "UTC", rules.region)
    if c.direction is None:
        return None
    reasons = [why] if why else []
    alike, weight = _values(c, mapping, samples)
    sure = named * 0.9
    if weight:
        sure += weight * (0.6 * alike + 0.4 * named - sure)
        shown = round(100 * alike)
        reasons.append(f"{shown} % of the sampled values are on both sides")
    if mapping.hub.kind is mapping.app.kind and mapping.hub.kind not in TEXT_KINDS:
        sure += 0.05
        reasons.append(f"both are of the kind {mapping.hub.kind}")
    if c.direction is not rules.direction:
        sure *= 0.8
        reasons.append("values travel one way only")
    return Suggestion(
        c.fields[Side.HUB], c.fields[Side.APP], c.direction, _round(sure), tuple(reasons)
    )


def _round(sure: float) -> float:
    return round(min(1.0, max(0.0, sure)), 2)


def _names(hub: Field, app: Field) -> tuple[float, str]:
    """How alike two fields are called, 0 to 1, and why."""
    ours, theirs = _called(hub), _called(app)
    if ours & theirs:
        return 1.0, "they have the same name"
    if any(ours & words and theirs & words for words in _WORDS):
        return 0.9, "their names mean the same"
    best = max(SequenceMatcher(None, a, b).ratio() for a in ours for b in theirs)
    return (best * 0.8, "their names are alike") if best > 0.7 else (0.0, "")


def _called(field: Field) -> set[str]:
    names = {re.sub(r"[\W_]+", "", name).casefold() for name in (field.name, field.label)}
    return (names - {""}) or {field.name}


def _values(c: Conversion, mapping: FieldMapping, samples: Samples) -> tuple[float, float]:
    """How many of the values are on both sides, 0 to 1, and how much that says, 0 to 1."""
    held = {side: _forms(c, side, samples[side].get(mapping.end(side).name, ())) for side in Side}
    fewest = min(len(held[side]) for side in Side)
    if fewest < _FEWEST:
        return 0.0, 0.0
    common = len(held[Side.HUB] & held[Side.APP]) / fewest
    # Samples of two apps may show different people: values apart say less than values in common.
    strength = min(1.0, fewest / _ENOUGH)
    return common, strength if common else strength / 4


def _forms(c: Conversion, side: Side, values: Collection[Value]) -> set[object]:
    return {form for value in values if (form := c.shared[side](value)) is not None}
