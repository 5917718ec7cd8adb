"""Three-way merge of one linked pair, field by field.

A field changed on a side when its canonical value differs from what that side last showed at
agreement (*seen*), compared in that side's own form. So a lossy conversion, a side that reformats
what it is given, or a one-way mapping never looks like an edit. Rules D1–D4 and D10 of the product.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from enum import StrEnum

import msgspec
from msgspec import Struct

from twofold.core.convert import Conversion
from twofold.core.errors import Issue, TwofoldError
from twofold.core.mappings import Blanks, Direction, When
from twofold.core.parts import plain_name
from twofold.core.records import Fields, Side
from twofold.core.values import Value, is_blank

BOTH_SIDES = frozenset(Side)


class Reason(StrEnum):
    """Why a field is written or left alone; ``explain`` shows these words."""

    EQUAL = "both sides hold the same"
    FILLED = "was blank, and the other side has a value"
    DEFAULT_WINS = "first meeting: the default app's value wins"
    SOURCE_WINS = "first meeting: the sending side's value is written"
    KEPT_BY_DEFAULT = "first meeting: the receiving side is the default app and keeps its value"
    EDITED = "changed on the other side only"
    CONFLICT = "changed on both sides: the default app's value wins"
    CONFLICT_KEPT = "changed on both sides: the receiving side is the default app"
    CONFLICT_SENT = "changed on both sides: the sending side's value is written"
    EDIT_OVER_CLEAR = "cleared on one side, edited on the other: the edit wins"
    CLEARED = "cleared on the other side, and the mapping clears too"
    CLEAR_STAYS = "cleared on one side only: a blank never erases"
    DIFFERS = "changed on the receiving side only: stays until the sending side changes"
    UNCHANGED = "neither side changed since they last agreed"
    CLOSED = "this record does not travel that way"
    WRITE_ONCE = "this field cannot be changed after the record was created"
    FAILED = "the value does not fit the other side"
    PAUSED = "this mapping is turned off"
    NOT_EMPTY = "this mapping only fills empty fields"
    NOT_NEW = "this mapping only writes when a record is created"
    SEEDED = "the mapping was added later: values that differ are left alone until one changes"
    UNDONE = "put back by a person"
    FROZEN = "the two apps keep rewriting each other's value"


class Decision(Struct, frozen=True):
    """What one mapping asks for."""

    name: str
    reason: Reason
    to: Side | None = None
    """The side to write, or None."""
    value: Value = None
    """What to write, in that side's form."""
    source: Value = None
    """What the other side showed when this was decided."""
    settled: bool = True
    """Whether *seen* moves to what the two sides now show."""
    issue: Issue | None = None


class Merge(Struct, frozen=True):
    """What each side lacks. Only the mappings that are not simply equal have a decision."""

    decisions: tuple[Decision, ...] = ()

    def writes(self, side: Side) -> list[Decision]:
        """The decisions that write to that side."""
        return [d for d in self.decisions if d.to is side]

    @property
    def issues(self) -> list[Issue]:
        """What went wrong, by field."""
        return [d.issue for d in self.decisions if d.issue is not None]

    @property
    def unsettled(self) -> frozenset[str]:
        """Mappings whose *seen* must not move."""
        return frozenset(d.name for d in self.decisions if not d.settled)


AGREED = Merge()
"""Both sides hold the same in every mapping."""

Seen = Mapping[Side, Fields]
"""What each side showed when the pair last agreed; a field that never did is absent."""


def merge(
    conversions: Sequence[Conversion],
    shown: Mapping[Side, Fields],
    seen: Seen | None,
    default: Side,
    open_to: frozenset[Side] = BOTH_SIDES,
    frozen: frozenset[str] = frozenset(),
) -> Merge:
    """Decide every mapping of a linked pair.

    Args:
        conversions: One per mapping, compiled.
        shown: What each side shows now, in its own form.
        seen: None when the pair has never agreed on anything.
        default: The side whose value wins a conflict (S3).
        open_to: The sides that may be written for this pair (filters, direction).
        frozen: Mappings that oscillate; they are reported and left alone.
    """
    hub, app = shown[Side.HUB], shown[Side.APP]
    decisions: list[Decision] = []
    for conversion in conversions:
        ours, theirs = hub.get(conversion.fields[Side.HUB]), app.get(conversion.fields[Side.APP])
        if type(ours) is type(theirs) and ours == theirs and conversion.plain:
            continue  # the usual case: not even a canonical form is needed
        if conversion.direction is None or same(conversion, ours, theirs):
            continue
        if conversion.paused:
            decisions.append(Decision(conversion.name, Reason.PAUSED, settled=False))
            continue
        if conversion.name in frozen:
            decisions.append(Decision(conversion.name, Reason.FROZEN, settled=False))
            continue
        values = {Side.HUB: ours, Side.APP: theirs}
        edited = None if seen is None else _edited(conversion, values, seen)
        wins = conversion.default or default
        if edited is None and seen is not None:
            choice = _meet(conversion, values, wins, seen)
        else:
            choice = choose(conversion.direction, conversion.blanks, values, edited, wins)
        decisions.append(_finish(conversion, choice, values, open_to))
    return Merge(tuple(decisions)) if decisions else AGREED


Likeness = Callable[[Fields, Fields], bool]


