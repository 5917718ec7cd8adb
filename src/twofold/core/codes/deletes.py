"""TF-D: deletes that travel, and the approvals that they may need."""

from __future__ import annotations

from twofold.core.codes.entry import Code

CODES = (
    Code(
        "TF-D01",
        "Deleted in {app}; this record goes too, at the end of the run.",
        "Nothing to do: deletes come last, when nothing else is due and no brake is pulled.",
    ),
    Code(
        "TF-D02",
        "Deleted in {app}; your approval is asked before this record goes too.",
        "See 'twofold approvals list', then approve or reject it.",
    ),
    Code(
        "TF-D03",
        "Deleted in {app}, but edited here since the two agreed, so your approval is asked.",
        "See 'twofold approvals list', then approve or reject it.",
    ),
    Code(
        "TF-D04",
        "Deleted in {app}; {who} decided that this record stays.",
        "Nothing to do; delete or link the remaining record by hand if you wish.",
    ),
    Code(
        "TF-D05",
        "{app} refused to {op} this record: {reason}.",
        "Correct the cause, then run the sync with --full; or remove the record by hand.",
    ),
    Code(
        "TF-D06",
        "{app} cannot {op} {object_type}, which is what this sync would do with deletes.",
        "Choose another policy for deletes, or let the sync go the other way only.",
    ),
    Code(
        "TF-D07",
        "There is no approval named {text}.",
        "Look it up with 'twofold approvals list'; what was decided is listed no more.",
    ),
    Code(
        "TF-D08",
        "No longer meets the limit in {app}; its twin is archived at the end of the run.",
        "Nothing to do: removals come last, when nothing else is due and no brake is pulled.",
    ),
    Code(
        "TF-D09",
        "No longer meets the limit in {app}, but its twin was edited since the two agreed, so your"
        " approval is asked before that is archived.",
        "See 'twofold approvals list', then approve or reject it.",
    ),
    Code(
        "TF-D10",
        "{app} cannot archive {object_type}, which is what this sync would do with the twins of"
        " records that leave their limit.",
        "Choose stop, final_update or keep for records that leave; or limit the other way only.",
    ),
)
