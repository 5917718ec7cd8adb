"""When a sync runs again: never too often, never too late, whatever the clock does."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from twofold.core.timing import QUICK, Pace, after_failure, after_success, due

NOW = 1_800_000_000.0
TIMES = st.floats(0, 4e9, allow_nan=False)
EVERY = st.floats(QUICK, 86_400)
PACES = st.builds(
    Pace,
    st.floats(0, NOW + 1e6),
    st.floats(0, 86_400),
    st.floats(0, NOW + 1e6),
    st.integers(0, 10_000),
)


@given(PACES, EVERY, st.floats(0, 3600), st.booleans())
def test_a_poll_comes_no_sooner_than_quick_and_takes_a_twentieth_of_the_time(
    pace: Pace, every: float, took: float, lively: bool
) -> None:
    after = after_success(pace, NOW, every, took, polled=True, lively=lively)
    assert after.poll - NOW >= QUICK - 1e-6
    assert after.poll - NOW >= 20 * took - 1e-3
    assert after.poll - NOW <= max(every, 20 * took, QUICK) + 1e-3
    assert (after.held, after.attempts) == (0, 0)


@given(EVERY)
def test_quiet_polls_come_ever_later_up_to_the_setting(every: float) -> None:
    pace, now, intervals = Pace(interval=QUICK), NOW, []
    for _ in range(20):
        pace = after_success(pace, now, every, 0.0, polled=True, lively=False)
        intervals.append(pace.interval)
        now = pace.poll
    assert intervals == sorted(intervals)
    assert intervals[-1] == every


@given(PACES, EVERY)
def test_a_lively_run_of_the_hub_brings_the_poll_near_and_a_quiet_one_does_not(
    pace: Pace, every: float
) -> None:
    near = after_success(pace, NOW, every, 0.0, polled=False, lively=True)
    assert near.poll <= min(max(pace.poll, 0), NOW + QUICK) or near.poll <= NOW + QUICK
    same = after_success(pace, NOW, every, 0.0, polled=False, lively=False)
    assert same.poll == pace.poll


@given(PACES, EVERY, TIMES, st.floats(0, 1))
def test_failures_come_ever_seldomer_but_never_stop(
    pace: Pace, every: float, until: float, chance: float
) -> None:
    held = after_failure(pace, NOW, chance).held - NOW
    assert 2.5 - 1e-6 <= held <= 900
    limited = after_failure(pace, NOW, chance, until).held
    assert NOW <= limited <= NOW + 86_400
    assert due(after_failure(pace, NOW, chance), NOW, every, None, nudged=True) >= NOW


@given(PACES, EVERY, st.none() | st.floats(0, NOW + 1e5), st.booleans(), st.floats(0, 1))
def test_it_is_due_in_a_bounded_time_wherever_the_clock_goes(
    pace: Pace, every: float, retry: float | None, nudged: bool, chance: float
) -> None:
    after = after_success(pace, NOW, every, 0.0, polled=True, lively=False)
    failed = after_failure(after, NOW, chance)
    for jumped in (NOW - 5e8, NOW, NOW + 5e8):
        for found in (after, failed):
            at = due(found, jumped, every, retry, nudged=nudged)
            assert at - jumped <= max(every, 900.0, after.interval) + 1e-3
