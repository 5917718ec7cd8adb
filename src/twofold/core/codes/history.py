"""TF-H: history, and taking back what was written."""

from __future__ import annotations

from twofold.core.codes.entry import Code

CODES = (
    Code(
        "TF-H01",
        "'{text}' is no day and no moment.",
        "Write it as 2026-01-31, or as 2026-01-31T09:00.",
    ),
    Code(
        "TF-H02",
        "History cannot be kept for {days} days.",
        "Choose from 1 to 36500 days.",
    ),
)
