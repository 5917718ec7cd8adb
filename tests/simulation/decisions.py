"""Histories in which people also decide about pairs, between the runs and in the midst of them.

What they decide changes who is whose twin, so the promises about edits and duplicates of the other
histories say nothing here. These have promises of their own.
"""

from __future__ import annotations

import sqlite3
from random import Random

from msgspec import structs
from tests.simulation.broken import Broken
from tests.simulation.draw import draw
from tests.simulation.history import History
from tests.simulation.promises import (
    becomes_quiet,
    every_record_counts_once,
    nothing_is_deleted,
    source_is_untouched,
)
from tests.simulation.script import Round

from twofold.core.errors import TwofoldError
from twofold.core.mappings import CustomMatching, Matching, Rules, Targets
from twofold.core.matching import key_maker
from twofold.core.records import Side
from twofold.core.validate import check as check_rules
from twofold.engine.observe import key_hashes
from twofold.store.byhand import Orders, Pair

OWN_RULES = (
    CustomMatching((("email",),)),
    CustomMatching((("email",), ("firstname",))),
    CustomMatching((("firstname", "email"),)),
    Matching.NONE,
)


class DecidingHistory(History):
    """A drawn history with decisions, own matching rules, and all targets of associations."""

    def __init__(self, seed: int) -> None:
        self.chance = Random(f"decisions {seed}")
        self.made: dict[tuple[int, Pair], bool] = {}
        """Whether a person wants a pair linked (or apart), as they last said."""
        self.decided = 0
        self.disturbed = 0
        """Decisions in the midst of a run."""
        super().__init__(draw(seed))

    def _install(self) -> None:
        self.setup.rules = [self._ruled(rules) for rules in self.setup.rules]
        super()._install()

    def _ruled(self, rules: Rules) -> Rules:
        if rules.hub.name == "contact" and self.chance.random() < 0.6:
            rules = structs.replace(rules, matching=self.chance.choice(OWN_RULES))
        if rules.hub.name == "company" and self.chance.random() < 0.5:
            rules = structs.replace(rules, matching=Matching.COMPANIES_STRICT)
        if self.chance.random() < 0.5:
            ties = (structs.replace(a, targets=Targets.ALL) for a in rules.associations)
            rules = structs.replace(rules, associations=tuple(ties))
            if any(problem.code == "TF-M40" for problem in check_rules(rules)):  # one at most
                return structs.replace(
                    rules,
                    associations=tuple(
                        structs.replace(a, targets=Targets.PRIMARY) for a in rules.associations
                    ),
                )
        return rules

    def _play(self, one: Round) -> None:
        for sync in self.syncs:
            if self.chance.random() < 0.5:
                self._decide(sync)
        super()._play(one)

    def _at_step(self, what: str) -> None:
        super()._at_step(what)
        if self._armed and self.chance.random() < 0.03 and self._decide(self._sync):
            self._overtaken = True
            self.disturbed += 1

    def _decide(self, sync: int) -> bool:
        """Somebody decides about one pair, or swaps two; returns whether that was possible."""
        pair = self._some_pair(sync)
        if pair is None:
            return False
        orders = self._orders(sync, pair)
        make = key_maker(self.state.syncs.get(sync).rules)
        pairs = (*orders.made, *orders.cut, *orders.allowed)
        stored = self.state.records.stored(row for p in pairs for row in p)
        hashes = [
            key
            for p in pairs
            for side in Side
            for key in key_hashes(make(side, stored[p.end(side)].record.fields))
        ]
        try:
            self.state.by_hand.decide(sync, orders, hashes)
        except (TwofoldError, sqlite3.Error):
            return False  # linked or deleted meanwhile, or a disk that fails
        self.decided += 1
        for cut in orders.cut:
            self.made[sync, cut] = False
        for allowed in orders.allowed:
            self.made.pop((sync, allowed), None)
        for made in orders.made:
            self.made[sync, made] = True
        self.story.append(f"  somebody decided {orders}")
        return True

    def _some_pair(self, sync: int) -> Pair | None:
        ends = [
            self.db.execute(
                f"SELECT r.row FROM syncs s JOIN records r ON r.reader = s.{side}_reader"
                " WHERE s.id = ? AND r.gone = 0 ORDER BY r.row",
                (sync,),
            ).fetchall()
            for side in Side
        ]
        if not all(ends):
            return None
        return Pair(*(self.chance.choice(rows)[0] for rows in ends))

    def _orders(self, sync: int, pair: Pair) -> Orders:
        links = [
            Pair(*found)
            for found in self.db.execute("SELECT hub, app FROM links WHERE sync = ?", (sync,))
        ]
        choice = self.chance.random()
        if links and choice < 0.4:
            return Orders(cut=[self.chance.choice(links)])
        if len(links) > 1 and choice < 0.55:
            one, other = self.chance.sample(links, 2)
            return Orders(
                made=[Pair(one.hub, other.app), Pair(other.hub, one.app)], cut=[one, other]
            )
        if choice < 0.65:
            return Orders(allowed=[pair])
        return Orders(made=[pair]) if choice < 0.9 else Orders(cut=[pair])


def check(seed: int) -> DecidingHistory:
    """Play a history and check its promises.

    Raises:
        Broken: the first promise that does not hold.
    """
    history = DecidingHistory(seed)
    history.play()
    for promise in (
        becomes_quiet,
        source_is_untouched,
        nothing_is_deleted,
        every_record_counts_once,
        _cuts_hold,
        _made_links_hold,
    ):
        promise(history)
    return history


def _cuts_hold(history: DecidingHistory) -> None:
    """Nothing that a person has cut is linked."""
    found = history.db.execute(
        "SELECT l.sync, l.hub, l.app FROM links l JOIN refusals r"
        " ON r.sync = l.sync AND r.hub = l.hub AND r.app = l.app AND NOT r.lifted"
    ).fetchall()
    if found:
        raise Broken("cuts hold", f"{found} are linked although they were cut")
    refused = set(history.db.execute("SELECT sync, hub, app FROM refusals WHERE NOT lifted"))
    for (sync, pair), wanted in history.made.items():
        if not wanted and (sync, *pair) not in refused:
            raise Broken("cuts hold", f"{pair} of sync {sync} is forgotten")


def _made_links_hold(history: DecidingHistory) -> None:
    """What a person has linked stays linked while both records exist."""
    for (sync, pair), wanted in history.made.items():
        alive = [
            history.db.execute(
                "SELECT 1 FROM records WHERE row = ? AND NOT gone", (row,)
            ).fetchone()
            for row in pair
        ]
        if not wanted or not all(alive):
            continue
        merged = history.db.execute(
            "SELECT 1 FROM records g JOIN records s ON s.reader = g.reader AND s.id = g.into_id"
            " WHERE s.row IN (?, ?)",
            tuple(pair),
        ).fetchone()
        linked = history.db.execute(
            "SELECT 1 FROM links WHERE sync = ? AND hub = ? AND app = ?", (sync, *pair)
        ).fetchone()
        if linked is None and merged is None:  # a survivor may go on with another link
            raise Broken("made links hold", f"{pair} of sync {sync} is not linked")
