"""Brakes in histories: what pulls them, the person who answers, and what a brake promises.

A brake of a history counts from fewer records on than in life, as its world is small. Whatever
stops a run here, the other promises hold at the end all the same: a brake loses nothing.
"""

from __future__ import annotations

from random import Random
from typing import TYPE_CHECKING

from msgspec import Struct, structs
from tests.simulation.apps import HIDDEN
from tests.simulation.broken import Broken
from tests.simulation.script import Act, Round, Script, Trouble

from twofold.core import guards
from twofold.core.guards import BrakeName, brake_of
from twofold.core.mappings import Brakes
from twofold.core.records import Side
from twofold.core.schema import Op
from twofold.engine.run import SliceOutcome
from twofold.kit.memory import Call
from twofold.store.types import Phase

if TYPE_CHECKING:
    from tests.simulation.history import History

NAME = "brakes"
SHARE = 0.3
"""Of the histories, those in which runs may be braked."""
FEWEST_WRITES = 4
FEWEST_KNOWN = 3
"""From so many records on a side that shows nothing is not believed."""
IN_LIFE = {"WRITES_FROM": guards.WRITES_FROM, "EMPTY_FROM": guards.EMPTY_FROM}
IN_HISTORIES = {"WRITES_FROM": FEWEST_WRITES, "EMPTY_FROM": FEWEST_KNOWN}
MET = tuple(brake for brake in BrakeName if brake is not BrakeName.FIELD_CHANGED)
"""The brakes that histories pull."""
_BY_NUMBER = frozenset({BrakeName.DELETES, BrakeName.CREATES, BrakeName.CHANGES})
_BEFORE_WRITES = frozenset(BrakeName) - {BrakeName.DELETES}


class Slice(Struct):
    """One slice of a run under brakes, and what it wrote."""

    sync: int
    pulled: BrakeName | None
    removed: int
    made: int
    changed: int
    """The most records of one side, without those of pairs that met in this slice."""
    pairs: int
    """Links, the most of before and after."""
    begun: int
    """Creates and removals that were under way, or approved, when it began."""
    allowed: frozenset[str]
    """Brakes that a person had overridden."""
    settled: bool
    """A run had come to rest before."""
    calm: bool
    """Nothing went wrong, and nobody did anything."""


class Person:
    """Looks at brakes, remembers every yes, and watches what slices do."""

    def __init__(self, history: History) -> None:
        self._history = history
        self.slices: list[Slice] = []
        self.said: list[tuple[int, BrakeName, int]] = []
        """Every yes: (sync, brake, what it had counted)."""

    @property
    def on(self) -> bool:
        """Whether runs may be braked in this history."""
        return self._history.script.sync.brakes is not None

    def prepare(self) -> None:
        """Let brakes count from as many records on as this history has."""
        for name, number in (IN_HISTORIES if self.on else IN_LIFE).items():
            setattr(guards, name, number)

    def blank(self, side: Side, obj: str) -> bool:
        """Whether a listing may show nothing: never where somebody would believe it."""
        history = self._history
        sync = history.state.syncs.get(history.syncs[history.setup.objects.index(obj)])
        known = history.state.records.reader(sync.reader(side)).live
        believed = history.state.brakes.overridden(sync.id, BrakeName.SIDE_EMPTY) is not None
        if not self.on or believed or known < FEWEST_KNOWN:
            return False
        history.happened("empty listing")
        return True

    def look(self) -> None:
        """Say yes to every brake that is true; wait for the app where it is not."""
        history = self._history
        for sync_id, obj in zip(history.syncs, history.setup.objects, strict=True):
            status = history.state.syncs.get(sync_id).status
            brake = brake_of(status.code)
            empty = not all(list(app.all(obj)) for app in history.setup.apps.values())
            if brake in _BY_NUMBER or (brake is BrakeName.SIDE_EMPTY and empty):
                assert brake is not None
                history.state.brakes.override(sync_id, brake, status, 1.0, "somebody")
                self.said.append((sync_id, brake, status.number))
                history.story.append(f"  somebody overrides {brake}: {status.sentence}")

    def watch(self, sync: int) -> Slice:
        """Before a slice: how things stand."""
        history, db = self._history, self._history.db
        made, removing = db.execute(
            "SELECT (SELECT count(*) FROM creations WHERE sync = ?1),"
            " (SELECT count(*) FROM removals WHERE sync = ?1 AND phase <> ?2)",
            (sync, int(Phase.STAGED)),
        ).fetchone()
        names = [b for b in BrakeName if history.state.brakes.overridden(sync, b) is not None]
        settled, _ = history.state.brakes.settled(sync)
        marks = [len(history.setup.apps[side].effects) for side in Side]
        return Slice(
            sync, None, marks[0], marks[1], self._trouble(), self._links(sync), made + removing,
            frozenset(names), settled, calm=False,
        )  # fmt: skip

    def watched(self, before: Slice, outcome: SliceOutcome) -> None:
        """After a slice: what it wrote."""
        history = self._history
        obj = history.setup.objects[history.syncs.index(before.sync)]
        marks = {Side.HUB: before.removed, Side.APP: before.made}
        new = {
            side: [e for e in history.setup.apps[side].effects[marks[side] :] if e.obj == obj]
            for side in Side
        }
        both = [effect for effects in new.values() for effect in effects]
        changed = {s: {e.id for e in es if e.op is Op.UPDATE} for s, es in new.items()}
        made = sum(e.op is Op.CREATE for e in both)
        # What was to be made, and was found by the look right before, counted as a create.
        links = self._links(before.sync)
        met = max(0, links - before.pairs - made)
        after = structs.replace(
            before,
            pulled=brake_of(outcome.status.code),
            removed=sum(e.op in {Op.DELETE, Op.ARCHIVE} for e in both),
            made=made,
            changed=max(map(len, changed.values())) - met,
            pairs=max(before.pairs, links),
            calm=before.changed == self._trouble(),
        )
        self.slices.append(after)
        if after.pulled is not None:
            history.happened(f"brake: {after.pulled}")

    def _links(self, sync: int) -> int:
        found: int = self._history.db.execute(
            "SELECT count(*) FROM links WHERE sync = ?", (sync,)
        ).fetchone()[0]
        return found

    def _trouble(self) -> int:
        """How much has gone wrong, or been done by people, so far."""
        history = self._history
        return history.users.done + sum(history.faults.values())


