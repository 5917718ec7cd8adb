"""Matching over all records at once, for those of which it is simple.

Most records of a first sync share their match keys with exactly one record of the other side, or
with none. SQL finds these in one pass over the keys, in their order. Everything else is matched in
closed groups, as always; and so is what is no longer foreseen because a key near it has moved.

A record is foreseen only where its whole group is simple: no key of it, nor of its twin, is
carried by a third record of the other's side. So no other pair decides about it.
"""

from __future__ import annotations

import sqlite3
from collections.abc import Iterable

from twofold.core.records import Side
from twofold.store.codec import as_json
from twofold.store.types import Place

_MEET = """
CREATE TEMP TABLE shared_keys AS
SELECT hash, sum(side = 'hub') = 1 AND sum(side = 'app') = 1 AS simple,
    max(CASE side WHEN 'hub' THEN row END) AS hub, max(CASE side WHEN 'app' THEN row END) AS app
FROM match_keys WHERE sync = :sync GROUP BY hash
HAVING hub IS NOT NULL AND app IS NOT NULL
"""
_TANGLED = """
CREATE TEMP TABLE tangled AS
SELECT DISTINCT k.side, k.row FROM shared_keys s
CROSS JOIN match_keys k ON k.sync = :sync AND k.hash = s.hash WHERE NOT s.simple
UNION SELECT 'hub', hub FROM refusals WHERE sync = :sync
UNION SELECT 'app', app FROM refusals WHERE sync = :sync
UNION SELECT 'hub', hub FROM shared_keys WHERE simple GROUP BY hub HAVING min(app) <> max(app)
UNION SELECT 'app', app FROM shared_keys WHERE simple GROUP BY app HAVING min(hub) <> max(hub)
"""
_PAIRS = """
CREATE TEMP TABLE simple_pairs AS
SELECT DISTINCT hub, app FROM shared_keys WHERE simple
AND hub NOT IN (SELECT row FROM tangled WHERE side = 'hub')
AND app NOT IN (SELECT row FROM tangled WHERE side = 'app')
"""
_PAIRED = """
INSERT INTO foreseen SELECT :sync, '{side}', {side}, {other} FROM simple_pairs p
WHERE NOT EXISTS (SELECT 1 FROM links WHERE sync = :sync AND hub = p.hub)
AND NOT EXISTS (SELECT 1 FROM links WHERE sync = :sync AND app = p.app) ORDER BY {side}
"""
_ALONE = """
INSERT INTO foreseen SELECT :sync, '{side}', r.row, NULL FROM records r
WHERE r.reader = (SELECT {side}_reader FROM syncs WHERE id = :sync) AND r.gone = 0
AND r.row NOT IN (SELECT {side} FROM shared_keys WHERE simple
    UNION ALL SELECT row FROM tangled WHERE side = '{side}')
AND NOT EXISTS (SELECT 1 FROM links WHERE sync = :sync AND {side} = r.row)
"""


def foresee(db: sqlite3.Connection, sync: int) -> None:
    """Match all records whose keys were just stored. Runs inside a transaction."""
    db.execute("DELETE FROM foreseen WHERE sync = ?", (sync,))
    for statement in (_MEET, _TANGLED, _PAIRS):
        db.execute(statement, {"sync": sync})
    for side in Side:
        for statement in (_PAIRED, _ALONE):
            db.execute(statement.format(side=side, other=side.other), {"sync": sync})
    for table in ("shared_keys", "tangled", "simple_pairs"):
        db.execute(f"DROP TABLE {table}")


def forget_foreseen(db: sqlite3.Connection, sync: int, places: Iterable[Place]) -> None:
    """These records and their twins must be matched anew. Runs inside a transaction."""
    for side in Side:
        rows = as_json([row for s, row in places if s is side])
        if rows != "[]":
            _forget(db, sync, side, "SELECT value FROM json_each(?)", (rows,))


def unsettle(db: sqlite3.Connection, sync: int, hashes: Iterable[int]) -> None:
    """Whoever carries one of these match keys must be matched anew. Runs inside a transaction."""
    listed = as_json(list(hashes))
    for side in Side:
        _forget(
            db,
            sync,
            side,
            "SELECT k.row FROM json_each(?) j CROSS JOIN match_keys k"
            " ON k.sync = ? AND k.hash = j.value AND k.side = ?",
            (listed, sync, side.value),
        )


def _forget(
    db: sqlite3.Connection, sync: int, side: Side, query: str, given: tuple[object, ...]
) -> None:
    dropped = db.execute(
        f"DELETE FROM foreseen WHERE sync = ? AND side = ? AND row IN ({query}) RETURNING twin",
        (sync, side.value, *given),
    ).fetchall()
    twins = [twin for (twin,) in dropped if twin is not None]
    if twins:
        db.execute(
            "DELETE FROM foreseen WHERE sync = ? AND side = ? AND row IN"
            " (SELECT value FROM json_each(?))",
            (sync, side.other.value, as_json(twins)),
        )


def any_foreseen(db: sqlite3.Connection, sync: int) -> bool:
    """Whether anything is foreseen: only during a first sync."""
    return (
        db.execute("SELECT 1 FROM foreseen WHERE sync = ? LIMIT 1", (sync,)).fetchone() is not None
    )
