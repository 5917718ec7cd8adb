"""First sync and no-op full resync beside the floor, over the same apps, round by round."""

from __future__ import annotations

import random
import tempfile
from collections.abc import Callable
from contextlib import AbstractContextManager
from pathlib import Path
from typing import Any

from benchmarks import children
from benchmarks.people import missing
from benchmarks.worlds import World
from msgspec import Struct, field

FLOOR, PRODUCT = "benchmarks.floor", "benchmarks.product"
Say = Callable[[str], None]


class Measured(Struct):
    """All rounds of one kind of app and one size; CPU in microseconds a record."""

    size: int
    floor: list[float] = field(default_factory=list)
    first: list[float] = field(default_factory=list)
    """Per input record."""
    floor_again: list[float] = field(default_factory=list)
    again: list[float] = field(default_factory=list)
    peak: list[float] = field(default_factory=list)
    """MB, the larger of first sync and no-op."""
    calls_first: list[dict[str, float]] = field(default_factory=list)
    calls_again: list[dict[str, float]] = field(default_factory=list)
    rewritten: list[float] = field(default_factory=list)
    """Rows that a no-op changed, other than where reading stands."""

    @property
    def times_floor(self) -> list[float]:
        """First sync by floor, round by round."""
        return [f / floor for f, floor in zip(self.first, self.floor, strict=True)]

    @property
    def again_times_floor(self) -> list[float]:
        """No-op by floor, round by round."""
        return [f / floor for f, floor in zip(self.again, self.floor_again, strict=True)]

    @property
    def written_again(self) -> list[float]:
        """Records that a no-op wrote."""
        return [calls["written"] for calls in self.calls_again]


def measure(
    make: Callable[[int], AbstractContextManager[World]], size: int, rounds: int, say: Say
) -> Measured:
    """All rounds of one size; in each, what is compared runs in an order of its own."""
    found = Measured(size)
    with make(size) as world:
        for number in range(rounds):
            say(f"{world.kind}: {size:,} records a side, round {number + 1} of {rounds}")
            if number:
                world.reset()
            with tempfile.TemporaryDirectory() as folder:
                _round(found, world, str(Path(folder) / "state.db"), random.Random(number))
    return found


def _round(found: Measured, world: World, state: str, order: random.Random) -> None:
    world.counts()
    first, floor, calls = _beside_floor(world, state, "first", order)
    found.first.append(first.said["first"]["cpu"] / (2 * found.size) * 1e6)
    found.floor.append(floor)
    found.calls_first.append(calls)
    children.run(PRODUCT, world.kind, state, *world.addresses, "echo")
    audited = children.run(PRODUCT, world.kind, state, *world.addresses, "audited")
    found.rewritten.append(sum(audited.said["audited"]["rewritten"].values()))
    world.counts()
    again, floor, calls = _beside_floor(world, state, "again", order)
    records = 2 * (found.size + missing(found.size))
    found.again.append(again.said["again"]["cpu"] / records * 1e6)
    found.floor_again.append(floor)
    found.calls_again.append(calls)
    found.peak.append(max(first.peak, again.peak))
    for step in (first.said["first"], again.said["again"]):
        together = found.size + missing(found.size)
        assert step["in_sync"] == together, f"{step['in_sync']} of {together} are in sync"
        assert step["elsewhere"] == 0, f"{step['elsewhere']} are not in sync"


def _beside_floor(
    world: World, state: str, step: str, order: random.Random
) -> tuple[children.Ran, float, dict[str, float]]:
    """A step, the floor's microseconds a record, and what the step asked of the apps."""
    calls: dict[str, float] = {}
    floors: list[float] = []

    def floor() -> None:
        said = children.run(FLOOR, world.kind, *world.addresses).said
        floors.append(said["cpu"] / said["records"] * 1e6)
        world.counts()

    if floor_first := order.random() < 0.5:
        floor()
    ran = children.run(PRODUCT, world.kind, state, *world.addresses, step)
    calls = dict(world.counts()) | _statements(ran.said[step])
    if not floor_first:
        floor()
    return ran, floors[0], calls


def _statements(step: dict[str, Any]) -> dict[str, float]:
    """What an SQL connector sent, as its own process counted it."""
    sent = step["statements"]
    return {**sent, "written": step["did"].get("hub writes", 0) + step["did"].get("app writes", 0)}
