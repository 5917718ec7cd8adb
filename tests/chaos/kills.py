"""A series of kills, each followed by a restart: when to strike, and what was struck."""

from __future__ import annotations

import math
import random
import subprocess
import time
from collections import Counter
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass, field
from typing import NamedTuple

from tests.chaos.companies import Expected, busy_people
from tests.chaos.subject import Ended, Subject, frozen
from tests.chaos.watch import DEMANDED, Moment, Phase, Watch

SHARE = 0.6
"""Of the kills, at least so many have a write to the app in flight."""
_AIMED = 0.7
"""So many are aimed there: some of the others may be there by chance."""
_BLIND_WAIT = (0.6, 4.0)
"""Seconds between which a kill at a blind moment strikes."""
_ENOUGH = 10
"""Kills from which on each phase must be hit; fewer are too few for all of them."""
_PAUSE = 0.006
"""The process goes on for up to so many seconds between two looks at it."""
_LOOK_EVERY = 0.03
"""Seconds between two looks while a write is awaited, which is seen without freezing anything."""
_MOST_TRIES = 2
"""Runs in which an aim is waited for; after that, a write is waited for instead."""


class Aim(NamedTuple):
    """What a kill waits for."""

    name: str
    wanted: Callable[[Moment], bool]
    span: float
    """Once it is seen, the process goes on for up to so many seconds, and is looked at again."""


BLIND = Aim("any moment", lambda _: True, 0.0)
WRITE = Aim("write in flight", lambda m: m.app_write and m.phase is not Phase.RECOVER, 0.05)
READ = Aim("read", lambda m: m.phase is Phase.READ, 0.3)
MATCH = Aim("match", lambda m: m.phase is Phase.MATCH, 0.02)
CONFIRM = Aim("write–confirm", lambda m: m.phase is Phase.WRITTEN and not m.app_write, 0.0)
_OTHERS = (
    READ,
    MATCH,
    CONFIRM,
    Aim("note–write", lambda m: m.phase is Phase.NOTED and not m.app_write, 0.0),
    BLIND,
    Aim("recover", lambda m: m.phase is Phase.RECOVER, 0.1),
)


@dataclass(frozen=True)
class Kill:
    """One kill."""

    number: int
    aim: str
    after: float
    """Seconds after the start of the process."""
    moment: Moment

    def __str__(self) -> str:
        app, hub = ("yes" if flag else "no" for flag in self.moment[1:])
        return (
            f"{self.number:>5}  {self.aim:<16} {self.after:>6.2f} s  "
            f"{self.moment.phase.value:<14} {app:<4} {hub:<4}"
        )


HEADING = f"{'kill':>5}  {'aimed at':<16} {'after':>8}  {'phase':<14} {'app':<4} {'hub':<4}"


@dataclass
class Series:
    """All kills of one installation, and the runs that ended between them."""

    subject: Subject
    known: Expected
    chance: random.Random
    people: int
    """Edits on each side, whenever everything is in step and kills are left."""
    tell: Callable[[str], None]
    kills: list[Kill] = field(default_factory=list)
    rounds: int = 0
    """How often people made new work."""

    def carry_out(self, aims: Iterable[Aim]) -> Ended:
        """Kill once for each aim, then run to the end."""
        for number, first in enumerate(aims, 1):
            aim, tries = first, 1
            while (struck := self._strike(number, aim)) is None:
                self._make_work()
                tries += 1
                aim = aim if tries <= _MOST_TRIES else WRITE
            self.kills.append(struck)
            self.tell(str(struck))
        return self.subject.run()

    def _strike(self, number: int, aim: Aim) -> Kill | None:
        """Start a run and kill it at its aim; None where it ended before."""
        watch = Watch(self.subject)
        process = self.subject.start_run()
        started = looked = time.monotonic()
        time.sleep(self.chance.uniform(*_BLIND_WAIT) if aim is BLIND else 0)
        seen = False
        try:
            while process.poll() is None:
                time.sleep(self.chance.uniform(0, _PAUSE))
                quiet = aim is WRITE and not self.subject.app.in_flight()
                if quiet and time.monotonic() < looked + _LOOK_EVERY:
                    continue
                looked = time.monotonic()
                with frozen(process) as here:
                    moment = watch.look() if here else None
                    hit = moment is not None and aim.wanted(moment)
                    if hit and moment is not None and (seen or not aim.span):
                        return Kill(
                            number, aim.name, looked - started, self._killed(process, moment)
                        )
                if hit:
                    time.sleep(self.chance.uniform(0, aim.span))
                    seen = True
                if watch.taken > self.people:
                    aim, seen = WRITE, True  # or nothing would be left for the other kills
        except BaseException:
            process.kill()
            raise
        finally:
            watch.close()
        ended = self.subject.ended(process)
        assert ended.code == 0, f"a run ended with {ended}"
        return None

    def _killed(self, process: subprocess.Popen[str], moment: Moment) -> Moment:
        """Kill a frozen process; what it was doing in that instant."""
        process.kill()
        if self.subject.app.goes_on:
            # The server went on while the process was frozen: it counts what it is still at.
            moment = moment._replace(app_write=moment.app_write and self.subject.app.in_flight())
        process.communicate()
        return moment

    def _make_work(self) -> None:
        self.rounds += 1
        changes = busy_people(self.known, self.chance, self.rounds, self.people)
        self.subject.hub.change(c for c in changes if c.side == "hub")
        self.subject.app.change(c for c in changes if c.side == "app")
        self.tell(f"       everything was in step; people made {len(changes)} changes")


def aims_for(count: int, chance: random.Random) -> list[Aim]:
    """What each kill waits for: most for a write in flight, the others in turns."""
    others = count - math.ceil(count * _AIMED)
    aims = [WRITE] * (count - others) + [_OTHERS[n % len(_OTHERS)] for n in range(others)]
    chance.shuffle(aims)
    for place, early in enumerate((READ, MATCH)):  # the first ones are the longest
        if early in aims:
            aims.remove(early)
            aims.insert(place, early)
    return aims


def shares(kills: Sequence[Kill]) -> Iterator[str]:
    """What a series shows, in lines."""
    phases = Counter(kill.moment.phase for kill in kills)
    yield "phases: " + ", ".join(f"{phase.value} {phases[phase]}" for phase in Phase)
    app = sum(kill.moment.app_write for kill in kills)
    hub = sum(kill.moment.hub_write for kill in kills)
    yield f"with a write to the app in flight: {app} of {len(kills)}; to the hub: {hub}"


def missed_shares(kills: Sequence[Kill]) -> Iterator[str]:
    """Sentences about what a series should have hit and did not."""
    in_flight = sum(kill.moment.app_write for kill in kills)
    if in_flight < SHARE * len(kills):
        yield f"only {in_flight} of {len(kills)} kills had a write in flight"
    for phase in DEMANDED if len(kills) >= _ENOUGH else ():
        if not any(kill.moment.phase is phase for kill in kills):
            yield f"no kill hit the phase {phase.value}"
