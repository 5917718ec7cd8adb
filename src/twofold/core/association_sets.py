"""Three-way merge of all targets of an association, with their labels (A5, D13).

A target, a label of it, and which target is primary each merge by themselves. What only one side
has is new there, unless both sides were seen with it: then the other side has removed it. So two
people can change different targets of one record, and neither loses anything.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from typing import NamedTuple

import orjson

from twofold.core.associations import AssociationDecision, Twins, Waiting, kept_name
from twofold.core.mappings import AssociationMapping, Blanks, Direction
from twofold.core.merge import Reason, Seen, choose
from twofold.core.records import Fields, Side, Target
from twofold.core.values import Value

Ends = Mapping[str, Target]
"""Targets of one side by id."""


class Knows(NamedTuple):
    """What both sides can tell of a target; the rest is left alone."""

    primary: bool
    labels: bool


class _Couple(NamedTuple):
    """A target as both sides show it; None where a side does not."""

    ids: Mapping[Side, str]
    """Of both sides; a far end without a link has one id only."""
    now: Mapping[Side, Target | None]
    seen: Mapping[Side, Target | None]

    @property
    def met(self) -> bool:
        """Whether both sides were seen with it."""
        return all(self.seen[side] is not None for side in Side)


def kept_targets(targets: Iterable[Target]) -> Value:
    """Targets as a value of a record, in one order."""
    return tuple(
        orjson.dumps([t.id, t.primary, *sorted(set(t.labels))]).decode()
        for t in sorted(targets, key=lambda target: target.id)
    )


def targets_of(value: Value) -> dict[str, Target]:
    """The inverse of ``kept_targets``, by id."""
    if not isinstance(value, tuple):
        return {}
    found = (orjson.loads(str(item)) for item in value)
    return {i: Target(i, primary, tuple(labels)) for i, primary, *labels in found}


def merge_all(
    mapping: AssociationMapping,
    direction: Direction,
    shown: Mapping[Side, Fields],
    seen: Seen | None,
    twins: Twins,
    default: Side,
    open_to: frozenset[Side],
    knows: Knows,
) -> AssociationDecision | None:
    """Decide all targets of a linked pair; None when both sides agree."""
    names = {side: kept_name(mapping, side) for side in Side}
    now = {side: targets_of(shown[side].get(names[side])) for side in Side}
    before: Mapping[Side, Ends] = {
        side: targets_of(None if seen is None else seen[side].get(names[side])) for side in Side
    }
    if not now[Side.HUB] and not now[Side.APP] and not before[Side.HUB] and not before[Side.APP]:
        return None
    may = frozenset(side for side in open_to if direction.reaches(side))
    merged = _Merged(names[Side.HUB], now, before, twins, may, knows.labels)
    for couple in _couples(now, before, twins):
        merged.take(couple)
    if knows.primary:
        met = seen is not None and names[Side.HUB] in seen[Side.HUB]
        merged.choose_primary(direction, default, met)
    return merged.decision()


def _couples(now: Mapping[Side, Ends], before: Mapping[Side, Ends], twins: Twins) -> list[_Couple]:
    """Every target of either side once, with its counterpart."""
    found: dict[tuple[str, str], _Couple] = {}
    for side in Side:
        for target in now[side]:
            twin = twins[side].get(target)
            ids = {side: target} if twin is None else {side: target, side.other: twin}
            found[ids.get(Side.HUB, ""), ids.get(Side.APP, "")] = _Couple(
                ids,
                {s: now[s].get(ids[s]) if s in ids else None for s in Side},
                {s: before[s].get(ids[s]) if s in ids else None for s in Side},
            )
    return [found[key] for key in sorted(found)]


class _Merged:
    """What the couples of one association come to."""

    def __init__(
        self,
        name: str,
        now: Mapping[Side, Ends],
        before: Mapping[Side, Ends],
        twins: Twins,
        may: frozenset[Side],
        labels: bool,
    ) -> None:
        self._name = name
        self._knows_labels = labels
        self._now = now
        self._before = before
        self._twins = twins
        self._may = may
        self._associate: dict[Side, dict[str, Target]] = {side: {} for side in Side}
        self._dissociate: dict[Side, list[str]] = {side: [] for side in Side}
        self._waits: list[Waiting] = []
        self._seen: dict[Side, dict[str, Target]] = {side: {} for side in Side}
        self._open = False

    def take(self, couple: _Couple) -> None:
        """Decide one target."""
        holders = [side for side in Side if couple.now[side] is not None]
        if len(holders) == len(Side):
            self._take_labels(couple)
            return
        (holder,) = holders
        if len(couple.ids) == 1:
            self._without_twin(couple, holder)
        elif couple.met and holder in self._may:
            self._dissociate[holder].append(couple.ids[holder])
        elif not couple.met and holder.other in self._may:
            held = couple.now[holder]
            labels = held.labels if held is not None and self._knows_labels else ()
            self._add(holder.other, Target(couple.ids[holder.other], labels=labels))
            self._agree(couple, labels if self._knows_labels else None)
        else:
            self._leave(couple)

    def _without_twin(self, couple: _Couple, holder: Side) -> None:
        """Its far end has no link: it waits, unless it was agreed on before that link was lost."""
        if couple.seen[holder] is None and holder.other in self._may:
            self._waits.append(Waiting(self._name, holder, couple.ids[holder]))
        self._leave(couple)

    def _leave(self, couple: _Couple) -> None:
        self._open = True
        for side, target in couple.seen.items():
            if target is not None:
                self._seen[side][target.id] = target

    def _take_labels(self, couple: _Couple) -> None:
        """Both have it: each label merges as a target does."""
        if not self._knows_labels:
            self._agree(couple)
            return
        held = {side: _labels_of(couple.now[side]) for side in Side}
        known = {side: _labels_of(couple.seen[side]) for side in Side}
        wanted = {side: set(held[side]) for side in Side}
        left = False
        for label in held[Side.HUB] ^ held[Side.APP]:
            holder = Side.HUB if label in held[Side.HUB] else Side.APP
            removed = all(label in known[side] for side in Side)
            if removed and holder in self._may:
                wanted[holder].discard(label)
            elif not removed and holder.other in self._may:
                wanted[holder.other].add(label)
            else:
                left = True
        for side in Side:
            if wanted[side] != held[side]:
                if held[side] - wanted[side]:  # labels are only ever added: begin anew
                    self._dissociate[side].append(couple.ids[side])
                target = couple.now[side]
                was_primary = target is not None and target.primary
                labels = tuple(sorted(wanted[side]))
                self._add(side, Target(couple.ids[side], was_primary, labels))
        if left:
            self._leave(couple)
        else:
            self._agree(couple, tuple(sorted(wanted[Side.HUB])))

    def _agree(self, couple: _Couple, labels: Sequence[str] | None = None) -> None:
        """Both sides have it now; ``labels``: these, or each its own where they are not merged."""
        for side in Side:
            target = couple.now[side] or Target(couple.ids[side])
            own = target.labels if labels is None else tuple(labels)
            self._seen[side][target.id] = Target(target.id, target.primary, own)

    def _add(self, side: Side, target: Target) -> None:
        self._associate[side][target.id] = target

    def choose_primary(self, direction: Direction, default: Side, met: bool) -> None:
        """Merge which target is the primary one; without one, nothing is taken from the other."""
        values: dict[Side, Value] = {side: _primary(self._now[side]) for side in Side}
        hub, app = values[Side.HUB], values[Side.APP]
        if (hub is None and app is None) or self._twins[Side.HUB].get(str(hub)) == app:
            return
        edited = None
        if met:
            edited = frozenset(s for s in Side if values[s] != _primary(self._before[s]))
        _, to, _ = choose(direction, Blanks.NEVER_ERASE, values, edited, default)
        if to is None or to not in self._may:
            return
        source = str(values[to.other])
        twin = self._twins[to.other].get(source)
        if twin is None or source in self._dissociate[to.other] or not self._stays(to, twin):
            return
        wanted = self._associate[to].get(twin) or self._now[to].get(twin) or Target(twin)
        others = self._associate[to].values()
        self._associate[to] = {t.id: Target(t.id, False, t.labels) for t in others}
        self._add(to, Target(twin, True, wanted.labels))
        for side, chosen in ((to, twin), (to.other, source)):
            self._seen[side] = {
                i: Target(i, i == chosen, t.labels) for i, t in self._seen[side].items()
            }

    def _stays(self, side: Side, target: str) -> bool:
        """Whether a side will have a target."""
        if target in self._associate[side]:
            return True
        return target in self._now[side] and target not in self._dissociate[side]

    def decision(self) -> AssociationDecision | None:
        """All of it; None where both sides agree."""
        writes = any(self._associate[side] or self._dissociate[side] for side in Side)
        if not writes and not self._open and not self._waits:
            return None
        return AssociationDecision(
            self._name,
            Reason.EDITED if writes else Reason.DIFFERS,
            {side: tuple(self._associate[side].values()) for side in Side},
            {side: tuple(self._dissociate[side]) for side in Side},
            tuple(self._waits),
            seen={side: kept_targets(self._seen[side].values()) for side in Side},
            after={side: self._after(side) for side in Side},
        )

    def _after(self, side: Side) -> Value:
        left = {i: t for i, t in self._now[side].items() if i not in self._dissociate[side]}
        for target in self._associate[side].values():
            if target.primary:
                left = {i: Target(i, False, t.labels) for i, t in left.items()}
            own = left.get(target.id, target).labels
            left[target.id] = Target(target.id, target.primary, tuple({*own, *target.labels}))
        return kept_targets(left.values())


def _labels_of(target: Target | None) -> set[str]:
    return set() if target is None else set(target.labels)


def _primary(ends: Ends) -> str | None:
    return next((i for i in sorted(ends) if ends[i].primary), None)
