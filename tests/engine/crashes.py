"""Kill a run at every moment between two effects, and see that the next ones put it right."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from datetime import timedelta

from tests.engine.stage import Stage


class Crash(BaseException):
    """The process was killed at this very instant."""


async def calm(stage: Stage, rounds: int = 4) -> None:
    """Everything that is left to do is done, and then nothing is written any more."""
    for _ in range(rounds):
        stage.world.time += timedelta(hours=2)
        await stage.run_all()
    writes = stage.writes()
    await stage.run_all()
    assert stage.writes() == writes, "it must become quiet"


async def at_every_step(
    scene: Callable[[], Awaitable[Stage]], check: Callable[[Stage], None]
) -> int:
    """Play a scene up to its last run, kill that run at each step in turn, run on, and check.

    Returns the number of moments.
    """
    moment = 0
    while True:
        stage = await scene()
        if not await _killed_at(stage, moment):
            await calm(stage)
            check(stage)
            return moment
        await calm(stage)
        check(stage)
        moment += 1


async def _killed_at(stage: Stage, moment: int) -> bool:
    plain = stage.world.step
    steps = 0

    def step(what: str) -> None:
        nonlocal steps
        plain(what)
        steps += 1
        if steps > moment:
            raise Crash

    stage.world.step = step  # type: ignore[method-assign]
    try:
        await stage.run()
    except Crash:
        return True
    finally:
        stage.world.step = plain  # type: ignore[method-assign]
    return False
