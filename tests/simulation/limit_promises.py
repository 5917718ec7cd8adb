"""What must be true of limits after a history: who is excluded, and that nothing touches them.

The history goes on in calm for it: people edit what is excluded, and nothing of it may travel; then
everybody comes back, and all of it must.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

from tests.simulation.broken import Broken
from tests.simulation.limits import meets
from tests.simulation.oracle import token, way

from twofold.core.filters import Leaving
from twofold.core.health import State
from twofold.core.mappings import Direction, Rules
from twofold.core.records import Record, Side
from twofold.core.values import Value, is_blank
from twofold.store.linkrows import decode_outcome

if TYPE_CHECKING:
    from tests.simulation.history import History

BY_HAND = frozenset({"TF-X04", "TF-X05"})
NAME = "limits"
_BEYOND = {
    Leaving.STOP: {State.EXCLUDED},
    Leaving.ARCHIVE: {State.EXCLUDED},
    Leaving.FINAL: {State.EXCLUDED, State.FAILING},  # the final update is refused
    Leaving.KEEP: set(State),
}
"""Where a pair may stand of which no end is within its limit."""


class Pair(NamedTuple):
    """A linked pair of contacts of which both ends exist."""

    ends: dict[Side, Record]
    state: State
    code: str
    """Of its first issue."""


class Edit(NamedTuple):
    """Somebody edited one end of an excluded pair."""

    pair: Pair
    side: Side
    text: str


def limits_hold(history: History) -> int:
    """Who is beyond the limit is excluded and untouched, and comes back with what was edited."""
    sync = history.script.sync
    if not (sync.hub_limit or sync.app_limit):
        return 0
    rules = next(r for r in history.setup.rules if r.hub.name == "contact")
    checked = _states(history, rules)
    edits = _edit_the_excluded(history, rules)
    _all_come_back(history, rules, edits)
    return checked


def sends(history: History, rules: Rules, side: Side, record: Record) -> bool:
    """Whether a contact may send from its side, by what the words of its limit mean."""
    if not rules.direction.reaches(side.other):
        return False
    if rules.require_email and is_blank(record.fields.get("email")):
        return False
    return meets(history.script.sync, side, record.fields, history.world.now().date())


def _sync_id(history: History) -> int:
    return history.syncs[history.setup.objects.index("contact")]


def _pairs(history: History) -> list[Pair]:
    found = history.db.execute(
        "SELECT h.id, a.id, l.state, l.outcome FROM links l JOIN records h ON h.row = l.hub"
        " JOIN records a ON a.row = l.app WHERE l.sync = ?",
        (_sync_id(history),),
    ).fetchall()
    pairs = []
    for hub_id, app_id, state, text in found:
        ids = {Side.HUB: hub_id, Side.APP: app_id}
        ends = {side: history.setup.apps[side].read("contact", ids[side]) for side in Side}
        there = {side: record for side, record in ends.items() if record is not None}
        issues = decode_outcome(state, text).issues
        if len(there) == len(Side):
            pairs.append(Pair(there, State(state), issues[0].code if issues else ""))
    return pairs


def _states(history: History, rules: Rules) -> int:
    leaving = history.script.sync.leaving
    pairs = [pair for pair in _pairs(history) if pair.code not in BY_HAND]
    for pair in pairs:
        ids = {side: pair.ends[side].id for side in Side}
        if any(sends(history, rules, side, pair.ends[side]) for side in Side):
            if pair.state is State.EXCLUDED:
                raise Broken(NAME, f"{ids} is within, and {pair.code}")
        elif pair.state not in _BEYOND[leaving]:
            raise Broken(NAME, f"{ids} is beyond its limit, and {pair.state.label}")
    return len(pairs)


def _edit_the_excluded(history: History, rules: Rules) -> list[Edit]:
    today = history.world.now().date()
    edits: list[Edit] = []
    for number, pair in enumerate(_pairs(history)):
        side = list(Side)[number % 2]
        record, text = pair.ends[side], f"away {number}"
        moved = {**record.fields, "notes": text}
        stays = not meets(history.script.sync, side, moved, today)
        if pair.state is State.EXCLUDED and pair.code == "TF-X03" and stays:
            history.setup.apps[side].edit("contact", record.id, {"notes": text})
            edits.append(Edit(pair, side, text))
    history.settle()
    for pair, side, text in edits:
        other = history.setup.apps[side.other].read("contact", pair.ends[side.other].id)
        in_time = any(sends(history, rules, s, pair.ends[s]) for s in Side)  # midnight came
        if other is not None and not in_time and other.fields != pair.ends[side.other].fields:
            raise Broken(NAME, f"{text}: excluded, yet its twin was written")
    return edits


def _all_come_back(history: History, rules: Rules, edits: list[Edit]) -> None:
    sync, apps = _sync_id(history), history.setup.apps
    notes = next(m for m in rules.mappings if m.name == "notes")
    for side in Side:
        reader = history.state.syncs.get(sync).reader(side)
        rows = [stored.row for stored in history.state.records.living(reader)]
        history.state.limits.include(sync, [(side, row) for row in rows])
    back = []
    fields: dict[str, Value] = {
        "lastname": "in",
        "phone": None,
        "date_of_birth": history.world.now().date(),
    }
    for edit in edits:
        ends = edit.pair.ends
        for side in Side:
            if apps[side].read("contact", ends[side].id) is not None:
                apps[side].edit("contact", ends[side].id, fields)
        now = {s: apps[s].read("contact", ends[s].id) for s in Side}
        agreed = token(ends[Side.HUB].fields.get("notes")) == token(
            ends[Side.APP].fields.get("notes")
        )
        both = all(r is not None and sends(history, rules, s, r) for s, r in now.items())
        if agreed and both and way(rules, notes) is Direction.BOTH:
            back.append(edit)
    history.settle()
    states = {p.ends[Side.HUB].id: p.state for p in _pairs(history)}
    for pair, side, text in back:
        other = apps[side.other].read("contact", pair.ends[side.other].id)
        held = None if other is None else other.fields.get("notes")
        if token(held) != token(text) and states[pair.ends[Side.HUB].id] is State.IN_SYNC:
            raise Broken(NAME, f"{text}: came back, and the other side holds {held!r}")
