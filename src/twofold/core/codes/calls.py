"""TF-C: calls to an app."""

from __future__ import annotations

from twofold.core.codes.entry import Code

CODES = (
    Code(
        "TF-C01",
        "{app} is out of reach: {reason}.",
        "Check the address and that the server runs; the sync tries again by itself.",
        retryable=True,
    ),
    Code(
        "TF-C02",
        "{app} asks us to slow down until {until}.",
        "Nothing to do: the sync goes on by itself.",
        retryable=True,
    ),
    Code(
        "TF-C03",
        "{app} gave no answer to a write, so its outcome is unknown: {reason}.",
        "Nothing to do: the next round looks at the app before it writes again.",
        retryable=True,
    ),
    Code(
        "TF-C04",
        "{app} no longer knows the position that we read up to.",
        "Nothing to do: the next round reads everything once; unchanged records are not written.",
        retryable=True,
    ),
    Code(
        "TF-C05",
        "{app} answered in a way we do not understand: {reason}.",
        "Check that the address belongs to this app; if it does, report the answer to us.",
    ),
)
