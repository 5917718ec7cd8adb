"""The web process: ``python -m twofold.serve.web FOLDER SOCKET REACH``.

The supervisor starts it.
"""

from __future__ import annotations

import asyncio
import socket
import sys
from pathlib import Path

import msgspec
import uvicorn

from twofold.serve.child import mourn, tell_parent
from twofold.serve.log import Log, prepared
from twofold.serve.reach import Reach
from twofold.serve.site import site

_GRACE = 2
"""Seconds that open requests have when the process is asked to stop; streams never end."""
_MOST_HEADERS = 32 * 1024


async def _serve(folder: Path, listening: socket.socket, reach: Reach, log: Log) -> None:
    config = uvicorn.Config(
        site(folder, reach, log),
        log_config=None,
        access_log=False,
        server_header=False,
        timeout_graceful_shutdown=_GRACE,
        h11_max_incomplete_event_size=_MOST_HEADERS,
        proxy_headers=False,
    )
    server = uvicorn.Server(config)

    def leave() -> None:
        server.should_exit = True

    mourn(leave)
    tell_parent("ready")
    await server.serve(sockets=[listening])


def main() -> int:
    """Serve until asked to stop."""
    log = prepared("web")
    folder, number, told = sys.argv[1:]
    reach = msgspec.json.decode(told, type=Reach)
    asyncio.run(_serve(Path(folder), socket.socket(fileno=int(number)), reach, log))
    return 0


if __name__ == "__main__":
    sys.exit(main())