def brakes_hold(history: History) -> int:
    """What a brake warns of is not done before a person says yes, and each yes is recorded."""
    person = history.person
    if not person.on:
        return 0
    share = history.script.sync.brakes or 0.0
    for one in person.slices:
        _nothing_behind_a_brake(one)
        if one.calm:
            _no_more_than_allowed(one, share)
    for sync in history.syncs:
        _recorded(history, sync)
    return 1


def _nothing_behind_a_brake(one: Slice) -> None:
    if one.pulled is BrakeName.DELETES and one.removed > one.begun:
        raise Broken(NAME, f"{one.removed} were removed, and then it braked for deletes")
    wrote = max(one.made, one.changed, one.removed)
    if one.calm and one.pulled in _BEFORE_WRITES and wrote > one.begun:
        raise Broken(NAME, f"{wrote} were written, and then it braked for {one.pulled}")


def _no_more_than_allowed(one: Slice, share: float) -> None:
    most = max(guards.DELETES_FROM - 1, share * one.pairs) + one.begun
    if one.removed > most and BrakeName.DELETES not in one.allowed:
        raise Broken(NAME, f"{one.removed} were removed unasked, of {one.pairs} pairs")
    most = max(FEWEST_WRITES, share * one.pairs) + one.begun
    for brake, number in ((BrakeName.CREATES, one.made), (BrakeName.CHANGES, one.changed)):
        if one.settled and number > most and brake not in one.allowed:
            raise Broken(NAME, f"{brake}: {number} unasked, of {one.pairs} pairs")


def _recorded(history: History, sync: int) -> None:
    """Every yes is on record, is used up by now, and stops nothing any more."""
    found = history.state.brakes.history(sync)
    told = [(BrakeName(one.brake), one.number) for one in reversed(found)]
    said = [(brake, number) for where, brake, number in history.person.said if where == sync]
    if told != said or not all(one.who and one.sentence for one in found):
        raise Broken(NAME, f"{said} was said, and {told} is recorded")
    if any(one.used is None for one in found):
        raise Broken(NAME, "a yes is still in force after all has come to rest")
    status = history.state.syncs.get(sync).status
    if brake_of(status.code) is not None:
        raise Broken(NAME, f"still stopped: {status.sentence}")


def rules_of(share: float | None) -> Brakes:
    """The brakes of a sync."""
    return Brakes(deletes=1.0) if share is None else Brakes(share, share, share)


def draw_brakes(seed: int, script: Script) -> Script:
    """Sometimes: brakes, what pulls them, and a person who comes by."""
    random = Random(f"brakes {seed}")
    if random.random() >= SHARE:
        return script
    sync = structs.replace(script.sync, brakes=random.choice((0.0, 0.1)))
    rounds = [_braked(random, script, one) for one in script.rounds]
    return structs.replace(script, sync=sync, rounds=tuple(rounds))


def sure_to_crash(one: Round) -> bool:
    """Whether a round was drawn for its crash alone."""
    return [trouble.kind for trouble in one.troubles] == ["crash between effects"]


def _braked(random: Random, script: Script, one: Round) -> Round:
    chance, side = random.random, random.choice(tuple(Side))
    acts, troubles = list(one.acts), list(one.troubles)
    if sure_to_crash(one):  # it must not be stopped before
        early = structs.replace(troubles[0], nth=random.randint(1, 2))
        return structs.replace(one, troubles=(early,), answer=chance() < 0.5)
    obj = random.choice(script.sync.types)
    if chance() < 0.1:
        acts.append(Act("empty", side, obj))
    if chance() < 0.25:
        acts += [Act("create", side, obj, more=random.randrange(1000)) for _ in range(7)]
    if chance() < 0.4:
        troubles.append(Trouble("empty listing", f"{side} pull before", random.randint(1, 3)))
    hides = random.choice(tuple(Side)) if chance() < 0.08 else None
    return structs.replace(
        one, acts=tuple(acts), troubles=tuple(troubles), hides=hides, answer=chance() < 0.5
    )


def blank(history: History, _: Trouble, side: Side, _call: Call) -> None:
    """From now on the listings of a side show nothing, until the round is over."""
    history.setup.apps[side].blank = lambda obj: history.person.blank(side, obj)


def calm(history: History) -> None:
    """The listings show everything again, and no field is gone."""
    for side, app in history.setup.apps.items():
        app.blank = lambda obj: False
        app.show(history.setup.types[side])


def hide(history: History, side: Side) -> None:
    """A field is gone on a side, until the round is over."""
    history.setup.apps[side].hide(HIDDEN)
    history.happened("field gone")
