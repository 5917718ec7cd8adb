"""Find the records that a person means: by an id, or by what records are matched by."""

from __future__ import annotations

from collections.abc import Iterable

from twofold.core.errors import TwofoldError
from twofold.core.matching import key_fields, key_maker
from twofold.core.records import Side
from twofold.engine.observe import key_hashes
from twofold.services.installation import Installation
from twofold.store.outcomes import Standing
from twofold.store.syncs import Sync
from twofold.store.types import Place


def standings(
    here: Installation, sync: Sync, text: str, side: Side | None = None
) -> list[Standing]:
    """The pairs and unlinked records that have this id, else this match key; each once.

    Raises:
        TwofoldError: TF-U12, there is none.
    """
    sides = list(Side) if side is None else [side]
    outcomes = here.state.outcomes
    places: list[Place] = []
    for one in sides:
        row = outcomes.row_of(sync.reader(one), text)
        if row is not None:
            places.append((one, row))
    if not places:
        for one in sides:
            hashes = _hashes(sync, one, text)
            places += [(one, row) for row in outcomes.carrying(sync.id, one, hashes)]
    found = (outcomes.standing(sync.id, place) for place in places)
    result = list({s.position: s for s in found if s is not None}.values())
    if not result:
        raise TwofoldError("TF-U12", name=sync.name, text=text)
    return result


def _hashes(sync: Sync, side: Side, text: str) -> Iterable[int]:
    """The match keys of records that carry this text in any one field that is matched by."""
    maker = key_maker(sync.rules)
    keys = (key_hashes(maker(side, {name: text})) for name in key_fields(sync.rules, side))
    return [found for hashes in keys for found in hashes]
