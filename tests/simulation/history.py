"""One seed = one history: users edit both sides while the real engine runs, fails and crashes."""

from __future__ import annotations

from collections.abc import Coroutine
from datetime import UTC, datetime, timedelta
from random import Random
from typing import Any, TypeVar

from tests.simulation.users import Users
from tests.simulation.worlds import Setup, SimulatedWorld, draw_setup

from twofold.core.records import Side
from twofold.engine.run import Ending, SliceOutcome, run_slice
from twofold.engine.setup import install
from twofold.kit.contract import Status
from twofold.kit.errors import OutcomeUnknown, Unavailable
from twofold.kit.memory import Call, Fail, Fault, Items, Meanwhile, MemoryConnector, Partly, Phase
from twofold.kit.memory.faults import Reorder
from twofold.store.errors import FenceLost
from twofold.store.state import State

START = datetime(2026, 1, 1, tzinfo=UTC)
ROUNDS = 8
MOST_QUIET_ROUNDS = 8
T = TypeVar("T")


class Crash(BaseException):
    """The process was killed at this very instant."""


def drive(coroutine: Coroutine[Any, Any, T]) -> T:
    """Run a coroutine that never waits for anything real."""
    try:
        coroutine.send(None)
    except StopIteration as done:
        value: T = done.value
        return value
    raise AssertionError("the engine waited for something outside of the simulation")


class History:
    """Everything that happens under one seed."""

    def __init__(self, seed: int, setup: Setup | None = None) -> None:
        self.seed = seed
        self.random = Random(seed)
        self.world = SimulatedWorld(START, self.random)
        self.setup = setup or draw_setup(self.random, self.world)
        self.users = Users(self.random, self.setup)
        self.state = State.open(None)
        self.crashes = 0
        self.runs = 0
        self.faults: dict[str, int] = {}
        self.uncertain = False
        """A write's outcome was unknown or the process crashed at least once."""
        self._calm = False
        self._install()

    def _install(self) -> None:
        self.state.syncs.add_connection("memory", "hub", "hub", {}, b"", 0)
        app = self.state.syncs.add_connection("memory", "app", "app", {}, b"")
        self.syncs = [
            install(self.state, rules.hub.name, app, rules, enabled=True)
            for rules in self.setup.rules
        ]
        for side in Side:
            self.setup.apps[side].fault = lambda call, side=side: self._trouble(side, call)
        self.world.on_step = self._between_effects

    # --- the story --------------------------------------------------------------------------

    def play(self) -> None:
        """Users and runs, with trouble; then calm until nothing moves."""
        for _ in range(ROUNDS):
            for _ in range(self.random.randrange(1, 8)):
                self.users.act()
            self._advance(timedelta(seconds=self.random.choice((0, 1, 30, 600))))
            self.run_all()
        self._calm = True
        self.settle()

    def settle(self) -> int:
        """Run in calm until a round writes nothing; returns the number of rounds."""
        for number in range(1, MOST_QUIET_ROUNDS + 1):
            self._advance(timedelta(hours=2))
            before = self.writes()
            endings = self.run_all()
            done = all(e is Ending.DONE for e in endings)
            if done and self.writes() == before and not self._pending():
                return number
        raise AssertionError(f"seed {self.seed}: no quiet after {MOST_QUIET_ROUNDS} rounds")

    def run_all(self) -> list[Ending | None]:
        """One run of each sync; a crash ends it."""
        endings: list[Ending | None] = []
        for sync in self.syncs:
            self.runs += 1
            try:
                endings.append(self._run(sync).ending)
            except Crash:
                self.crashes += 1
                self.uncertain = True
                endings.append(None)
        return endings

    def _run(self, sync: int) -> SliceOutcome:
        connectors = {side: MemoryConnector.over(self.setup.apps[side]) for side in Side}
        for _ in range(100):
            try:
                outcome = drive(
                    run_slice(
                        self.state,
                        self.world,
                        sync,
                        connectors,
                        most_chunks=self.random.choice((None, None, 1, 2)),
                        allow_empty=True,
                    )
                )
            except FenceLost as error:
                raise AssertionError("nobody else works here") from error
            if outcome.ending is not Ending.MORE:
                return outcome
        raise AssertionError(f"seed {self.seed}: a run never ends")

    def writes(self) -> int:
        """How many of our writes took effect, on both sides."""
        return sum(app.writes for app in self.setup.apps.values())

    def _pending(self) -> int:
        """Records that are still to be tried again."""
        found: int = self.state.database.connection.execute(
            "SELECT (SELECT count(*) FROM retries) + (SELECT count(*) FROM due)"
        ).fetchone()[0]
        return found

    def _advance(self, by: timedelta) -> None:
        self.world.time += by

    # --- trouble ----------------------------------------------------------------------------

    def _between_effects(self, what: str) -> None:
        if not self._calm and self.random.random() < 0.02:
            self._count("crash between effects")
            raise Crash

    def _trouble(self, side: Side, call: Call) -> Fault | None:
        if self._calm or self.random.random() > 0.12:
            return None
        choice = self.random.randrange(8)
        app = self.setup.apps[side].name
        if choice == 0:
            self._count(f"crash {call.phase} {call.name}")
            raise Crash
        if choice == 1 and call.phase is Phase.BEFORE:
            self._count("unreachable")
            return Fail(Unavailable(app, "scripted"))
        if choice == 2 and call.name == "push":
            self._count(f"no answer, {call.phase} the effect")
            self.uncertain = True
            return Fail(OutcomeUnknown(app, "scripted"))
        if call.name == "push" and call.phase is Phase.BEFORE and choice in {3, 4}:
            return self._item_trouble(side, call, choice)
        if choice == 5 and call.name == "pull" and call.phase is Phase.BEFORE:
            self._count("reordered page")
            return Reorder()
        if choice >= 6 and self._may_edit(side, call):
            self._count("edit meanwhile")
            return Meanwhile(self.users.act)
        return None

    def _item_trouble(self, side: Side, call: Call, choice: int) -> Fault | None:
        atomic = self.setup.rules[0].type_of(side).atomic
        if atomic or call.items < 1:
            return None
        self.uncertain = True
        if choice == 3:
            self._count("partial batch")
            return Partly(self.random.randrange(call.items))
        status = self.random.choice((Status.RETRY, Status.UNKNOWN))
        self._count(f"item {status}")
        applied = status is Status.UNKNOWN and self.random.random() < 0.5
        return Items({self.random.randrange(call.items): status}, applied=applied)

    def _may_edit(self, side: Side, call: Call) -> bool:
        """Where an app compares nothing, an edit right before our write is lost: a known limit."""
        compares = all(t.type_of(side).conditional for t in self.setup.rules)
        return compares or call.name == "pull"

    def _count(self, what: str) -> None:
        self.faults[what] = self.faults.get(what, 0) + 1
