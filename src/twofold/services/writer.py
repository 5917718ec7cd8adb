"""One writer at a time: a lock on the data folder that dies with its process."""

from __future__ import annotations

import fcntl
import os
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from twofold.core.errors import TwofoldError

LOCK_FILE = "lock"


@contextmanager
def only_writer(folder: Path) -> Iterator[None]:
    """Be the only process that changes this installation.

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
            holder = os.pread(file, 20, 0).decode("ascii", "replace").strip()
            raise TwofoldError("TF-U11", path=folder, pid=holder or "unknown") from None
        os.ftruncate(file, 0)
        os.pwrite(file, f"{os.getpid()}\n".encode(), 0)
        yield
    finally:
        os.close(file)


def writer_of(folder: Path) -> str | None:
    """The process that is writing now, if any."""
    try:
        file = os.open(folder / LOCK_FILE, os.O_RDONLY)
    except OSError:
        return None
    try:
        fcntl.flock(file, fcntl.LOCK_SH | fcntl.LOCK_NB)
    except BlockingIOError:
        return os.pread(file, 20, 0).decode("ascii", "replace").strip() or "unknown"
    finally:
        os.close(file)
    return None
