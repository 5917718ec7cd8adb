"""Play a script: users edit both sides while the real engine runs, fails and crashes."""

from __future__ import annotations

import sqlite3
from collections import Counter, defaultdict
from collections.abc import Coroutine
from datetime import UTC, datetime
from typing import Any, TypeVar

from msgspec import structs
from tests.simulation.apps import SimulatedConnector, traits
from tests.simulation.braking import Person, calm, hide
from tests.simulation.disk import Disk, PowerCut
from tests.simulation.draw import draw
from tests.simulation.faults import KINDS, STATEMENT, STEP, Crash
from tests.simulation.limits import meets
from tests.simulation.script import Act, Round, Script, Trouble
from tests.simulation.users import Place, Users
from tests.simulation.worlds import SimulatedWorld, build

from twofold.core.filters import Leaving
from twofold.core.health import State as Standing
from twofold.core.records import Side
from twofold.core.schema import Op
from twofold.database.errors import DatabaseError
from twofold.engine import read, run
from twofold.engine.braked import Braked
from twofold.engine.edit import Edit
from twofold.engine.run import Ending, SliceOutcome, run_slice, stopped
from twofold.engine.setup import install
from twofold.engine.verify import Verified, verify_slice
from twofold.kit.contract import Connector
from twofold.kit.errors import ConnectorError
from twofold.kit.memory import Call, Fault, Phase
from twofold.store.errors import FenceLost
from twofold.store.state import State
from twofold.store.types import Phase as Asked

START = datetime(2026, 1, 1, tzinfo=UTC)
MOST_QUIET_ROUNDS = 8
NEEDS_DISK = frozenset({"power cut", "disk full"})
NOWHERE = Call("", "", 0, Phase.BEFORE, 0)
T = TypeVar("T")


class NeverQuiet(AssertionError):
    """It does not come to rest."""


def drive(coroutine: Coroutine[Any, Any, T]) -> T:
    """Run a coroutine that never waits for anything real."""
    try:
        coroutine.send(None)
    except StopIteration as done:
        value: T = done.value
        return value
    raise AssertionError("the engine waited for something outside of the simulation")


