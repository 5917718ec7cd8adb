"""Which value a field may hold in the end, told from the users' own log alone."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from decimal import Decimal
from typing import TYPE_CHECKING

from msgspec import structs
from tests.simulation.mapped import in_hub_words, value_of
from tests.simulation.users import Edit

from twofold.core.mappings import Direction, FieldMapping, Rules, When
from twofold.core.records import Record, Side
from twofold.core.values import Value, is_blank

if TYPE_CHECKING:
    from tests.simulation.history import History

Token = str
Ends = Mapping[Side, Record]


def token(value: Value) -> Token:
    """What of a value no app changes: letters and digits, whole numbers; blank is nothing."""
    if isinstance(value, Decimal):
        return str(int(value))
    return "".join(filter(str.isalnum, str(value))).casefold() if not is_blank(value) else ""


def way(rules: Rules, mapping: FieldMapping) -> Direction | None:
    """Where a field travels; None = nowhere."""
    return rules.direction.narrowed(mapping.direction)


def check_field(history: History, rules: Rules, mapping: FieldMapping, ends: Ends) -> str:
    """A sentence about what is wrong with one field of a pair in step, or nothing."""
    obj, name = rules.hub.name, mapping.name
    direction = way(rules, mapping)
    if direction is None or mapping.when is not When.ALWAYS:
        return ""  # what such a mapping may write at all is a promise of its own
    values = {s: token(_meant(name, s, value_of(name, s, ends[s].fields))) for s in Side}
    own = [_understood(e) for e in history.users.edits.get((obj, name), ()) if _is_of(e, ends)]
    cleared = {s for s in Side if (s, obj, ends[s].id, name) in history.users.cleared}
    merged = {s for s in Side if (s, obj, ends[s].id) in history.users.merged}
    if direction is not Direction.BOTH:
        return _one_way(direction, values, own, cleared | merged)
    if values[Side.HUB] != values[Side.APP] and not (cleared and "" in values.values()):
        return f"differ: {values}"
    wins = mapping.default_side or rules.default_side
    return _lost(history, rules, wins, ends, own, values, bool(cleared), bool(merged))


_meant = in_hub_words


def _is_of(edit: Edit, ends: Ends) -> bool:
    return edit.id == ends[edit.side].id


def _understood(edit: Edit) -> Edit:
    """An edit in words that both sides share."""
    value, base = (_meant(edit.field, edit.side, v) for v in (edit.value, edit.base))
    return structs.replace(edit, value=value, base=base)


def _one_way(
    direction: Direction, values: Mapping[Side, Token], own: Sequence[Edit], cleared: set[Side]
) -> str:
    """What the source shows has arrived, unless the receiver has edits of its own."""
    receiver = Side.HUB if direction is Direction.TO_HUB else Side.APP
    if cleared or any(e.side is receiver for e in own) or not own:
        return ""
    if values[receiver] != values[receiver.other]:
        return f"the source shows {values[receiver.other]!r}, and {values[receiver]!r} arrived"
    return ""


def _lost(
    history: History,
    rules: Rules,
    wins: Side,
    ends: Ends,
    own: Sequence[Edit],
    values: Mapping[Side, Token],
    cleared: bool,
    merged: bool,
) -> str:
    """Whether an edit is lost that no rule let lose."""
    places = {(side, rules.hub.name, ends[side].id) for side in Side}
    if not own or merged:
        return ""
    left = not_replaced(own)
    allowed = {token(e.value) for e in left}
    again = any(e.again for e in own)
    if again:
        # Back to an earlier value: where it happens while we are away, or while an answer is
        # missing, nothing tells it from no edit at all. A known limit.
        allowed |= {token(e.base) for e in own if e.again} | {token(e.value) for e in own}
    blanked = any(is_blank(e.value) for e in left)
    if blanked:
        # A blank never erases: what the other side held stays.
        allowed |= {token(e.value) for e in own}
    # Both sides had the same value by chance: whether they had met by then decides who wins.
    by_chance = any(
        token(e.base) == token(o.value) and e.side is not o.side for e in own for o in left
    )
    strict = not (again or blanked or by_chance or places & history.unsure)
    if len(left) > 1 and strict:
        allowed = {token(e.value) for e in left if e.side is wins}
    for place in places & history.users.restored.keys():
        # What it showed may have come from a twin that is gone by now, with its edits.
        shown = value_of(own[0].field, place[0], history.users.restored[place])
        allowed.add(token(_meant(own[0].field, place[0], shown)))
    final = set(values.values()) - ({""} if cleared else set())
    if final <= allowed:
        return ""
    return f"is {sorted(final)}, expected one of {sorted(allowed)}"


def not_replaced(edits: Sequence[Edit]) -> list[Edit]:
    """Edits that nobody replaced knowingly: neither later on the same side, nor on the other side
    by somebody who saw their value."""
    replaced: set[int] = set()
    for edit in edits:
        replaced.update(e.number for e in edits if e.side is edit.side and e.number < edit.number)
        base = _edit_behind(edits, edit)
        while base is not None and base.number not in replaced:
            replaced.add(base.number)
            base = _edit_behind(edits, base)
    return [e for e in edits if e.number not in replaced]


def _edit_behind(edits: Sequence[Edit], edit: Edit) -> Edit | None:
    """The other side's edit whose value somebody saw when they made this one."""
    base = token(edit.base)
    if not base:
        return None
    same = [e for e in edits if token(e.value) == base and e.number < edit.number]
    return None if any(e.side is edit.side for e in same) else (same[-1] if same else None)
