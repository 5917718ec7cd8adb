"""What must be true after each history, checked against the users' own log.

Each promise says how many things it looked at (none = it was not at stake in this history), and
raises ``Broken`` where it does not hold. The names are the columns of the table of faults.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterator

from tests.simulation.apps import TAGS
from tests.simulation.braking import brakes_hold
from tests.simulation.broken import Broken
from tests.simulation.explaining import history_explains
from tests.simulation.history import MOST_QUIET_ROUNDS, History, NeverQuiet
from tests.simulation.limit_promises import limits_hold, sends
from tests.simulation.mapped_promises import values_arrive_changed
from tests.simulation.oracle import check_field
from tests.simulation.verifying import drift_is_found

from twofold.core.filters import Leaving
from twofold.core.health import State
from twofold.core.mappings import Deletes, Direction, Rules, When
from twofold.core.records import Record, Side
from twofold.core.schema import Op
from twofold.core.values import is_blank


def verdict(history: History) -> dict[str, int]:
    """Play a history and check everything: how many things each promise was checked on.

    Raises:
        Broken: the first promise that does not hold.
    """
    try:
        history.play()
    except NeverQuiet as error:
        raise Broken("quiet", str(error)) from error
    return {name: promise(history) for name, promise in PROMISES.items()}


def _syncs(history: History) -> Iterator[tuple[int, Rules]]:
    yield from zip(history.syncs, history.setup.rules, strict=True)


def becomes_quiet(history: History) -> int:
    """Within a bounded number of rounds nothing is due and nothing is written."""
    if history.rounds > MOST_QUIET_ROUNDS:
        raise Broken("quiet", f"only after {history.rounds} rounds")
    return 1


def source_is_untouched(history: History) -> int:
    """One-way never writes to its source."""
    checked = 0
    for _, rules in _syncs(history):
        if rules.direction is Direction.BOTH:
            continue
        source = Side.APP if rules.direction is Direction.TO_HUB else Side.HUB
        written = [e for e in history.setup.apps[source].effects if e.obj == rules.hub.name]
        checked += 1
        if written:
            raise Broken("one-way", f"{len(written)} writes to the source, the {source}")
    return checked + _fields_of_one_way(history)


def _fields_of_one_way(history: History) -> int:
    checked = 0
    for name, direction in history.script.sync.one_way:
        source = Side.APP if direction is Direction.TO_HUB else Side.HUB
        checked += 1
        for effect in history.setup.apps[source].effects:
            if effect.obj == "contact" and name in effect.fields:
                raise Broken("one-way", f"{name} of {effect.id} was written at its source")
    return checked


def rules_of_mappings(history: History) -> int:
    """A mapping for new records writes no others; one that is off writes nothing."""
    checked = 0
    for name, when in history.script.sync.when:
        checked += 1
        for app in history.setup.apps.values():
            for effect in (e for e in app.effects if e.obj == "contact"):
                if when is When.ON_CREATE and effect.op is Op.UPDATE and name in effect.fields:
                    raise Broken("mapping rules", f"{name} of {effect.id} was written later")
    for name, written in history.turned.items():
        checked += 1
        if len(set(written)) > 1:
            raise Broken("mapping rules", f"{name} was written while its mapping was off")
    return checked


def nothing_is_multiplied(history: History) -> int:
    """No record of ours is there twice."""
    checked = 0
    for _, rules in _syncs(history):
        obj = rules.hub.name
        spared = _known_limits(history, rules)
        for side in Side:
            tags = Counter(r.fields.get(TAGS[obj]) for r in history.setup.apps[side].all(obj))
            checked += len(tags)
            twice = {tag for tag, n in tags.items() if n > 1 and tag is not None} - spared
            if twice:
                raise Broken("no duplicate", f"{obj} {twice} more than once on the {side}")
    return checked


def _known_limits(history: History, rules: Rules) -> set[object]:
    """Tags that may be there twice, see docs/concepts/guarantees.

    What is made twice on one side travels, and is then there twice on the other side too.
    """
    users, obj = history.users, rules.hub.name
    types = [rules.type_of(s) for s in Side]
    tags = {place: tag for place, tag in users.created.items() if place[1] == obj}
    # Both of a pair were deleted, and one was taken back: it got a new twin. Then the other one
    # was taken back too.
    back = [_taken_back(history, side, obj) for side in Side]
    spared = back[0] & back[1]
    if not all(kind.keys for kind in types):
        # Nothing can be asked right before a create: what somebody makes at that very moment is
        # seen too late.
        spared |= users.met_by_chance
    if not all(kind.idempotent for kind in types):
        # What we made of a record without a match key, or with a new one, and somebody rewrote
        # before we could look, cannot be told from anything else. What somebody deleted by then is
        # made again, and may be taken back later.
        unsure = {tag for place, tag in tags.items() if place in history.unsure}
        spared |= {
            tag for tag in unsure if tag in users.keyless | users.rekeyed | back[0] | back[1]
        }
    return spared


def _taken_back(history: History, side: Side, obj: str) -> set[object]:
    """Tags of what somebody took back on a side."""
    places = history.users.restored.items()
    return {fields.get(TAGS[obj]) for place, fields in places if place[:2] == (side, obj)}


def nothing_is_deleted(history: History) -> int:
    """What nobody deleted is there, whoever made it."""
    users = history.users
    made = {(s, *place) for s in Side for place in history.setup.apps[s].made}
    ours = _removed_by_us(history)
    there = [p for p in (*users.created, *sorted(made)) if p not in users.deleted | ours]
    for side, obj, record_id in there:
        if history.setup.apps[side].read(obj, record_id) is None:
            raise Broken("nothing deleted", f"{obj} {record_id} vanished from the {side}")
    return len(there)


def _removed_by_us(history: History) -> set[tuple[Side, str, str]]:
    """What we removed, each of it because somebody deleted its twin, where that may travel."""
    script, users = history.script.sync, history.users
    removed: set[tuple[Side, str, str]] = set()
    for side in Side:
        for effect in history.setup.apps[side].effects:
            if effect.op in {Op.CREATE, Op.UPDATE}:
                continue
            where = f"{effect.obj} {effect.id} of the {side}"
            removed.add((side, effect.obj, effect.id))
            twin = _twin(history, side, effect.obj, effect.id)
            place = (side.other, effect.obj, twin or "")
            leaves = script.leaving is Leaving.ARCHIVE and effect.op is Op.ARCHIVE
            if leaves and (twin is None or place in history.beyond):
                continue  # its twin left its limit
            if script.deletes is Deletes.IGNORE or not script.direction.reaches(side):
                raise Broken("nothing deleted", f"we deleted {where}")
            if twin is None:
                continue  # its twin was taken back since, and has another one now
            told = history.script.side(side.other).merges
            # Who deletes the survivor of a merge deletes what went into it.
            asked = {place, users.survivor(place)} & users.ever_deleted
            if not asked and (told or place not in users.deleted):
                raise Broken("nothing deleted", f"we deleted {where}, and nobody its twin {twin}")
    return removed


def _twin(history: History, side: Side, obj: str, record_id: str) -> str | None:
    for sync, rules in _syncs(history):
        if rules.hub.name == obj:
            end, other = side.value, side.other.value
            found = history.db.execute(
                f"SELECT t.id FROM links l JOIN records r ON r.row = l.{end}"
                f" JOIN records t ON t.row = l.{other}"
                " JOIN syncs s ON s.id = l.sync"
                f" WHERE l.sync = ? AND r.reader = s.{end}_reader AND r.id = ?",
                (sync, record_id),
            ).fetchone()
            return None if found is None else str(found[0])
    return None


def excluded_is_untouched(history: History) -> int:
    """What never could take part has no twin and was never written."""
    checked = 0
    for _, rules in _syncs(history):
        if not rules.require_email:
            continue
        for (side, obj, record_id), states in history.users.shown.items():
            if obj != rules.hub.name or any(not is_blank(s.get("email")) for s in states):
                continue
            checked += 1
            effects = history.setup.apps[side].effects
            if any((e.obj, e.id) == (obj, record_id) for e in effects):
                raise Broken("excluded", f"{obj} {record_id} of the {side} was written")
            _has_no_twin(history, side, obj, record_id)
    return checked


def _has_no_twin(history: History, side: Side, obj: str, record_id: str) -> None:
    tag = history.users.created.get((side, obj, record_id))
    made = history.setup.apps[side.other]
    for kind, twin in made.made if tag is not None else ():
        record = made.read(kind, twin) if kind == obj else None
        if record is not None and record.fields.get(TAGS[obj]) == tag:
            raise Broken("excluded", f"{obj} {record_id} of the {side} was created on the other")


def every_record_counts_once(history: History) -> int:
    """In sync, failing and excluded together are all records; none waits in calm."""
    total = 0
    for sync, rules in _syncs(history):
        db = history.state.database.connection
        counted = dict(db.execute("SELECT state, count FROM counters WHERE sync = ?", (sync,)))
        ends = (
            "SELECT l.state, h.gone + a.gone AS dead FROM links l JOIN records h ON h.row = l.hub"
            " JOIN records a ON a.row = l.app WHERE l.sync = ?"
        )
        real: Counter[int] = Counter(s for s, dead in db.execute(ends, (sync,)) if dead < 2)
        real.update(s for (s,) in db.execute("SELECT state FROM singles WHERE sync = ?", (sync,)))
        if {k: v for k, v in counted.items() if v} != dict(real):
            raise Broken("counted once", "the counters drifted")
        counts = history.state.links.counts(sync)
        there = _records(history, sync, rules)
        if counts.total != there:
            raise Broken("counted once", f"{counts.total} are counted, {there} are there")
        if counts.waiting:
            raise Broken("counted once", f"{counts.waiting} still wait in calm")
        total += there
    return total


def _records(history: History, sync: int, rules: Rules) -> int:
    """All living records of both sides in the apps themselves; a linked pair once."""
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


def no_edit_is_lost(history: History) -> int:
    """Pairs in step agree, and hold what people wrote last, by the rule of conflicts."""
    checked = 0
    for sync, rules in _syncs(history):
        for hub, app, state in _pairs(history, sync, rules):
            ends = {Side.HUB: hub, Side.APP: app}
            if state != State.IN_SYNC or not _both_send(history, rules, ends):
                continue
            for mapping in rules.mappings:
                wrong = check_field(history, rules, mapping, ends)
                checked += 1
                if wrong:
                    where = f"{rules.hub.name} {hub.id}/{app.id} {mapping.name}"
                    raise Broken("no edit lost", f"{where} {wrong}")
    return checked


def _both_send(history: History, rules: Rules, ends: dict[Side, Record]) -> bool:
    """Whether neither side is kept from sending."""
    if rules.hub.name != "contact":
        return True
    reached = [side for side in Side if rules.direction.reaches(side.other)]
    return all(sends(history, rules, side, ends[side]) for side in reached)


PROMISES: dict[str, Callable[[History], int]] = {
    "quiet": becomes_quiet,
    "one-way": source_is_untouched,
    "mapping rules": rules_of_mappings,
    "no duplicate": nothing_is_multiplied,
    "nothing deleted": nothing_is_deleted,
    "excluded": excluded_is_untouched,
    "counted once": every_record_counts_once,
    "no edit lost": no_edit_is_lost,
    "mapped values": values_arrive_changed,
    "history": history_explains,
    "verification": drift_is_found,  # from here on the history goes on
    "limits": limits_hold,
    "brakes": brakes_hold,
}
