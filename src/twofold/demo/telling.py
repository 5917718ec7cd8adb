"""What the demo has to tell: chapters of plain data, which a terminal or a program may show."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Protocol

import msgspec
from msgspec import Struct


class Check(Struct, frozen=True):
    """Something that must be true, and whether it is."""

    claim: str
    holds: bool
    found: str = ""
    """What was found instead."""


class Table(Struct, frozen=True):
    """Rows under headings; numbers are numbers."""

    columns: tuple[str, ...]
    rows: tuple[tuple[str | int, ...], ...]


class Chapter(Struct):
    """One part of the story."""

    title: str
    lines: list[str] = msgspec.field(default_factory=list)
    tables: list[Table] = msgspec.field(default_factory=list)
    checks: list[Check] = msgspec.field(default_factory=list)

    def say(self, line: str) -> None:
        """Tell something."""
        self.lines.append(line)

    def show(self, columns: Sequence[str], rows: Sequence[Sequence[str | int]]) -> None:
        """Show a table."""
        self.tables.append(Table(tuple(columns), tuple(map(tuple, rows))))

    def check(self, claim: str, found: object, expected: object) -> None:
        """Claim that what was found is what was expected."""
        holds = found == expected
        self.checks.append(Check(claim, holds, "" if holds else _difference(found, expected)))


class Listener(Protocol):
    """Who hears the story."""

    def begin(self, title: str) -> None:
        """A chapter is under way."""

    def end(self, chapter: Chapter) -> None:
        """A chapter is complete."""


def _difference(found: object, expected: object) -> str:
    return f"found {found!r:.200}, expected {expected!r:.200}"
