"""What must be true after each history, checked against the users' own log."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence

from tests.simulation.history import History
from tests.simulation.users import Edit
from tests.simulation.worlds import COMPANY_FIELDS, CONTACT_FIELDS, TAGS

from twofold.core.health import State
from twofold.core.mappings import Direction, Rules
from twofold.core.records import Record, Side
from twofold.core.values import is_blank


def check(history: History) -> None:
    """Raise AssertionError, with the seed, for the first promise that is broken."""
    for sync, rules in zip(history.syncs, history.setup.rules, strict=True):
        _one_way_source_is_untouched(history, rules)
        _no_duplicates(history, rules)
        _nothing_deleted_by_us(history)
        _every_record_counts_once(history, sync)
        _pairs_agree_and_no_edit_is_lost(history, sync, rules)


def _say(history: History, text: str) -> str:
    return f"seed {history.seed}: {text}"


def _one_way_source_is_untouched(history: History, rules: Rules) -> None:
    if rules.direction is Direction.BOTH:
        return
    source = Side.APP if rules.direction is Direction.TO_HUB else Side.HUB
    written = history.setup.apps[source].writes
    assert written == 0, _say(history, f"{written} writes to the source side {source}")


def _no_duplicates(history: History, rules: Rules) -> None:
    obj = rules.hub.name
    for side in Side:
        tags = Counter(r.fields.get(TAGS[obj]) for r in history.setup.apps[side].all(obj))
        twice = {tag for tag, n in tags.items() if n > 1 and tag is not None}
        # What is made twice on one side travels, and is then there twice on the other side too.
        types = [rules.type_of(s) for s in Side]
        if not all(kind.keys for kind in types):
            # Nothing can be asked right before a create: what somebody makes at that very moment
            # is seen too late. A known limit of such apps.
            twice -= history.users.met_by_chance
        if history.uncertain and not all(kind.idempotent for kind in types):
            # What we made of a record without a match key, and somebody rewrote before we could
            # look, cannot be told from anything else. A known limit, see docs/concepts/guarantees.
            twice -= history.users.keyless
        assert not twice, _say(history, f"{obj} {twice} more than once on {side}")


def _nothing_deleted_by_us(history: History) -> None:
    for side, obj, record_id in history.users.created:
        if (side, obj, record_id) not in history.users.deleted:
            found = history.setup.apps[side].read(obj, record_id)
            assert found is not None, _say(history, f"{obj} {record_id} vanished from {side}")


def _every_record_counts_once(history: History, sync: int) -> None:
    db = history.state.database.connection
    counted = dict(db.execute("SELECT state, count FROM counters WHERE sync = ?", (sync,)))
    ends = (
        "SELECT l.state, h.gone + a.gone AS dead FROM links l JOIN records h ON h.row = l.hub"
        " JOIN records a ON a.row = l.app WHERE l.sync = ?"
    )
    real: Counter[int] = Counter(s for s, dead in db.execute(ends, (sync,)) if dead < 2)
    real.update(s for (s,) in db.execute("SELECT state FROM singles WHERE sync = ?", (sync,)))
    assert {k: v for k, v in counted.items() if v} == dict(real), _say(history, "counters drifted")
    counts = history.state.links.counts(sync)
    total = _records(history, sync)
    assert counts.total == total, _say(history, f"{counts.total} counted, {total} exist")
    assert counts.waiting == 0, _say(history, f"{counts.waiting} still wait in calm")


def _records(history: History, sync: int) -> int:
    """All living records of both sides in the apps themselves; a linked pair once."""
    rules = next(r for i, r in zip(history.syncs, history.setup.rules, strict=True) if i == sync)
    alive = sum(len(list(history.setup.apps[side].all(rules.hub.name))) for side in Side)
    return alive - len(_pairs(history, sync, rules))


def _pairs(history: History, sync: int, rules: Rules) -> list[tuple[Record, Record, int]]:
    """Linked records of which both ends exist in the apps."""
    found = history.state.database.connection.execute(
        "SELECT h.id, a.id, l.state FROM links l JOIN records h ON h.row = l.hub"
        " JOIN records a ON a.row = l.app WHERE l.sync = ?",
        (sync,),
    ).fetchall()
    obj = rules.hub.name
    pairs = []
    for hub_id, app_id, state in found:
        hub = history.setup.apps[Side.HUB].read(obj, hub_id)
        app = history.setup.apps[Side.APP].read(obj, app_id)
        if hub is not None and app is not None:
            pairs.append((hub, app, state))
    return pairs


def _pairs_agree_and_no_edit_is_lost(history: History, sync: int, rules: Rules) -> None:
    obj = rules.hub.name
    names = CONTACT_FIELDS if obj == "contact" else COMPANY_FIELDS
    for hub, app, state in _pairs(history, sync, rules):
        if state != State.IN_SYNC:
            continue
        for name in names:
            if rules.direction is Direction.BOTH:
                _field_agrees(history, rules, name, {Side.HUB: hub, Side.APP: app})


def _field_agrees(
    history: History, rules: Rules, name: str, records: Mapping[Side, Record]
) -> None:
    obj = rules.hub.name
    ids = {side: records[side].id for side in Side}
    if any((side, obj, ids[side], name) in history.users.cleared for side in Side):
        return  # a blank never erases: the two may rightly differ
    if rules.require_email and any(is_blank(records[s].fields.get("email")) for s in Side):
        return  # such a record does not send
    values = {side: records[side].fields.get(name) for side in Side}
    where = f"{obj} {ids[Side.HUB]}/{ids[Side.APP]} {name}"
    assert values[Side.HUB] == values[Side.APP], _say(history, f"{where} differ: {values}")
    edits = [e for e in history.users.edits if (e.obj, e.field) == (obj, name)]
    own = [e for e in edits if e.id == ids[e.side]]
    if not own:
        return
    open_edits = _not_replaced(own)
    final = values[Side.HUB]
    allowed = {e.value for e in open_edits}
    # Both sides had the same value by chance: whether they had met by then decides who wins.
    by_chance = any(e.base == other.value for e in open_edits for other in open_edits)
    if len(open_edits) > 1 and not history.uncertain and not by_chance:
        allowed = {e.value for e in open_edits if e.side is rules.default_side}
    assert final in allowed, _say(history, f"{where} is {final!r}, expected one of {allowed}")


def _not_replaced(edits: Sequence[Edit]) -> list[Edit]:
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
    same = [e for e in edits if e.value == edit.base and e.number < edit.number]
    return None if any(e.side is edit.side for e in same) else (same[-1] if same else None)
