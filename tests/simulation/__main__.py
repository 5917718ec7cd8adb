"""Play many histories: ``python -m tests.simulation --seeds 1000 [--first 0]``.

``--tell SEED`` tells one history in words; a broken one is made small first, and printed as a
script that can be kept in ``scripts/``.
"""

from __future__ import annotations

import argparse
import os
import time
from collections.abc import Iterator
from concurrent.futures import ProcessPoolExecutor
from pathlib import Path

from tests.simulation.broken import Broken
from tests.simulation.draw import draw
from tests.simulation.history import History
from tests.simulation.promises import verdict
from tests.simulation.script import Script, dumps, loads
from tests.simulation.shrink import failure, shrink
from tests.simulation.table import FAULTS, Tally, lines

BLOCK = 25
"""Histories that a process plays at a time."""
MOST_SHRUNK = 3
SCRIPTS = Path(__file__).with_name("scripts")
"""Histories that broke a promise once, made small: permanent tests."""


def play(first: int, count: int) -> Tally:
    """Play the histories of some seeds."""
    tally = Tally()
    began = time.process_time()
    for seed in range(first, first + count):
        history = History.of(seed)
        tally.histories += 1
        try:
            checked = verdict(history)
        except Exception as error:  # noqa: BLE001 - whatever it is, the seed is what matters
            tally.broken.append((seed, f"{type(error).__name__}: {error}"))
            continue
        happened = [fault for fault in FAULTS if history.faults[fault]]
        tally.faults.update(happened)
        tally.times.update(history.faults)
        tally.met.update((f, p) for f in happened for p, number in checked.items() if number)
        had = {"acts": history.users.done, "runs": history.runs, "crashes": history.crashes}
        tally.least = {w: min(n, tally.least.get(w, n)) for w, n in had.items()}
    tally.seconds = time.process_time() - began
    return tally


def _tallies(first: int, seeds: int, processes: int) -> Iterator[Tally]:
    starts = range(first, first + seeds, BLOCK)
    counts = [min(BLOCK, first + seeds - start) for start in starts]
    if processes == 1:
        yield from map(play, starts, counts)
        return
    with ProcessPoolExecutor(processes) as pool:
        yield from pool.map(play, starts, counts)


def main() -> int:
    """Print the rate, the table and every broken promise; 1 where there is one."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--seeds", type=int, default=1000)
    parser.add_argument("--first", type=int, default=0)
    parser.add_argument("--processes", type=int, default=os.cpu_count() or 1)
    parser.add_argument("--stop", action="store_true", help="stop at the first broken promise")
    parser.add_argument("--tell", metavar="SEED_OR_FILE", help="tell one history in words")
    parser.add_argument("--keep", metavar="NAME", help="with --tell: keep it if it is broken")
    options = parser.parse_args()
    if options.tell:
        return _tell(options.tell, options.keep)
    began = time.monotonic()
    total = Tally()
    for tally in _tallies(options.first, options.seeds, 1 if options.stop else options.processes):
        total.add(tally)
        for seed, sentence in tally.broken:
            print(f"--- seed {seed}: {sentence}", flush=True)
        if options.stop and total.broken:
            break
    return _report(total, time.monotonic() - began, shrinking=not options.stop)


def _report(total: Tally, seconds: float, *, shrinking: bool) -> int:
    print("\n".join(lines(total)))
    per_second = total.histories / seconds
    print(
        f"{total.histories} histories, {per_second:.1f} per second,"
        f" {total.histories / total.seconds:.1f} per second of one core"
    )
    for sentence in total.too_small:
        print(sentence)
    for fault in total.too_rare:
        print(f"in less than 1 % of histories: {fault}")
    for seed, _ in total.broken[: MOST_SHRUNK if shrinking else 0]:
        _show(shrink(draw(seed)), f"seed {seed}, made small")
    seeds = f": seeds {[seed for seed, _ in total.broken[:20]]}" if total.broken else ""
    print(f"{len(total.broken)} broken promises{seeds}")
    return 1 if total.broken or total.too_small or total.too_rare else 0


def _tell(which: str, name: str | None) -> int:
    """Tell one history; make it small where it is broken, and keep it if asked."""
    script = draw(int(which)) if which.isdigit() else loads(Path(which).read_text())
    broken = failure(script) is not None
    script = shrink(script) if broken else script
    _show(script, which)
    if broken and name:
        SCRIPTS.joinpath(f"{name}.json").write_text(dumps(script))
    return int(broken)


def _show(script: Script, title: str) -> None:
    history = History(script)
    wrong = ""
    try:
        verdict(history)
    except Broken as error:
        wrong = str(error)
    except Exception as error:  # noqa: BLE001 - it is told
        wrong = repr(error)
    print(f"--- {title}", dumps(script), *history.story, wrong or "kept", sep="\n")


if __name__ == "__main__":
    raise SystemExit(main())
