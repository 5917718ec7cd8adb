"""The worker process: ``python -m twofold.serve.worker FOLDER``, started by the supervisor."""

from __future__ import annotations

import asyncio
import gc
import os
import sys
from pathlib import Path

from twofold.app import installation
from twofold.serve.child import obey, tell_parent
from twofold.serve.log import Log, prepared
from twofold.services import chores
from twofold.services.installation import Installation
from twofold.services.worker import Worker


async def _serve(here: Installation, log: Log) -> None:
    stop = asyncio.Event()
    obey(stop.set)
    tell_parent("ready")
    worker = Worker(here, f"worker {os.getpid()}", log)
    await asyncio.gather(
        worker.serve(stop, lambda: tell_parent("alive")), chores.serve(here, stop, log)
    )


def main() -> int:
    """Run until asked to stop."""
    log = prepared("worker")
    # Millions of records are made and dropped, none of them in a cycle.
    gc.freeze()
    gc.set_threshold(100_000, 50, 50)
    with installation(Path(sys.argv[1])) as here:
        asyncio.run(_serve(here, log))
    return 0


if __name__ == "__main__":
    sys.exit(main())
