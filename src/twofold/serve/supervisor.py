"""The supervisor: two processes that are started, watched, started again, and stopped in time."""

from __future__ import annotations

import asyncio
import signal
import sys
import time
from asyncio.subprocess import PIPE, Process
from collections.abc import Callable, Sequence
from contextlib import suppress
from pathlib import Path
from socket import socket

import msgspec

from twofold.serve.log import Log
from twofold.serve.reach import Reach

STOP_WITHIN = 4.5
"""Seconds that the processes have for leaving; then they are killed."""
SILENCE = 300.0
"""Seconds without a word after which the worker counts as frozen."""
_FIRST_PAUSE, _LONGEST_PAUSE = 0.1, 10.0
_HEALTHY_AFTER = 30.0
"""Seconds of life after which the next restart is quick again."""


class Child:
    """One process of the service."""

    def __init__(
        self, name: str, command: Sequence[str], keep: Sequence[int], log: Log, silence: float = 0.0
    ) -> None:
        """``keep``: open files to hand down; ``silence``: 0 for one that need not speak."""
        self._name = name
        self._command = command
        self._keep = keep
        self._log = log
        self._silence = silence
        self._process: Process | None = None
        self._heard = 0.0
        self.ready = asyncio.Event()

    async def live(self) -> None:
        """Keep it alive until canceled."""
        pause = _FIRST_PAUSE
        while True:
            began = time.monotonic()
            code = await self._once()
            self._log("process ended", name=self._name, code=code)
            pause = _FIRST_PAUSE if time.monotonic() - began > _HEALTHY_AFTER else 2 * pause
            await asyncio.sleep(min(pause, _LONGEST_PAUSE))

    async def stop(self, within: float) -> None:
        """Ask it to leave, and kill it where it does not."""
        process = self._process
        if process is None or process.returncode is not None:
            return
        with suppress(ProcessLookupError):
            process.send_signal(signal.SIGTERM)
        try:
            await asyncio.wait_for(process.wait(), within)
        except TimeoutError:
            self._log("process killed", name=self._name)
            with suppress(ProcessLookupError):
                process.kill()
            await process.wait()

    async def _once(self) -> int:
        """Start it and wait for its end."""
        process = self._process = await asyncio.create_subprocess_exec(
            *self._command, stdin=PIPE, stdout=PIPE, pass_fds=tuple(self._keep)
        )
        self._log("process started", name=self._name, pid=process.pid)
        self._heard = time.monotonic()
        watch = asyncio.create_task(self._watch(process))
        listen = asyncio.create_task(self._listen(process))
        try:
            return await process.wait()
        finally:
            watch.cancel()
            listen.cancel()

    async def _listen(self, process: Process) -> None:
        assert process.stdout is not None
        while line := await process.stdout.readline():
            self._heard = time.monotonic()
            if line.strip() == b"ready":
                self.ready.set()

    async def _watch(self, process: Process) -> None:
        while self._silence:
            await asyncio.sleep(self._silence / 10)
            if time.monotonic() - self._heard > self._silence:
                self._log("process frozen", name=self._name)
                process.kill()
                return


async def supervise(
    folder: Path,
    listening: socket,
    lock: int,
    log: Log,
    announce: Callable[[], None],
    reach: Reach,
) -> None:
    """Keep both processes alive until SIGTERM or Ctrl-C.

    ``listening``: the web process's socket, which outlives it; ``lock``: the installation's, which
    all processes hold, so that it stays closed to others until the last of them has left;
    ``reach``: by what the web process is reached.
    """
    loop = asyncio.get_running_loop()
    stop = asyncio.Event()
    for number in (signal.SIGTERM, signal.SIGINT):
        loop.add_signal_handler(number, stop.set)
    python = [sys.executable, "-m"]
    address = listening.fileno()
    told = msgspec.json.encode(reach).decode()
    web = [*python, "twofold.serve.web", str(folder), str(address), told]
    worker = [*python, "twofold.serve.worker", str(folder)]
    children = (
        Child("web", web, (address, lock), log),
        Child("worker", worker, (lock,), log, SILENCE),
    )
    lives = [asyncio.create_task(child.live()) for child in children]
    up = asyncio.create_task(_announce(children, announce))
    await stop.wait()
    for task in (up, *lives):
        task.cancel()
    await asyncio.gather(*(child.stop(STOP_WITHIN) for child in children))


async def _announce(children: Sequence[Child], announce: Callable[[], None]) -> None:
    for child in children:
        await child.ready.wait()
    announce()
