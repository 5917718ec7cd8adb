"""When a sync runs again: after a change soon, after nothing later, after a failure ever later."""

from __future__ import annotations

from msgspec import Struct

QUICK = 5.0
"""Seconds between two polls while somebody is at work."""
POLL = 300.0
"""Seconds between two polls otherwise, unless the connection says so (R2)."""
_SHARE = 20.0
"""A poll takes at most one part in so many of the time: long listings come seldom."""
_FIRST_BACKOFF = 5.0
_LONGEST_BACKOFF = 900.0
_LONGEST_LIMIT = 86_400.0
"""Seconds. No app makes us wait longer, whatever it says."""


class Pace(Struct, frozen=True):
    """When a sync is due, in seconds since 1970."""

    poll: float = 0.0
    """When both sides are read next."""
    interval: float = 0.0
    """Seconds from the last poll to that one."""
    held: float = 0.0
    """Nothing runs before, unless a person asks."""
    attempts: int = 0
    """Runs in vain since the last one that got through."""


def after_success(
    pace: Pace, now: float, every: float, took: float, *, polled: bool, lively: bool
) -> Pace:
    """The pace after a run that got through; ``lively``: it found something new."""
    floor = max(min(QUICK, every), _SHARE * took)
    if lively:
        interval = floor
    elif polled:
        interval = max(floor, min(every, 2 * pace.interval if pace.interval else every))
    else:
        return Pace(pace.poll, pace.interval)
    poll = now + interval
    return Pace(poll if polled else min(pace.poll, poll), interval)


def after_failure(pace: Pace, now: float, chance: float, until: float | None = None) -> Pace:
    """The pace after a run in vain; ``until``: the app named a time; ``chance``: from 0 to 1."""
    attempts = pace.attempts + 1
    if until is not None:
        held = min(max(until, now), now + _LONGEST_LIMIT)
    else:
        longest = min(_FIRST_BACKOFF * 2.0 ** min(attempts - 1, 20), _LONGEST_BACKOFF)
        held = now + longest * (0.5 + chance / 2)
    return Pace(held, pace.interval, held, attempts)


def believable(moment: float, now: float, longest: float) -> float:
    """A stored moment, or now where it lies further ahead than it was ever put: a clock jumped."""
    return moment if moment <= now + longest else now


def due(
    pace: Pace, now: float, every: float, retry: float | None, *, nudged: bool = False
) -> float:
    """The next moment at which a sync should run: now or before where it is time.

    ``retry``: when the first failed record is tried again; ``nudged``: the hub changed.
    """
    held = believable(pace.held, now, _LONGEST_LIMIT)
    if nudged:
        return held
    longest = max(pace.interval, every, _LONGEST_BACKOFF, held - now)
    poll = max(held, believable(pace.poll, now, longest))
    return poll if retry is None else min(poll, max(held, retry))
