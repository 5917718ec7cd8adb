"""In which phase a run is, and what it is writing, told from outside.

The phase is read off the state's file (read-only) and off what both sides have committed:

- ``start``: the process has not taken the sync over yet;
- ``read``: a listing is under way;
- ``recover``: no listing is under way, and what an earlier run noted is not settled yet;
- ``match``: everything is read, something is due, and nothing is noted: records are matched and
  planned;
- ``note–write``: this run has noted writes, and the side that they go to has taken none of them;
- ``write–confirm``: the side has taken some of them, and the state does not know it yet;
- ``end``: nothing is due.
"""

from __future__ import annotations

import sqlite3
from enum import StrEnum
from pathlib import Path
from typing import NamedTuple

from tests.chaos.subject import Subject


class Phase(StrEnum):
    START = "start"
    READ = "read"
    RECOVER = "recover"
    MATCH = "match"
    NOTED = "note–write"
    WRITTEN = "write–confirm"
    END = "end"


DEMANDED = (Phase.READ, Phase.MATCH, Phase.NOTED, Phase.WRITTEN)
"""A series of kills must hit each of them."""


class Moment(NamedTuple):
    """Where a process stands."""

    phase: Phase
    app_write: bool = False
    """The app has a write of ours in flight."""
    hub_write: bool = False
    """The hub's file has one."""


_LOOK = """
SELECT s.fence, s.indexed,
    (SELECT max(scanning) FROM readers WHERE id IN (s.hub_reader, s.app_reader)),
    EXISTS (SELECT 1 FROM creations WHERE side = 'app'),
    EXISTS (SELECT 1 FROM creations WHERE side = 'hub'),
    EXISTS (SELECT 1 FROM creations WHERE fence < s.fence),
    (SELECT count(*) || ' ' || total(hub) FROM links WHERE note IS NOT NULL),
    EXISTS (SELECT 1 FROM due)
FROM syncs s
"""
_NO_NOTES = "0 0.0"


class _State(NamedTuple):
    fence: int
    indexed: bool
    scanning: bool
    app_creations: bool
    hub_creations: bool
    old_creations: bool
    notes: str
    due: bool

    @property
    def noted(self) -> bool:
        return self.app_creations or self.hub_creations or self.notes != _NO_NOTES


class Watch:
    """Looks at one run; make it before the process starts, close it before the process dies."""

    def __init__(self, subject: Subject) -> None:
        self._subject = subject
        self._connection = _opened(subject.state)
        self._at_start = self._state()
        self._settled = not self._at_start.noted
        self._before = self._committed()
        """What the two sides had taken (app, hub) when nothing was noted."""
        self._at_first = self._before[0] or 0
        self.taken = 0
        """Writes that the app has taken since the start."""

    def close(self) -> None:
        self._connection.close()

    def look(self) -> Moment | None:
        """Where the process stands; None where a file cannot be read at this moment.

        The process must be frozen.
        """
        try:
            state = self._state()
            now = self._committed()
            hub_write = self._subject.hub.in_flight()
            app_write = self._subject.app.in_flight()
        except sqlite3.OperationalError:
            return None
        if now[0] is not None:
            self.taken = now[0] - self._at_first
        if state.fence == self._at_start.fence:
            return Moment(Phase.START)  # a server may be at what an earlier process sent
        if not state.noted:
            self._before = now
        self._settled = self._settled or self._has_settled(state, app_write or hub_write)
        return Moment(self._phase(state, now), app_write, hub_write)

    def _has_settled(self, state: _State, writing: bool) -> bool:
        """Whether notes that are there are this run's own.

        An update is noted anew before it is sent; only creates are repeated from an old note.
        """
        start = self._at_start.notes
        own = not state.noted or state.notes != start or start == _NO_NOTES or writing
        return own and not state.old_creations

    def _phase(self, state: _State, now: tuple[int | None, int]) -> Phase:
        if state.scanning or not state.indexed:
            return Phase.READ
        if state.noted and not self._settled:
            return Phase.RECOVER
        if not state.noted:
            return Phase.MATCH if state.due else Phase.END
        app, hub = now
        to_app = state.app_creations or state.notes != _NO_NOTES
        # A commit that keeps readers out has not happened yet.
        taken = (app is not None and app != self._before[0]) if to_app else hub != self._before[1]
        return Phase.WRITTEN if taken else Phase.NOTED

    def _committed(self) -> tuple[int | None, int]:
        return self._subject.app.written(), self._subject.hub.written()

    def _state(self) -> _State:
        return _State(*self._connection.execute(_LOOK).fetchone())


def _opened(path: Path) -> sqlite3.Connection:
    return sqlite3.connect(f"{path.as_uri()}?mode=ro", uri=True, isolation_level=None, timeout=0.05)
