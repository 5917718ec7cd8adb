"""What people do on both sides, and a log of it that the engine never sees."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Callable
from datetime import date, timedelta
from decimal import Decimal
from typing import NamedTuple

from msgspec import Struct
from tests.simulation.apps import EDITED, FIELDS, TAGS
from tests.simulation.mapped import MAPPED, value_of
from tests.simulation.script import Act
from tests.simulation.worlds import CLEARED, Setup

from twofold.core.records import Fields, Side, Target
from twofold.core.values import Value

Place = tuple[Side, str, str]
"""(side, object type, id)"""


class Edit(Struct, frozen=True):
    """Somebody gave a field a value; one that no other edit ever gives, unless it is ``again``."""

    number: int
    side: Side
    obj: str
    id: str
    field: str
    value: Value
    """None where it was cleared."""
    base: Value
    """What that side showed right before."""
    again: bool = False
    """Back to an earlier value."""


def new_value(field: str, number: int) -> Value:
    """A value that nobody else gives that field."""
    if field == "domain":
        return f"d{number}.example"
    if field == "phone":
        return f"+49 (30) 55{number:05d}"
    if field == "credit":
        return Decimal(f"{number}.26")
    return f" edit {number} " if number % 7 == 0 else f"edit {number}"


class Users:
    """People on both sides."""

    def __init__(self, setup: Setup) -> None:
        self.setup = setup
        self.restored: dict[Place, Fields] = {}
        """What each record showed when somebody took it back: it may get a new twin by that."""
        self.done = 0
        """How many acts were possible and done."""
        self.edits: dict[tuple[str, str], list[Edit]] = defaultdict(list)
        """By object type and field."""
        self.cleared: set[tuple[Side, str, str, str]] = set()
        """(side, object type, id, field) that somebody emptied."""
        self.deleted: set[Place] = set()
        """Also what was merged into another record."""
        self.ever_deleted: set[Place] = set()
        """Also what was taken back since, and nothing that was merged."""
        self.merged_into: dict[Place, Place] = {}
        """By what was merged: its survivor."""
        self.merged: set[Place] = set()
        """Survivors: they take what they lack from what was merged into them."""
        self.created: dict[Place, int] = {}
        """By place: the tag."""
        self.met_by_chance: set[int] = set()
        """Tags of what people made on both sides at the same moment."""
        self.keyless: set[int] = set()
        """Tags of what has no match key."""
        self.rekeyed: set[Value] = set()
        """Tags of those whose match key somebody changed."""
        self.shown: dict[Place, list[Fields]] = defaultdict(list)
        """Every state that somebody left a record in."""
        self._keys: list[tuple[str, str]] = []
        """(object type, key) of what was deleted, to be made again."""
        self._numbers = 0

    def act(self, act: Act) -> str:
        """Somebody does something, somewhere; returns it in words."""
        obj = act.obj if act.obj in self.setup.objects else self.setup.objects[0]
        record_id = ""
        kind = ACTS[act.what]
        mine = sorted(r.id for r in self.setup.apps[act.side].all(obj)) if kind.of_record else []
        if mine:
            record_id = mine[act.pick % len(mine)]
        told = ""
        try:
            if mine or not kind.of_record:
                told = kind.do(self, act.side, obj, record_id, act)
            if not told:  # what was meant cannot be done
                record_id = ""
                told = self.create(act.side, obj, "", act)
        except ValueError as refusal:  # the app itself refuses this
            return f"{act.side}: refused: {refusal}"
        self.done += 1
        if record_id:
            self._keep(act.side, obj, record_id)
        return f"{act.side}: {told}"

    def survivor(self, place: Place) -> Place:
        """The record that one went into, if it was merged; otherwise the record itself."""
        while place in self.merged_into:
            place = self.merged_into[place]
        return place

    def _next(self) -> int:
        self._numbers += 1
        return self._numbers

    # --- acts -----------------------------------------------------------------------------

    def create(self, side: Side, obj: str, _: str, act: Act) -> str:
        """Sometimes on both sides at once: the same person or company, with other details."""
        sides = list(Side) if act.more % 10 < 3 else [side]
        shared = act.more // 10 % 10 == 0  # an e-mail or name that others have too
        key = f"shared{act.pick % 3}" if shared else f"p{self._next()}"
        return self._make(sides, obj, key, bare=act.more // 100 == 0)

    def recreate(self, side: Side, obj: str, _: str, act: Act) -> str:
        """Make again what somebody deleted."""
        gone = [key for kind, key in self._keys if kind == obj and key]
        if not gone:
            return ""
        return self._make([side], obj, gone[act.more % len(gone)], bare=False)

    def _make(self, sides: list[Side], obj: str, key: str, *, bare: bool) -> str:
        told = []
        for where in sides:
            tag = self._next()
            fields = self._new_fields(obj, key, tag, bare=bare)
            made = self.setup.apps[where].create(obj, fields)
            self.created[where, obj, made] = tag
            if len(sides) > 1:
                self.met_by_chance.add(tag)
            if obj == "deal" or (obj == "contact" and bare):
                self.keyless.add(tag)
            for field, value in fields.items():
                self._log(where, obj, made, field, value, None)
            self._keep(where, obj, made)
            told.append(f"{where} {obj} {made}")
        return f"somebody makes {' and '.join(told)} ({key}{', bare' if bare else ''})"

    def _new_fields(self, obj: str, key: str, tag: int, *, bare: bool) -> dict[str, Value]:
        if obj == "deal":
            return {"amount": Decimal(tag), "dealname": f"deal {tag}"}
        fields: dict[str, Value] = {TAGS[obj]: tag}
        if obj == "contact":
            fields["firstname"] = f"name {tag}"
            if not bare:
                fields["email"] = f"{key}@firm.example"
        else:
            fields["name"] = f"firm {key}"
            if not bare:
                fields["domain"] = f"{key}.example"
        return fields

    def edit(self, side: Side, obj: str, record_id: str, act: Act) -> str:
        """A new value."""
        field = EDITED[obj][act.more % len(EDITED[obj])]
        value = new_value(field, self._next())
        if field == "domain":
            self._rekey(side, obj, record_id)
        return self._set(side, obj, record_id, field, value)

    def revert(self, side: Side, obj: str, record_id: str, act: Act) -> str:
        """Back to a value that this field had before."""
        field = EDITED[obj][act.more % len(EDITED[obj])]
        now = self._value(side, obj, record_id, field)
        earlier = [
            e.value
            for e in self.edits[obj, field]
            if (e.side, e.id) == (side, record_id) and e.value not in (now, None)
        ]
        if not earlier:
            return ""
        if field == "domain":
            self._rekey(side, obj, record_id)
        value = earlier[-1 - act.more // 100 % min(2, len(earlier))]
        return self._set(side, obj, record_id, field, value, again=True)

    def _set(
        self,
        side: Side,
        obj: str,
        record_id: str,
        field: str,
        value: Value,
        *,
        again: bool = False,
    ) -> str:
        base = self._value(side, obj, record_id, field)
        self.setup.apps[side].edit(obj, record_id, {field: value})
        self._log(side, obj, record_id, field, value, base, again=again)
        return f"{obj} {record_id} {field} := {value!r} (was {base!r})"

    def clear(self, side: Side, obj: str, record_id: str, act: Act) -> str:
        """Empty a field."""
        fields = [name for name in CLEARED if name in FIELDS[obj]]
        if not fields:
            return ""
        field = fields[act.more % len(fields)]
        base = self._value(side, obj, record_id, field)
        self.setup.apps[side].edit(obj, record_id, {field: None})
        self._log(side, obj, record_id, field, None, base)
        self.cleared.add((side, obj, record_id, field))
        return f"{obj} {record_id} {field} cleared"

    def rekey(self, side: Side, obj: str, record_id: str, act: Act) -> str:
        """Another e-mail address; sometimes the one of somebody else."""
        if obj != "contact":
            return ""
        others = [r.fields.get("email") for r in self.setup.apps[side].all(obj)]
        taken = sorted(str(email) for email in others if email)
        email: Value = f"new{self._next()}@firm.example"
        if act.more % 4 == 0 and taken:
            email = taken[act.more // 4 % len(taken)]
        self._rekey(side, obj, record_id)
        return self._set(side, obj, record_id, "email", email, again=True)

    def delete(self, side: Side, obj: str, record_id: str, _: Act) -> str:
        """Delete a record."""
        record = self.setup.apps[side].read(obj, record_id)
        assert record is not None
        key = str(record.fields.get("email") or record.fields.get("name") or "")
        self._keys.append((obj, key.removesuffix("@firm.example").removeprefix("firm ")))
        self.setup.apps[side].delete(obj, record_id)
        self.deleted.add((side, obj, record_id))
        self.ever_deleted.add((side, obj, record_id))
        return f"{obj} {record_id} deleted"

    def empty(self, side: Side, obj: str, _: str, act: Act) -> str:
        """Delete every record."""
        mine = sorted(r.id for r in self.setup.apps[side].all(obj))
        for record_id in mine:
            self.delete(side, obj, record_id, act)
        return f"all {len(mine)} of {obj} deleted" if mine else ""

    def restore(self, side: Side, obj: str, _: str, act: Act) -> str:
        """Take back what somebody deleted."""
        app = self.setup.apps[side]
        gone = sorted(p for p in self.deleted & self.ever_deleted if p[:2] == (side, obj))
        if not gone:
            return ""
        place = gone[act.more % len(gone)]
        app.restore(obj, place[2])
        self.deleted.discard(place)
        back = app.read(obj, place[2])
        self.restored[place] = back.fields if back is not None else {}
        return f"{obj} {place[2]} taken back on the {side}"

    def merge(self, side: Side, obj: str, record_id: str, act: Act) -> str:
        """Merge a record into another one."""
        mine = sorted(r.id for r in self.setup.apps[side].all(obj) if r.id != record_id)
        if not mine:
            return ""
        survivor = mine[act.more % len(mine)]
        self.setup.apps[side].merge(obj, record_id, survivor)
        self.deleted.add((side, obj, record_id))
        self.merged.add((side, obj, survivor))
        self.merged_into[side, obj, record_id] = (side, obj, survivor)
        self._keep(side, obj, survivor)
        return f"{obj} {record_id} merged into {survivor}"

    def touch(self, side: Side, obj: str, record_id: str, _: Act) -> str:
        """A new version with the same values."""
        self.setup.apps[side].touch(obj, record_id)
        return f"{obj} {record_id} touched"

    def associate(self, side: Side, obj: str, _: str, act: Act) -> str:
        """Relate two records."""
        if "company" not in self.setup.objects:
            return ""
        app = self.setup.apps[side]
        mine = sorted(r.id for r in app.all("deal" if obj == "deal" else "contact"))
        firms = sorted(r.id for r in app.all("company"))
        if not (mine and firms):
            return ""
        source, firm = mine[act.pick % len(mine)], firms[act.more % len(firms)]
        kind = "deal" if obj == "deal" else "contact"
        app.associate(kind, source, "company", Target(firm, primary=True))
        return f"{kind} {source} works for company {firm}"

    def move(self, side: Side, obj: str, record_id: str, act: Act) -> str:
        """Change what a limit asks for."""
        if obj != "contact":
            return ""
        if act.more % 10 < 3:
            day = date(2026, 1, 1) + timedelta(days=act.more // 10 % 14)
            return self._set(side, obj, record_id, "date_of_birth", day, again=True)
        name = ("in", "in", "out", "also in", None)[act.more // 10 % 5]
        self.setup.apps[side].edit(obj, record_id, {"lastname": name})
        return f"{obj} {record_id} lastname := {name!r}"

    def change(self, side: Side, obj: str, record_id: str, act: Act) -> str:
        """Another value of a field whose mapping changes what travels."""
        kinds = [name for name in self.setup.script.sync.mapped if name != "constant"]
        record = self.setup.apps[side].read(obj, record_id)
        if obj != "contact" or not kinds or record is None:
            return ""
        kind = MAPPED[kinds[act.more % len(kinds)]]
        name = kind.ends(Side.HUB)[0].name
        written = kind.write(side, self._next())
        base = value_of(name, side, record.fields)
        self.setup.apps[side].edit(obj, record_id, written)
        value = value_of(name, side, {**record.fields, **written})
        edits = self.edits[obj, name]
        edits.append(Edit(len(edits), side, obj, record_id, name, value, base, kind.few))
        return f"{obj} {record_id} {written} (was {base!r})"

    # --- the log --------------------------------------------------------------------------

    def _value(self, side: Side, obj: str, record_id: str, field: str) -> Value:
        record = self.setup.apps[side].read(obj, record_id)
        return None if record is None else record.fields.get(field)

    def _rekey(self, side: Side, obj: str, record_id: str) -> None:
        self.rekeyed.add(self._value(side, obj, record_id, TAGS[obj]))

    def _keep(self, side: Side, obj: str, record_id: str) -> None:
        record = self.setup.apps[side].read(obj, record_id)
        if record is not None:
            self.shown[side, obj, record_id].append(record.fields)

    def _log(
        self,
        side: Side,
        obj: str,
        record_id: str,
        field: str,
        value: Value,
        base: Value,
        *,
        again: bool = False,
    ) -> None:
        edits = self.edits[obj, field]
        value = self._value(side, obj, record_id, field)  # as the app keeps it
        edits.append(Edit(len(edits), side, obj, record_id, field, value, base, again))


class Kind(NamedTuple):
    """One thing that people do."""

    weight: int
    do: Callable[[Users, Side, str, str, Act], str]
    of_record: bool = True
    """Of a record that must be there."""


ACTS = {
    "create": Kind(28, Users.create, of_record=False),
    "recreate": Kind(2, Users.recreate, of_record=False),
    "edit": Kind(38, Users.edit),
    "revert": Kind(5, Users.revert),
    "clear": Kind(6, Users.clear),
    "rekey": Kind(2, Users.rekey),
    "delete": Kind(5, Users.delete),
    "restore": Kind(2, Users.restore, of_record=False),
    "merge": Kind(2, Users.merge),
    "touch": Kind(4, Users.touch),
    "associate": Kind(8, Users.associate, of_record=False),
    "move": Kind(0, Users.move),
    "empty": Kind(0, Users.empty, of_record=False),
    "change": Kind(0, Users.change),
}
