"""Does this record take part, and which sides may be written because of it?

Limits gate *sending from their own side* only (D5): they never hide a record from matching, and a
linked record that may not send may still receive.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from datetime import datetime
from zoneinfo import ZoneInfo

from msgspec import Struct

from twofold.core.errors import Issue, sentence
from twofold.core.filtering import Limit
from twofold.core.filters import Leaving, Operator
from twofold.core.mappings import Rules
from twofold.core.matching import emails_of
from twofold.core.records import Fields, Side
from twofold.core.stages import elsewhere


class Scope(Struct, frozen=True):
    """The answer for one pair, or one record without a twin."""

    open: frozenset[Side]
    """The sides that may be written."""
    exclusion: Issue | None = None
    """Why nothing may be written; None where a side is open."""


class Standing(Struct, frozen=True):
    """What is remembered of a pair, or of a record without a twin, that its scope depends on."""

    by_hand: Issue | None = None
    """A person excluded it, or paused it (L6)."""
    earlier: frozenset[Side] = frozenset()
    """The sides whose record was there before the sync began, and did not change since (L7)."""
    entered: frozenset[Side] = frozenset()
    """The sides whose record met its limit when it was last worked on; kept for L5 only."""


UNREMEMBERED = Standing()
"""Nothing is remembered: the usual case."""


Scoper = Callable[[Fields | None, Fields | None, Standing], Scope]


def scoper(rules: Rules, now: datetime | None = None) -> Scoper:
    """Return the function from the fields of both sides (None = no such record) to their scope.

    ``now`` is needed where a filter depends on it, and the answer holds for that day.
    """
    limits = limits_of(rules, now)
    sends = {side: _sends(rules, side, limits.get(side)) for side in Side}
    answers = {frozenset(o): Scope(frozenset(o)) for o in ((Side.HUB,), (Side.APP,), tuple(Side))}
    not_created = {side: _only_in(side) for side in Side}
    reaches = {side: rules.direction.reaches(side) for side in Side}
    unlimited = all(sends[side] is _always and reaches[side] for side in Side)
    both = answers[frozenset(Side)]
    belongs_elsewhere = elsewhere(rules)

    def answer(hub: Fields | None, app: Fields | None, standing: Standing = UNREMEMBERED) -> Scope:
        if standing.by_hand is not None:
            return Scope(frozenset(), standing.by_hand)
        if belongs_elsewhere is not None:
            issue = belongs_elsewhere(hub, app)
            if issue is not None:
                return Scope(frozenset(), issue)
        if unlimited and hub is not None and app is not None:
            return both
        open_ = frozenset(
            side.other
            for side, fields in ((Side.HUB, hub), (Side.APP, app))
            if fields is not None and reaches[side.other] and sends[side](fields, standing)
        )
        if open_:
            return answers[open_]
        if app is None and not reaches[Side.APP]:
            return not_created[Side.HUB]
        if hub is None and not reaches[Side.HUB]:
            return not_created[Side.APP]
        if hub is not None and reaches[Side.APP]:
            return _held_back(rules, Side.HUB, hub, standing, limits.get(Side.HUB))
        return _held_back(rules, Side.APP, app or {}, standing, limits.get(Side.APP))

    return answer


def scope(rules: Rules, hub: Fields | None, app: Fields | None) -> Scope:
    """The scope of one pair or single; compile ``scoper(rules)`` where there are many."""
    return scoper(rules)(hub, app, UNREMEMBERED)


def limits_of(rules: Rules, now: datetime | None = None) -> Mapping[Side, Limit]:
    """The compiled filters of the sides that send and have one."""
    zone = ZoneInfo(rules.timezone)
    return {
        side: Limit(rules.filter_of(side), rules.type_of(side), zone, rules.region, now)
        for side in Side
        if rules.filter_of(side) and rules.direction.reaches(side.other)
    }


def depends_on_time(rules: Rules) -> bool:
    """Whether a record may leave or come back although it does not change."""
    return any(
        criterion.operator is Operator.LAST_DAYS
        for side in Side
        if rules.direction.reaches(side.other)
        for group in rules.filter_of(side).groups
        for criterion in group.criteria
    )


Sends = Callable[[Fields, Standing], object]


def _sends(rules: Rules, side: Side, limit: Limit | None) -> Sends:
    """Whether a record may send from its side: L7, L1 (any valid address of its own), L2, L5."""
    emails = emails_of(rules, side) if rules.require_email else None
    if limit is None and not rules.from_now_on:
        return _always if emails is None else lambda fields, _standing: emails(fields)
    meets = _met_by_all if limit is None else limit.meets
    stays = rules.leaving in {Leaving.KEEP, Leaving.FINAL}

    def sends(fields: Fields, standing: Standing) -> bool:
        if side in standing.earlier or (emails is not None and not emails(fields)):
            return False
        return (stays and side in standing.entered) or meets(fields)

    return sends


def _always(_fields: Fields, _standing: Standing) -> bool:
    return True


def _met_by_all(_fields: Fields) -> bool:
    return True


def _held_back(
    rules: Rules, side: Side, fields: Fields, standing: Standing, limit: Limit | None
) -> Scope:
    """Why a record does not send from its side."""
    if side in standing.earlier:
        return _exclusion("TF-X06")
    if limit is None or (rules.require_email and not emails_of(rules, side)(fields)):
        return _exclusion("TF-X01")
    return _exclusion("TF-X03", side=side.value, criterion=limit.failed(fields))


def _only_in(side: Side) -> Scope:
    """A record that the direction of the sync leaves on its own side (D9)."""
    return _exclusion("TF-X02", side=side.value, other=side.other.value)


def _exclusion(code: str, **facts: object) -> Scope:
    return Scope(frozenset(), Issue(code, sentence(code, facts)))
