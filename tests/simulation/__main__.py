"""Play many histories: ``python -m tests.simulation --seeds 1000 [--first 0]``."""

from __future__ import annotations

import argparse
import sys
import time
import traceback
from collections import Counter

from tests.simulation.history import History
from tests.simulation.promises import check


def main() -> int:
    """Print the rate, the faults and every broken promise; 1 where there is one."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--seeds", type=int, default=1000)
    parser.add_argument("--first", type=int, default=0)
    parser.add_argument("--stop", action="store_true", help="stop at the first broken promise")
    options = parser.parse_args()
    began = time.process_time()
    faults: Counter[str] = Counter()
    histories: Counter[str] = Counter()
    broken: list[int] = []
    for seed in range(options.first, options.first + options.seeds):
        history = History(seed)
        try:
            history.play()
            check(history)
        except Exception:  # noqa: BLE001 - whatever it is, the seed is what matters
            broken.append(seed)
            print(f"--- seed {seed}")
            traceback.print_exc(limit=-6, file=sys.stdout)
            if options.stop:
                break
        faults.update(history.faults)
        histories.update(history.faults.keys())
    used = time.process_time() - began
    print(f"{options.seeds} histories, {options.seeds / used:.0f} per CPU second")
    for what, count in sorted(faults.items()):
        share = 100 * histories[what] / options.seeds
        print(f"  {what:40} {count:8} times, in {share:5.1f} % of histories")
    print(f"{len(broken)} broken promises" + (f": seeds {broken[:20]}" if broken else ""))
    return 1 if broken else 0


if __name__ == "__main__":
    raise SystemExit(main())
