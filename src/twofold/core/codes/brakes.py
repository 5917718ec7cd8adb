"""TF-B: brakes, which pause a run and ask."""

from __future__ import annotations

from twofold.core.codes.entry import Code

CODES = (
    Code(
        "TF-B01",
        "{app} suddenly shows none of the {known} records that we know on the {side} side.",
        "Check the app; if it is true, 'twofold sync resume NAME --override side-empty', or run"
        " the sync once with --allow-empty.",
    ),
    Code(
        "TF-B02",
        "{deletes} of {pairs} records would be deleted because their twins were: more than"
        " {limit}. None was.",
        "Check who deleted them; if it is meant, 'twofold sync resume NAME --override deletes'.",
    ),
    Code(
        "TF-B03",
        "This run would make {creates} new records beside the {pairs} pairs that are known: more"
        " than {limit}. None was made.",
        "Check where they come from; if it is meant,"
        " 'twofold sync resume NAME --override creates'.",
    ),
    Code(
        "TF-B04",
        "This run would change {changes} of {pairs} pairs: more than {limit}. None was changed.",
        "Check who edited them; if it is meant, 'twofold sync resume NAME --override changes'.",
    ),
    Code(
        "TF-B05",
        "{app} no longer has what this sync uses of {object_type}: {fields}.",
        "Bring it back in the app; or go on without those mappings:"
        " 'twofold sync resume NAME --override field-gone'.",
    ),
    Code(
        "TF-B06",
        "{app} changed {object_type}: {changes}.",
        "Change it back in the app; or take it over:"
        " 'twofold sync resume NAME --override field-changed'.",
    ),
    Code(
        "TF-B10",
        "{name} is not paused by the brake {brake}: {status}.",
        "See 'twofold status'; a brake is overridden once it has been pulled.",
    ),
    Code(
        "TF-B11",
        "{name} cannot go on without these fields: {reason}.",
        "Bring them back in the app, or make the sync anew with other fields.",
    ),
    Code(
        "TF-B20",
        "One run makes at most {limit} new records in the {side}; this one waits for your word.",
        "Look at it with 'twofold plan'; then 'twofold sync run NAME --allow-creates'.",
    ),
    Code(
        "TF-B21",
        "A run cannot make {limit} new records in the {side} at most.",
        "Name 0 or more, or leave the limit out.",
    ),
    Code(
        "TF-B22",
        "The brake '{brake}' is set to {share}, and takes a share from 0 to 1.",
        "Write 0.2 for 20 %; 1 means that it never asks.",
    ),
)
