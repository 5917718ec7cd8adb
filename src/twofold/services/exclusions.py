"""Records that a person takes out of a sync, for good or for a while, each with a reason (L6)."""

from __future__ import annotations

from datetime import UTC, date, datetime, time
from zoneinfo import ZoneInfo

from twofold.core.errors import TwofoldError
from twofold.core.records import Side
from twofold.services.finding import standings
from twofold.services.installation import Installation
from twofold.services.records import called
from twofold.store.outcomes import Standing
from twofold.store.syncs import Sync
from twofold.store.types import Place

MOST_REASON = 500
"""Characters that are kept of a reason."""


def exclude(
    here: Installation,
    name: str,
    text: str,
    reason: str,
    until: str = "",
    side: Side | None = None,
) -> str:
    """Exclude one record, with its pair, until a moment or until it is included again.

    Returns what people call it.

    Raises:
        TwofoldError: TF-U06, there is no such sync; TF-U12, it has no such record; TF-L14, it has
            several; TF-L16, ``until`` is no moment to come.
    """
    sync = here.sync(name)
    one = _the_one(here, sync, text, side)
    at = _moment(here, sync, until) if until else None
    here.state.limits.exclude(sync.id, _places(one), reason.strip()[:MOST_REASON], at)
    return called(sync, one.hub, one.app) or text


def include(here: Installation, name: str, text: str, side: Side | None = None) -> str:
    """Let a record that was excluded by hand take part again; returns what people call it.

    Raises:
        TwofoldError: as ``exclude`` does; TF-L15, it was not excluded by hand.
    """
    sync = here.sync(name)
    one = _the_one(here, sync, text, side)
    if not here.state.limits.include(sync.id, _places(one)):
        raise TwofoldError("TF-L15", text=text, name=name)
    return called(sync, one.hub, one.app) or text


def _the_one(here: Installation, sync: Sync, text: str, side: Side | None) -> Standing:
    found = standings(here, sync, text, side)
    if len(found) > 1:
        raise TwofoldError("TF-L14", text=text, count=len(found), name=sync.name)
    return found[0]


def _places(one: Standing) -> list[Place]:
    ends = ((Side.HUB, one.hub), (Side.APP, one.app))
    return [(side, stored.row) for side, stored in ends if stored is not None]


def _moment(here: Installation, sync: Sync, text: str) -> float:
    """A day, which begins in the sync's time zone, or a time."""
    zone = ZoneInfo(sync.rules.timezone)
    try:
        try:
            moment = datetime.combine(date.fromisoformat(text), time(), zone)
        except ValueError:
            moment = datetime.fromisoformat(text)
        moment = moment.replace(tzinfo=zone) if moment.tzinfo is None else moment
        moment = moment.astimezone(UTC)
    except (ValueError, OverflowError):
        raise TwofoldError("TF-L16", text=text) from None
    if moment <= here.world.now():
        raise TwofoldError("TF-L16", text=text)
    return moment.timestamp()
