"""The line about one run, from its first slice to its last."""

from __future__ import annotations

import sqlite3
from collections.abc import Mapping
from contextlib import suppress

from twofold.database.errors import DatabaseError
from twofold.services.installation import Installation
from twofold.store.syncs import Sync


class Ticket:
    """A run under way."""

    def __init__(self, line: int) -> None:
        self.line = line
        self.counts: dict[str, int] = {}

    def add(self, counts: Mapping[str, int]) -> None:
        """What a slice did."""
        for what, number in counts.items():
            self.counts[what] = self.counts.get(what, 0) + number


def opened(here: Installation, sync: Sync) -> Ticket:
    """Begin a run."""
    return Ticket(here.state.syncs.begin_run(sync.id, _now(here)))


def closed(here: Installation, ticket: Ticket, ending: str, code: str) -> None:
    """End it; where the state cannot be written, the next worker ends it."""
    summary: dict[str, int | str] = {**ticket.counts, "code": code, "ending": ending}
    with suppress(DatabaseError, sqlite3.Error):
        here.state.syncs.end_run(ticket.line, _now(here), summary)


def _now(here: Installation) -> str:
    return here.world.now().isoformat(timespec="seconds")
