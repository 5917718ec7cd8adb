"""What the two processes of the service share: they end when asked, or with their parent."""

from __future__ import annotations

import asyncio
import os
import signal
import sys
from collections.abc import Callable


def obey(stop: Callable[[], None]) -> None:
    """Call ``stop`` on SIGTERM and Ctrl-C, and when the parent is gone: its pipe ends then."""
    loop = asyncio.get_running_loop()
    for number in (signal.SIGTERM, signal.SIGINT):
        loop.add_signal_handler(number, stop)
    mourn(stop)


def mourn(stop: Callable[[], None]) -> None:
    """Call ``stop`` when the parent is gone."""
    loop = asyncio.get_running_loop()
    pipe = sys.stdin.fileno()

    def heard() -> None:
        if not os.read(pipe, 64):
            loop.remove_reader(pipe)
            stop()

    loop.add_reader(pipe, heard)


def tell_parent(word: str) -> None:
    """One word for the supervisor; without one, nobody is told."""
    try:
        os.write(sys.stdout.fileno(), f"{word}\n".encode())
    except OSError:
        return
