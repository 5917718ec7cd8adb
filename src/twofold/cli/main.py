"""Where the program ``twofold`` starts."""

from __future__ import annotations

import gc
import signal
import sys


def main() -> int:
    """Run the command line; returns the exit code, or leaves with it."""
    try:
        # Loaded here, so that Ctrl-C meanwhile ends as quietly as it does later.
        from twofold.cli.root import twofold  # noqa: PLC0415

        # A run makes and drops millions of records, none of them in a cycle: the collector is
        # asked seldom, and not about what was loaded at the start.
        gc.freeze()
        gc.set_threshold(100_000, 50, 50)
        for stream in (sys.stdout, sys.stderr):
            # What a terminal cannot show must not end a command.
            stream.reconfigure(errors="backslashreplace")  # type: ignore[union-attr]
        twofold.main(prog_name="twofold")
    except KeyboardInterrupt:
        return 128 + signal.SIGINT


if __name__ == "__main__":
    sys.exit(main())
