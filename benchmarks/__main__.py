"""``make bench``, or ``QUICK=1 make bench`` for small sizes. Exits with 1 where a goal is missed.

CPU is user and system time of the client process alone, start-up left out on both sides; apps run
in processes of their own. A goal is compared with the median of the rounds. The largest size has
one round: it is there for what grows, memory above all, and takes longer than all others together.
"""

from __future__ import annotations

import os
import sys
from math import ceil

from benchmarks import worlds
from benchmarks.figures import Figure, show, write
from benchmarks.people import DIFFERS, OVERLAP, missing
from benchmarks.rounds import Measured, measure

ROUNDS = 3
MULTIGET, ROWS, ROWS_WRITTEN, BATCH = 200, 2000, 1000, 100
"""What one call may hold: cards, rows read, rows written, records of a push to our own servers."""


def main() -> int:
    """Measure, print, keep."""
    quick = os.environ.get("QUICK", "") not in {"", "0"}
    small, large = (5_000, 50_000) if quick else (100_000, 1_000_000)
    books, rows = (200, 5_000) if quick else (1_000, 50_000)
    command = f"{'QUICK=1 ' if quick else ''}make bench"
    json = measure(worlds.json_servers, small, ROUNDS, _say)
    cards = measure(worlds.address_books, books, 1 if quick else ROUNDS, _say)
    tables = measure(worlds.tables, rows, ROUNDS, _say)
    big = measure(worlds.json_servers, large, 1, _say)
    figures = [
        *_speed("JSON", json),
        *_calls_json(json),
        *_memory(json, big),
        *_speed("JSON", big),
        *_speed("CardDAV", cards),
        *_calls_cards(cards),
        *_speed("SQL", tables),
        *_calls_tables(tables),
    ]
    show(figures, command)
    write(figures, command)
    return 0 if all(figure.met for figure in figures) else 1


def _say(what: str) -> None:
    print(what, file=sys.stderr, flush=True)


def _speed(kind: str, found: Measured) -> list[Figure]:
    size = f"{kind}, {found.size:,} + {found.size:,}"
    return [
        Figure(f"{size}: first sync", "× floor", found.times_floor, 8, _beside(found, "first")),
        Figure(
            f"{size}: no-op full resync",
            "× floor",
            found.again_times_floor,
            2,
            _beside(found, "again"),
        ),
        Figure(f"{size}: records that a no-op wrote", "", found.written_again, 0),
        Figure(f"{size}: rows that a no-op rewrote", "", found.rewritten, 0),
    ]


def _beside(found: Measured, what: str) -> str:
    ours, floor = (
        (found.first, found.floor) if what == "first" else (found.again, found.floor_again)
    )
    return f"CPU a record: {_middle(ours):.1f} µs, floor {_middle(floor):.1f} µs"


def _middle(values: list[float]) -> float:
    return sorted(values)[len(values) // 2]


def _memory(small: Measured, large: Measured) -> list[Figure]:
    growth = [peak / _middle(small.peak) for peak in large.peak]
    name = f"peak memory, {large.size:,} + {large.size:,}"
    return [
        Figure(name, "MB", large.peak, 300),
        Figure(f"{name}, by that at {small.size:,}", "×", growth, 1.3),
    ]


def _updates(size: int) -> int:
    """How many of the people on both sides differ."""
    first = missing(size)
    return len([n for n in range(first, first + round(size * OVERLAP)) if n % DIFFERS == 0])


def _calls_json(found: Measured) -> list[Figure]:
    """Writing calls, against as many full batches."""
    least = 2 * ceil(missing(found.size) / BATCH) + ceil(_updates(found.size) / BATCH)
    made = [(calls["create"] + calls["update"]) / least for calls in found.calls_first]
    return [Figure("JSON: writing calls of a first sync", "× fewest", made, 1.05)]


def _calls_cards(found: Measured) -> list[Figure]:
    """Of both books: a listing and the cards by 200; to write, a PUT each and a look by 200.

    Where no etag has moved, the listing alone.
    """
    made, changed = missing(found.size), _updates(found.size)
    looks = 2 * ceil(made / MULTIGET) + 2 * ceil(changed / MULTIGET)
    first = 2 * (1 + ceil(found.size / MULTIGET)) + looks + 2 * made + changed
    return [
        Figure(
            "CardDAV: requests of a first sync",
            "× fewest",
            [(c["REPORT"] + c["PUT"]) / first for c in found.calls_first],
            1.05,
        ),
        Figure(
            "CardDAV: requests of a no-op full resync",
            "× fewest",
            [c["REPORT"] / 2 for c in found.calls_again],
            1,
        ),
    ]


def _calls_tables(found: Measured) -> list[Figure]:
    """Of both tables: pages of 2,000 rows; writes by 1,000, each read again before and after."""
    made, changed = missing(found.size), _updates(found.size)
    writes = 2 * ceil(made / ROWS_WRITTEN) + ceil(changed / ROWS_WRITTEN)
    pages = 2 * ceil((found.size + made) / ROWS)
    return [
        Figure(
            "SQL: writing statements of a first sync",
            "× fewest",
            [(c.get("INSERT", 0) + c.get("UPDATE", 0)) / writes for c in found.calls_first],
            1.05,
        ),
        Figure(
            "SQL: pages of a no-op full resync",
            "× fewest",
            [c["SELECT"] / pages for c in found.calls_again],
            1.05,
        ),
    ]


if __name__ == "__main__":
    sys.exit(main())
