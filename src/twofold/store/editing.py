"""What an edit of a sync changes, inside one transaction of the caller's."""

from __future__ import annotations

import sqlite3
from collections.abc import Iterable

import msgspec

from twofold.core.errors import TwofoldError
from twofold.core.mappings import Rules
from twofold.core.records import Side
from twofold.store.fences import disturb
from twofold.store.keys import Keys, fill_keys
from twofold.store.types import Phase, Place


def replace_rules(db: sqlite3.Connection, sync: int, old: Rules, new: Rules) -> None:
    """Store new rules in place of the old ones, and stop whoever works by the old ones.

    A run knows the rules from its start. It loses its fence here, and so stops before its next
    effect; the same holds for runs of other syncs that read for this one.

    Raises:
        TwofoldError: TF-E01, these are no longer the rules.
    """
    name, config, *readers = db.execute(
        "SELECT name, config, hub_reader, app_reader FROM syncs WHERE id = ?", (sync,)
    ).fetchone() or (str(sync), "", 0, 0)
    if not config or msgspec.json.decode(config, type=Rules) != old:
        raise TwofoldError("TF-E01", name=name)
    disturb(db, readers)
    text = msgspec.json.encode(new).decode()
    db.execute("UPDATE syncs SET config = ? WHERE id = ?", (text, sync))


def set_seen(
    db: sqlite3.Connection, sync: int, links: Iterable[tuple[int, bytes | None, bytes | None]]
) -> None:
    """Store *seen* (hub row, hub's, app's) of links in which a new mapping has yet to meet."""
    db.executemany(
        "UPDATE links SET agreed_hub = ?, agreed_app = ? WHERE sync = ? AND hub = ?",
        [(hub, app, sync, row) for row, hub, app in links],
    )


def set_due(db: sqlite3.Connection, sync: int, places: Iterable[Place]) -> None:
    """Have these records planned again."""
    db.executemany(
        "INSERT OR IGNORE INTO due VALUES (?, ?, ?)", [(sync, s.value, r) for s, r in places]
    )


def match_again(db: sqlite3.Connection, sync: int, keys: Keys) -> None:
    """Take new match keys, and have all unlinked records matched by them."""
    db.execute("DELETE FROM foreseen WHERE sync = ?", (sync,))
    db.execute("DELETE FROM match_keys WHERE sync = ?", (sync,))
    fill_keys(db, sync, keys)
    for side in Side:
        db.execute(
            "INSERT OR IGNORE INTO due SELECT s.id, ?, r.row FROM syncs s"
            f" JOIN records r ON r.reader = s.{side}_reader AND r.gone = 0"
            f" LEFT JOIN links l ON l.sync = s.id AND l.{side} = r.row"
            " WHERE s.id = ? AND l.sync IS NULL",
            (side.value, sync),
        )


def forget_revisits(db: sqlite3.Connection, sync: int) -> None:
    """Limits are other ones now, and so are the times at which records leave or come back."""
    db.execute("DELETE FROM revisits WHERE sync = ?", (sync,))


def forget_earlier(db: sqlite3.Connection, sync: int) -> None:
    """What was there before the sync began takes part after all (L7)."""
    db.execute(
        "INSERT OR IGNORE INTO due SELECT sync, side, row FROM earlier WHERE sync = ?", (sync,)
    )
    db.execute("DELETE FROM earlier WHERE sync = ?", (sync,))


def forget_entered(db: sqlite3.Connection, sync: int) -> None:
    """It no longer matters who was within the limit."""
    db.execute("DELETE FROM entered WHERE sync = ?", (sync,))


def forget_leaving(db: sqlite3.Connection, sync: int) -> None:
    """No twin is archived any more because a record left its limit: both are planned again.

    What is on its way is looked at again at the end of the next run.
    """
    both_live = (
        "SELECT l.hub FROM removals m JOIN links l USING (sync, hub)"
        " JOIN records h ON h.row = l.hub JOIN records a ON a.row = l.app"
        " WHERE m.sync = ?1 AND m.phase <> ?2 AND NOT h.gone AND NOT a.gone"
    )
    values = (sync, int(Phase.SENDING))
    db.execute(f"INSERT OR IGNORE INTO due SELECT ?1, 'hub', hub FROM ({both_live})", values)
    db.execute(f"DELETE FROM removals WHERE sync = ?1 AND hub IN ({both_live})", values)


def set_limits(
    db: sqlite3.Connection,
    sync: int,
    revisits: Iterable[tuple[Place, float]],
    entered: Iterable[Place],
) -> None:
    """When records must be looked at again by time alone, and who is within the limit."""
    db.executemany(
        "REPLACE INTO revisits VALUES (?, ?, ?, ?)",
        [(sync, side.value, row, at) for (side, row), at in revisits],
    )
    db.executemany(
        "INSERT OR IGNORE INTO entered VALUES (?, ?, ?)",
        [(sync, side.value, row) for side, row in entered],
    )
