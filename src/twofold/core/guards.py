"""Brakes: refusals that need a person's yes. Each has a name, a limit and a sentence (R9)."""

from __future__ import annotations

from msgspec import Struct

from twofold.core.codes import CODES
from twofold.core.records import Side

EMPTY_FROM = 10
"""A side with fewer known records may become empty without a brake."""


class Brake(Struct, frozen=True):
    """Why a run pauses and asks."""

    code: str
    sentence: str

    @property
    def advice(self) -> str:
        """What a person can do."""
        return CODES[self.code].advice


def side_suddenly_empty(side: Side, app: str, known: int, found: int) -> Brake | None:
    """A full listing that shows nothing of what we knew: more likely a fault than a wish."""
    if found > 0 or known < EMPTY_FROM:
        return None
    facts = {"side": side.value, "app": app, "known": known}
    return Brake("TF-B01", CODES["TF-B01"].sentence.format_map(facts))
