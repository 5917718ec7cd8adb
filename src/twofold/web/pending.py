"""Answers between *sign in* and *Allow*: in memory only, for whoever gave them, for ten minutes."""

from __future__ import annotations

import secrets
import threading
from collections.abc import Mapping

from msgspec import Struct

_KEPT = 600.0
"""Seconds."""
_MOST = 50


class Answers(Struct, frozen=True):
    """What somebody answered to the questions of an app that is not connected yet."""

    owner: str
    app: str
    answers: Mapping[str, str]
    label: str
    until: float


class Pending:
    """All of them; the oldest goes where there are too many."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._kept: dict[str, Answers] = {}

    def keep(self, owner: str, app: str, answers: Mapping[str, str], label: str, now: float) -> str:
        """Keep answers; returns the key that finds them."""
        key = secrets.token_urlsafe(18)
        with self._lock:
            self._kept = {k: a for k, a in self._kept.items() if a.until > now}
            while len(self._kept) >= _MOST:
                del self._kept[next(iter(self._kept))]
            self._kept[key] = Answers(owner, app, dict(answers), label, now + _KEPT)
        return key

    def find(self, key: str, owner: str, app: str, now: float) -> Answers | None:
        """The answers that this person gave, while they are kept."""
        with self._lock:
            found = self._kept.get(key)
        if found is None or (found.owner, found.app) != (owner, app) or found.until <= now:
            return None
        return found

    def drop(self, key: str) -> None:
        """Forget answers."""
        with self._lock:
            self._kept.pop(key, None)
