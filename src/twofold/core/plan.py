"""Turn what both sides show, and what was last agreed, into operations: plain data with reasons.

A plan is derived again after a crash, a retry or a second change, so all of them take this path.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import datetime

import msgspec
from msgspec import Struct

from twofold.core.association_sets import Knows, merge_all, targets_of
from twofold.core.associations import (
    AssociationDecision,
    Twins,
    Waiting,
    kept_name,
    merge_association,
)
from twofold.core.codes import CODES
from twofold.core.constants import constant_value
from twofold.core.convert import Conversion, conversion
from twofold.core.errors import Issue, TwofoldError, sentence
from twofold.core.health import IN_SYNC, Outcome, State
from twofold.core.links import UNMET, Link, seen_given
from twofold.core.mappings import AssociationMapping, Direction, Rules, Targets
from twofold.core.merge import AGREED, Merge, Reason, Seen, likeness, merge
from twofold.core.parts import plain_name
from twofold.core.records import Fields, Record, Side, Target
from twofold.core.scope import UNREMEMBERED, Scope, Standing, scoper
from twofold.core.stages import STAGE, stage_values
from twofold.core.values import Value, as_text, is_blank
from twofold.core.writing import Writer

_MOST_SHOWN = 100

NO_TWINS: Twins = {Side.HUB: {}, Side.APP: {}}


class Program:
    """The rules of one sync, compiled once."""

    def __init__(self, rules: Rules, now: datetime | None = None) -> None:
        """``now`` is needed where a filter depends on it (``scope.depends_on_time``)."""
        self.rules = rules
        self.conversions: tuple[Conversion, ...] = tuple(
            conversion(m, rules.direction, rules.timezone, rules.region) for m in rules.mappings
        )
        self.scope = scoper(rules, now)
        self.alike = likeness(self.conversions)
        self.sends: Mapping[Side, tuple[tuple[str, str, str, Writer], ...]] = {
            side: tuple(
                (c.name, c.fields[side], c.fields[side.other], c.write[side.other])
                for c in self.conversions
                if c.direction is not None
                and not c.paused
                and c.direction.reaches(side.other)
                and c.creatable[side.other]
            )
            for side in Side
        }
        """By source: what a new twin is given, as (mapping, its field on each side, writer)."""
        self.constants: Mapping[Side, Fields] = {
            side: {
                **_first_stage(rules, side),
                **{
                    c.field: constant_value(c, field, rules.timezone)
                    for c in rules.constants
                    if c.side is side and (field := rules.type_of(side).field(c.field)) is not None
                },
            }
            for side in Side
        }
        """What new records of a side are given beside what is mapped."""

    def fields(self, side: Side) -> tuple[str, ...]:
        """The field names of that side that take part."""
        return tuple(dict.fromkeys(c.fields[side] for c in self.conversions))


def _first_stage(rules: Rules, side: Side) -> Fields:
    """What makes a new record of the hub belong to this sync (S9)."""
    stages = stage_values(rules) if side is Side.HUB else ()
    return {STAGE: stages[0]} if stages else {}


class Update(Struct, frozen=True):
    """Write some fields of one linked record."""

    side: Side
    record: Record
    """As it was when this was planned."""
    values: Mapping[str, Value]
    """By mapping name, in the side's own form."""
    associate: tuple[tuple[str, Target], ...] = ()
    dissociate: tuple[tuple[str, str], ...] = ()


class Create(Struct, frozen=True):
    """Make the twin of an unlinked record."""

    side: Side
    """Where the twin is made."""
    source: Record
    values: Mapping[str, Value]
    """By mapping name, in the form of ``side``."""
    associate: tuple[tuple[str, Target], ...] = ()
    issues: tuple[Issue, ...] = ()
    """Fields that did not fit and were left out (D10)."""
    waits_for: tuple[Waiting, ...] = ()


