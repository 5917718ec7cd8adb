"""The simulated environment on a thread of its own, for clients that do not know asyncio."""

from __future__ import annotations

import asyncio
import ssl
import threading
from collections.abc import Iterator
from contextlib import contextmanager

from twofold.simulators.dynamics import Server


@contextmanager
def serving(server: Server, tls: ssl.SSLContext | None = None) -> Iterator[str]:
    """The server's address while the block runs."""
    loop = asyncio.new_event_loop()
    thread = threading.Thread(target=loop.run_forever, daemon=True)
    thread.start()
    try:
        yield asyncio.run_coroutine_threadsafe(server.start(tls=tls), loop).result(30)
    finally:
        asyncio.run_coroutine_threadsafe(server.stop(), loop).result(30)
        loop.call_soon_threadsafe(loop.stop)
        thread.join(30)
        loop.close()
