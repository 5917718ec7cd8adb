"""Plays a chapter of the story with one app: real connectors, the real engine, a real hub."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Mapping, Sequence
from contextlib import asynccontextmanager
from datetime import UTC, datetime, timedelta
from pathlib import Path

from msgspec import structs
from tests.scenario.apps import App, Values
from tests.scenario.story import (
    APP,
    HUB,
    Absent,
    Chapter,
    Counts,
    Crashes,
    Does,
    Line,
    Quiet,
    Run,
    Shows,
    Trouble,
)

from twofold.app import installation
from twofold.core.mappings import AssociationMapping, Brakes, FieldMapping, Matching, Rules
from twofold.core.records import Record, Side, Target
from twofold.core.schema import ObjectType
from twofold.engine.run import run_slice
from twofold.engine.setup import install
from twofold.hub.crm import Hub
from twofold.kit.conformance import Capability, capabilities
from twofold.kit.contract import Batch, Connector, Result, Write
from twofold.kit.errors import CursorExpired, RateLimited
from twofold.kit.wrapped import Wrapped
from twofold.services import connections
from twofold.services.installation import Installation

HUB_FIELDS = {"email": "email", "first": "firstname", "last": "lastname", "job": "jobtitle"}
_ROUNDS = 4
"""Runs after which nothing is left to do, with hours between them: retries, sweeps, brakes."""


class Crash(BaseException):
    """The process was killed at this very instant."""


class HastyWorld:
    """Waiting takes no time, and then the time has passed; a crash may come between two effects."""

    def __init__(self) -> None:
        self._waited = timedelta(0)
        self.left: int | None = None
        """Effects until the crash; None: there is none."""

    def now(self) -> datetime:
        return datetime.now(UTC) + self._waited

    async def sleep(self, seconds: float) -> None:
        self._waited += timedelta(seconds=seconds)
        await asyncio.sleep(0)

    def jitter(self) -> float:
        return 0.5

    def step(self, what: str) -> None:
        if self.left is not None:
            self.left -= 1
            if self.left < 0:
                raise Crash


class Trying(Wrapped):
    """One side, the app on a bad day as the player says; counts what is written."""

    def __init__(self, inner: Connector, player: Player, side: Side) -> None:
        super().__init__(inner)
        self._player = player
        self._is_app = side is Side.APP

    async def pull(
        self, obj: str, cursor: str | None, fields: Sequence[str], associations: Sequence[str] = ()
    ) -> Batch:
        self._throttle()
        if self._is_app and cursor is not None and self._player.forgets:
            self._player.forgets -= 1
            raise CursorExpired(self.manifest.name)
        return await self._inner.pull(obj, cursor, fields, associations)

    async def get(
        self,
        obj: str,
        ids: Sequence[str],
        fields: Sequence[str],
        associations: Sequence[str] = (),
        key: str | None = None,
    ) -> Mapping[str, Sequence[Record]]:
        self._throttle()
        return await self._inner.get(obj, ids, fields, associations, key)

    async def push(self, obj: str, writes: Sequence[Write]) -> Sequence[Result]:
        self._throttle()
        self._player.writes += len(writes)
        return await self._inner.push(obj, writes)

    def _throttle(self) -> None:
        if self._is_app and self._player.throttles:
            self._player.throttles -= 1
            until = self._player.world.now() + timedelta(seconds=30)
            raise RateLimited(self.manifest.name, until)


class HubPerson:
    """A person at work in the hub inside."""

    def __init__(self, path: Path) -> None:
        self._hub = Hub.open(path)

    def close(self) -> None:
        self._hub.close()

    def people(self) -> Mapping[str, Values]:
        return {
            record.id: {w: _text(record.fields.get(name)) for w, name in HUB_FIELDS.items()}
            for record in self._hub.records("contact")
        }

    def create(self, values: Values) -> None:
        self._hub.create("contact", {HUB_FIELDS[word]: value for word, value in values.items()})

    def edit(self, record_id: str, values: Values) -> None:
        fields = {HUB_FIELDS[word]: value for word, value in values.items()}
        self._hub.update("contact", record_id, fields)

    def delete(self, record_id: str) -> None:
        self._hub.archive("contact", record_id)

    def merge(self, loser: str, survivor: str) -> None:
        self._hub.merge("contact", survivor, loser)

    def found(self, name: str) -> None:
        self._hub.create("company", {"name": name, "domain": f"{name.lower()}.example"})

    def join(self, record_id: str, company: str) -> None:
        (target,) = (r.id for r in self._hub.records("company") if r.fields["name"] == company)
        tie = [("company", Target(target, primary=True))]
        self._hub.update("contact", record_id, {}, associate=tie)

    def works_at(self, record_id: str) -> str | None:
        names = {r.id: str(r.fields["name"]) for r in self._hub.records("company")}
        record = self._hub.read("contact", record_id)
        assert record is not None
        found = [names[t.id] for t in record.associations["company"] if t.primary]
        return found[0] if found else None


def _text(value: object) -> str | None:
    return None if value is None else str(value)


class Player:
    """One chapter on its way."""

    def __init__(self, here: Installation, app: App, world: HastyWorld, chapter: Chapter) -> None:
        self.here = here
        self.app = app
        self.world = world
        self.chapter = chapter
        self.sides: Mapping[str, HubPerson | App] = {}
        self.syncs: list[int] = []
        self.throttles = self.forgets = self.writes = 0

    async def play(self) -> None:
        """Every line, in order."""
        hub = HubPerson(self.here.hub_path)
        self.sides = {HUB: hub, APP: self.app}
        try:
            for number, line in enumerate(self.chapter.lines, start=1):
                try:
                    await self._line(line)
                except AssertionError as error:
                    raise AssertionError(f"line {number}, {line}: {error}") from error
        finally:
            hub.close()

    async def _line(self, line: Line) -> None:
        match line:
            case Does():
                self.do(line)
            case Run():
                await self.run()
            case Trouble("throttle", times):
                self.throttles = times
            case Trouble("forget", times):
                self.forgets = times
            case Crashes(meanwhile):
                await self.crashes(meanwhile)
            case Shows():
                self.shows(line)
            case Absent(who, sides):
                for side in sides:
                    assert not self.ids(side, who), side
            case Counts():
                await self.counts(line)
            case Quiet():
                before = self.writes
                await self.once()
                assert self.writes == before, f"{self.writes - before} writes"
            case _:
                raise AssertionError(f"nobody knows how to play {line}")

    # --- what people do -------------------------------------------------------------------

    def ids(self, side: str, who: str) -> list[str]:
        """The records of that name."""
        email = f"{who}@firm.example"
        return [i for i, values in self.sides[side].people().items() if values["email"] == email]

    def only(self, side: str, who: str) -> str:
        found = self.ids(side, who)
        assert len(found) == 1, f"the {side} has {len(found)} of {who}"
        return found[0]

    def do(self, line: Does) -> None:
        person = self.sides[line.side]
        if line.verb == "create":
            person.create({"email": f"{line.who}@firm.example", **line.what})
        elif line.verb == "found":
            person.found(line.who)
        elif line.verb == "edit":
            person.edit(self.only(line.side, line.who), line.what)
        elif line.verb == "delete":
            person.delete(self.only(line.side, line.who))
        elif line.verb == "merge":
            person.merge(self.only(line.side, line.who), self.only(line.side, line.other))
        elif line.verb == "join":
            person.join(self.only(line.side, line.who), line.other)
        else:
            raise AssertionError(f"nobody knows how to {line.verb}")

    # --- what Twofold does ----------------------------------------------------------------

    async def once(self) -> None:
        """Each sync once; what an app cannot take now is no reason to fail."""
        for sync in self.syncs:
            async with self.here.both_sides(self.here.state.syncs.get(sync)) as connectors:
                tried = {side: Trying(one, self, side) for side, one in connectors.items()}
                outcome = await run_slice(self.here.state, self.world, sync, tried)
                refused = outcome.status.code not in {"", "TF-C02"}
                assert not refused, outcome.status.sentence

    async def run(self, rounds: int = _ROUNDS) -> None:
        for _ in range(rounds):
            await self.once()
            await self.world.sleep(2 * 3600)

    async def crashes(self, meanwhile: Sequence[Does]) -> None:
        """At one moment after the other, until a run is over before its crash."""
        for moment in range(1_000):
            lines = [_numbered(line, moment) for line in meanwhile]
            for line in lines:
                self.do(line)
            self.world.left = moment
            try:
                await self.once()
            except Crash:
                pass
            else:
                assert moment > 3, "nothing could crash"
                return
            finally:
                self.world.left = None
            await self.run(rounds=2)
            for line in lines:
                self.shows(Shows(line.who, line.what))

    # --- what is there in the end ---------------------------------------------------------

    def shows(self, line: Shows) -> None:
        for side in line.sides:
            record_id = self.only(side, line.who)
            shown = self.sides[side].people()[record_id]
            found = {word: shown[word] for word in line.what}
            assert found == line.what, f"the {side} shows {found}"
            if line.works_at != "":
                assert self.sides[side].works_at(record_id) == line.works_at, side

    async def counts(self, line: Counts) -> None:
        here = [len(self.sides[side].people()) for side in (HUB, APP)]
        in_sync = self.here.state.links.counts(self.syncs[-1]).in_sync
        assert (*here, in_sync) == (line.hub, line.app, line.in_sync), (*here, in_sync)


def _numbered(line: Does, number: int) -> Does:
    what = {word: value and value.format(n=number) for word, value in line.what.items()}
    return structs.replace(line, who=line.who.format(n=number), what=what)


@asynccontextmanager
async def prepared(folder: Path, app: App, chapter: Chapter) -> AsyncIterator[Player]:
    """An installation with the app connected and the chapter's syncs in place."""
    world = HastyWorld()
    with installation(folder / "data", world) as here:
        await connections.connect(here, app.name, app.answers, "app")
        player = Player(here, app, world, chapter)
        if chapter.companies:
            player.syncs.append(await _company_sync(here, app))
        player.syncs.append(await _person_sync(here, app, chapter))
        yield player


