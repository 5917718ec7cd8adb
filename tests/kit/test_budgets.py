"""No window of the declared length sees more requests than the app grants."""

from __future__ import annotations

import asyncio
from datetime import timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st
from tests.kit.still_clock import START, StillClock

from twofold.kit.budgets import Budgets
from twofold.kit.contract import Limit, Pause
from twofold.kit.errors import LimitUntil

SECOND = timedelta(seconds=1)
PATIENT = timedelta(days=1)


async def sent_at(budgets: Budgets, clock: StillClock, count: int, cost: float = 1) -> list[float]:
    """When each of some requests, asked for at once, may go: seconds from the start."""
    moments = []
    for _ in range(count):
        async with budgets.request({"calls": cost}):
            moments.append((clock.now() - START).total_seconds())
    return moments


@given(
    permits=st.integers(1, 200),
    per=st.floats(0.5, 100),
    count=st.integers(1, 300),
    cost=st.sampled_from([1, 2, 30]),
)
def test_no_window_sees_more_than_was_granted(
    permits: int, per: float, count: int, cost: int
) -> None:
    clock = StillClock()
    limit = Limit("calls", permits, timedelta(seconds=per))
    budgets = Budgets("acme", [limit], clock, PATIENT)
    moments = asyncio.run(sent_at(budgets, clock, count, cost))
    for first, moment in enumerate(moments):
        within = [m for m in moments[first:] if m < moment + per * 0.999]
        assert len(within) * cost <= max(permits, cost)


async def test_a_budget_is_used_up_at_four_fifths_of_the_rate() -> None:
    clock = StillClock()
    budgets = Budgets("acme", [Limit("calls", 100, 10 * SECOND)], clock, PATIENT)
    moments = await sent_at(budgets, clock, 1000)
    assert moments[19] == 0
    assert moments[-1] == pytest.approx(980 / 8, rel=0.01)


async def test_too_long_a_wait_unwinds_and_uses_nothing_up() -> None:
    clock = StillClock()
    budgets = Budgets("acme", [Limit("calls", 1, 100 * SECOND)], clock, 10 * SECOND)
    async with budgets.request():
        pass
    for _ in range(3):
        with pytest.raises(LimitUntil) as caught:
            async with budgets.request():
                pytest.fail("the request must not go")
        assert caught.value.until == START + 125 * SECOND


async def test_the_app_s_own_word_blocks_everybody() -> None:
    clock = StillClock()
    budgets = Budgets("acme", [Limit("calls", 100, SECOND)], clock)
    budgets.learn([Pause("calls", remaining=0, until=START + 5 * SECOND)])
    assert await sent_at(budgets, clock, 1) == [5]


@pytest.mark.parametrize(
    ("pause", "waits"),
    [
        (Pause("calls", remaining=7, until=START + 5 * SECOND), 0),
        (Pause("calls", refused=True), 1),
        (Pause("calls", remaining=0.2), 1),
        (Pause("unheard of", remaining=0), 0),
    ],
)
async def test_what_a_pause_means(pause: Pause, waits: float) -> None:
    clock = StillClock()
    budgets = Budgets("acme", [Limit("calls", 100, SECOND)], clock)
    budgets.learn([pause])
    assert await sent_at(budgets, clock, 1) == [waits]


async def test_a_block_that_comes_during_the_wait_is_kept() -> None:
    clock = StillClock()
    budgets = Budgets("acme", [Limit("calls", 1, 10 * SECOND)], clock)
    await sent_at(budgets, clock, 1)

    async def sleep(seconds: float) -> None:
        clock.time += timedelta(seconds=seconds)
        budgets.block(START + 20 * SECOND)

    clock.sleep = sleep  # type: ignore[method-assign]
    assert await sent_at(budgets, clock, 1) == [20]


async def test_requests_in_flight_are_limited() -> None:
    budgets = Budgets("acme", [Limit("open", 3, SECOND, concurrent=True)], StillClock())
    inside = most = 0

    async def one() -> None:
        nonlocal inside, most
        async with budgets.request():
            inside += 1
            most = max(most, inside)
            for _ in range(3):
                await asyncio.sleep(0)
            inside -= 1

    await asyncio.gather(*(one() for _ in range(20)))
    assert (inside, most) == (0, 3)


async def test_an_account_may_be_granted_more_than_was_declared() -> None:
    clock = StillClock()
    budgets = Budgets("acme", [Limit("calls", 10, 10 * SECOND)], clock, PATIENT)
    budgets.learn([Pause("calls", remaining=900, granted=1_000)])
    assert await sent_at(budgets, clock, 200) == [0] * 200


async def test_a_request_waits_for_no_limit_that_it_does_not_use() -> None:
    clock = StillClock()
    limits = [Limit("calls", 100, SECOND), Limit("searches", 1, 100 * SECOND)]
    budgets = Budgets("acme", limits, clock, PATIENT)
    async with budgets.request():
        pass
    budgets.learn([Pause("searches", refused=True)])
    async with budgets.request({"searches": 0}):
        assert clock.now() == START


DAY = timedelta(days=1)


@given(permits=st.integers(10, 1000), reserve=st.sampled_from([0.0, 0.2, 0.5, 0.9]))
def test_a_share_of_the_day_is_left_to_others(permits: int, reserve: float) -> None:
    clock = StillClock()
    budgets = Budgets("acme", [Limit("day", permits, DAY)], clock, 3 * DAY, reserve=reserve)
    moments = asyncio.run(_until(budgets, clock, DAY))
    assert len(moments) <= permits * (1 - reserve) + 1
    assert len(moments) >= permits * (1 - reserve) * 0.8 - 1


async def _until(budgets: Budgets, clock: StillClock, length: timedelta) -> list[float]:
    """When requests may go within a length of time, asked for one after the other."""
    moments: list[float] = []
    while True:
        async with budgets.request():
            if clock.now() - START >= length * 0.999:
                return moments
            moments.append((clock.now() - START).total_seconds())


async def test_a_reserve_is_none_of_shorter_limits() -> None:
    clock = StillClock()
    budgets = Budgets("acme", [Limit("calls", 100, 10 * SECOND)], clock, PATIENT, reserve=0.9)
    assert (await sent_at(budgets, clock, 20, cost=1))[-1] == 0


@pytest.mark.parametrize(("remaining", "free"), [(201, True), (200, False), (0, False)])
async def test_what_others_used_counts_as_the_app_says(remaining: int, free: bool) -> None:
    clock = StillClock()
    budgets = Budgets("acme", [Limit("day", 1000, DAY)], clock, SECOND, reserve=0.2)
    budgets.learn([Pause("day", remaining=remaining)])
    if free:
        async with budgets.request():
            return
    with pytest.raises(LimitUntil) as found:
        async with budgets.request():
            pass
    assert found.value.until - START == (timedelta(hours=1) if remaining else DAY)
