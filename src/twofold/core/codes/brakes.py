"""TF-B: brakes, which pause a run and ask."""

from __future__ import annotations

from twofold.core.codes.entry import Code

CODES = (
    Code(
        "TF-B01",
        "{app} suddenly shows none of the {known} records that we know on the {side} side.",
        "Check the app; if it is true, run the sync once with --allow-empty.",
    ),
)
