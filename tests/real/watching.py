"""Who wrote what: every statement to the app, every change of its file, every row of our state."""

from __future__ import annotations

import asyncio
import sqlite3
from collections.abc import Iterator
from contextlib import closing, contextmanager
from pathlib import Path
from typing import Any, NamedTuple

import sqlalchemy as sa

from twofold.app import installation
from twofold.core.records import Side
from twofold.services import runs

WATCHED = ("links", "singles", "records", "match_keys", "counters", "creations", "due", "waits")
"""Tables of the state of which a run without changes must not touch a row."""
_READS = ("SELECT", "PRAGMA", "BEGIN", "COMMIT", "ROLLBACK", "SAVEPOINT", "RELEASE")


class Seen(NamedTuple):
    """What a run wrote."""

    rows: list[str]
    """Changed rows of the watched tables: what was done, and to which table."""
    statements: list[str]
    """Statements to the app that do more than read."""
    files: list[str]
    """The files of the app and the hub that were changed, by SQLite's own account."""


NOTHING = Seen([], [], [])


@contextmanager
def statements() -> Iterator[list[str]]:
    """Every statement that any SQLAlchemy engine sends meanwhile, which does more than read."""
    found: list[str] = []

    def note(*event: Any) -> None:
        text = event[2].strip()
        if not text.upper().startswith(_READS):
            found.append(text)

    sa.event.listen(sa.Engine, "before_cursor_execute", note)
    try:
        yield found
    finally:
        sa.event.remove(sa.Engine, "before_cursor_execute", note)


@contextmanager
def changes(*paths: Path) -> Iterator[list[str]]:
    """The files that another connection changed meanwhile (sqlite.org/pragma.html#data_version)."""
    found: list[str] = []
    held = [(path, sqlite3.connect(path)) for path in paths]
    before = [_version(connection) for _, connection in held]
    yield found
    for (path, connection), version in zip(held, before, strict=True):
        with closing(connection):
            if _version(connection) != version:
                found.append(path.name)


def _version(connection: sqlite3.Connection) -> int:
    found: int = connection.execute("PRAGMA data_version").fetchone()[0]
    return found


def run(folder: Path, shop: Path, *, restart: bool = False) -> Seen:
    """Run all syncs and see what is written; ``restart``: with both cursors deleted before."""
    with statements() as sent, changes(shop, folder / "hub.db") as files:
        rows = _run(folder, restart)
    return Seen(rows, sent, files)


def _run(folder: Path, restart: bool) -> list[str]:
    with installation(folder) as here:
        syncs = runs.chosen(here, ())
        if restart:
            for sync in syncs:
                for side in Side:
                    here.state.records.restart(sync.reader(side))
        db = here.state.database.connection
        db.execute("CREATE TEMP TABLE touched (what TEXT)")
        for table in WATCHED:
            for op in ("INSERT", "UPDATE", "DELETE"):
                db.execute(
                    f"CREATE TEMP TRIGGER {op}_{table} AFTER {op} ON main.{table}"
                    f" BEGIN INSERT INTO touched VALUES ('{op} {table}'); END"
                )
        for sync in syncs:
            report = asyncio.run(runs.run(here, sync, runs.Options()))
            assert report.ending == "done", report
        return [what for (what,) in db.execute("SELECT what FROM touched")]
