"""Charts: how many records were brought in step, over the last hour, day and week (H9)."""

from __future__ import annotations

from collections import Counter
from datetime import UTC, datetime
from enum import StrEnum

from msgspec import Struct

from twofold.services.installation import Installation

_MINUTE = 60


class Span(StrEnum):
    """How far back a chart goes."""

    HOUR = "hour"
    DAY = "day"
    WEEK = "week"


_SPANS = {Span.HOUR: (60, 1), Span.DAY: (1_440, 15), Span.WEEK: (10_080, 60)}
"""Minutes of a chart, and of one of its points."""


class Point(Struct, frozen=True):
    """One point of a chart."""

    at: str
    """When it begins: ISO 8601, UTC."""
    records: int
    """Records that were brought in step in it."""


class Chart(Struct, frozen=True):
    """Records over time, oldest first, points without any included."""

    sync: str
    span: Span
    minutes: int
    """Of one point; records ÷ minutes is records per minute."""
    points: tuple[Point, ...]
    total: int


def chart(here: Installation, name: str, span: Span) -> Chart:
    """How many records a sync brought in step; without a name, all syncs together.

    Raises:
        TwofoldError: TF-U06, there is no such sync.
    """
    syncs = [here.sync(name)] if name else here.state.syncs.all()
    minutes, step = _SPANS[span]
    last = int(here.world.now().timestamp()) // _MINUTE // step * step
    first = last - minutes + step
    counts: Counter[int] = Counter()
    for sync in syncs:
        counts.update(here.state.throughput.counts(sync.id, first * _MINUTE, step))
    points = tuple(
        Point(_moment(minute), counts[minute]) for minute in range(first, last + step, step)
    )
    return Chart(name, span, step, points, sum(point.records for point in points))


def _moment(minute: int) -> str:
    return datetime.fromtimestamp(minute * _MINUTE, UTC).isoformat(timespec="seconds")
