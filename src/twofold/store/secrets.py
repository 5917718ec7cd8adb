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
from twofold.store.vault_key import keys

_NONCE = 12
"""Bytes; the length that NIST SP 800-38D recommends for GCM."""
_CONTEXT = b"twofold connection secrets 1"
"""Bound into every seal, so that bytes sealed for something else do not open here."""


class Vault:
    """Seals and opens credentials with one key."""

    def __init__(self, key: bytes, *older: bytes) -> None:
        """``key`` seals; it and the older ones open."""
        self._cipher = AESGCM(key)
        self._older = [AESGCM(one) for one in older]

    @classmethod
    def at(cls, path: Path) -> Vault:
        """The vault whose key is given from outside, else is in this file; made where missing.

        Raises:
            TwofoldError: TF-S21, the file holds no key; TF-S23, what is given is none.
        """
        return cls(*keys(path))

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
        bound = _bound(app, settings)
        for cipher in (self._cipher, *self._older):
            try:
                secrets: dict[str, str] = orjson.loads(cipher.decrypt(nonce, sealed, bound))
            except (InvalidTag, ValueError):
                continue
            return secrets
        raise TwofoldError("TF-S22")


def _bound(app: str, settings: Mapping[str, str]) -> bytes:
    return _CONTEXT + orjson.dumps([app, dict(settings)], option=orjson.OPT_SORT_KEYS)
