"""The tokens of connections that signed in by the app's own page, sealed like all credentials."""

from __future__ import annotations

import asyncio
import fcntl
import os
from collections.abc import AsyncIterator, Callable, Mapping
from contextlib import asynccontextmanager
from pathlib import Path

from twofold.core.errors import TwofoldError
from twofold.kit.oauth import Tokens, kept

_LOOK = 0.05
"""Seconds between two looks whether another program is done."""


class KeptTokens:
    """The keeper of one connection's tokens: in the state, and one at a time for all programs."""

    def __init__(
        self,
        lock: Path,
        load: Callable[[], Mapping[str, str]],
        save: Callable[[Mapping[str, str]], None],
    ) -> None:
        """``load``: all answers as they are stored now; ``save``: stores some of them anew."""
        self._lock = lock
        self._load = load
        self._save = save

    @asynccontextmanager
    async def locked(self) -> AsyncIterator[None]:
        """A lock on a file, which dies with its process.

        Raises:
            TwofoldError: TF-U13, the file cannot be made.
        """
        try:
            file = os.open(self._lock, os.O_RDWR | os.O_CREAT, 0o600)
        except OSError as error:
            reason = error.strerror or type(error).__name__
            raise TwofoldError("TF-U13", path=self._lock, reason=reason) from error
        try:
            while not _taken(file):  # noqa: ASYNC110 (another process has it)
                await asyncio.sleep(_LOOK)
            yield
        finally:
            os.close(file)

    async def load(self) -> Tokens:
        """The tokens as they are stored."""
        found = kept(self._load())
        assert found is not None, "only a connection with tokens has a keeper"
        return found

    async def save(self, tokens: Tokens) -> None:
        """Store new tokens."""
        self._save(tokens.answers())


def _taken(file: int) -> bool:
    try:
        fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        return False
    return True


class NewTokens:
    """The keeper of tokens that no connection has yet: a sign-in that is being verified."""

    def __init__(self, tokens: Tokens) -> None:
        self.tokens = tokens

    @asynccontextmanager
    async def locked(self) -> AsyncIterator[None]:
        """Nobody else knows them."""
        yield

    async def load(self) -> Tokens:
        """The newest."""
        return self.tokens

    async def save(self, tokens: Tokens) -> None:
        """Hold them until they are stored."""
        self.tokens = tokens