async def declared(folder: Path, app: App) -> frozenset[Capability]:
    """What the connector declares of the app's people."""
    with installation(folder / "looking", HastyWorld()) as here:
        await connections.connect(here, app.name, app.answers, "app")
        return capabilities((await _types(here))[app.person])


async def _types(here: Installation) -> dict[str, ObjectType]:
    return {kind.name: kind for kind in await connections.object_types(here, "app")}


async def _hub_type(here: Installation, name: str) -> ObjectType:
    label = here.state.syncs.connection(0).label
    return next(k for k in await connections.object_types(here, label) if k.name == name)


def _mapping(hub: ObjectType, app: ObjectType, hub_name: str, app_name: str) -> FieldMapping:
    ends = hub.field(hub_name), app.field(app_name)
    assert ends[0] is not None
    assert ends[1] is not None, f"{app.name} has no {app_name}"
    return FieldMapping(ends[0], ends[1])


async def _person_sync(here: Installation, app: App, chapter: Chapter) -> int:
    hub, there = await _hub_type(here, "contact"), (await _types(here))[app.person]
    mappings = tuple(_mapping(hub, there, HUB_FIELDS[w], n) for w, n in app.fields.items())
    ties = (AssociationMapping("company", app.association, "company", app.company),)
    rules = Rules(
        hub,
        there,
        mappings,
        matching=Matching.CONTACTS,
        associations=ties if chapter.companies else (),
        brakes=Brakes(creates=1, changes=1),
    )
    connection = here.connection("app").id
    return install(
        here.state, "people", connection, structs.replace(rules, **chapter.rules), enabled=True
    )


async def _company_sync(here: Installation, app: App) -> int:
    hub, there = await _hub_type(here, "company"), (await _types(here))[app.company]
    pairs = app.company_fields.items()
    mappings = tuple(_mapping(hub, there, ours, theirs) for ours, theirs in pairs)
    rules = Rules(hub, there, mappings, matching=Matching.COMPANIES)
    return install(here.state, "firms", here.connection("app").id, rules, enabled=True)
