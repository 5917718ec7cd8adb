"""Twofold with a clock that is set while it runs: ``python -m tests.chaos.shifted FILE command …``.

The file holds the seconds by which this process's clock differs from the machine's; it is read
again each time that the clock is asked.
"""

from __future__ import annotations

import sys
import time
from datetime import datetime, timedelta, tzinfo
from pathlib import Path


def main(file: Path) -> None:
    """Set the clock of everything that asks one, then run the program."""
    machine = time.time

    def shift() -> float:
        return float(file.read_text() or "0")

    class Shifted(datetime):
        @classmethod
        def now(cls, tz: tzinfo | None = None) -> Shifted:
            return super().now(tz) + timedelta(seconds=shift())

    time.time = lambda: machine() + shift()
    import twofold.connectors.sql.connector as sql
    import twofold.hub.crm as hub
    from twofold.cli.main import main as program

    for module in (sql, hub):
        module.datetime = Shifted  # type: ignore[attr-defined]
    raise SystemExit(program())


if __name__ == "__main__":
    given = Path(sys.argv.pop(1))
    main(given)
