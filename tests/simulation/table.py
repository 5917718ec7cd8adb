"""What many histories showed: which fault met which promise, how often."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator

from msgspec import Struct, field
from tests.simulation.braking import MET
from tests.simulation.faults import KINDS
from tests.simulation.mapped import MAPPED
from tests.simulation.promises import PROMISES

LEAST_SHARE = 0.01
"""Of the histories: a fault that is rarer proves nothing."""
FEWEST = 300
"""Histories from which on a rare fault is an error."""
LEAST = {"acts": 40, "runs": 8, "crashes": 2}
"""What every history has at least."""
TRAITS = (
    "index lag",
    "coarse timestamps",
    "feed without deletes",
    "compares no versions",
    "atomic batches",
    "small pages",
    "rewrites values",
    "refuses long values",
    "unique values",
    "answers without the record",
    "pages without bodies",
    "no look by key",
    "can archive",
)
BRAKED = ("field gone", *(f"brake: {brake}" for brake in MET))
MAPPINGS = tuple(f"mapping: {name}" for name in MAPPED)
FAULTS = (*KINDS, *BRAKED, *TRAITS, *MAPPINGS)
"""All that a history may meet beside what people do."""


class Tally(Struct):
    """Sums over histories."""

    histories: int = 0
    seconds: float = 0.0
    """Of processor time."""
    faults: Counter[str] = field(default_factory=Counter)
    """How many histories met a fault."""
    times: Counter[str] = field(default_factory=Counter)
    """How often a fault happened."""
    met: Counter[tuple[str, str]] = field(default_factory=Counter)
    """How many histories checked a promise after a fault."""
    least: dict[str, int] = field(default_factory=dict)
    broken: list[tuple[int, str]] = field(default_factory=list)
    """(seed, sentence)"""

    def add(self, other: Tally) -> None:
        """Take in the sums of other histories."""
        self.histories += other.histories
        self.seconds += other.seconds
        self.faults.update(other.faults)
        self.times.update(other.times)
        self.met.update(other.met)
        self.broken += other.broken
        for word, number in other.least.items():
            self.least[word] = min(number, self.least.get(word, number))

    @property
    def too_rare(self) -> list[str]:
        """Faults that prove nothing."""
        if self.histories < FEWEST:
            return []
        return [f for f in FAULTS if self.faults[f] < LEAST_SHARE * self.histories]

    @property
    def too_small(self) -> list[str]:
        """What a history had too little of."""
        return [
            f"a history with {self.least[word]} {word} instead of {number}"
            for word, number in LEAST.items()
            if word in self.least and self.least[word] < number
        ]


def lines(tally: Tally) -> Iterator[str]:
    """The table: a row per fault, a column per promise, histories in each."""
    width = max(map(len, FAULTS))
    heads = list(PROMISES)
    yield f"{'fault':{width}}  {'times':>8} {'histories':>9} " + " ".join(f"{h:>15}" for h in heads)
    for fault in FAULTS:
        share = 100 * tally.faults[fault] / max(1, tally.histories)
        cells = " ".join(f"{tally.met[fault, head]:>15}" for head in heads)
        yield f"{fault:{width}}  {tally.times[fault]:>8} {share:>7.1f} % {cells}"
