"""Frozen fields: let the two apps try once more (R5)."""

from __future__ import annotations

from twofold.core.errors import TwofoldError
from twofold.core.records import Side
from twofold.services.installation import Installation


def unfreeze(here: Installation, name: str, record: str, side: Side | None = None) -> list[str]:
    """Forget that a record's fields were rewritten again and again; returns these fields.

    The next run merges them as if it were the first time.

    Raises:
        TwofoldError: TF-R20, nothing is frozen of a record with that id; TF-U06, no such sync.
    """
    sync = here.sync(name)
    frozen: list[str] = []
    for where in Side if side is None else (side,):
        row = here.state.outcomes.row_of(sync.reader(where), record)
        if row is not None and not frozen:
            frozen += here.state.links.unfreeze(sync.id, where, row)
    if not frozen:
        raise TwofoldError("TF-R20", name=name, text=record)
    return frozen
