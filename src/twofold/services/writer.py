"""One writer at a time: a lock on the data folder that dies with its process."""

from __future__ import annotations

import fcntl
import os
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from twofold.core.errors import TwofoldError

LOCK_FILE = "lock"


SERVER = "server"


@contextmanager
def only_writer(folder: Path, role: str = "") -> Iterator[int]:
    """Be the only process that changes this installation; a child may inherit the file's number.

    ``role``: SERVER for the service, beside which commands may change what is configured.

    The file stays behind and names the last holder; only the lock on it counts.

    Raises:
        TwofoldError: TF-U11, another process is the writer; TF-U13, the file cannot be made.
    """
    path = folder / LOCK_FILE
    try:
        file = os.open(path, os.O_RDWR | os.O_CREAT, 0o600)
    except OSError as error:
        raise TwofoldError("TF-U13", path=folder, reason=error.strerror) from error
    try:
        try:
            fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            raise TwofoldError("TF-U11", path=folder, pid=_noted(file)[0]) from None
        os.ftruncate(file, 0)
        os.pwrite(file, f"{os.getpid()}\n{role}\n".encode(), 0)
        yield file
    finally:
        os.close(file)


def writer_of(folder: Path) -> str | None:
    """The process that is writing now, if any."""
    return _holder(folder)[0]


def server_runs(folder: Path) -> bool:
    """Whether the service has this installation."""
    return _holder(folder)[1] == SERVER


def _holder(folder: Path) -> tuple[str | None, str]:
    """Process and role of whoever holds the lock."""
    try:
        file = os.open(folder / LOCK_FILE, os.O_RDONLY)
    except OSError:
        return None, ""
    try:
        fcntl.flock(file, fcntl.LOCK_SH | fcntl.LOCK_NB)
    except BlockingIOError:
        return _noted(file)
    finally:
        os.close(file)
    return None, ""


def _noted(file: int) -> tuple[str, str]:
    lines = os.pread(file, 40, 0).decode("ascii", "replace").splitlines()
    pid, role, *_ = [*lines, "", ""]
    return pid or "unknown", role
