"""The service in the hands of a test: real processes on a port of their own."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from tests.interfaces.program import PATIENCE, Program, until


class Service:
    """``twofold up`` over one data folder, with further options."""

    def __init__(self, folder: Path, *options: str) -> None:
        self.folder = folder
        self.program = Program(folder)
        self.url = ""
        self.printed: list[str] = []
        self.lines: list[dict[str, Any]] = []
        command = [sys.executable, "-m", "twofold.cli.main", "up", "--port", "0"]
        self.process = subprocess.Popen(
            [*command, "--data", str(folder), *options],
            env={**os.environ, "PYTHONUNBUFFERED": "1"},
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
        )
        self._readers = [
            threading.Thread(target=self._hear_out, daemon=True),
            threading.Thread(target=self._hear_log, daemon=True),
        ]
        for reader in self._readers:
            reader.start()
        until(lambda: self.url or self.process.poll() is not None or self.events("raw"))
        if not self.url:
            self.stop()
        assert self.url, self.lines

    def _hear_out(self) -> None:
        assert self.process.stdout is not None
        for line in self.process.stdout:
            self.printed.append(line.rstrip())
            if line.startswith("Twofold is at "):
                self.url = line.split()[-1]

    def _hear_log(self) -> None:
        assert self.process.stderr is not None
        for line in self.process.stderr:
            json_line = line.startswith("{")
            self.lines.append(json.loads(line) if json_line else {"event": "raw", "text": line})

    def events(self, event: str, **facts: Any) -> list[dict[str, Any]]:
        """Lines of the log."""
        found = [line for line in self.lines if line["event"] == event]
        return [line for line in found if all(line.get(k) == v for k, v in facts.items())]

    def pid(self, name: str) -> int:
        """The newest process of that name."""
        return int(self.events("process started", name=name)[-1]["pid"])

    def stop(self) -> int:
        """Ask it to stop; returns its exit code."""
        self.process.send_signal(signal.SIGTERM)
        code = self.process.wait(PATIENCE)
        for reader in self._readers:
            reader.join(PATIENCE)
        return code

    def kill(self) -> None:
        """End all of it at once, as a power failure does."""
        pids = [self.process.pid, self.pid("web"), self.pid("worker")]
        for pid in pids:
            os.kill(pid, signal.SIGKILL)
        self.process.wait(PATIENCE)

    def settled(self, *syncs: str) -> bool:
        """Whether these syncs have nothing to do."""
        found = self.program.json("status")["syncs"]
        words = {one["sync"]: one["word"] for one in found}
        return all(words[name] == "Active and listening" for name in syncs)


@contextmanager
def service(folder: Path, *options: str) -> Iterator[Service]:
    """A running service, stopped at the end."""
    made = Service(folder, *options)
    try:
        yield made
    finally:
        if made.process.poll() is None:
            made.stop()


@contextmanager
def service_when_free(folder: Path) -> Iterator[Service]:
    """A service as soon as the processes of the one before have left."""
    found: list[Service] = []

    def free() -> bool:
        try:
            found.append(Service(folder))
        except AssertionError:
            return False
        return True

    until(free)
    try:
        yield found[0]
    finally:
        found[0].stop()
