"""A mutant: which rule is broken, how, and which quick command must notice."""

from __future__ import annotations

from dataclasses import dataclass

CHOICES = ("pytest", "tests/core/test_choices.py")
MERGE = ("pytest", "tests/core/test_merge.py")
RULES = ("pytest", "tests/core/test_write_rules.py")
SEEN = ("pytest", "tests/core/test_seen.py")
PLAN = ("pytest", "tests/core/test_plan.py")
MATCHING = ("pytest", "tests/core/test_matching.py")
ENGINE = ("pytest", "tests/engine")
TROUBLE = ("pytest", "tests/engine/test_trouble.py")
FILTERS = ("pytest", "tests/core/test_filters.py")
LIMITS = ("pytest", "tests/engine/test_limits.py")
STAGES = ("pytest", "tests/engine/test_stages.py")
STORE = ("pytest", "tests/store/test_pages.py", "tests/store/test_settling.py")
HISTORIES = ("tests.simulation", "--seeds", "400", "--stop", "--processes", "1")

KEPT = ("pytest", "tests/simulation/test_simulation.py", "tests/simulation/test_disk.py")
"""Small histories that were kept because they notice something rare, and the simulated disk."""


def only(words: str, command: tuple[str, ...]) -> tuple[str, ...]:
    """The tests of a command whose names hold these words."""
    return (*command, "-k", words)


def seed(number: int) -> tuple[str, ...]:
    """One history of the simulation."""
    return ("tests.simulation", "--first", str(number), "--seeds", "1")


@dataclass(frozen=True)
class Mutant:
    """One broken rule."""

    name: str
    file: str
    old: str
    """Occurs exactly once in the file."""
    new: str
    command: tuple[str, ...]
