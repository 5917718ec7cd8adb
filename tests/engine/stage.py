"""Two apps in memory and the syncs between them, on a real store and the real engine."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import UTC, datetime, timedelta
from typing import Any

from msgspec import structs

from twofold.core.health import Counts
from twofold.core.mappings import AssociationMapping, FieldMapping, Matching, Rules, Targets
from twofold.core.records import Record, Side
from twofold.core.schema import ObjectType
from twofold.core.values import Value
from twofold.engine.run import SliceOutcome, run_slice
from twofold.engine.setup import install
from twofold.kit.memory import Habits, MemoryApp, MemoryConnector, company, contact
from twofold.store.state import State

CONTACT = ("email", "firstname", "lastname", "phone", "notes", "visits", "date_of_birth")
COMPANY = ("name", "domain", "phone", "numberofemployees")
WATCHED = ("links", "records", "match_keys", "counters", "singles", "due", "retries", "creations")


class StillWorld:
    """Time that moves only when a test says so."""

    def __init__(self) -> None:
        self.time = datetime(2026, 1, 1, tzinfo=UTC)
        self.steps: list[str] = []

    def now(self) -> datetime:
        return self.time

    async def sleep(self, seconds: float) -> None:
        self.time += timedelta(seconds=seconds)

    def jitter(self) -> float:
        return 0.5

    def step(self, what: str) -> None:
        self.steps.append(what)


class Stage:
    """Everything that one test needs."""

    def __init__(
        self,
        *,
        hub: dict[str, Any] | None = None,
        app: dict[str, Any] | None = None,
        app_habits: Habits | None = None,
        with_companies: bool = False,
        targets: Targets = Targets.PRIMARY,
        **rules: Any,
    ) -> None:
        self.world = StillWorld()
        self.targets = targets
        self.types = {
            side: (contact(**(facts or {})), company(**(facts or {})))
            for side, facts in ((Side.HUB, hub), (Side.APP, app))
        }
        self.apps = {
            Side.HUB: MemoryApp(self.types[Side.HUB], clock=self.world.now, name="hub"),
            Side.APP: MemoryApp(
                self.types[Side.APP], clock=self.world.now, name="app", habits=app_habits
            ),
        }
        self.kinds: dict[Side, type[MemoryConnector]] = dict.fromkeys(Side, MemoryConnector)
        self.state = State.open(None)
        self.state.syncs.add_connection("memory", "hub", "hub", {}, b"", 0)
        self.connection = self.state.syncs.add_connection("memory", "app", "app", {}, b"")
        self.companies = self._install("company", **rules) if with_companies else 0
        self.contacts = self._install("contact", **rules)

    @property
    def hub(self) -> MemoryApp:
        return self.apps[Side.HUB]

    @property
    def app(self) -> MemoryApp:
        return self.apps[Side.APP]

    def _install(self, name: str, **rules: Any) -> int:
        types: dict[Side, ObjectType] = {
            side: next(t for t in self.types[side] if t.name == name) for side in Side
        }
        fields = CONTACT if name == "contact" else COMPANY
        mappings = []
        for field in fields:
            ends = [types[side].field(field) for side in Side]
            assert ends[0] is not None
            assert ends[1] is not None
            mappings.append(FieldMapping(ends[0], ends[1]))
        made = Rules(
            types[Side.HUB],
            types[Side.APP],
            tuple(mappings),
            matching=Matching.CONTACTS if name == "contact" else Matching.COMPANIES,
            associations=()
            if name == "company"
            else (AssociationMapping("company", "company", "company", "company", self.targets),),
        )
        return install(
            self.state, name, self.connection, structs.replace(made, **rules), enabled=True
        )

    async def run(self, sync: int | None = None, **options: Any) -> SliceOutcome:
        connectors = {side: self.kinds[side].over(self.apps[side]) for side in Side}
        return await run_slice(
            self.state, self.world, self.contacts if sync is None else sync, connectors, **options
        )

    async def run_all(self) -> None:
        for sync in filter(None, (self.companies, self.contacts)):
            outcome = await self.run(sync)
            assert not outcome.status.code, outcome.status.sentence

    def tighten(self, field: str, most: int) -> None:
        """The app accepts less of a contact's field than it said when the sync was made."""
        table = self.app.table("contact")
        fields = tuple(
            structs.replace(f, max_length=most) if f.name == field else f for f in table.kind.fields
        )
        table.kind = structs.replace(table.kind, fields=fields)

    def make_unique(self, side: Side, field: str) -> None:
        """From now on an app refuses a second contact with the same value."""
        table = self.apps[side].table("contact")
        fields = tuple(
            structs.replace(f, unique=True) if f.name == field else f for f in table.kind.fields
        )
        table.kind = structs.replace(table.kind, fields=fields)

    def counts(self, sync: int | None = None) -> Counts:
        return self.state.links.counts(self.contacts if sync is None else sync)

    def only(self, side: Side, obj: str = "contact") -> Record:
        (record,) = self.apps[side].all(obj)
        return record

    def only_with(self, side: Side, email: str) -> Record:
        (record,) = (r for r in self.apps[side].all("contact") if r.fields["email"] == email)
        return record

    def values(self, side: Side, field: str, obj: str = "contact") -> list[Value]:
        return sorted((r.fields.get(field) for r in self.apps[side].all(obj)), key=str)

    def dump(self, tables: Iterable[str] = WATCHED) -> dict[str, list[tuple[Any, ...]]]:
        """Every row of what must not be rewritten."""
        db = self.state.database.connection
        return {t: db.execute(f"SELECT * FROM {t}").fetchall() for t in tables}

    def writes(self) -> int:
        return sum(app.writes for app in self.apps.values())

    def watch(self) -> None:
        """From now on, count every row that is written to the watched tables."""
        db = self.state.database.connection
        db.execute("CREATE TEMP TABLE written (name TEXT)")
        for table in WATCHED:
            for event in ("INSERT", "UPDATE", "DELETE"):
                db.execute(
                    f"CREATE TEMP TRIGGER {event}_{table} AFTER {event} ON main.{table}"
                    f" BEGIN INSERT INTO written VALUES ('{event} {table}'); END"
                )

    def rewritten(self) -> list[str]:
        """What was written since ``watch``, rewriting a row as it was included."""
        db = self.state.database.connection
        return [name for (name,) in db.execute("SELECT name FROM written")]
