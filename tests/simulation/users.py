"""What people do on both sides, and a log of it that the engine never sees."""

from __future__ import annotations

from random import Random

from msgspec import Struct
from tests.simulation.worlds import COMPANY_FIELDS, CONTACT_FIELDS, TAGS, Setup

from twofold.core.records import Side, Target
from twofold.core.values import Value


class Edit(Struct, frozen=True):
    """Somebody gave a field a value that no other edit ever gives."""

    number: int
    side: Side
    obj: str
    id: str
    field: str
    value: Value
    base: Value
    """What that side showed right before."""


class Users:
    """People on both sides."""

    def __init__(self, random: Random, setup: Setup) -> None:
        self.random = random
        self.setup = setup
        self.edits: list[Edit] = []
        self.cleared: set[tuple[Side, str, str, str]] = set()
        """(side, object type, id, field) that somebody emptied."""
        self.deleted: set[tuple[Side, str, str]] = set()
        self.created: dict[tuple[Side, str, str], int] = {}
        """(side, object type, id) → tag."""
        self.met_by_chance: set[int] = set()
        """Tags of what people made on both sides at the same moment."""
        self.keyless: set[int] = set()
        """Tags of people without an e-mail address."""
        self._token = 0

    def act(self) -> None:
        """Somebody does something, somewhere."""
        side = self.random.choice(list(Side))
        rules = self.random.choice(self.setup.rules)
        obj = rules.hub.name
        mine = sorted(r.id for r in self.setup.apps[side].all(obj))
        choice = self.random.random()
        if not mine or choice < 0.3:
            self._create(side, obj)
        elif choice < 0.75:
            self._edit(side, obj, self.random.choice(mine))
        elif choice < 0.82:
            self._clear(side, obj, self.random.choice(mine))
        elif choice < 0.88:
            self._delete(side, obj, self.random.choice(mine))
        elif choice < 0.92:
            self.setup.apps[side].touch(obj, self.random.choice(mine))
        else:
            self._associate(side)

    def _next(self) -> int:
        self._token += 1
        return self._token

    def _create(self, side: Side, obj: str) -> None:
        """Sometimes on both sides at once: the same person or company, with other details."""
        person = self._next()
        sides = list(Side) if self.random.random() < 0.3 else [side]
        shared = self.random.random() < 0.1  # an e-mail or name that others have too
        key = f"shared{self.random.randrange(3)}" if shared else f"p{person}"
        for where in sides:
            tag = self._next()
            fields: dict[str, Value] = {TAGS[obj]: tag}
            if obj == "contact":
                if self.random.random() < 0.9:
                    fields["email"] = f"{key}@firm.example"
                fields["firstname"] = f"name {tag}"
            else:
                fields["name"] = f"firm {key}"
                if self.random.random() < 0.7:
                    fields["domain"] = f"{key}.example"
            made = self.setup.apps[where].create(obj, fields)
            self.created[where, obj, made] = tag
            if len(sides) > 1:
                self.met_by_chance.add(tag)
            if obj == "contact" and "email" not in fields:
                self.keyless.add(tag)
            for field, value in fields.items():
                self._log(where, obj, made, field, value, None)

    def _edit(self, side: Side, obj: str, record_id: str) -> None:
        names = CONTACT_FIELDS if obj == "contact" else COMPANY_FIELDS
        field = self.random.choice([n for n in ("firstname", "notes", "domain") if n in names])
        base = self._shown(side, obj, record_id, field)
        value: Value = f"edit {self._next()}"
        if field == "domain":
            value = f"d{self._token}.example"
        self.setup.apps[side].edit(obj, record_id, {field: value})
        self._log(side, obj, record_id, field, value, base)

    def _clear(self, side: Side, obj: str, record_id: str) -> None:
        field = "notes" if obj == "contact" else "phone"
        self.setup.apps[side].edit(obj, record_id, {field: None})
        self.cleared.add((side, obj, record_id, field))

    def _delete(self, side: Side, obj: str, record_id: str) -> None:
        self.setup.apps[side].delete(obj, record_id)
        self.deleted.add((side, obj, record_id))

    def _associate(self, side: Side) -> None:
        app = self.setup.apps[side]
        people = sorted(r.id for r in app.all("contact"))
        firms = sorted(r.id for r in app.all("company"))
        if people and firms:
            target = Target(self.random.choice(firms), primary=True)
            app.associate("contact", self.random.choice(people), "company", target)

    def _shown(self, side: Side, obj: str, record_id: str, field: str) -> Value:
        record = self.setup.apps[side].read(obj, record_id)
        return None if record is None else record.fields.get(field)

    def _log(
        self, side: Side, obj: str, record_id: str, field: str, value: Value, base: Value
    ) -> None:
        number = len(self.edits)
        self.edits.append(Edit(number, side, obj, record_id, field, value, base))
