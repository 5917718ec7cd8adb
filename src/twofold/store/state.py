"""The state of one installation: everything that Twofold remembers, in one file."""

from __future__ import annotations

import sqlite3
from functools import cache
from pathlib import Path

from twofold.database.sqlite import Database
from twofold.store.access import Access
from twofold.store.alerts import Alerts
from twofold.store.brakes import BrakeLog
from twofold.store.byhand import ByHand
from twofold.store.drafts import Drafts
from twofold.store.erasing import Erasing
from twofold.store.history import History
from twofold.store.limits import Limits
from twofold.store.links import Links
from twofold.store.network import AllowedAddresses
from twofold.store.outcomes import Outcomes
from twofold.store.records import Records
from twofold.store.removals import Removals
from twofold.store.schedule import Schedule
from twofold.store.schema import APPLICATION_ID, MIGRATIONS
from twofold.store.settings import Settings
from twofold.store.sign_ins import SignIns
from twofold.store.spending import Spending
from twofold.store.syncs import Syncs
from twofold.store.throughput import Throughput
from twofold.store.undo import Undos
from twofold.store.verifications import Verifications

_SETTINGS = ("cache_size = -32000", "wal_autocheckpoint = 32000")
"""Keys of a first sync arrive in random order. With 32 MB of pages in memory and up to 128 MB of
log before it is copied into the file, most pages go there once instead of once per chunk."""


class State:
    """The store: one database, its views of it."""

    def __init__(self, database: Database) -> None:
        self.database = database
        self.syncs = Syncs(database)
        self.records = Records(database)
        self.links = Links(database)
        self.outcomes = Outcomes(database)
        self.by_hand = ByHand(database)
        self.schedule = Schedule(database)
        self.access = Access(database)
        self.limits = Limits(database)
        self.removals = Removals(database)
        self.brakes = BrakeLog(database)
        self.spending = Spending(database)
        self.addresses = AllowedAddresses(database)
        self.drafts = Drafts(database)
        self.history = History(database)
        self.erasing = Erasing(database)
        self.settings = Settings(database)
        self.sign_ins = SignIns(database)
        self.throughput = Throughput(database)
        self.undos = Undos(database)
        self.alerts = Alerts(database)
        self.verifications = Verifications(database)

    @classmethod
    def open(cls, path: Path | None) -> State:
        """Open or make the file; None = in memory. Raises DatabaseError (TF-S01 to TF-S08)."""
        if path is None:
            return cls(Database.from_template(_template()))
        database = Database(path, MIGRATIONS, application_id=APPLICATION_ID)
        for setting in _SETTINGS:
            database.connection.execute(f"PRAGMA {setting}")
        return cls(database)

    def copy_to(self, path: Path) -> None:
        """Copy all of it into an empty file."""
        target = sqlite3.connect(path)
        try:
            self.database.connection.backup(target)
        finally:
            target.close()

    def close(self) -> None:
        """Close the file."""
        self.database.close()


@cache
def _template() -> bytes:
    return Database(None, MIGRATIONS, application_id=APPLICATION_ID).image()
