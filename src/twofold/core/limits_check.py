"""What is wrong with a sync's limits, said before it is saved (L2, L3)."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import UTC, tzinfo
from zoneinfo import ZoneInfo

from twofold.core.errors import TwofoldError
from twofold.core.filter_values import operands
from twofold.core.filters import MOST_VALUES, Criterion, Filter
from twofold.core.mappings import Rules
from twofold.core.records import Side
from twofold.core.stages import check_stages


def check_limits(rules: Rules) -> Iterator[TwofoldError]:
    """What is wrong with the filters of both sides, and with the stages."""
    yield from check_stages(rules)
    for side in Side:
        asked = rules.filter_of(side)
        if asked:
            yield from _of_side(rules, side, asked)


def _of_side(rules: Rules, side: Side, asked: Filter) -> Iterator[TwofoldError]:
    count = sum(len(group.criteria) for group in asked.groups)
    if count > MOST_VALUES:
        yield TwofoldError("TF-L12", side=side.value, count=count, most=MOST_VALUES)
        return
    if any(not group.criteria for group in asked.groups):
        yield TwofoldError("TF-L07")
    if not rules.direction.reaches(side.other):
        yield TwofoldError("TF-L08", side=side.value)
    for group in asked.groups:
        for criterion in group.criteria:
            problem = _of_criterion(rules, side, criterion)
            if problem is not None:
                yield problem


def _of_criterion(rules: Rules, side: Side, criterion: Criterion) -> TwofoldError | None:
    object_type = rules.type_of(side)
    field = object_type.field(criterion.field)
    if field is None:
        facts = {"field": criterion.field, "object_type": object_type.label}
        return TwofoldError("TF-L01", side=side.value, **facts)
    if field.unmappable:
        return TwofoldError("TF-L13", field=field.name, side=side.value, reason=field.unmappable)
    try:
        operands(criterion, field, _zone(rules.timezone), rules.region)
    except TwofoldError as error:
        return error
    return None


def _zone(name: str) -> tzinfo:
    """The sync's time zone; what is wrong with it is said elsewhere."""
    try:
        return ZoneInfo(name)
    except (KeyError, ValueError, OSError):
        return UTC
