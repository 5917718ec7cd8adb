"""Where the key of the credentials comes from: the environment, a command, or a file.

``TWOFOLD_KEY`` holds it, or ``TWOFOLD_KEY_COMMAND`` prints it (as a key ring or a vault does), as
64 hexadecimal digits or as base64. Where neither is set it is in a file beside the databases, which
is made when it is missing.
"""

from __future__ import annotations

import base64
import binascii
import os
import shlex
import subprocess
from functools import cache
from pathlib import Path

from cryptography.hazmat.primitives.ciphers.aead import AESGCM

from twofold.core.errors import TwofoldError

SIZE = 32
"""Bytes of a key."""
_PATIENCE = 60
"""Seconds that a command may take: a person may have to confirm."""


def keys(path: Path) -> list[bytes]:
    """The key that seals, then those that open what was sealed before it, if there are any.

    Raises:
        TwofoldError: TF-S21, the file holds no key; TF-S23, the environment or the command gives
            none.
    """
    given = from_outside()
    own = given if given is not None else _from_file(path)
    older = [_read(p) for p in (path, new_file(path)) if p.exists()]
    if text := os.environ.get("TWOFOLD_KEY_OLD", ""):
        older.append(_parsed("TWOFOLD_KEY_OLD", text))
    return [own, *(key for key in older if key != own)]


def from_outside() -> bytes | None:
    """The key that the environment or a command gives; None where neither is set.

    Raises:
        TwofoldError: TF-S23, that is no key.
    """
    if text := os.environ.get("TWOFOLD_KEY", ""):
        return _parsed("TWOFOLD_KEY", text)
    if command := os.environ.get("TWOFOLD_KEY_COMMAND", ""):
        return _parsed("TWOFOLD_KEY_COMMAND", _printed(command))
    return None


def new_file(path: Path) -> Path:
    """Where the next key waits while credentials are sealed with it."""
    return path.with_name(f"{path.name}.new")


def next_key(path: Path) -> bytes:
    """The key that is to follow, safe on the disk before anything is sealed with it."""
    waiting = new_file(path)
    return _read(waiting) if waiting.exists() else _made(waiting)


def adopt(path: Path) -> None:
    """Put the next key in the place of the old one."""
    waiting = new_file(path)
    waiting.replace(path)
    folder = os.open(path.parent, os.O_RDONLY)
    try:
        os.fsync(folder)
    finally:
        os.close(folder)


def _from_file(path: Path) -> bytes:
    try:
        return _made(path)
    except FileExistsError:
        return _read(path)


def _made(path: Path) -> bytes:
    """A new key in a new file, readable by its owner only."""
    descriptor = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
    key = AESGCM.generate_key(8 * SIZE)
    with os.fdopen(descriptor, "wb") as file:
        file.write(key)
        file.flush()
        os.fsync(file.fileno())
    return key


def _read(path: Path) -> bytes:
    key = path.read_bytes()
    if len(key) != SIZE:
        raise TwofoldError("TF-S21", path=path.name)
    return key


@cache
def _printed(command: str) -> str:
    """What a command prints; asked once in the life of a process."""
    try:
        words = shlex.split(command)
        done = subprocess.run(  # noqa: S603 (whoever sets our environment may run programs)
            words, capture_output=True, timeout=_PATIENCE, check=True, text=True
        )
    except (OSError, ValueError, subprocess.SubprocessError) as error:
        reason = f"it fails with {type(error).__name__}"
        raise TwofoldError("TF-S23", source="TWOFOLD_KEY_COMMAND", reason=reason) from None
    return done.stdout


def _parsed(source: str, text: str) -> bytes:
    """The key; what is no key is never repeated."""
    text = text.strip()
    try:
        key = (
            bytes.fromhex(text) if len(text) == 2 * SIZE else base64.b64decode(text, validate=True)
        )
    except (ValueError, binascii.Error):
        key = b""
    if len(key) != SIZE:
        raise TwofoldError("TF-S23", source=source, reason=f"it does not hold {SIZE} bytes")
    return key
