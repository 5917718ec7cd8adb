"""TF-E: edits of syncs, and saved plans."""

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
    Code(
        "TF-E10",
        "{path} is no plan that can be carried out: {reason}.",
        "Make a plan with 'twofold plan -o FILE', and leave the file as it is.",
    ),
    Code(
        "TF-E11",
        "{name} is no longer the sync that the plan was made for: {reason}.",
        "Make a new plan.",
    ),
    Code(
        "TF-E12",
        "The plan of {name} could not be finished ({reason}).",
        "Solve that, or wait, and make the plan again; nothing was written.",
        retryable=True,
    ),
    Code(
        "TF-E13",
        "A record has moved since the plan was made.",
        "Make a new plan, or run the sync: it goes by what the records show now.",
    ),
    Code(
        "TF-E14",
        "What would be done now is something else than the plan says.",
        "Make a new plan, or run the sync: it goes by what the records show now.",
    ),
    Code(
        "TF-E15",
        "There is nothing left to do here of what the plan says.",
        "Nothing to do.",
    ),
    Code(
        "TF-E16",
        "{path} cannot be written: {reason}.",
        "Name a new file in a folder of your own.",
    ),
)
