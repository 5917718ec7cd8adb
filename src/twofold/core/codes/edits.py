"""TF-E: edits of syncs."""

from __future__ import annotations

from twofold.core.codes.entry import Code

CODES = (
    Code(
        "TF-E01",
        "{name} was edited or deleted while this edit was made.",
        "Look at it with 'twofold sync show', and make your edit again.",
    ),
    Code(
        "TF-E02",
        "{text} is no setting of a sync: {reason}.",
        "Write key=value, with a key that 'twofold validate --schema' lists.",
    ),
)
