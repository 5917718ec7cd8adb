"""Edits under way, and how long each took to arrive everywhere else."""

from __future__ import annotations

import math
from collections import defaultdict
from collections.abc import Mapping
from dataclasses import dataclass, field


@dataclass
class Edit:
    """A new job title, on its way to the other places."""

    email: str
    title: str
    place: str
    at: float
    created: bool
    calm: bool
    """Nothing had gone wrong for a while, nor did until it arrived."""
    missing: set[str] = field(default_factory=set)


class Arrivals:
    """Watches all places; times are seconds of one clock."""

    def __init__(self, places: list[str]) -> None:
        self._places = places
        self.open: dict[str, Edit] = {}
        """By e-mail address: one edit of a contact at a time."""
        self.made = 0
        self.took: defaultdict[str, list[float]] = defaultdict(list)
        """Way → seconds of every edit; and the way with ``calm`` behind it."""

    def add(self, edit: Edit) -> None:
        """An edit that somebody made just now."""
        edit.missing = {place for place in self._places if place != edit.place}
        self.open[edit.email] = edit
        self.made += 1

    def disturb(self) -> None:
        """Something goes wrong now: what is under way may be late."""
        for edit in self.open.values():
            edit.calm = False

    def look(self, now: float, titles: Mapping[str, Mapping[str, str]]) -> None:
        """What the places that can be reached show now."""
        for edit in list(self.open.values()):
            for place in sorted(edit.missing & titles.keys()):
                if titles[place].get(edit.email) == edit.title:
                    edit.missing.remove(place)
                    self._arrived(edit, place, now - edit.at)
            if not edit.missing:
                del self.open[edit.email]

    def oldest(self, now: float) -> float:
        """Seconds for which the oldest edit has been under way."""
        return max((now - edit.at for edit in self.open.values()), default=0.0)

    def _arrived(self, edit: Edit, place: str, took: float) -> None:
        way = "pushed" if edit.place == "hub" else "polled" if place == "hub" else "across"
        self.took[way].append(took)
        if edit.calm:
            self.took[f"{way}, calm"].append(took)


def percentile(values: list[float], share: float) -> float:
    """The smallest value that this share of all does not exceed; nan for none."""
    ordered = sorted(values)
    return ordered[max(0, math.ceil(share * len(ordered)) - 1)] if ordered else math.nan
