"""Twins that are to go: staged, asked about, decided, on their way.

The other record was deleted, or left its limit where that archives the twin.

A row says what was wanted and on what it was decided; whether it still holds is derived again right
before the delete. It is forgotten when the deleted record is back.
"""

from __future__ import annotations

import sqlite3
from collections.abc import Iterable, Mapping, Sequence
from typing import Any

from twofold.core.health import Outcome
from twofold.core.records import Side
from twofold.core.schema import Op
from twofold.database.sqlite import Database
from twofold.store.codec import as_json
from twofold.store.fences import check_fence
from twofold.store.settling import note_removed, put_removals, settle_ended
from twofold.store.types import Moment, Phase, RemovalRow

OPEN = (Phase.STAGED, Phase.ASKED, Phase.APPROVED, Phase.SENDING)


class Removals:
    """The removals of all syncs."""

    def __init__(self, database: Database) -> None:
        self._database = database
        self._connection = database.connection

    def of(self, sync: int, hubs: Iterable[int]) -> dict[int, RemovalRow]:
        """What is known of these links, by hub row."""
        found = self._connection.execute(
            f"SELECT {_COLUMNS} FROM removals WHERE sync = ?"
            " AND hub IN (SELECT value FROM json_each(?))",
            (sync, as_json(list(hubs))),
        )
        return {row[0]: _row(row) for row in found}

    def open(self, sync: int, *phases: Phase) -> list[RemovalRow]:
        """What is not over yet, in the order of the links; of some phases, or of all such."""
        wanted = ", ".join(str(int(phase)) for phase in phases or OPEN)
        found = self._connection.execute(
            f"SELECT {_COLUMNS} FROM removals WHERE sync = ? AND phase < 4"
            f" AND phase IN ({wanted}) ORDER BY hub",
            (sync,),
        )
        return [_row(row) for row in found]

    def counted(self, sync: int) -> tuple[int, int]:
        """How many the policy alone would remove now, and how many pairs there were before."""
        staged = self._connection.execute(
            "SELECT count(*) FROM removals WHERE sync = ? AND phase = ?",
            (sync, int(Phase.STAGED)),
        ).fetchone()[0]
        ended = self._connection.execute(
            "SELECT count(*) FROM removals m JOIN links l USING (sync, hub)"
            " JOIN records h ON h.row = l.hub JOIN records a ON a.row = l.app"
            " WHERE m.sync = ? AND m.phase = ? AND (h.gone OR a.gone)",
            (sync, int(Phase.STAGED)),
        ).fetchone()[0]
        paired = self._connection.execute(
            "SELECT paired FROM syncs WHERE id = ?", (sync,)
        ).fetchone()[0]
        return staged, ended + paired

    def decide(
        self, sync: int, hubs: Sequence[int], phase: Phase, at: float, who: str
    ) -> list[int]:
        """Store a person's yes or no; returns the links that it was about.

        Their records become due, and everything is derived again before anything is done.
        """
        decided: list[int] = []
        with self._database.transaction() as db:
            for hub in hubs:
                moved = db.execute(
                    "UPDATE removals SET phase = ?, at = ?, who = ? WHERE sync = ? AND hub = ?"
                    " AND phase = ?",
                    (int(phase), at, who, sync, hub, int(Phase.ASKED)),
                )
                if moved.rowcount:
                    decided.append(hub)
                    _mark_due(db, sync, hub)
        return decided

    def keep(self, sync: int, fence: int, rows: Sequence[RemovalRow]) -> None:
        """Store removals as they stand now, on the disk before anything that they tell of."""
        with self._database.durable_transaction() as db:
            check_fence(db, sync, fence)
            put_removals(db, sync, rows)

    def settle(
        self,
        sync: int,
        fence: int,
        rows: Sequence[RemovalRow],
        outcomes: Mapping[int, tuple[Outcome, int]],
        dropped: Sequence[int] = (),
        moment: Moment = Moment(),  # noqa: B008 (it is frozen)
    ) -> None:
        """Store what became of some.

        Args:
            rows: As they stand now.
            outcomes: Of their links, by hub row, each with the state before.
            dropped: Hub rows of links that are to be planned again without any.
            moment: When, and in which run.
        """
        with self._database.transaction() as db:
            check_fence(db, sync, fence)
            note_removed(db, sync, rows, moment)
            put_removals(db, sync, rows)
            settle_ended(db, sync, [(hub, *found) for hub, found in outcomes.items()])
            for hub in dropped:
                db.execute("DELETE FROM removals WHERE sync = ? AND hub = ?", (sync, hub))
                _mark_due(db, sync, hub)


_COLUMNS = "hub, side, op, phase, shown, at, who"


def _mark_due(db: sqlite3.Connection, sync: int, hub: int) -> None:
    db.execute(
        "INSERT OR IGNORE INTO due SELECT sync, 'hub', hub FROM links WHERE sync = ? AND hub = ?",
        (sync, hub),
    )


def _row(row: Sequence[Any]) -> RemovalRow:
    hub, side, op, phase, shown, at, who = row
    return RemovalRow(hub, Side(side), Op(op), Phase(phase), shown, at, who)
