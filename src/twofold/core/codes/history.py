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
    Code(
        "TF-H03",
        "There is nothing to take back: {reason}.",
        "See 'twofold history show' for what was written.",
    ),
    Code(
        "TF-H04",
        "It is not named what is to be taken back.",
        "Name a record, a run or a moment; a field only with a record.",
    ),
)