def likeness(conversions: Sequence[Conversion]) -> Likeness:
    """Return the function that says whether all mapped values of two records are simply equal.

    Then ``merge`` decides nothing. Asked first: it is the usual case, and costs a tenth.
    """
    hub_names = tuple(c.fields[Side.HUB] for c in conversions if c.plain)
    app_names = tuple(c.fields[Side.APP] for c in conversions if c.plain)
    others = [c for c in conversions if not c.plain]

    def alike(hub: Fields, app: Fields) -> bool:
        ours, theirs = list(map(hub.get, hub_names)), list(map(app.get, app_names))
        if ours != theirs:
            return False
        kinds = list(map(type, ours))  # True == 1 == Decimal(1)
        return _PLAIN.issuperset(kinds) or kinds == list(map(type, theirs))

    if not others:
        return alike

    def alike_and_same(hub: Fields, app: Fields) -> bool:
        names = ((c, c.fields[Side.HUB], c.fields[Side.APP]) for c in others)
        return alike(hub, app) and all(same(c, hub.get(h), app.get(a)) for c, h, a in names)

    return alike_and_same


_PLAIN = frozenset((str, type(None)))


def same(conversion: Conversion, hub: Value, app: Value) -> bool:
    """Whether the two values are equal in canonical form."""
    return conversion.shared[Side.HUB](hub) == conversion.shared[Side.APP](app)


def _edited(
    conversion: Conversion, values: Mapping[Side, Value], seen: Seen
) -> frozenset[Side] | None:
    """The sides that changed since they agreed; None when they never did."""
    edited = []
    for side in Side:
        name = conversion.fields[side]
        if name not in seen[side]:
            return None
        own = conversion.own[side]
        if own(values[side]) != own(seen[side][name]):
            edited.append(side)
    return frozenset(edited)


def seed_name(mapping: str) -> str:
    """Where *seen* of the hub tells that a mapping was added to a live sync (F15).

    Its value is the side that seeds it, or "" where it only fills blanks.
    """
    return f"?{mapping}"


def _meet(
    conversion: Conversion, values: Mapping[Side, Value], default: Side, seen: Seen
) -> Choice:
    """A pair that has agreed before meets for the first time in this field."""
    assert conversion.direction is not None
    seed = seen[Side.HUB].get(seed_name(conversion.name))
    if seed == "" and not any(map(is_blank, values.values())):
        return Reason.SEEDED, None, True
    if seed:
        default = Side(str(seed))
    return choose(conversion.direction, conversion.blanks, values, None, default)


Choice = tuple[Reason, Side | None, bool]
"""The reason, the side to write, and whether *seen* moves."""


def choose(
    direction: Direction,
    blanks: Blanks,
    values: Mapping[Side, Value],
    edited: frozenset[Side] | None,
    default: Side,
) -> Choice:
    """Decide between two values that differ.

    Args:
        edited: The sides that changed since they agreed; None when they never did.
    """
    if direction is Direction.BOTH:
        return _choose_two_way(values, edited, default, blanks)
    receiver = Side.HUB if direction is Direction.TO_HUB else Side.APP
    return _choose_one_way(values, edited, default, receiver, blanks)


def _choose_two_way(
    values: Mapping[Side, Value],
    edited: frozenset[Side] | None,
    default: Side,
    blanks: Blanks,
) -> Choice:
    blank = next((side for side in Side if is_blank(values[side])), None)
    if edited is None:
        if blank is not None:
            return Reason.FILLED, blank, True
        return Reason.DEFAULT_WINS, default.other, True
    if not edited:
        return Reason.UNCHANGED, None, True
    if len(edited) == len(Side):
        if blank is not None:
            return Reason.EDIT_OVER_CLEAR, blank, True
        return Reason.CONFLICT, default.other, True
    (editor,) = edited
    if editor is blank:
        if blanks is Blanks.CLEAR:
            return Reason.CLEARED, editor.other, True
        return Reason.CLEAR_STAYS, None, True
    return Reason.EDITED, editor.other, True


def _choose_one_way(
    values: Mapping[Side, Value],
    edited: frozenset[Side] | None,
    default: Side,
    receiver: Side,
    blanks: Blanks,
) -> Choice:
    sent, held = values[receiver.other], values[receiver]
    both = edited is None or receiver in edited
    if edited is not None and receiver.other not in edited:
        # The receiver's own edit stays, and *seen* with it, so that it still counts as an edit
        # when the source changes too.
        return (
            (Reason.DIFFERS, None, False) if receiver in edited else (Reason.UNCHANGED, None, True)
        )
    if is_blank(sent):
        if edited is not None and blanks is Blanks.CLEAR and not both:
            return Reason.CLEARED, receiver, True
        return Reason.CLEAR_STAYS, None, True
    if is_blank(held):
        return Reason.FILLED, receiver, True
    if both and default is receiver:
        return (Reason.KEPT_BY_DEFAULT if edited is None else Reason.CONFLICT_KEPT), None, True
    if not both:
        return Reason.EDITED, receiver, True
    return (Reason.SOURCE_WINS if edited is None else Reason.CONFLICT_SENT), receiver, True


def _finish(
    conversion: Conversion,
    choice: Choice,
    values: Mapping[Side, Value],
    open_to: frozenset[Side],
) -> Decision:
    """Turn a choice into a decision, unless the way is closed or the value does not fit."""
    reason, to, settled = choice
    if to is None:
        return Decision(conversion.name, reason, settled=settled)
    if to not in open_to:
        return Decision(conversion.name, Reason.CLOSED, settled=False)
    if not conversion.updatable[to]:
        return Decision(conversion.name, Reason.WRITE_ONCE)
    if conversion.when is When.ON_CREATE:
        return Decision(conversion.name, Reason.NOT_NEW)
    if conversion.when is When.IF_EMPTY and not is_blank(values[to]):
        return Decision(conversion.name, Reason.NOT_EMPTY)
    source = values[to.other]
    try:
        value = conversion.write[to](source)
    except TwofoldError as error:
        issue = msgspec.structs.replace(error.issue, field=plain_name(conversion.fields[to]))
        return Decision(conversion.name, Reason.FAILED, settled=False, issue=issue)
    return Decision(conversion.name, reason, to, value, source)
