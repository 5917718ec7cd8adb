"""The first-run ramp (S8): at most so many creates per run and side, the rest held for a person."""

from __future__ import annotations

from twofold.core.errors import Issue, sentence
from twofold.core.health import Outcome, State
from twofold.core.mappings import Rules
from twofold.core.records import Side
from twofold.engine.chunk import Chunk
from twofold.engine.context import Context
from twofold.store.types import LinkRow, RemovalRow

HELD = "TF-B20"


class Ramp:
    """The gate that lets only so many creates pass. What it holds waits until a person says so."""

    def __init__(self, rules: Rules) -> None:
        self._room = {
            side: most for side in Side if (most := rules.most_creates.of(side)) is not None
        }
        self._limits = dict(self._room)

    def admit(self, context: Context, chunk: Chunk) -> None:
        """Hold back the creates for which there is no more room in this run."""
        kept = []
        for work in chunk.creates:
            room = self._room.get(work.side)
            if room is None or room > 0:
                kept.append(work)
                if room is not None:
                    self._room[work.side] = room - 1
                continue
            place = (work.side.other, work.source.row)
            facts = {"limit": self._limits[work.side], "side": work.side.value}
            outcome = Outcome(State.WAITING, (Issue(HELD, sentence(HELD, facts)),))
            chunk.singles.append((place, outcome, work.old_state))
            chunk.held.append((place, None))
            context.count(f"{work.side} creates held")
        chunk.creates = kept

    def removes(self, context: Context, link: LinkRow, row: RemovalRow) -> bool:
        """Removals have brakes of their own."""
        return True


class Open:
    """The gate of a run in which a person allows all creates."""

    def admit(self, context: Context, chunk: Chunk) -> None:
        """Everything passes."""

    def removes(self, context: Context, link: LinkRow, row: RemovalRow) -> bool:
        """Everything passes."""
        return True


def ramp_of(rules: Rules) -> Ramp | None:
    """The ramp of a sync; None for most."""
    return None if rules.most_creates.none else Ramp(rules)
