"""Full batches: in a long run, writes that fill no batch are held back until they do.

A held record is simply left due. The walk goes on behind it, and begins anew once enough were
held back, or at the end: then they are planned again, all together.
"""

from __future__ import annotations

from collections import Counter

from twofold.core.records import Side
from twofold.core.schema import Op
from twofold.engine.chunk import Chunk, PairWork
from twofold.engine.context import Context
from twofold.store.types import Place

Ends = tuple[Place, ...]
"""The records of one write: both ends of a pair, or the source of a create."""
Held = dict[tuple[Side, Op], list[Ends]]


class Walk:
    """Goes through what is due, in its order, until nothing is left."""

    def __init__(self, context: Context, size: int) -> None:
        self._context = context
        self._size = size
        self._after: Place | None = None
        self._held: Counter[tuple[Side, Op]] = Counter()
        self._held_places: set[Place] = set()

    def next(self) -> list[Place]:
        """The next records, ``size`` at most; none when nothing is due any more."""
        places = self._behind()
        if not places and self._after is not None:
            self.restart()
            places = self._behind()
        return places

    def _behind(self) -> list[Place]:
        """What comes next, without the twins of what is held back."""
        links, held = self._context.state.links, self._held_places
        places = links.due(self._context.sync.id, self._size + len(held), self._after)
        return [place for place in places if place not in held][: self._size]

    def passed(self, chunk: Chunk, places: list[Place]) -> None:
        """Go on behind these records; hold back what fills no batch, where more may come."""
        at_end = len(places) < self._size
        if at_end and self._after is None:
            return  # there is nothing else that is due
        for kind, works in hold_back(self._context, chunk).items():
            self._held[kind] += len(works)
            self._held_places.update(*works)
        self._after = places[-1]
        ports = self._context.ports
        if at_end or any(n >= ports[side].batch(op) for (side, op), n in self._held.items()):
            self.restart()

    def restart(self) -> None:
        """Begin anew."""
        self._after = None
        self._held.clear()
        self._held_places.clear()


def hold_back(context: Context, chunk: Chunk) -> Held:
    """Take the writes that fill no batch out of a chunk; returns them by side and kind.

    At least half of the chunk's records stay, so that every chunk makes progress.
    """
    held: Held = {}
    fewest = len(chunk.places) / 2
    for side, port in context.ports.items():
        pairs = [pair for pair in chunk.pairs if _writes_only(pair, side)]
        creates = [work for work in chunk.creates if work.side is side]
        spare_pairs = pairs[len(pairs) - len(pairs) % port.batch(Op.UPDATE) :]
        spare_creates = creates[len(creates) - len(creates) % port.batch(Op.CREATE) :]
        ends: list[Ends] = [tuple((s, pair.end(s).row) for s in Side) for pair in spare_pairs]
        if spare_pairs and _leave(chunk, set().union(*ends), fewest):
            rows = {pair.hub.row for pair in spare_pairs}
            chunk.pairs = [pair for pair in chunk.pairs if pair.hub.row not in rows]
            held[side, Op.UPDATE] = ends
        sources: set[Place] = {(side.other, work.source.row) for work in spare_creates}
        if spare_creates and _leave(chunk, sources, fewest):
            kept = (w for w in chunk.creates if (w.side.other, w.source.row) not in sources)
            chunk.creates = list(kept)
            held[side, Op.CREATE] = [(source,) for source in sources]
    return held


def _writes_only(pair: PairWork, side: Side) -> bool:
    return bool(pair.plan.updates) and all(u.side is side for u in pair.plan.updates)


def _leave(chunk: Chunk, places: set[Place], fewest: float) -> bool:
    """Leave these records due as they are, unless too few others remain."""
    remaining = [place for place in chunk.places if place not in places]
    if len(remaining) < fewest:
        return False
    chunk.places = remaining
    for place in places:
        chunk.revisits.pop(place, None)
    return True
