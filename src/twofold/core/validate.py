"""What is wrong with a sync's mappings, said before it runs (F3, F6b, F7–F9, F14).

The same answers, by code, for the pages, the CLI and a sync written as YAML.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Collection, Iterator
from zoneinfo import ZoneInfo

import phonenumbers
from msgspec import Struct

from twofold.core.codes import CODES
from twofold.core.deletes import removing, sides_of_removal
from twofold.core.errors import sentence
from twofold.core.limits_check import check_limits
from twofold.core.mappings import Deletes, Direction, FieldMapping, Rules
from twofold.core.match_rules import rule_problems
from twofold.core.matching import email_fields
from twofold.core.records import Side
from twofold.core.schema import Field
from twofold.core.type_matrix import Shape, cell, shape, travels


class Problem(Struct, frozen=True):
    """One thing that is wrong with what a person configured."""

    code: str
    sentence: str
    mapping: str = ""
    """The name of the mapping; empty where the sync as a whole is meant."""
    warning: bool = False
    """The sync can run as it is."""

    @property
    def advice(self) -> str:
        """What to do."""
        return CODES[self.code].advice


def check(rules: Rules, shipped: Collection[tuple[str, str]] = ()) -> list[Problem]:
    """Return what is wrong with a sync; the mappings' problems in their order, the sync's last.

    ``shipped`` names the (hub field, app field) of default mappings: those alone may use labeled
    and multiple values (F7).
    """
    problems = [p for m in rules.mappings for p in _of_mapping(rules, m, shipped)]
    for found in (_mapped_twice, _required, _without_email, _deletes, _places, _matching):
        problems.extend(found(rules))
    problems += [_problem(e.code, **e.facts) for e in check_limits(rules)]
    return problems


def check_matching(rules: Rules) -> list[Problem]:
    """What is wrong with the matching rules alone."""
    return list(_matching(rules))


_WARNINGS = frozenset({"TF-F09", "TF-L08"})


def _problem(code: str, mapping: str = "", /, **facts: object) -> Problem:
    return Problem(code, sentence(code, facts), mapping, code in _WARNINGS)


def _of_mapping(
    rules: Rules, mapping: FieldMapping, shipped: Collection[tuple[str, str]]
) -> Iterator[Problem]:
    """The first reason why a mapping cannot work; else what is narrower than it asks for."""
    default = (mapping.hub.name, mapping.app.name) in shipped
    ends = {"hub_field": mapping.hub.name, "app_field": mapping.app.name}
    fatal = list(_of_ends(rules, mapping, default))
    if fatal:
        yield from fatal
    elif cell(mapping).direction is None:
        yield _problem("TF-F04", mapping.name, **ends, reason=cell(mapping).reason)
    elif mapping.hub.read_only and mapping.app.read_only:
        yield _problem("TF-F05", mapping.name, **ends)
    elif (left := travels(mapping, rules.direction)) is None:
        yield _problem("TF-F10", mapping.name, **ends, reason=_narrowing(rules, mapping))
    elif left is not mapping.direction and not default:
        reason = _narrowing(rules, mapping)
        yield _problem("TF-F09", mapping.name, **ends, left=_WORDS[left], reason=reason)


def _of_ends(rules: Rules, mapping: FieldMapping, default: bool) -> Iterator[Problem]:
    for side in Side:
        end, object_type = mapping.end(side), rules.type_of(side)
        if object_type.field(end.name) is None:
            facts = {"object_type": object_type.label, "field": end.name}
            yield _problem("TF-F01", mapping.name, **facts)
        elif end.unmappable:
            facts = {"field": end.name, "side": side.value, "reason": end.unmappable}
            yield _problem("TF-F06", mapping.name, **facts)
        elif not default and _needs_default(end, mapping):
            yield _problem("TF-F07", mapping.name, field=end.name, side=side.value)


def _needs_default(end: Field, mapping: FieldMapping) -> bool:
    """Labeled and multiple values, beyond choices to choices (F11) and to an app's text (F6)."""
    if end.labeled:
        return True
    to_text = shape(mapping.hub) is Shape.CHOICES and shape(mapping.app) is Shape.TEXT
    both = shape(mapping.hub) is shape(mapping.app) is Shape.CHOICES
    return end.multi and not (to_text or both)


_WORDS = {
    Direction.BOTH: "both ways",
    Direction.TO_HUB: "to the hub",
    Direction.TO_APP: "to the app",
}


def _narrowing(rules: Rules, mapping: FieldMapping) -> str:
    """All that keeps a mapping from going both ways, in words."""
    reasons = [cell(mapping).reason] if cell(mapping).reason else []
    reasons += [
        f"{mapping.end(side).name} of the {side} can only be read"
        for side in Side
        if mapping.end(side).read_only
    ]
    if rules.direction is not Direction.BOTH:
        reasons.append(f"the sync goes only {_WORDS[rules.direction]}")
    if mapping.direction is not Direction.BOTH:
        reasons.append(f"the mapping goes only {_WORDS[mapping.direction]}")
    return "; ".join(reasons)


def _mapped_twice(rules: Rules) -> Iterator[Problem]:
    for side in Side:
        counts = Counter(mapping.end(side).name for mapping in rules.mappings)
        for name, count in counts.items():
            if count > 1:
                yield _problem("TF-F03", field=name, side=side.value, count=count)


def _required(rules: Rules) -> Iterator[Problem]:
    """Fields without which a side refuses the records that this sync would create there (F14)."""
    for side in Side:
        if not rules.direction.reaches(side):
            continue
        filled = {
            mapping.end(side).name
            for mapping in rules.mappings
            if (left := travels(mapping, rules.direction)) is not None and left.reaches(side)
        }
        for field in rules.type_of(side).fields:
            if field.required and field.name not in filled:
                yield _problem("TF-F08", field=field.name, side=side.value)


def _without_email(rules: Rules) -> Iterator[Problem]:
    """Under L1, a sending side without any e-mail field would send nothing at all."""
    for side in Side:
        sends = rules.require_email and rules.direction.reaches(side.other)
        if sends and not email_fields(rules, side):
            yield _problem("TF-F13", side=side.value)


def _deletes(rules: Rules) -> Iterator[Problem]:
    """A policy that a receiving side cannot carry out."""
    for side in sides_of_removal(rules):
        object_type = rules.type_of(side)
        if removing(rules.deletes, object_type) is None:
            op = "archive" if rules.deletes is Deletes.ARCHIVE else "delete"
            facts = {"app": f"The {side.value}", "op": op, "object_type": object_type.label}
            yield _problem("TF-D06", **facts)


def _places(rules: Rules) -> Iterator[Problem]:
    try:
        ZoneInfo(rules.timezone)
    except (KeyError, ValueError, OSError):  # unknown, malformed, or the name of a folder
        yield _problem("TF-F11", timezone=rules.timezone)
    if rules.region and rules.region not in phonenumbers.SUPPORTED_REGIONS:
        yield _problem("TF-F12", region=rules.region)


def _matching(rules: Rules) -> Iterator[Problem]:
    return (_problem(code, **facts) for code, facts in rule_problems(rules))
