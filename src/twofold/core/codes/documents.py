"""TF-Y: syncs and connectors as YAML documents."""

from __future__ import annotations

from twofold.core.codes.entry import Code

CODES = (
    Code(
        "TF-Y01",
        "This is not a YAML text as it is needed here: {reason}.",
        "Correct the line; 'twofold export' shows how a sync is written.",
    ),
    Code(
        "TF-Y02",
        "The key {key} stands here for the second time.",
        "Keep one of the two.",
    ),
    Code(
        "TF-Y03",
        "Anchors, aliases and tags (&, * and !) are not part of these documents.",
        "Write the value out, and put quotes around a text that begins with such a character.",
    ),
    Code(
        "TF-Y04",
        "The document is larger or deeper than any needs to be: at most {limit}.",
        "Write one document per sync, with '---' between them, or use several files.",
    ),
    Code(
        "TF-Y05",
        "There is no key {key} here; there are: {known}.",
        "Correct the spelling, or remove the line.",
    ),
    Code(
        "TF-Y06",
        "This value does not fit: {reason}.",
        "Correct it; put quotes around a text that looks like a number, true, false or null.",
    ),
    Code(
        "TF-Y07",
        "The key {key} is missing.",
        "Add it; 'twofold export' shows how a sync is written.",
    ),
    Code(
        "TF-Y08",
        "Two documents of this file are the sync {name}.",
        "Keep one of them, or give the other another name.",
    ),
    Code(
        "TF-Y09",
        "{path} was not applied: {count} problem(s) must be solved first.",
        "Solve them and give the command again; nothing was saved.",
    ),
    Code(
        "TF-Y10",
        "{name} already syncs {known}, and a sync keeps its connection and object types.",
        "Give the new sync another name, or delete the old one first.",
    ),
    Code(
        "TF-Y11",
        "{path} cannot be read: {reason}.",
        "Name a file of your own, or - for the standard input.",
    ),
    Code(
        "TF-Y12",
        "{path} holds no document.",
        "Write one per sync; 'twofold export' shows how.",
    ),
    Code(
        "TF-Y13",
        "{path} does not describe an app: {count} problem(s) must be solved first.",
        "Solve them and connect again; docs/connectors/rest.md names every key.",
    ),
)
