"""Forget what records showed, everywhere at once: for a person who is to be erased.

A record's row stays, as one that is gone and holds nothing: links and counters go on adding up, and
should the app still have the record, it is read as one that nobody has seen before.
"""

from __future__ import annotations

import sqlite3
from collections.abc import Collection

from twofold.database.sqlite import Database
from twofold.store.codec import as_json, encode
from twofold.store.fences import disturb
from twofold.store.records import as_stored
from twofold.store.types import Stored

_CANDIDATES = (
    "SELECT row, id, version, shown, gone, into_id FROM records"
    " WHERE instr(shown, CAST(? AS BLOB)) OR id = ?"
)
_TWINS = (
    "SELECT hub FROM links WHERE app IN (SELECT value FROM json_each(?1))"
    " UNION SELECT app FROM links WHERE hub IN (SELECT value FROM json_each(?1))"
)
_SET = "(SELECT value FROM json_each(?1))"
_FORGET = (
    (
        "UPDATE links SET agreed_hub = NULL, agreed_app = NULL, note = NULL, flips = NULL,"
        f" outcome = NULL WHERE hub IN {_SET} OR app IN {_SET}"
    ),
    f"UPDATE singles SET outcome = NULL WHERE row IN {_SET}",
    f"DELETE FROM creations WHERE source IN {_SET}",
    f"DELETE FROM removals WHERE hub IN {_SET}",
    f"DELETE FROM exclusions WHERE row IN {_SET}",
    f"DELETE FROM match_keys WHERE row IN {_SET}",
    f"DELETE FROM undos WHERE hub IN {_SET}",
    f"DELETE FROM waits WHERE row IN {_SET}",
    # Lines of records that were made hold no values, and one of them may tell of many records.
    f"DELETE FROM history WHERE did <> 1 AND (row IN {_SET} OR twin IN {_SET})",
)


class Erasing:
    """The whole store, as far as it holds what somebody's records showed."""

    def __init__(self, database: Database) -> None:
        self._database = database
        self._connection = database.connection

    def holding(self, text: str) -> list[Stored]:
        """Records whose id is this text, or in whose values it stands somewhere; reads them all."""
        rows = self._connection.execute(_CANDIDATES, (text, text)).fetchall()
        return [as_stored(*row) for row in rows]

    def twins(self, rows: Collection[int]) -> set[int]:
        """The other ends of the links of these records, of all syncs."""
        return {row for (row,) in self._connection.execute(_TWINS, (as_json(sorted(rows)),))}

    def records(self, rows: Collection[int]) -> list[tuple[int, Stored]]:
        """(reader, record) of each row."""
        found = self._connection.execute(
            "SELECT reader, row, id, version, shown, gone, into_id FROM records"
            f" WHERE row IN {_SET}",
            (as_json(sorted(rows)),),
        )
        return [(reader, as_stored(*row)) for reader, *row in found]

    def erase(self, rows: Collection[int], texts: Collection[str]) -> int:
        """Forget what these records, which are gone, showed, and these texts in the audit log.

        Returns how many lines of the history went.
        """
        named = as_json(sorted(rows))
        with self._database.overwriting(), self._database.transaction() as db:
            readers = db.execute(
                f"SELECT DISTINCT reader FROM records WHERE row IN {_SET}", (named,)
            )
            disturb(db, [reader for (reader,) in readers.fetchall()])
            lines = [db.execute(statement, (named,)).rowcount for statement in _FORGET][-1]
            db.execute(
                "UPDATE records SET id = 'erased ' || row, digest = NULL, version = NULL,"
                f" into_id = NULL, shown = ?2 WHERE row IN {_SET}",
                (named, encode({})),
            )
            for text in texts:
                _forget_text(db, text)
        return lines


def _forget_text(db: sqlite3.Connection, text: str) -> None:
    db.execute(
        "UPDATE audit SET target = replace(target, ?1, '(erased)'),"
        " detail = replace(detail, ?1, '(erased)')"
        " WHERE instr(target, ?1) OR instr(detail, ?1)",
        (text,),
    )
    # Answers that are kept for a day, in case a program repeats its request.
    db.execute("DELETE FROM answers WHERE instr(body, CAST(? AS BLOB))", (text,))
