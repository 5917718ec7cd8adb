"""TF-X: records that do not take part."""

from __future__ import annotations

from twofold.core.codes.entry import Code

CODES = (
    Code(
        "TF-X01",
        "No valid e-mail address: this sync sends only contacts that have one.",
        "Add an e-mail address, or let the sync send contacts without one.",
    ),
    Code(
        "TF-X02",
        "Only in the {side}: this sync does not create records in the {other}.",
        "Nothing to do; choose another direction if the record should travel.",
    ),
    Code(
        "TF-X03",
        "The {side}'s record does not meet the limit: {criterion}.",
        "Nothing to do: it comes back by itself when it meets it; or change the limit.",
    ),
    Code(
        "TF-X04",
        "Excluded by hand: {reason}.",
        "Let it take part again with 'twofold records include'.",
    ),
    Code(
        "TF-X05",
        "Paused by hand until {until}: {reason}.",
        "Nothing to do: it goes on then; or let it now with 'twofold records include'.",
    ),
    Code(
        "TF-X06",
        "Was there before this sync began, which takes part from then on only.",
        "Nothing to do: it takes part when it changes.",
    ),
    Code(
        "TF-X07",
        "Its lifecycle stage in the hub is {stage}, and this sync takes {takes}.",
        "Nothing to do: it comes back by itself when its stage changes; or change the stages.",
    ),
    Code(
        "TF-X08",
        "Was converted into {into} in the app.",
        "Nothing to do: it goes on in the sync of what it became.",
    ),
    Code(
        "TF-X10",
        "Deleted in {app}.",
        "Nothing is deleted here; delete or link the remaining record by hand if you wish.",
    ),
    Code(
        "TF-X11",
        "Merged into {other_id} in {app}.",
        "Nothing to do; delete or link the remaining record by hand if you wish.",
    ),
    Code(
        "TF-X12",
        "Ambiguous: it could be the same as any of these in {app}: {candidates}.",
        "Link the right pair by hand, or make the records different.",
    ),
    Code(
        "TF-X16",
        "Doubtful: {candidates} in {app} has the same name or domain, and differs in the other.",
        "Link the two by hand if they are the same, or cut them from each other if they are not.",
    ),
)
