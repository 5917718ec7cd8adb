"""Installations for requests: each request has one to itself while it works."""

from __future__ import annotations

import threading
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from pathlib import Path

from twofold.app import installation
from twofold.services.installation import Installation

_KEPT = 8


class Pool:
    """Opens an installation where none is free, and keeps some for the next requests."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self._free: list[tuple[Installation, ExitStack]] = []
        self._lock = threading.Lock()

    @contextmanager
    def taken(self) -> Iterator[Installation]:
        """An installation that nobody else uses.

        Raises:
            TwofoldError: TF-S…, TF-U13, it cannot be opened.
        """
        with self._lock:
            found = self._free.pop() if self._free else None
        if found is None:
            stack = ExitStack()
            found = (stack.enter_context(installation(self.folder)), stack)
        sound = False
        try:
            yield found[0]
            sound = True
        except Exception:
            # Transactions roll back by themselves; a connection with an open one is thrown away.
            sound = not found[0].state.database.connection.in_transaction
            raise
        finally:
            self._put_back(found, sound)

    def _put_back(self, used: tuple[Installation, ExitStack], sound: bool) -> None:
        with self._lock:
            keep = sound and len(self._free) < _KEPT
            if keep:
                self._free.append(used)
        if not keep:
            used[1].close()

    def close(self) -> None:
        """Close those that are free."""
        with self._lock:
            free, self._free = self._free, []
        for _, stack in free:
            stack.close()
