"""Records of one side that share a match key: counted outside of memory, which they might not fit.

Nothing here is kept.
"""

from __future__ import annotations

from collections.abc import Iterable
from typing import NamedTuple

from twofold.database.sqlite import Database

LevelKeys = Iterable[tuple[int, int, int]]
"""(level, hash of a key, row) of all records of a side, in any order."""


class Level(NamedTuple):
    """All groups that one level makes."""

    level: int
    groups: int
    records: int


class Group(NamedTuple):
    """Records that share a key."""

    level: int
    size: int
    rows: tuple[int, ...]
    """The first few."""


_GROUPS = (
    "SELECT min(level) AS level, hash, size FROM (SELECT level, hash, count(*) AS size,"
    " min(row) AS first, total(row) AS sum FROM shared_keys GROUP BY level, hash"
    " HAVING count(*) > 1) GROUP BY size, first, sum"
)
"""The same records are one group, at their strongest level; the hash is of that level's row."""


def duplicates(
    database: Database, keys: LevelKeys, most: int, most_rows: int
) -> tuple[list[Level], list[Group]]:
    """Count the groups of records that share a key, by level, with the largest as examples."""
    with database.transaction() as db:
        db.execute("CREATE TEMP TABLE shared_keys (level INTEGER, hash INTEGER, row INTEGER)")
        db.executemany("INSERT INTO shared_keys VALUES (?, ?, ?)", keys)
        db.execute("CREATE INDEX temp.shared_by_key ON shared_keys (level, hash, row)")
        levels = db.execute(
            f"SELECT level, count(*), sum(size) FROM ({_GROUPS}) GROUP BY level ORDER BY level"
        ).fetchall()
        largest = db.execute(
            f"SELECT level, hash, size FROM ({_GROUPS}) ORDER BY size DESC, level, hash LIMIT ?",
            (most,),
        ).fetchall()
        groups = []
        for level, key, size in largest:
            rows = db.execute(
                "SELECT row FROM shared_keys WHERE level = ? AND hash = ? ORDER BY row LIMIT ?",
                (level, key, most_rows),
            ).fetchall()
            groups.append(Group(level, size, tuple(row for (row,) in rows)))
        db.execute("DROP TABLE shared_keys")
    return [Level(*level) for level in levels], groups
