"""Starting database servers, which refuse to run as root, and folders that they may use.

Where the tests run as root (in a container), servers run as ``nobody``, with their data in a folder
of their own under the system's temporary folder; no other folder's permissions are touched.
"""

from __future__ import annotations

import os
import pwd
import shutil
import socket
import subprocess
import tempfile
import threading
from collections.abc import Sequence
from pathlib import Path
from typing import Any

_PATIENCE = 60
"""Seconds for a server to start or stop."""


def folder_for_server(prefix: str) -> Path:
    """A new folder that belongs to the user that servers run as."""
    folder = Path(tempfile.mkdtemp(prefix=prefix))
    if os.geteuid() == 0:
        nobody = pwd.getpwnam("nobody")
        os.chown(folder, nobody.pw_uid, nobody.pw_gid)
    return folder


def as_server_user() -> dict[str, Any]:
    """Arguments for ``subprocess``: another user where we are root."""
    if os.geteuid() != 0:
        return {}
    nobody = pwd.getpwnam("nobody")
    return {"user": nobody.pw_uid, "group": nobody.pw_gid, "extra_groups": []}


def free_port() -> int:
    """A port of the loopback interface that was free a moment ago."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port: int = probe.getsockname()[1]
        return port


def run(command: Sequence[str], folder: Path) -> None:
    """Run a preparing program to its end.

    Raises:
        RuntimeError: it failed; with what it said.
    """
    done = subprocess.run(
        command, cwd=folder, capture_output=True, text=True, check=False, **as_server_user()
    )
    if done.returncode:
        raise RuntimeError(f"{Path(command[0]).name} failed:\n{done.stdout}\n{done.stderr}")


class Process:
    """A server's process, with its log."""

    def __init__(self, command: Sequence[str], folder: Path, ready: str) -> None:
        """Starts it; ``ready`` is the part of a log line that says it takes connections."""
        self.lines: list[str] = []
        self._ready = threading.Event()
        self._phrase = ready
        self._process = subprocess.Popen(
            command,
            cwd=folder,
            stdin=subprocess.DEVNULL,
            stdout=subprocess.DEVNULL,
            stderr=subprocess.PIPE,
            text=True,
            errors="replace",
            **as_server_user(),
        )
        self._reader = threading.Thread(target=self._read, daemon=True)
        self._reader.start()

    @property
    def pid(self) -> int:
        """The process's number, to kill it for a test."""
        return self._process.pid

    @property
    def log(self) -> str:
        """What it has said so far."""
        return "".join(self.lines)

    def wait_until_ready(self) -> bool:
        """Whether it takes connections now; false where it ended instead."""
        self._ready.wait(_PATIENCE)
        return self._phrase in self.log

    def stop(self, signal: int) -> None:
        """Ask it to end, and wait until it has."""
        if self._process.poll() is None:
            self._process.send_signal(signal)
        self._process.wait(_PATIENCE)
        self._reader.join(_PATIENCE)

    def _read(self) -> None:
        assert self._process.stderr is not None
        for line in self._process.stderr:
            self.lines.append(line)
            if self._phrase in line:
                self._ready.set()
        self._ready.set()


def remove(folder: Path) -> None:
    """Remove a server's folder."""
    shutil.rmtree(folder, ignore_errors=True)
