"""One line of the registry."""

from __future__ import annotations

from msgspec import Struct


class Code(Struct, frozen=True):
    """An error or exclusion: a code that never changes its meaning, a sentence and advice."""

    code: str
    sentence: str
    """A format string over the error's facts."""
    advice: str
    """What to do; it takes no facts."""
    retryable: bool = False
    """Whether trying again without a change can succeed."""
