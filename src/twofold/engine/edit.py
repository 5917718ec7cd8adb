"""What an edit of a sync's rules touches: derived by planning each record by both rules.

Only records whose plan differs are due afterwards, so an edit that means nothing to a record
rewrites nothing of it. The same comparison tells a person the effect before anything is saved.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from enum import StrEnum

from msgspec import Struct, structs

from twofold.core import health
from twofold.core.associations import Twins
from twofold.core.health import Outcome
from twofold.core.mappings import CustomMatching, Rules
from twofold.core.matching import key_fields, key_maker
from twofold.core.merge import same, seed_name
from twofold.core.plan import Create, PairPlan, Program, plan_pair, plan_single
from twofold.core.records import Record, Side
from twofold.core.scope import Standing
from twofold.core.values import Value
from twofold.engine.context import Context
from twofold.engine.limits import NOTHING, Past
from twofold.engine.observe import key_hashes
from twofold.engine.setup import needed_fields, widen
from twofold.engine.world import World
from twofold.store.codec import encode
from twofold.store.editing import (
    forget_earlier,
    forget_entered,
    forget_leaving,
    forget_revisits,
    match_again,
    replace_rules,
    set_due,
    set_limits,
    set_seen,
)
from twofold.store.linkrows import decode_outcome
from twofold.store.state import State
from twofold.store.syncs import Sync
from twofold.store.types import LinkRow, Place

PAGE = 1_000


NO_SEEDS: Mapping[str, Side] = {}
"""New mappings only fill blanks; values that differ count as seen."""


class Meaning(StrEnum):
    """What an edit means to one pair or one unlinked record."""

    STARTS = "starts"
    """It takes part from now on."""
    STOPS = "stops"
    """It takes part no longer."""
    ARCHIVES = "archives"
    """One of the pair is no longer within its limit, and its twin is archived (L5)."""
    CHANGES = "changes"
    """Something else than before is to be written."""
    AGAIN = "again"
    """It is matched, or looked at, again; often nothing comes of it."""


class Touch(Struct, frozen=True):
    """One pair or unlinked record that an edit concerns."""

    place: Place
    meaning: Meaning
    seen: tuple[bytes | None, bytes | None] | None = None
    """*Seen* (hub, app) without what new mappings have yet to meet in; None = as it is."""


class Touched(Struct):
    """What an edit concerns of one page of records."""

    past: Past
    """What is remembered of them for their limits."""
    twins: tuple[Twins, Twins]
    """Of what they are associated with, by the old rules and by the new ones."""
    touches: list[Touch] = []
    revisits: list[tuple[Place, float]] = []
    """When they must be looked at again by time alone, in seconds since 1970."""
    entered: list[Place] = []
    """Who is within the limit, where the new rules begin to remember that."""


class Edit:
    """Old and new rules of one sync, both compiled."""

    def __init__(
        self,
        state: State,
        world: World,
        sync: Sync,
        rules: Rules,
        seeds: Mapping[str, Side] = NO_SEEDS,
    ) -> None:
        """``seeds``: by mapping name, the side that seeds a mapping that is new (F15)."""
        self.seeds = seeds
        self.state = state
        self.sync = sync
        self.rules = rules
        self.unread = {
            side: set(needed_fields(rules, side)).difference(
                state.records.reader(sync.reader(side)).fields
            )
            for side in Side
        }
        """Fields that must be read for the first time."""
        readable = tuple(
            m for m in rules.mappings if all(m.end(s).name not in self.unread[s] for s in Side)
        )
        renewed = structs.replace(sync, rules=structs.replace(rules, mappings=readable))
        self.before = Context(state, world, sync, {}, sync.fence)
        self.after = Context(state, world, renewed, {}, sync.fence)
        known = {(m.hub.name, m.app.name) for m in sync.rules.mappings}
        self.added = [
            c
            for c in Program(rules, world.now()).conversions
            if (c.fields[Side.HUB], c.fields[Side.APP]) not in known
        ]
        self.limits_moved = _limited_by(sync.rules) != _limited_by(rules)
        self.rereads = any(self.unread.values())
        self.rematches = _matched_by(sync.rules) != _matched_by(rules)

    def touched(self) -> Iterator[Touched]:
        """Everything that the edit concerns, page by page; nothing is written.

        Nothing was planned before both first readings have ended, so until then this is empty.
        """
        if self.sync.indexed:
            for context in (self.before, self.after):
                context.keep_time()
            yield from self._touched_links()
            yield from self._touched_singles()

    def save(self) -> dict[Meaning, int]:
        """Store the new rules; only what they touch becomes due. Returns what that was.

        Fields that were never read are read with the next run, by a full listing.

        Raises:
            TwofoldError: TF-E01, the rules were edited since they were read; nothing is stored.
        """
        # Before the rules: to read more than is needed harms nobody.
        widen(self.state, self.sync.connection, self.rules)
        counts: dict[Meaning, int] = {}
        sync = self.sync.id
        with self.state.database.transaction() as db:
            replace_rules(db, sync, self.sync.rules, self.rules)
            if self.limits_moved:
                forget_revisits(db, sync)
            for page in self.touched():
                set_due(db, sync, [touch.place for touch in page.touches])
                seen = [(t.place[1], *t.seen) for t in page.touches if t.seen is not None]
                set_seen(db, sync, seen)
                set_limits(db, sync, page.revisits, page.entered)
                count(counts, page)
            if not self.rules.from_now_on:
                forget_earlier(db, sync)
            if not self.after.limits.remembers:
                forget_entered(db, sync)
            if self.before.limits.archives and not self.after.limits.archives:
                forget_leaving(db, sync)
            if self.rematches and self.sync.indexed:
                match_again(db, sync, {side: self._keys(side) for side in Side})
        return counts

    def _keys(self, side: Side) -> Iterator[tuple[int, int]]:
        maker = key_maker(self.rules)
        for stored in self.state.records.living(self.sync.reader(side)):
            for key in key_hashes(maker(side, stored.record.fields)):
                yield key, stored.row

    # --- limits -----------------------------------------------------------------------------

    def _standings(
        self, page: Touched, records: Mapping[Place, Record], *places: Place
    ) -> tuple[Standing, Standing]:
        """What is remembered of a pair or a single, for the old rules and for the new ones.

        Who took part without a limit counts as within it, where the new rules remember that (L5).
        """
        limits = self.after.limits
        before = self.before.limits.standing(page.past, places)
        after = limits.standing(page.past, places)
        if self.limits_moved:
            if not self.rules.from_now_on:
                after = structs.replace(after, earlier=frozenset())
            if limits.remembers and not self.before.limits.remembers and len(places) > 1:
                fields = {side: records[side, row].fields for side, row in places}
                open_ = self.before.program.scope(
                    fields.get(Side.HUB), fields.get(Side.APP), before
                ).open
                within = frozenset(side for side in fields if side.other in open_)
                after = structs.replace(after, entered=within)
                page.entered += [place for place in places if place[0] in within]
        if limits.revisits and self.limits_moved:
            for place in places:
                past = page.past.get(place, NOTHING)
                at = limits.revisit(place[0], records[place].fields, past)
                if at is not None:
                    page.revisits.append((place, at))
        return before, after

    def _page(self, records: Mapping[Place, Record]) -> Touched:
        """A page for these records, with what is remembered of them, and with their twins."""
        sides = {side: [r for (s, _), r in records.items() if s is side] for side in Side}
        past = {**self.before.limits.past(records), **self.after.limits.past(records)}
        return Touched(past, (self.before.twins(sides), self.after.twins(sides)))

    # --- pairs ------------------------------------------------------------------------------

    def _touched_links(self) -> Iterator[Touched]:
        last = 0
        while links := self.state.links.after(self.sync.id, last, PAGE):
            last = links[-1].hub.row
            whole = [x for x in links if not (x.hub.gone or x.app.gone)]
            records = {(side, x.end(side).row): x.end(side).record for x in whole for side in Side}
            page = self._page(records)
            found = (self._link(page, records, x) for x in whole)
            page.touches += [touch for touch in found if touch is not None]
            yield page

    def _link(self, page: Touched, records: Mapping[Place, Record], x: LinkRow) -> Touch | None:
        place: Place = (Side.HUB, x.hub.row)
        hub, app, link = x.hub.record, x.app.record, x.link
        seen = self._yet_to_meet(x)
        if seen is not None:
            link = structs.replace(link, seen=seen)
        stood, stands = self._standings(page, records, place, (Side.APP, x.app.row))
        before = plan_pair(self.before.program, hub, app, x.link, page.twins[0], stood)
        after = plan_pair(self.after.program, hub, app, link, page.twins[1], stands)
        kept = None
        if seen is not None:
            kept = (encode(seen[Side.HUB]), encode(seen[Side.APP]))
        meaning = _of_pair(before, after)
        if _leaves(self.after, x, stands) and not _leaves(self.before, x, stood):
            meaning = Meaning.ARCHIVES
        if meaning is None and kept is None and not self.rereads:
            return None
        return Touch(place, meaning or Meaning.AGAIN, kept)

    def _yet_to_meet(self, x: LinkRow) -> dict[Side, dict[str, Value]] | None:
        """*Seen* without the fields of new mappings, where they do not hold the same already."""
        open_ = [
            c
            for c in self.added
            if any(c.fields[side] in self.unread[side] for side in Side)
            or any(c.fields[s] not in (x.link.seen or {}).get(s, {}) for s in Side)
            or not same(
                c,
                x.hub.record.fields.get(c.fields[Side.HUB]),
                x.app.record.fields.get(c.fields[Side.APP]),
            )
        ]
        if not open_ or x.link.seen is None:
            return None
        drop = {side: {c.fields[side] for c in open_} for side in Side}
        seen = {
            side: {name: v for name, v in x.link.seen[side].items() if name not in drop[side]}
            for side in Side
        }
        seen[Side.HUB] |= {seed_name(c.name): self.seeds.get(c.name, "") for c in open_}
        return seen

    # --- unlinked records -------------------------------------------------------------------

    def _touched_singles(self) -> Iterator[Touched]:
        for side in Side:
            last = 0
            while rows := self.state.links.singles_after(self.sync.id, side, last, PAGE):
                last = rows[-1][0]
                stored = self.state.records.stored(row for row, _, _ in rows)
                records = {(side, row): one.record for row, one in stored.items()}
                page = self._page(records)
                for row, state, text in rows:
                    outcome = decode_outcome(state, text)
                    meaning = self._single(page, records, (side, row), outcome)
                    if meaning is not None:
                        page.touches.append(Touch((side, row), meaning))
                yield page

    def _single(
        self, page: Touched, records: Mapping[Place, Record], place: Place, outcome: Outcome
    ) -> Meaning | None:
        stood, stands = self._standings(page, records, place)
        if not _ambiguous(outcome):
            side, record = place[0], records[place]
            before = plan_single(self.before.program, side, record, page.twins[0], stood)
            after = plan_single(self.after.program, side, record, page.twins[1], stands)
            meaning = _of_single(before, after)
            if meaning is not None:
                return meaning
        held = outcome.state is health.State.WAITING
        if held and self.rules.most_creates != self.sync.rules.most_creates:
            return Meaning.STARTS
        return Meaning.AGAIN if self.rematches or self.rereads else None


def count(counts: dict[Meaning, int], page: Touched) -> None:
    """Add a page to the counts."""
    for touch in page.touches:
        counts[touch.meaning] = counts.get(touch.meaning, 0) + 1


def _leaves(context: Context, x: LinkRow, standing: Standing) -> bool:
    """Whether a run would archive the twin of a record that left its limit; not where both left."""
    if not context.limits.archives or standing.by_hand is not None:
        return False
    within, meets = standing.entered, context.limits.meets
    left = [
        s for s in context.limits.by_side if s in within and not meets(s, x.end(s).record.fields)
    ]
    return len(left) == 1


def _of_pair(before: PairPlan, after: PairPlan) -> Meaning | None:
    stood, stands = (p.outcome.state is not health.State.EXCLUDED for p in (before, after))
    if stood is not stands:
        return Meaning.STARTS if stands else Meaning.STOPS
    if before.updates != after.updates:
        return Meaning.CHANGES
    told = (before.outcome, before.waits_for) == (after.outcome, after.waits_for)
    return None if told else Meaning.AGAIN


def _of_single(before: Create | Outcome, after: Create | Outcome) -> Meaning | None:
    if isinstance(before, Create) is not isinstance(after, Create):
        return Meaning.STARTS if isinstance(after, Create) else Meaning.STOPS
    if before == after:
        return None
    return Meaning.CHANGES if isinstance(after, Create) else Meaning.AGAIN


def _ambiguous(outcome: Outcome) -> bool:
    return any(issue.code in {"TF-X12", "TF-X16"} for issue in outcome.issues)


def _limited_by(rules: Rules) -> tuple[object, ...]:
    """All that who is sent depends on, beside the fields of the record."""
    limits = (rules.hub_filter, rules.app_filter, rules.leaving, rules.from_now_on)
    return (*limits, rules.direction, rules.timezone, rules.region)


def _matched_by(rules: Rules) -> tuple[object, ...]:
    """All that match keys are made from."""
    fields = {side: frozenset(key_fields(rules, side)) for side in Side}
    named = [
        (m.hub, m.app)
        for m in rules.mappings
        if m.hub.name in fields[Side.HUB] or m.app.name in fields[Side.APP]
    ]
    own = isinstance(rules.matching, CustomMatching)  # by canonical values of any kind
    return (rules.matching, fields, named, (rules.timezone, rules.region) if own else ())
