"""What a person asks of a sync that runs by itself: run now, try again."""

from __future__ import annotations

from twofold.core.errors import TwofoldError
from twofold.core.health import State
from twofold.core.records import Side
from twofold.services.installation import Installation
from twofold.services.records import Sought, fits
from twofold.store.outcomes import Position, Standing
from twofold.store.schedule import Asked
from twofold.store.syncs import Sync

_PAGE = 500


def run_now(here: Installation, name: str, asked: Asked | None = None) -> Sync:
    """Ask for a run of both sides at once (R2).

    Raises:
        TwofoldError: TF-U06, there is no such sync; TF-U10, it is turned off.
    """
    sync = here.sync(name)
    if not sync.enabled:
        raise TwofoldError("TF-U10", name=name)
    here.state.schedule.ask(sync.id, asked or Asked())
    return sync


def nudge(here: Installation, name: str) -> None:
    """Have what a person decided carried out at once, where the sync is on.

    Raises:
        TwofoldError: TF-U06, there is no such sync.
    """
    sync = here.sync(name)
    if sync.enabled:
        here.state.schedule.nudge(sync.id)


def retry(
    here: Installation,
    name: str,
    *,
    record: str = "",
    side: Side | None = None,
    code: str = "",
    search: str = "",
) -> int:
    """Try failing records again: one, those that are looked for, or all (H5); returns how many.

    ``code`` is a cause, ``search`` a part of a name, of an e-mail address, or a whole id.

    Raises:
        TwofoldError: TF-U06, TF-U10; TF-U12, the sync has no such record.
    """
    sync = here.sync(name)
    if record:
        places = _places(here, sync, record, side)
        if not places:
            raise TwofoldError("TF-U12", name=name, text=record)
    else:
        sought = Sought(search, code)
        places = [s.place for s in _failing(here, sync) if fits(sync, s, sought)]
    here.state.links.make_due(sync.id, places)
    if places:
        run_now(here, name)
    return len(places)


def _places(
    here: Installation, sync: Sync, record: str, side: Side | None
) -> list[tuple[Side, int]]:
    outcomes = here.state.outcomes
    sides = tuple(Side) if side is None else (side,)
    found = ((s, outcomes.row_of(sync.reader(s), record)) for s in sides)
    return [(s, row) for s, row in found if row is not None]


def _failing(here: Installation, sync: Sync) -> list[Standing]:
    found: list[Standing] = []
    position = Position()
    while page := here.state.outcomes.page(sync.id, State.FAILING, position, _PAGE):
        found += page
        position = page[-1].position
    return found