class PairPlan(Struct, frozen=True):
    """What a linked pair needs; without updates, what is true of it already."""

    outcome: Outcome = IN_SYNC
    """What it will be when the updates succeed."""
    updates: tuple[Update, ...] = ()
    merge: Merge = AGREED
    associations: tuple[AssociationDecision, ...] = ()
    seen: Seen | None = None
    """*Seen*, with the notes that arrived."""

    @property
    def waits_for(self) -> tuple[Waiting, ...]:
        """Far ends that have no link yet (A3)."""
        return tuple(waiting for a in self.associations for waiting in a.waits)


IN_AGREEMENT = PairPlan()
"""Nothing to write, and *seen* is what both sides show."""


def excluded(code: str, **facts: object) -> Outcome:
    """An exclusion by its registered reason."""
    return Outcome(State.EXCLUDED, (Issue(code, CODES[code].sentence.format_map(facts)),))


def plan_pair(
    program: Program,
    hub: Record,
    app: Record,
    link: Link,
    twins: Twins = NO_TWINS,
    standing: Standing = UNREMEMBERED,
) -> PairPlan:
    """What a linked pair needs so that both sides agree."""
    shown = {Side.HUB: hub.fields, Side.APP: app.fields}
    scope = program.scope(hub.fields, app.fields, standing)
    if scope.exclusion is not None:
        unmet = link is UNMET and len(standing.earlier) == len(Side)
        # Of history nothing travels: what differs from before counts as agreed (L7). What was on
        # its way when the pair was excluded, and arrived, is known to both sides.
        seen = shown if unmet else seen_given(link, program.conversions, shown)
        return PairPlan(_outcome(scope), seen=seen)
    if not program.rules.associations and program.alike(hub.fields, app.fields):
        return IN_AGREEMENT
    seen = seen_given(link, program.conversions, shown)
    merged = merge(
        program.conversions, shown, seen, program.rules.default_side, scope.open, link.frozen
    )
    associations = _associations(program, shown, seen, twins, scope.open)
    if merged is AGREED and not associations:
        return IN_AGREEMENT
    updates = tuple(
        update
        for side, record in ((Side.HUB, hub), (Side.APP, app))
        if (update := update_of(program, side, record, merged, associations)) is not None
    )
    issues = tuple(_issues(program, merged, shown))
    outcome = Outcome(State.FAILING, issues) if issues else IN_SYNC
    return PairPlan(outcome, updates, merged, associations, seen)


def plan_single(
    program: Program,
    side: Side,
    record: Record,
    twins: Twins = NO_TWINS,
    standing: Standing = UNREMEMBERED,
) -> Create | Outcome:
    """What an unlinked record without any candidate needs: its twin, or an exclusion."""
    fields: dict[Side, Fields | None] = {side: record.fields, side.other: None}
    scope = program.scope(fields[Side.HUB], fields[Side.APP], standing)
    if scope.exclusion is not None:
        return _outcome(scope)
    values: dict[str, Value] = {}
    issues: list[Issue] = []
    for name, mine, theirs, write in program.sends[side]:
        source = record.fields.get(mine)
        if is_blank(source):
            continue
        try:
            values[name] = write(source)
        except TwofoldError as error:
            issues.append(msgspec.structs.replace(error.issue, field=plain_name(theirs)))
    associate, waits = _new_associations(program, side, record, twins)
    return Create(side.other, record, values, associate, tuple(issues), waits)


def field_values(program: Program, side: Side, values: Mapping[str, Value]) -> dict[str, Value]:
    """From mapping names to the field names of a side."""
    return {c.fields[side]: values[c.name] for c in program.conversions if c.name in values}


def _outcome(scope: Scope) -> Outcome:
    assert scope.exclusion is not None
    return Outcome(State.EXCLUDED, (scope.exclusion,))


def _associations(
    program: Program,
    shown: Mapping[Side, Fields],
    seen: Seen | None,
    twins: Twins,
    open_to: frozenset[Side],
) -> tuple[AssociationDecision, ...]:
    rules = program.rules
    decided = []
    for mapping in rules.associations:
        direction = association_direction(rules, mapping)
        if direction is None:
            continue
        given = (mapping, direction, shown, seen, twins, rules.default_side, open_to)
        if mapping.targets is Targets.ALL:
            decided.append(merge_all(*given, both_know(rules, mapping)))
        else:
            decided.append(merge_association(*given))
    return tuple(d for d in decided if d is not None)


