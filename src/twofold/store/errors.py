"""What can go wrong between workers."""

from __future__ import annotations

from twofold.core.errors import TwofoldError


class FenceLost(TwofoldError):
    """Another worker has claimed the sync, or moved the cursor, since this one read it."""

    def __init__(self) -> None:
        super().__init__("TF-S20")
