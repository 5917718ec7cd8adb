"""Credentials at rest: AES-256-GCM with a key that is kept in a file of its own.

A copy of the database alone opens nothing.
"""

from __future__ import annotations

import os
from collections.abc import Mapping
from pathlib import Path

import orjson
from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.ciphers.aead import AESGCM

from twofold.core.errors import TwofoldError

_NONCE = 12
"""Bytes; the length that NIST SP 800-38D recommends for GCM."""
_CONTEXT = b"twofold connection secrets 1"
"""Bound into every seal, so that bytes sealed for something else do not open here."""


class Vault:
    """Seals and opens credentials with one key."""

    def __init__(self, key: bytes) -> None:
        self._cipher = AESGCM(key)

    @classmethod
    def at(cls, path: Path) -> Vault:
        """The vault whose key is in this file; made, readable by its owner only, where missing.

        Raises:
            TwofoldError: TF-S21, the file holds no key.
        """
        try:
            descriptor = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
        except FileExistsError:
            key = path.read_bytes()
        else:
            key = AESGCM.generate_key(256)
            with os.fdopen(descriptor, "wb") as file:
                file.write(key)
                file.flush()
                os.fsync(file.fileno())
        if len(key) != 32:
            raise TwofoldError("TF-S21", path=path.name)
        return cls(key)

    def seal(self, secrets: Mapping[str, str], app: str, settings: Mapping[str, str]) -> bytes:
        """Encrypt; the same secrets never give the same bytes twice.

        They are bound to the app and the settings they were given for: whoever can write to the
        database cannot have them sent to another address.
        """
        nonce = os.urandom(_NONCE)
        plain = orjson.dumps(dict(secrets))
        return nonce + self._cipher.encrypt(nonce, plain, _bound(app, settings))

    def open(self, sealed: bytes, app: str, settings: Mapping[str, str]) -> dict[str, str]:
        """Decrypt what was sealed for this app with these settings.

        Raises:
            TwofoldError: TF-S22, the key is another one, or bytes or settings were changed.
        """
        nonce, sealed = sealed[:_NONCE], sealed[_NONCE:]
        try:
            plain = self._cipher.decrypt(nonce, sealed, _bound(app, settings))
        except (InvalidTag, ValueError) as error:
            raise TwofoldError("TF-S22") from error
        secrets: dict[str, str] = orjson.loads(plain)
        return secrets


def _bound(app: str, settings: Mapping[str, str]) -> bytes:
    return _CONTEXT + orjson.dumps([app, dict(settings)], option=orjson.OPT_SORT_KEYS)
