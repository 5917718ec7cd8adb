"""Replace a file by a new version of itself: at once, whole, and only if nobody changed it.

The new version is written beside it, brought to the disk and renamed over it. Right before that the
old one is compared with what was read: by its place on the disk, its size, its time and a digest
of all its bytes. What another program wrote in between is thus read, not lost.
"""

from __future__ import annotations

import contextlib
import fcntl
import os
import tempfile
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import BinaryIO

import xxhash
from msgspec import Struct

from twofold.connectors.files.table import Unreadable

_CHUNK = 1 << 20
_TEMPORARY = ".twofold-"


class Changed(Exception):
    """Another program wrote the file while we did: nothing was replaced."""


class Stamp(Struct, frozen=True, array_like=True):
    """What can be seen of a file without reading it; another one means another content."""

    inode: int
    size: int
    time: int
    """Of the last change, in nanoseconds."""


def stamp(path: Path) -> Stamp:
    """The stamp of a file. Raises OSError."""
    seen = path.stat()
    return Stamp(seen.st_ino, seen.st_size, seen.st_mtime_ns)


def digest(path: Path) -> bytes:
    """A digest of all bytes of a file. Raises OSError."""
    found = xxhash.xxh3_128()
    with path.open("rb") as file:
        while part := file.read(_CHUNK):
            found.update(part)
    return found.digest()


def replace(
    path: Path, write: Callable[[BinaryIO], None], check: Callable[[Path], None]
) -> Stamp | None:
    """Write a file anew; ``check`` may read the new version before it counts.

    Returns the new version's stamp, or None where nothing had to be changed.

    Raises:
        Changed: another program wrote it meanwhile.
        Unreadable: another program keeps it locked.
        OSError: the folder cannot be written.
    """
    with _locked(path):
        before = stamp(path), digest(path)
        _sweep(path)
        handle, name = tempfile.mkstemp(path.suffix, f".{path.name}{_TEMPORARY}", path.parent)
        new = Path(name)
        try:
            with os.fdopen(handle, "wb") as out:
                write(out)
                out.flush()
                _like(path, out.fileno())
                os.fsync(out.fileno())
            if digest(new) == before[1]:
                return None
            check(new)
            made = stamp(new)
            if (stamp(path), digest(path)) != before:
                raise Changed
            new.replace(path)
        finally:
            with contextlib.suppress(FileNotFoundError):
                new.unlink()
    _remember(path.parent)
    return made


@contextmanager
def _locked(path: Path) -> Iterator[None]:
    """Keep others out that ask for a lock, and heed theirs.

    LibreOffice and Excel lay a file of their own beside the one that a person has open.
    """
    for beside in (f".~lock.{path.name}#", f"~${path.name}", f"~${path.name[2:]}"):
        if path.with_name(beside).exists():
            raise Unreadable("a person has it open in another program")
    with path.open("rb") as file:
        try:
            fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            raise Unreadable("another program keeps it locked") from None
        if os.fstat(file.fileno()).st_ino != path.stat().st_ino:
            raise Changed  # the lock is on a version that is gone
        yield


def _sweep(path: Path) -> None:
    """Remove what a process of ours left that was killed; the lock says that none is at work."""
    for left in path.parent.iterdir():
        if left.name.startswith(f".{path.name}{_TEMPORARY}"):
            left.unlink(missing_ok=True)


def _like(path: Path, new: int) -> None:
    """The owner and permissions of the old version."""
    old = path.stat()
    with contextlib.suppress(PermissionError):  # only an administrator may give files away
        os.fchown(new, old.st_uid, old.st_gid)
    os.fchmod(new, old.st_mode & 0o7777)


def _remember(folder: Path) -> None:
    """Bring the rename itself to the disk."""
    descriptor = os.open(folder, os.O_RDONLY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)
