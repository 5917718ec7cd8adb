"""What mappings that change what travels promise: the very values, and no harm to other fields."""

from __future__ import annotations

from tests.simulation.broken import Broken
from tests.simulation.history import History
from tests.simulation.limit_promises import sends
from tests.simulation.mapped import CONSTANT, GIVEN, NAMES, PREFIX, UNPAIRED, unlike
from tests.simulation.oracle import check_field, way

from twofold.core.health import State
from twofold.core.mappings import Direction, Rules
from twofold.core.records import Record, Side
from twofold.core.schema import Op
from twofold.store.linkrows import decode_outcome

NAME = "mapped values"
UNFIT = {"TF-R11", "TF-R12", "TF-R13"}


def values_arrive_changed(history: History) -> int:
    """Pairs in step hold what their mappings say; what does not fit fails its field alone."""
    script = history.script.sync
    if not script.mapped:
        return 0
    sync = history.syncs[history.setup.objects.index("contact")]
    rules = next(r for r in history.setup.rules if r.hub.name == "contact")
    checked = _constants(history) if "constant" in script.mapped else 0
    for ends, state, unfit in _pairs(history, sync):
        if not all(sends(history, rules, side, ends[side]) for side in Side):
            continue
        checked += 1
        color = ends[Side.HUB].fields.get("x_color")
        if state is State.IN_SYNC and color == UNPAIRED and rules.direction is Direction.BOTH:
            raise Broken(NAME, f"{color} has no pair, and {ends[Side.HUB].id} is in sync")
        if state is State.IN_SYNC:
            _exactly(history, rules, ends)
        elif state is State.FAILING and unfit:
            _others(history, rules, ends, unfit)
    return checked


def _exactly(history: History, rules: Rules, ends: dict[Side, Record]) -> None:
    for mapping in rules.mappings:
        if mapping.name not in NAMES:
            continue
        own = [
            e
            for e in history.users.edits.get(("contact", mapping.name), ())
            if e.side is Side.APP and e.id == ends[Side.APP].id
        ]
        merged = any((s, "contact", ends[s].id) in history.users.merged for s in Side)
        if way(rules, mapping) is Direction.BOTH or not (own or merged):
            wrong = unlike(mapping.name, ends)
            if wrong and way(rules, mapping) is not None:
                raise Broken(NAME, wrong)


def _others(history: History, rules: Rules, ends: dict[Side, Record], unfit: set[str]) -> None:
    """D10: what does not fit keeps nothing else from travelling."""
    code = str(ends[Side.APP].fields.get("x_code"))
    expected = {"x_color"} if ends[Side.HUB].fields.get("x_color") == UNPAIRED else set()
    expected |= set() if code.startswith(PREFIX) else {"x_code"}
    if not unfit <= expected:
        raise Broken(NAME, f"{sorted(unfit - expected)} fails, and its value fits")
    for mapping in rules.mappings:
        if mapping.name not in unfit:
            wrong = check_field(history, rules, mapping, ends)
            if wrong:
                raise Broken(NAME, f"beside {sorted(unfit)}, {mapping.name} {wrong}")


def _constants(history: History) -> int:
    checked = 0
    for side in Side:
        for effect in history.setup.apps[side].effects:
            if effect.obj != "contact":
                continue
            checked += 1
            given = effect.fields.get(CONSTANT)
            if given != (GIVEN if effect.op is Op.CREATE else None):
                raise Broken(NAME, f"{effect.op} of {effect.id} of the {side} wrote {given!r}")
    return checked


def _pairs(history: History, sync: int) -> list[tuple[dict[Side, Record], State, set[str]]]:
    """Both records of each pair, its state, and the fields that did not fit, where these are all
    that is wrong with it."""
    found = history.db.execute(
        "SELECT h.id, a.id, l.state, l.outcome FROM links l JOIN records h ON h.row = l.hub"
        " JOIN records a ON a.row = l.app WHERE l.sync = ?",
        (sync,),
    ).fetchall()
    pairs = []
    for hub_id, app_id, state, text in found:
        hub = history.setup.apps[Side.HUB].read("contact", hub_id)
        app = history.setup.apps[Side.APP].read("contact", app_id)
        if hub is None or app is None:
            continue
        issues = decode_outcome(state, text).issues
        fields = {issue.field or "" for issue in issues}
        known = all(issue.code in UNFIT for issue in issues) and fields <= NAMES.keys()
        pairs.append(({Side.HUB: hub, Side.APP: app}, State(state), fields if known else set()))
    return pairs
