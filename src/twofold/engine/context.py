"""What one run of one sync works with."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence

from msgspec import Struct

from twofold.core.association_sets import targets_of
from twofold.core.associations import Twins, Waiting, kept_name
from twofold.core.matching import KeyMaker, key_maker, strongest_keys
from twofold.core.plan import Program
from twofold.core.records import Fields, Record, Side
from twofold.core.undo import PutBack
from twofold.core.values import Value
from twofold.engine.limits import Limits
from twofold.engine.port import Port
from twofold.engine.world import World
from twofold.store.state import State
from twofold.store.syncs import Sync
from twofold.store.types import Moment

UNREAD = -1
"""No reader: of a far end whose association is only being thought of."""


class FarEnd(Struct, frozen=True):
    """Where the targets of one association mapping live."""

    readers: Mapping[Side, int]
    sync: int | None
    """The sync that links them; None while there is none (A3)."""


class Context:
    """The sync, its rules, its two sides, and what a run counts."""

    def __init__(
        self,
        state: State,
        world: World,
        sync: Sync,
        ports: Mapping[Side, Port],
        fence: int,
        run: int = 0,
    ) -> None:
        self.state = state
        self.world = world
        self.sync = sync
        self.limits = Limits(state, sync, world)
        self.limits.moved()
        self.program = Program(sync.rules, self.limits.now())
        self.key_maker: KeyMaker = key_maker(sync.rules)
        self.strongest_keys = strongest_keys(sync.rules)
        self.ports = ports
        self.fence = fence
        self.run = run
        """The line about the run that this slice belongs to; 0 = none."""
        self._names = {side: _names(sync, self.program, side) for side in Side}
        self.far_ends = _far_ends(state, sync)
        self.tally: dict[str, int] = {}
        self.turns: dict[tuple[Side, int], int] = {}
        """How often this run has planned a record; who comes too often must wait."""

        self._any_undos = state.undos.any(sync.id)
        self._any_refused = state.by_hand.any_refused(sync.id)
        self.remade = state.links.remade(sync.id)
        """How often records have lost their link: another twin needs another reference."""

        self.uncertain = False
        """A write's outcome is unknown: look before planning anything else."""

    def moment(self) -> Moment:
        """When something is stored, and in which run."""
        return Moment(self.run, self.world.now().timestamp())

    def count(self, what: str, number: int = 1) -> None:
        """Count something for the run's summary."""
        if number:
            self.tally[what] = self.tally.get(what, 0) + number

    def refused(self, hub_rows: Iterable[int]) -> Mapping[int, set[int]] | None:
        """The pairs that a person has cut apart; None where there are none at all.

        Asked once for all, as whoever cuts one takes the fence of this run.
        """
        if not self._any_refused:
            return None
        return self.state.by_hand.refused(self.sync.id, hub_rows)

    def refused_of(self, side: Side, row: int, *, ever: bool = False) -> list[int]:
        """The rows of the other side that a person has cut from this record, or ``ever`` had."""
        if not self._any_refused:
            return []
        return self.state.by_hand.refused_of(self.sync.id, side, row, ever=ever)

    def undos(self, hub_rows: Iterable[int]) -> Mapping[int, Sequence[PutBack]]:
        """What a person wants put back into these links; whoever asks takes our fence."""
        return self.state.undos.of(self.sync.id, hub_rows) if self._any_undos else {}

    def keep_time(self) -> None:
        """Another day has begun: what depends on it is compiled again."""
        if self.limits.by_time and self.limits.moved():
            self.program = Program(self.sync.rules, self.limits.now())

    def names(self, side: Side) -> tuple[str, ...]:
        """All names in *seen*: mapped fields, and associations."""
        return self._names[side]

    def twins(self, records: Mapping[Side, Iterable[Record]]) -> Twins:
        """The linked counterparts of everything that these records are associated with."""
        found: dict[Side, dict[str, str]] = {side: {} for side in Side}
        for mapping, far in zip(self.sync.rules.associations, self.far_ends, strict=True):
            if far.sync is None:
                continue
            for side in Side:
                name = kept_name(mapping, side)
                values = [r.fields.get(name) for r in records[side]]
                targets = {t for value in values for t in _ids(value)}
                if targets:
                    found[side] |= self.state.links.twins(
                        far.readers[side], targets, far.sync, side
                    )
        return found

    def waits(self, waiting: Iterable[Waiting]) -> tuple[tuple[int, str], ...]:
        """Name far ends by their reader and id."""
        mappings = self.sync.rules.associations
        readers = {
            kept_name(mapping, Side.HUB): far.readers
            for mapping, far in zip(mappings, self.far_ends, strict=True)
        }
        return tuple((readers[w.association][w.side], w.target) for w in waiting)

    def show(self, side: Side, record: Record) -> Fields:
        """The part of a record that takes part in this sync."""
        return {name: record.fields.get(name) for name in self.names(side)}


def _names(sync: Sync, program: Program, side: Side) -> tuple[str, ...]:
    ends = (kept_name(m, side) for m in sync.rules.associations)
    return (*program.fields(side), *ends)


def _ids(value: Value) -> Iterable[str]:
    """The targets that are kept in a value, of one association."""
    if isinstance(value, tuple):
        return targets_of(value)
    return (str(value),) if value else ()


def _far_ends(state: State, sync: Sync) -> tuple[FarEnd, ...]:
    others = state.syncs.all()
    ends = []
    for mapping in sync.rules.associations:
        readers = {}
        for side in Side:
            connection = state.records.reader(sync.reader(side)).connection
            found = state.records.find_reader(connection, mapping.target(side))
            readers[side] = UNREAD if found is None else found.id
        linker = next(
            (
                other.id
                for other in others
                if other.connection == sync.connection
                and other.rules.hub.name == mapping.hub_target
                and other.rules.app.name == mapping.app_target
            ),
            None,
        )
        ends.append(FarEnd(readers, linker))
    return tuple(ends)
