"""TF-N: alerts."""

from __future__ import annotations

from twofold.core.codes.entry import Code

CODES = (
    Code(
        "TF-N01",
        "Alerts cannot be set so: {reason}.",
        "Correct it; 'twofold alerts set --help' has an example.",
    ),
    Code(
        "TF-N02",
        "No alert can be sent: neither e-mail nor a webhook is set.",
        "Set one of them with 'twofold alerts set'.",
    ),
    Code(
        "TF-N03",
        "The {channel} did not take the alert: {reason}.",
        "Check the address, the credentials, and whether it may be reached; it is tried again.",
        retryable=True,
    ),
)
