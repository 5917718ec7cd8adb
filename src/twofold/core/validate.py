"""What is wrong with a sync's mappings, said before it runs (F3–F17).

The same answers, by code, for the pages, the CLI and a sync written as YAML.
"""

from __future__ import annotations

from collections.abc import Collection, Iterator
from zoneinfo import ZoneInfo

import msgspec
import phonenumbers
from msgspec import Struct

from twofold.core.codes import CODES
from twofold.core.deletes import removing, sides_of_leaving, sides_of_removal
from twofold.core.errors import sentence
from twofold.core.limits_check import check_limits
from twofold.core.mapping_check import check_mapping, check_mappings
from twofold.core.mappings import Deletes, Rules, Targets
from twofold.core.match_rules import rule_problems
from twofold.core.matching import email_fields
from twofold.core.parts import plain_name
from twofold.core.records import Side
from twofold.core.schema import Op


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


def check(
    rules: Rules, shipped: Collection[tuple[str, str]] = (), told: Collection[str] = ()
) -> list[Problem]:
    """Return what is wrong with a sync; the mappings' problems in their order, the sync's last.

    ``shipped`` names the (hub field, app field) of default mappings: those alone may use labeled
    and multiple values (F7). ``told`` names the mappings whose direction a person wrote out (F12).
    """
    problems = [
        _problem(error.code, plain_name(mapping.name), **error.facts)
        for mapping in rules.mappings
        for error in check_mapping(rules, mapping, shipped, told)
    ]
    problems += [_problem(e.code, **e.facts) for e in check_mappings(rules)]
    for found in (_without_email, _deletes, _places, _matching, _associations, _ramp):
        problems.extend(found(rules))
    problems += [_problem(e.code, **e.facts) for e in check_limits(rules)]
    return problems


def check_matching(rules: Rules) -> list[Problem]:
    """What is wrong with the matching rules alone."""
    return list(_matching(rules))


_WARNINGS = frozenset({"TF-F09", "TF-L08"})


def _problem(code: str, mapping: str = "", /, **facts: object) -> Problem:
    return Problem(code, sentence(code, facts), mapping, code in _WARNINGS)


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
    for side in sides_of_leaving(rules):
        object_type = rules.type_of(side)
        if Op.ARCHIVE not in object_type.ops:
            yield _problem("TF-D10", app=f"The {side.value}", object_type=object_type.label)


def _places(rules: Rules) -> Iterator[Problem]:
    try:
        ZoneInfo(rules.timezone)
    except (KeyError, ValueError, OSError):  # unknown, malformed, or the name of a folder
        yield _problem("TF-F11", timezone=rules.timezone)
    if rules.region and rules.region not in phonenumbers.SUPPORTED_REGIONS:
        yield _problem("TF-F12", region=rules.region)


def _matching(rules: Rules) -> Iterator[Problem]:
    return (_problem(code, **facts) for code, facts in rule_problems(rules))


def _associations(rules: Rules) -> Iterator[Problem]:
    """All targets sync only where both sides hold several (A5)."""
    for mapping in rules.associations:
        for side in Side:
            declared = rules.type_of(side).association(mapping.end(side))
            several = declared is not None and declared.many
            if mapping.targets is Targets.ALL and not several:
                yield _problem("TF-M40", name=mapping.end(side), side=side.value)


def _ramp(rules: Rules) -> Iterator[Problem]:
    for side in Side:
        most = rules.most_creates.of(side)
        if most is not None and most < 0:
            yield _problem("TF-B21", limit=most, side=side.value)
    for name, share in msgspec.structs.asdict(rules.brakes).items():
        if not 0 <= share <= 1:
            yield _problem("TF-B22", brake=name, share=share)
