"""Where the program ``twofold`` starts."""

from __future__ import annotations

import signal
import sys


def main() -> int:
    """Run the command line; returns the exit code, or leaves with it."""
    try:
        # Loaded here, so that Ctrl-C meanwhile ends as quietly as it does later.
        from twofold.cli.root import twofold  # noqa: PLC0415
        from twofold.engine.world import calm_collector  # noqa: PLC0415

        calm_collector()
        for stream in (sys.stdout, sys.stderr):
            # What a terminal cannot show must not end a command.
            stream.reconfigure(errors="backslashreplace")  # type: ignore[union-attr]
        twofold.main(prog_name="twofold")
    except KeyboardInterrupt:
        return 128 + signal.SIGINT


if __name__ == "__main__":
    sys.exit(main())
