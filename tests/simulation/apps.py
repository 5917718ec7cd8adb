"""Apps in memory that do what a script says of them, and remember what we wrote to them."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from datetime import datetime, timedelta
from decimal import Decimal
from typing import Any

from msgspec import Struct, json, structs
from tests.simulation.script import AppScript

from twofold.core.records import Fields
from twofold.core.schema import Feed, ObjectType, Op
from twofold.core.values import Scalar
from twofold.kit.contract import Batch, Result, Status, Write
from twofold.kit.memory import Habits, MemoryApp, MemoryConnector
from twofold.kit.memory.connector import Cursor, Stage
from twofold.kit.memory.shapes import company, contact, deal

FIELDS = {
    "contact": ("email", "firstname", "notes", "phone", "credit", "visits", "date_of_birth"),
    "company": ("name", "domain", "phone", "numberofemployees"),
    "deal": ("dealname", "amount"),
}
"""What is mapped."""
EDITED = {
    "contact": ("firstname", "notes", "phone", "credit"),
    "company": ("domain", "phone"),
    "deal": ("dealname",),
}
"""What people edit."""
HIDDEN = "phone"
"""A field that some app takes away for a while."""
WHOLE = 1_000_000
"""Records in a page that holds all there are."""
TAGS = {"contact": "visits", "company": "numberofemployees", "deal": "amount"}
"""A field that only the creator sets, to know records again on both sides."""


def _text(change: Callable[[str], str]) -> Callable[[Scalar], Scalar]:
    return lambda value: change(value) if isinstance(value, str) else value


def _rounded(value: Scalar) -> Scalar:
    return round(value, 1) if isinstance(value, Decimal) else value


REWRITES: dict[str, tuple[str, Callable[[Scalar], Scalar]]] = {
    "trim": ("firstname", _text(str.strip)),
    "capitals": ("notes", _text(str.upper)),
    "digits": ("phone", _text(lambda text: "+" + "".join(filter(str.isdigit, text)))),
    "round": ("credit", _rounded),
}
"""By name: the field, and what the app makes of what it is given."""


class Effect(Struct, frozen=True):
    """One of our writes that the app took."""

    obj: str
    op: Op
    id: str
    fields: Fields


class SimulatedApp(MemoryApp):
    """A memory app with a log of our writes."""

    def __init__(self, *given: Any, **options: Any) -> None:
        super().__init__(*given, **options)
        self.effects: list[Effect] = []
        self.made: set[tuple[str, str]] = set()
        """(object type, id) of what we created."""
        self.statuses: dict[str, int] = {}
        """How often each answer other than OK was given."""
        self.capped = False
        """The next page is cut short, and the rest comes with pages of their own."""
        self.blank: Callable[[str], bool] = lambda obj: False
        """Whether a listing that begins now shows nothing at all."""

    def hide(self, field: str) -> None:
        """No type has that field any more."""
        self._declare({name: _without(table.kind, field) for name, table in self.tables.items()})

    def show(self, types: dict[str, ObjectType]) -> None:
        """All types are again what they were."""
        self._declare(types)

    def slip(self, obj: str, record_id: str, fields: Fields) -> None:
        """Values change, as those of a formula do, and no feed ever tells."""
        table = self.tables[obj]
        row = table.rows[record_id]
        for rows in (table.rows, table._indexed):
            rows[record_id] = structs.replace(row, fields={**row.fields, **fields})

    def _declare(self, types: dict[str, ObjectType]) -> None:
        for name, kind in types.items():
            self.tables[name].kind = kind
        self.types = tuple(types.values())

    def write(self, obj: str, writes: Sequence[Write]) -> list[Result]:
        results = super().write(obj, writes)
        for write, result in zip(writes, results, strict=True):
            if result.status is not Status.OK or result.id is None:
                word = f"answer {result.status}"
                self.statuses[word] = self.statuses.get(word, 0) + 1
                continue
            place = obj, result.id
            if write.op is Op.CREATE:
                if place in self.made:
                    continue  # a create repeated with the same reference
                self.made.add(place)
            self.effects.append(Effect(obj, write.op, result.id, write.fields))
        return results


class SimulatedConnector(MemoryConnector):
    """A connector to it."""

    async def pull(
        self, obj: str, cursor: str | None, fields: Sequence[str], associations: Sequence[str] = ()
    ) -> Batch:
        app = self.app
        assert isinstance(app, SimulatedApp)
        size = app.page_size
        blank = cursor_begins(app, cursor) and app.blank(obj)
        if blank:
            app.page_size = WHOLE
        elif app.capped:
            app.capped, app.page_size = False, 1
        try:
            batch = await super().pull(obj, cursor, fields, associations)
        finally:
            app.page_size = size
        return structs.replace(batch, ids=(), digests=(), versions=()) if blank else batch


def cursor_begins(app: SimulatedApp, cursor: str | None) -> bool:
    """Whether a listing begins here."""
    if cursor is None:
        return True
    at = json.decode(cursor, type=Cursor)
    return at.stage is Stage.LISTING and at.after is None


def _without(kind: ObjectType, field: str) -> ObjectType:
    return structs.replace(kind, fields=tuple(f for f in kind.fields if f.name != field))


def build_types(script: AppScript) -> dict[str, ObjectType]:
    """The object types of an app."""
    common: dict[str, Any] = {
        "feed": script.feed,
        "deletes": script.feed is Feed.LOG,
        "merges": script.merges,
        "resolution": timedelta(seconds=script.resolution),
        "lag": timedelta(seconds=script.lag),
        "conditional": script.conditional,
        "idempotent": script.idempotent,
        "atomic": script.atomic,
        "batch": dict.fromkeys(Op, script.batch),
    }
    if script.archives:
        common["ops"] = frozenset(Op)
    types = {"contact": contact(**common), "company": company(**common), "deal": deal(**common)}
    if not script.keyed:
        types = {name: structs.replace(kind, keys=()) for name, kind in types.items()}
    if script.unique:
        types["contact"] = _changed(types["contact"], "email", unique=True)
    if script.short:
        types["contact"] = _changed(types["contact"], "notes", max_length=12)
    return types


def _changed(kind: ObjectType, name: str, **changes: Any) -> ObjectType:
    fields = tuple(structs.replace(f, **changes) if f.name == name else f for f in kind.fields)
    return structs.replace(kind, fields=fields)


def build_app(
    name: str, script: AppScript, types: dict[str, ObjectType], clock: Callable[[], datetime]
) -> SimulatedApp:
    """The app itself."""
    habits = Habits(
        stored=script.stored,
        versions=script.versions,
        bodies=script.bodies,
        holders=script.holders,
        rewrite=dict(REWRITES[word] for word in script.rewrites),
    )
    return SimulatedApp(
        list(types.values()), page_size=script.page, clock=clock, name=name, habits=habits
    )


def traits(script: AppScript) -> list[str]:
    """What of an app counts as trouble in the table of faults."""
    plain = AppScript()
    words = {
        "index lag": script.lag > 0,
        "coarse timestamps": script.resolution > 0,
        "feed without deletes": script.feed is not Feed.LOG,
        "compares no versions": not script.conditional,
        "atomic batches": script.atomic,
        "small pages": script.page < plain.page,
        "rewrites values": bool(script.rewrites),
        "refuses long values": script.short,
        "unique values": script.unique,
        "answers without the record": not script.stored,
        "pages without bodies": not script.bodies,
        "no look by key": not script.keyed,
        "can archive": script.archives,
    }
    return [word for word, there in words.items() if there]
