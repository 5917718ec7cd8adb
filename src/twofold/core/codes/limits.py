"""TF-L: limits, and who takes part."""

from __future__ import annotations

from twofold.core.codes.entry import Code

CODES = (
    Code(
        "TF-L01",
        "A limit of the {side} asks about {field}, and {object_type} has no such field.",
        "Choose a field that exists, or remove the criterion.",
    ),
    Code(
        "TF-L02",
        "'{operator}' does not suit {field}, a field of the kind {kind}; these do: {known}.",
        "Choose one of these operators, or another field.",
    ),
    Code(
        "TF-L03",
        "A limit compares {field} with '{value}', and it takes {expected}.",
        "Correct the value.",
    ),
    Code(
        "TF-L04",
        "'{operator}' takes {count} value(s), and the limit of {field} gives {given}.",
        "Give as many values as the operator takes.",
    ),
    Code(
        "TF-L05",
        "A limit wants {field} between {low} and {high}, which nothing is.",
        "Name the smaller end first.",
    ),
    Code(
        "TF-L06",
        "{field} has no option '{value}'; it has: {known}.",
        "Choose an option that exists, by its value or its label.",
    ),
    Code(
        "TF-L07",
        "A limit has a group without a criterion, which every record would meet.",
        "Add a criterion to the group, or remove the group.",
    ),
    Code(
        "TF-L08",
        "The {side} sends nothing in this sync, so its limit has no effect.",
        "Remove the limit, or let the sync go the other way too.",
    ),
    Code(
        "TF-L10",
        "'{text}' is no criterion.",
        "Write FIELD OPERATOR VALUE, such as: country is any of Belgium, Netherlands.",
    ),
    Code(
        "TF-L11",
        "{name} has read both sides already, so it cannot begin from now on.",
        "Make a new sync for that, or limit this one by a date.",
    ),
    Code(
        "TF-L12",
        "A limit of the {side} has {count} criteria, and may have {most}.",
        "Use 'is any of' with a list in place of many criteria.",
    ),
    Code(
        "TF-L13",
        "{field} of the {side} cannot be used in a limit: {reason}.",
        "Choose another field.",
    ),
    Code(
        "TF-L14",
        "{text} stands for {count} records of {name}.",
        "Name the one that you mean by its id, with --side where both sides have that id.",
    ),
    Code(
        "TF-L15",
        "{text} is not excluded by hand in {name}.",
        "Nothing to do; 'twofold explain' tells why a record does not take part.",
    ),
    Code(
        "TF-L16",
        "'{text}' is no moment to come.",
        "Give a day, such as 2026-01-31, or a time, such as 2026-01-31T09:30.",
    ),
    Code(
        "TF-L17",
        "{object_type} of the hub has no lifecycle stage.",
        "Leave out the stages; a limit can ask about any other field.",
    ),
    Code(
        "TF-L18",
        "The stage {stage} belongs to {name} already, and a stage belongs to one sync only.",
        "Take it out of one of the two; a file with both can change them at once.",
    ),
    Code(
        "TF-L19",
        "This sync and {name} share records: one of the two names its stages, the other takes all.",
        "Give both their stages, or turn one off first; a file with both can change them at once.",
    ),
)