def both_know(rules: Rules, mapping: AssociationMapping) -> Knows:
    """What both sides can tell of the targets of an association."""
    ends = [rules.type_of(side).association(mapping.end(side)) for side in Side]
    primary = all(end is not None and end.primary for end in ends)
    return Knows(primary, all(end is not None and end.labels for end in ends))


def association_direction(rules: Rules, mapping: AssociationMapping) -> Direction | None:
    """The sync's direction, away from a side that does not let us write the association."""
    direction: Direction | None = rules.direction
    for side, away in ((Side.HUB, Direction.TO_APP), (Side.APP, Direction.TO_HUB)):
        declared = rules.type_of(side).association(mapping.end(side))
        if direction is not None and (declared is None or not declared.writable):
            direction = direction.narrowed(away)
    return direction


def update_of(
    program: Program,
    side: Side,
    record: Record,
    merged: Merge,
    associations: tuple[AssociationDecision, ...],
) -> Update | None:
    """What decisions ask of one side; None where they ask nothing of it."""
    values = {d.name: d.value for d in merged.writes(side)}
    associate: list[tuple[str, Target]] = []
    dissociate: list[tuple[str, str]] = []
    for decision in associations:
        name = _association_name(program.rules, decision.name, side)
        associate += [(name, target) for target in decision.associate.get(side, ())]
        dissociate += [(name, target) for target in decision.dissociate.get(side, ())]
    if not (values or associate or dissociate):
        return None
    return Update(side, record, values, tuple(associate), tuple(dissociate))


def _association_name(rules: Rules, hub_name: str, side: Side) -> str:
    """From ``@name`` on the hub to the association's own name on a side."""
    return next(m.end(side) for m in rules.associations if kept_name(m, Side.HUB) == hub_name)


def _issues(program: Program, merged: Merge, shown: Mapping[Side, Fields]) -> list[Issue]:
    issues = merged.issues
    frozen = {d.name for d in merged.decisions if d.reason is Reason.FROZEN}
    if frozen:
        issues += [_frozen(c, shown) for c in program.conversions if c.name in frozen]
    return issues


def _frozen(conversion: Conversion, shown: Mapping[Side, Fields]) -> Issue:
    """A field that the two apps keep rewriting, with both values (R5)."""
    facts = {
        side.value: repr(as_text(shown[side].get(conversion.fields[side]) or ""))[:_MOST_SHOWN]
        for side in Side
    }
    text = sentence("TF-R10", {"field": conversion.name, **facts})
    return Issue("TF-R10", text, conversion.name)


def _new_associations(
    program: Program, side: Side, record: Record, twins: Twins
) -> tuple[tuple[tuple[str, Target], ...], tuple[Waiting, ...]]:
    """Associations of a record about to be made, and those that must wait for their far end."""
    associate: list[tuple[str, Target]] = []
    waits: list[Waiting] = []
    for mapping in program.rules.associations:
        direction = association_direction(program.rules, mapping)
        if direction is None or not direction.reaches(side.other):
            continue
        for target in _given(mapping, record.fields.get(kept_name(mapping, side))):
            twin = twins[side].get(target.id)
            if twin is None:
                waits.append(Waiting(kept_name(mapping, Side.HUB), side, target.id))
            else:
                end = mapping.end(side.other)
                labels = target.labels if both_know(program.rules, mapping).labels else ()
                associate.append((end, Target(twin, target.primary, labels)))
    return tuple(associate), tuple(waits)


def _given(mapping: AssociationMapping, value: Value) -> Sequence[Target]:
    """The targets that a new record's source has."""
    if mapping.targets is Targets.ALL:
        return tuple(targets_of(value).values())
    return (Target(str(value), primary=True),) if value else ()
