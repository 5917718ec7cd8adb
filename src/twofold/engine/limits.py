"""What a run knows of its sync's limits beyond the fields of a record: the time, and the past.

A sync without limits by time, without exclusions by hand and with the usual way of leaving
(``stop``) needs none of it, and nothing here costs it anything.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from datetime import UTC, date, datetime
from zoneinfo import ZoneInfo

from twofold.core.errors import Issue, sentence
from twofold.core.filtering import Limit
from twofold.core.filters import Leaving
from twofold.core.records import Fields, Side
from twofold.core.scope import UNREMEMBERED, Standing, depends_on_time, limits_of
from twofold.engine.world import World
from twofold.store.limits import Remembered
from twofold.store.state import State
from twofold.store.syncs import Sync
from twofold.store.types import Place

NOTHING = Remembered()
Past = Mapping[Place, Remembered]


class Limits:
    """The limits of one sync, at one moment."""

    def __init__(self, state: State, sync: Sync, world: World) -> None:
        self._state, self._sync, self._world = state, sync, world
        rules = sync.rules
        self._zone = ZoneInfo(rules.timezone)
        self.by_time = depends_on_time(rules)
        """Whether records leave and come back by time alone."""
        self.remembers = rules.leaving is not Leaving.STOP and bool(
            rules.hub_filter or rules.app_filter
        )
        """Whether it matters who was within its limit before."""
        self.archives = self.remembers and rules.leaving is Leaving.ARCHIVE
        """Whether the twins of records that leave are archived."""
        self.looks_back = self.remembers or rules.from_now_on or state.limits.any_by_hand(sync.id)
        """Whether anything is remembered of records."""
        self._today: date | None = None
        self.by_side: Mapping[Side, Limit] = {}

    def now(self) -> datetime | None:
        """The moment to compile for, where it matters."""
        return self._world.now() if self.by_time else None

    def moved(self) -> bool:
        """Whether what is compiled no longer holds: it is another day."""
        now = self._world.now()
        today = now.astimezone(self._zone).date()
        if self._today is not None and (today == self._today or not self.by_time):
            return False
        self._today = today
        self.by_side = limits_of(self._sync.rules, now)
        return True

    def past(self, places: Iterable[Place]) -> Past:
        """What is remembered of these records."""
        return self._state.limits.of(self._sync.id, places) if self.looks_back else {}

    def standing(self, past: Past, places: Sequence[Place]) -> Standing:
        """What the scope of a pair, or of one record, depends on beside its fields.

        A record that was cut from its twin counts as one that was never within its limit.
        """
        if not past:
            return UNREMEMBERED
        found = {place[0]: past[place] for place in places if place in past}
        return Standing(
            next(filter(None, map(self._by_hand, found.values())), None),
            frozenset(side for side, one in found.items() if one.earlier),
            frozenset(side for side, one in found.items() if one.entered and len(places) > 1),
        )

    def _by_hand(self, one: Remembered) -> Issue | None:
        if one.reason is None:
            return None
        if one.until is None:
            return Issue("TF-X04", sentence("TF-X04", {"reason": one.reason}))
        until = datetime.fromtimestamp(one.until, UTC)
        if until <= self._world.now():
            return None
        facts = {
            "reason": one.reason,
            "until": until.astimezone(self._zone).isoformat(timespec="minutes"),
        }
        return Issue("TF-X05", sentence("TF-X05", facts))

    def revisit(self, side: Side, fields: Fields, one: Remembered = NOTHING) -> float | None:
        """When a record's scope may next change by time alone, in seconds since 1970."""
        limit = self.by_side.get(side)
        turn = None if limit is None else limit.turns(fields)
        times = [one.until, None if turn is None else turn.timestamp()]
        now = self._world.now().timestamp()
        return min((t for t in times if t is not None and t > now), default=None)

    @property
    def revisits(self) -> bool:
        """Whether any record may have to be looked at again by time alone."""
        return self.by_time or self.looks_back

    def meets(self, side: Side, fields: Fields) -> bool:
        """Whether a record is within the limit of its side."""
        limit = self.by_side.get(side)
        return limit is None or limit.meets(fields)
