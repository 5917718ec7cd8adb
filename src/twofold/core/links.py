"""What is remembered of a linked pair, and how *seen* moves.

*Seen* only moves to what a side was seen to hold. A note is made before each write, so that a crash
between write and confirmation never makes our own write look like somebody's edit.
"""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence

import msgspec
from msgspec import Struct

from twofold.core.convert import Conversion
from twofold.core.forms import arrived
from twofold.core.merge import Seen, same, seed_name
from twofold.core.records import Fields, Side
from twofold.core.values import Value


class Sent(Struct, frozen=True):
    """One value on its way to a side."""

    value: Value
    """What is written, in the receiving side's form."""
    source: Value
    """What the other side showed when this was decided."""
    before: Value
    """What the receiving side showed then."""


Note = Mapping[Side, Mapping[str, Sent]]
"""By receiving side and mapping name: what is being written and not yet seen to have arrived."""

FLIPS_TO_FREEZE = 3
"""A field is frozen when the same value had to be written back this many times (R5)."""


class Flip(Struct, frozen=True):
    """What we last wrote of one mapping, per side, and how often the same value came again."""

    written: Mapping[Side, Value]
    count: int = 0


class Link(Struct, frozen=True):
    """A hub record and an app record known to be the same."""

    seen: Seen | None = None
    note: Note = msgspec.field(default_factory=dict)
    flips: Mapping[str, Flip] = msgspec.field(default_factory=dict)

    @property
    def frozen(self) -> frozenset[str]:
        """Mappings that the two apps keep rewriting."""
        return frozenset(n for n, flip in self.flips.items() if flip.count >= FLIPS_TO_FREEZE)


UNMET = Link()
"""A pair that has just been matched: it never agreed on anything."""


def seen_given(
    link: Link, conversions: Sequence[Conversion], shown: Mapping[Side, Fields]
) -> Seen | None:
    """*Seen*, with every noted value that arrived.

    A value other than the one before the write means that the write arrived: where it is not what
    we sent either, somebody edited it since, and *seen* is what we sent, so that the edit travels.
    """
    if not link.note:
        return link.seen
    seen = {side: dict(link.seen[side]) if link.seen else {} for side in Side}
    for conversion in conversions:
        for side, sent_by_name in link.note.items():
            sent = sent_by_name.get(conversion.name)
            if sent is None:
                continue
            own = conversion.own[side]
            holds = shown[side].get(conversion.fields[side])
            if own(holds) == own(sent.before):
                continue
            ours = arrived(own, holds, sent.value)
            seen[side][conversion.fields[side]] = holds if ours else sent.value
            seen[side.other][conversion.fields[side.other]] = sent.source
    return seen


def seen_after(
    conversions: Sequence[Conversion],
    before: Seen | None,
    planned: Mapping[Side, Fields],
    written: Mapping[Side, Mapping[str, Value]],
    unsettled: frozenset[str],
) -> Seen:
    """*Seen* after a round.

    Args:
        before: *Seen* before it.
        planned: What each side showed when the round was planned.
        written: By side and mapping name: what the side now holds of what we wrote to it.
        unsettled: Mappings that must stay as they were, e.g. because their write was refused.
    """
    after: dict[Side, dict[str, Value]] = {side: {} for side in Side}
    for conversion in conversions:
        receiver = next((s for s in Side if conversion.name in written.get(s, ())), None)
        for side in Side:
            name = conversion.fields[side]
            if side is receiver:
                after[side][name] = written[side][conversion.name]
            elif receiver is None and conversion.name in unsettled:
                if before is not None:
                    _keep(after[side], before[side], name, seed_name(conversion.name))
            else:
                after[side][name] = planned[side].get(name)
    return after


def _keep(after: dict[str, Value], before: Fields, *names: str) -> None:
    for name in names:
        if name in before:
            after[name] = before[name]


def seen_after_create(
    conversions: Sequence[Conversion],
    source: Side,
    planned: Fields,
    written: Mapping[str, Value],
    now: Fields,
) -> Seen:
    """*Seen* of a pair whose one end we just made.

    A field that the app filled by itself stays unseen: the two have yet to meet in it.
    """
    after: dict[Side, dict[str, Value]] = {side: {} for side in Side}
    for conversion in conversions:
        mine, theirs = conversion.fields[source], conversion.fields[source.other]
        if conversion.name in written:
            after[source][mine] = planned.get(mine)
            after[source.other][theirs] = written[conversion.name]
            continue
        ours, other = planned.get(mine), now.get(theirs)
        pair = (ours, other) if source is Side.HUB else (other, ours)
        if same(conversion, *pair):
            after[source][mine], after[source.other][theirs] = ours, other
    return after


def flips_after(
    flips: Mapping[str, Flip], writes: Mapping[Side, Mapping[str, Value]]
) -> Mapping[str, Flip]:
    """Count the writes that repeat what we last wrote to the same side.

    A person who toggles a value never makes us write the same value twice in a row to one side;
    two apps that rewrite each other's form do.
    """
    after = dict(flips)
    for side, values in writes.items():
        for name, value in values.items():
            flip = after.get(name)
            if flip is None:
                after[name] = Flip({side: value})
                continue
            again = side in flip.written and flip.written[side] == value
            count = flip.count + 1 if again else (flip.count if side not in flip.written else 0)
            after[name] = Flip({**flip.written, side: value}, count)
    return after


def thawed(flips: Mapping[str, Flip], rewritten: Collection[str]) -> Mapping[str, Flip]:
    """Forget the counts of frozen mappings on which both sides agree again.

    ``rewritten``: the mappings in which they do not.
    """
    if not flips:
        return flips
    return {
        name: flip
        for name, flip in flips.items()
        if flip.count < FLIPS_TO_FREEZE or name in rewritten
    }