class History:
    """Everything that happens in one script."""

    def __init__(self, script: Script) -> None:
        self.script = script
        self.world = SimulatedWorld(START)
        self.setup = build(script, self.world)
        self.users = Users(self.setup)
        self.state = State.open(None)
        self.story: list[str] = []
        """What happened, in words."""
        self.runs = 0
        self.rounds = 0
        """Rounds that it took to become quiet."""
        self.faults: Counter[str] = Counter()
        self.unsure: set[Place] = set()
        """Records of which a noted write was still open when a run ended."""
        self.turned: dict[str, list[int]] = {}
        """By mapping that was turned off and on: how often its field had been written by then."""
        self.person = Person(self)
        """Who looks at brakes."""
        self.beyond: set[Place] = set()
        """Contacts that were seen beyond the limit of their side."""
        self._moments: Counter[str] = Counter()
        self._armed: dict[tuple[str, int], list[Trouble]] = {}
        self._disk: Disk | None = None
        self._sync = 0
        self._nested = False
        self._overtaken = False
        self._install()

    @classmethod
    def of(cls, seed: int) -> History:
        """The history of a seed."""
        return cls(draw(seed))

    @property
    def db(self) -> sqlite3.Connection:
        """The state's database, past the disk that fails."""
        return self._disk.real if self._disk else self.state.database.connection

    def _install(self) -> None:
        self.state.syncs.add_connection("memory", "hub", "hub", {}, b"", 0)
        app = self.state.syncs.add_connection("memory", "app", "app", {}, b"")
        self.syncs = [
            install(self.state, rules.hub.name, app, rules, enabled=True)
            for rules in self.setup.rules
        ]
        for side in Side:
            self.setup.apps[side].fault = lambda call, side=side: self._at_call(side, call)
            self.faults.update(traits(self.script.side(side)))
        self.faults.update(f"mapping: {name}" for name in self.script.sync.mapped)
        self.world.on_step = self._at_step

    # --- the story --------------------------------------------------------------------------

    def play(self) -> None:
        """Users and runs, with trouble; then calm until nothing moves."""
        for one in self.script.rounds:
            self._play(one)
        self.settle()

    @property
    def crashes(self) -> int:
        """How often the process or the machine ended."""
        return sum(n for word, n in self.faults.items() if word.startswith(("crash", "power")))

    def _play(self, one: Round) -> None:
        self.story.append(f"round, after {one.wait} s")
        for act in one.acts:
            self.act(act)
        self.world.advance(one.wait)
        if one.wait < 0:
            self.faults["clock set back"] += 1
        if one.turn:
            self._turn(one.turn)
        if one.answer:
            self.person.look()
        if one.hides:
            hide(self, one.hides)
        self._arm(one.troubles)
        for sync in self.syncs:
            self._run(sync, one.chunks, verify=one.verify)
        self._disarm()

    def _turn(self, name: str) -> None:
        """Somebody turns a mapping of contacts off, or on again."""
        sync = next(
            s for s in map(self.state.syncs.get, self.syncs) if s.rules.hub.name == "contact"
        )
        mappings = tuple(
            structs.replace(m, enabled=not m.enabled) if m.name == name else m
            for m in sync.rules.mappings
        )
        rules = structs.replace(sync.rules, mappings=mappings)
        Edit(self.state, self.world, sync, rules).save()
        self.turned.setdefault(name, []).append(self._written(name))
        self.story.append(f"  the mapping of {name} is turned")

    def _written(self, name: str) -> int:
        """How often we have changed a field of contacts, on both sides."""
        return sum(
            effect.obj == "contact" and effect.op is Op.UPDATE and name in effect.fields
            for app in self.setup.apps.values()
            for effect in app.effects
        )

    def act(self, act: Act) -> None:
        """Somebody does something."""
        if act.what == "by hand":
            self._by_hand(act)
            return
        self.story.append(f"  {self.users.act(act)}")

    def _by_hand(self, act: Act) -> None:
        """A person excludes a record, pauses it, or lets it take part again."""
        sync = self.state.syncs.get(self.syncs[self.setup.objects.index(act.obj)])
        rows = [s.row for s in self.state.records.living(sync.reader(act.side))]
        if not rows:
            return
        row = rows[act.pick % len(rows)]
        until = None if act.more < 3 else self.world.now().timestamp() + act.more * 36_000
        if act.more % 3 == 2:
            self.state.limits.include(sync.id, [(act.side, row)])
        else:
            self.state.limits.exclude(sync.id, [(act.side, row)], "drawn", until)
        self.story.append(f"  by hand: row {row} of the {act.side}, until {until}")

    def settle(self) -> None:
        """Run in calm until a round writes nothing."""
        self.story.append("calm")
        for number in range(1, MOST_QUIET_ROUNDS + 1):
            self.world.advance(7200)
            before = self.writes()
            endings = [self._run(sync, None) for sync in self.syncs]
            self._answer()
            self.person.look()
            done = all(e is Ending.DONE for e in endings)
            if done and self.writes() == before and not self._pending():
                self.rounds = number
                return
        raise NeverQuiet(f"no quiet after {MOST_QUIET_ROUNDS} rounds")

    def _answer(self) -> None:
        """A person says yes to every other delete that is asked about, and no to the rest."""
        for sync in self.syncs:
            for row in self.state.removals.open(sync, Asked.ASKED):
                phase = Asked.REJECTED if row.hub % 2 else Asked.APPROVED
                self.state.removals.decide(sync, [row.hub], phase, 0.0, "somebody")

    def _run(self, sync: int, chunks: int | None, *, verify: bool = False) -> Ending | None:
        """One run of a sync, and a comparison behind it; trouble may end it."""
        self.runs += 1
        self._sync = sync
        self._overtaken = False
        try:
            return self._compared(sync, self._slices(sync, chunks).ending, verify)
        except Crash:
            pass
        except PowerCut:
            assert self._disk is not None
            self.state = self._disk.after_power_cut(self.runs)
            self._disk = Disk(self.state, self._at_statement)
            self.state = self._disk.state
        except (DatabaseError, sqlite3.Error):
            if not self._disk:
                raise
        except FenceLost:
            assert self._overtaken, "nobody else works here"
        self.story.append("  the run was cut short")
        self._keep_unsure()
        return None

    def _compared(self, sync: int, ending: Ending, verify: bool) -> Ending:
        if verify and ending is Ending.DONE:
            self.verify(sync)
        return ending

    def verify(self, sync: int) -> Verified | None:
        """Compare all pairs of a sync; None where that was cut short."""
        try:
            found = drive(
                verify_slice(self.state, self.world, sync, self._connectors(), within=None)
            )
        except Braked as stop:
            stopped(self.state, sync, stop.brake)
            self.story.append(f"  compared {sync}: {stop}")
            return None
        except ConnectorError as error:
            self.story.append(f"  compared {sync}: {error}")
            return None
        self.story.append(f"  compared {sync}: {found.checked} pairs, {found.drift} drifted")
        return found

    def _connectors(self) -> dict[Side, Connector]:
        return {side: SimulatedConnector.over(self.setup.apps[side]) for side in Side}

    def _slices(self, sync: int, chunks: int | None) -> SliceOutcome:
        self.person.prepare()
        read.ROWS_TOGETHER = 1 if chunks is None else 1_000  # pages one by one, or many together
        run.SMALLEST_CHUNK = run.LARGEST_CHUNK = 6 if len(self.story) % 2 else 100
        for _ in range(100):
            before = self.person.watch(sync)
            outcome = drive(
                run_slice(
                    self.state,
                    self.world,
                    sync,
                    self._connectors(),
                    most_chunks=chunks,
                    allow_empty="" if self.person.on else "somebody",
                )
            )
            self.person.watched(before, outcome)
            if outcome.ending is not Ending.MORE:
                words = ", ".join(f"{n} {what}" for what, n in outcome.counts.items())
                self.story.append(f"  run {sync}: {outcome.ending} ({words})")
                if outcome.ending is not Ending.DONE:
                    self._keep_unsure()
                return outcome
        raise NeverQuiet("a run never ends")

    def take_over(self) -> None:
        """Another worker takes the sync that is being run, and runs it to its end."""
        if self._nested:
            return
        self._nested = self._overtaken = True
        self._keep_unsure()
        try:
            self._slices(self._sync, None)
        except Crash:
            self.story.append("  the other worker crashed")
        finally:
            self._nested = False

    def writes(self) -> int:
        """How many of our writes took effect, on both sides."""
        return sum(app.writes for app in self.setup.apps.values())

    def pairs(self, sync: int) -> list[tuple[dict[Side, str], Standing]]:
        """The ids of linked records, of which an app may know one no longer, and how they stand."""
        found = self.db.execute(
            "SELECT h.id, a.id, l.state FROM links l JOIN records h ON h.row = l.hub"
            " JOIN records a ON a.row = l.app WHERE l.sync = ?",
            (sync,),
        )
        return [({Side.HUB: hub, Side.APP: app}, Standing(state)) for hub, app, state in found]

    def _pending(self) -> int:
        """Records that are still to be tried again."""
        found: int = self.db.execute(
            "SELECT (SELECT count(*) FROM retries) + (SELECT count(*) FROM due)"
        ).fetchone()[0]
        return found

    def _keep_unsure(self) -> None:
        """What is noted now may or may not have been written."""
        for sync, obj in zip(self.syncs, self.setup.objects, strict=True):
            for hub, app in self.db.execute(
                "SELECT h.id, a.id FROM links l JOIN records h ON h.row = l.hub"
                " JOIN records a ON a.row = l.app WHERE l.sync = ? AND l.note IS NOT NULL",
                (sync,),
            ):
                self.unsure |= {(Side.HUB, obj, hub), (Side.APP, obj, app)}
            for side, source in self.db.execute(
                "SELECT c.side, r.id FROM creations c JOIN records r ON r.row = c.source"
                " WHERE c.sync = ?",
                (sync,),
            ):
                self.unsure.add((Side(side).other, obj, source))

    # --- trouble ----------------------------------------------------------------------------

    def _arm(self, troubles: tuple[Trouble, ...]) -> None:
        self._moments.clear()
        armed = defaultdict(list)
        for trouble in troubles:
            armed[trouble.at, trouble.nth].append(trouble)
        self._armed = dict(armed)
        if any(trouble.kind in NEEDS_DISK for trouble in troubles):
            self._disk = Disk(self.state, self._at_statement)
            self.state = self._disk.state

    def _disarm(self) -> None:
        self._armed = {}
        calm(self)
        if self._disk is not None:
            self.state = self._disk.close()
            self._disk = None

    def _next(self, place: str) -> list[Trouble]:
        """The trouble of this very moment."""
        self._moments[place] += 1
        return self._armed.get((place, self._moments[place]), [])

    def _at_call(self, side: Side, call: Call) -> Fault | None:
        if not self._armed:
            return None
        fault = None
        for trouble in self._next(f"{side} {call.name} {call.phase}"):
            fault = self._happens(trouble, side, call) or fault
        return fault

    def _see_who_left(self) -> None:
        """Note the contacts that do not meet their limits now."""
        sync, today = self.script.sync, self.world.apps_time.date()
        if sync.leaving is Leaving.ARCHIVE:
            for side, app in self.setup.apps.items():
                for record in app.all("contact"):
                    if not meets(sync, side, record.fields, today):
                        self.beyond.add((side, "contact", record.id))

    def _at_step(self, what: str) -> None:
        self._see_who_left()
        for trouble in self._next(STEP) if self._armed else ():
            self._happens(trouble, Side.HUB, NOWHERE)

    def _at_statement(self) -> bool:
        found = self._next(STATEMENT)
        for trouble in found:
            self._count(trouble.kind)
        return bool(found)

    def _happens(self, trouble: Trouble, side: Side, call: Call) -> Fault | None:
        kind = KINDS[trouble.kind]
        self.story.append(f"  !! {trouble.kind} ({trouble.at} {trouble.nth})")
        before = self.users.done
        if call.name == "push":
            self._keep_unsure()
        try:
            fault = kind.do(self, trouble, side, call)
        except (Crash, PowerCut):
            self._count(trouble.kind)
            raise
        if kind.later:
            return None
        if not kind.acts or fault is not None or self.users.done > before:
            self._count(trouble.kind)
        return fault

    def happened(self, what: str) -> None:
        """Trouble that began earlier is met."""
        self.story.append(f"  !! {what}")
        self._count(what)

    def _count(self, what: str) -> None:
        self.faults[what] += 1
