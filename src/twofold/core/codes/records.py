"""TF-R: records that fail."""

from __future__ import annotations

from twofold.core.codes.entry import Code

CODES = (
    Code(
        "TF-R01",
        "{field} does not take {value!r}: it expects {expected}.",
        "Correct the value, change the mapping, or exclude the record.",
    ),
    Code(
        "TF-R02",
        "Another record already has this {field}: {other_id}.",
        "Link the two by hand, or correct the value on one side.",
    ),
    Code(
        "TF-R03",
        "{app} refused this record: {reason}.",
        "Read the app's answer and correct its cause, then run the sync with --full.",
    ),
    Code(
        "TF-R04",
        "{app} needs a value for {field}, and the record gives it none.",
        "Fill it in, map a field to it, or give it a default in the app.",
    ),
    Code(
        "TF-R05",
        "The record changed in {app} while we were writing it.",
        "Nothing to do: it is read and merged again.",
        retryable=True,
    ),
    Code(
        "TF-R06",
        "The record is no longer in {app}.",
        "Nothing to do: the next reading decides what follows.",
        retryable=True,
    ),
    Code(
        "TF-R07",
        "{app} could not take the record now: {reason}.",
        "Nothing to do: it is tried again.",
        retryable=True,
    ),
    Code(
        "TF-R10",
        "{field} is frozen: the two apps keep rewriting each other's value, {hub} in the hub and"
        " {app} in the app.",
        "Have one of the apps leave the field alone, or choose one value by hand on both sides;"
        " then 'twofold sync unfreeze'. Or map the field one way only.",
    ),
    Code(
        "TF-R11",
        "No option of {field} is paired with {value!r}; it has: {known}.",
        "Pair the two in the mapping's options, name a fallback there, or correct the value.",
    ),
    Code(
        "TF-R12",
        "Nobody of {field} has the e-mail address of {value!r}; it has: {known}.",
        "Pair the two people in the mapping's options, or name a fallback owner there.",
    ),
    Code(
        "TF-R13",
        "{field} does not take {value!r}: its mapping's transform expects {expected}.",
        "Correct the value, or change the transform of the mapping.",
    ),
    Code(
        "TF-R20",
        "{name} has nothing frozen of a record with the id {text}.",
        "See 'twofold records failing' for what is frozen, and name the record by its id.",
    ),
)
