"""What the history of records must tell: every write of ours, and no other (H6)."""

from __future__ import annotations

from collections import Counter
from typing import TYPE_CHECKING

from tests.simulation.broken import Broken
from tests.simulation.oracle import token

from twofold.core.mappings import Rules
from twofold.core.records import Record, Side
from twofold.core.schema import Op
from twofold.core.values import is_blank
from twofold.store.history import Line
from twofold.store.types import Did

if TYPE_CHECKING:
    from tests.simulation.history import History

NAME = "history"
_OTHERS = ("@", "x_")
"""What the names of associations begin with, and of fields whose values change on their way: what
these hold is a promise of its own."""
Written = Counter[tuple[str, str]]
"""How often a field was given a value, by field and token."""


def history_explains(history: History) -> int:
    """Every value of a linked record is a person's, or has a line that tells how it came."""
    checked = 0
    for sync, rules in zip(history.syncs, history.setup.rules, strict=True):
        for ids, _ in history.pairs(sync):
            for side in Side:
                checked += _explained(history, sync, rules, side, ids)
    return checked


def _explained(history: History, sync: int, rules: Rules, side: Side, ids: dict[Side, str]) -> int:
    obj, record_id = rules.hub.name, ids[side]
    place = (side, obj, record_id)
    # Where an answer was missing, a record or a value may be somebody's and look like ours.
    unsure = bool({place, (side.other, obj, ids[side.other])} & history.unsure)
    reader = history.state.syncs.get(sync).reader(side)
    found = history.state.records.find(reader, record_id)
    record = history.setup.apps[side].read(obj, record_id)
    if found is None or record is None:
        return 0
    lines = history.state.history.of(sync, [found.row])
    where = f"{obj} {record_id} of the {side}"
    ours = (obj, record_id) in history.setup.apps[side].made
    made = sum(line.did is Did.CREATED for line in lines)
    if made > 1 or (made != ours and not unsure):
        raise Broken(NAME, f"{where}: made by {'us' if ours else 'somebody'}, told by {lines}")
    effects = _effects(history, side, obj, record_id)
    told = _told(lines)
    if told != effects and not unsure:
        raise Broken(NAME, f"{where}: written {dict(effects)}, told {dict(told)}")
    moved = history.users.merged | history.users.restored.keys()
    alone = history.setup.apps[side.other].read(obj, ids[side.other]) is None
    # What became of a write is learned with its pair: not while the twin is gone.
    if place not in moved and not (alone and unsure):
        _every_value(history, rules, side, record, told)
    return 1


def _effects(history: History, side: Side, obj: str, record_id: str) -> Written:
    """What we sent to a record in updates, by the app's own log."""
    return Counter(
        (name, token(value))
        for effect in history.setup.apps[side].effects
        if (effect.obj, effect.id, effect.op) == (obj, record_id, Op.UPDATE)
        for name, value in effect.fields.items()
        if not name.startswith(_OTHERS)
    )


def _told(lines: list[Line]) -> Written:
    return Counter(
        (change.name, token(change.after))
        for line in lines
        for change in line.changes
        if not change.name.startswith(_OTHERS)
    )


def _every_value(history: History, rules: Rules, side: Side, record: Record, told: Written) -> None:
    """A value is somebody's, or what we made the record with, or told by a line."""
    obj = rules.hub.name
    made = [
        effect.fields
        for effect in history.setup.apps[side].effects
        if (effect.obj, effect.id, effect.op) == (obj, record.id, Op.CREATE)
    ]
    for mapping in rules.mappings:
        name = mapping.name
        if name.startswith(_OTHERS):
            continue
        value = record.fields.get(name)
        theirs = [
            edit.value
            for edit in history.users.edits.get((obj, name), ())
            if (edit.side, edit.id) == (side, record.id)
        ]
        known = {token(v) for v in (*theirs, *(fields.get(name) for fields in made))}
        if is_blank(value) or token(value) in known or told[name, token(value)]:
            continue
        raise Broken(NAME, f"{obj} {record.id} of the {side} {name}: {value!r} comes from nowhere")
