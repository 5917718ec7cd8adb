"""TF-M: matching rules, links by hand, and associations."""

from __future__ import annotations

from twofold.core.codes.entry import Code

CODES = (
    Code(
        "TF-M01",
        "Matching rule {number} names no field.",
        "Name at least one mapped field in it, or remove the rule.",
    ),
    Code(
        "TF-M02",
        "Matching rule {number} names {field}, which {object_type} of the hub do not have.",
        "Name a field of the hub that is mapped; 'twofold sync show' lists them.",
    ),
    Code(
        "TF-M03",
        "Matching rule {number} names {field}, which is not mapped, so the app has no such value.",
        "Map the field first, or match by one that is mapped.",
    ),
    Code(
        "TF-M04",
        "Matching rule {number} cannot use {field}: {reason}.",
        "Match by another field, or remove the rule.",
    ),
    Code(
        "TF-M05",
        "Matching rule {number} repeats an earlier one: {fields}.",
        "Remove one of the two: the earlier rule has decided already.",
    ),
    Code(
        "TF-M06",
        "The matching rules are an empty list.",
        "Add a rule, choose a preset, or choose 'none' so that no records are matched.",
    ),
    Code(
        "TF-M07",
        "Matching is either the preset {preset} or rules of your own, and both were named.",
        "Leave out --matching, or leave out every --match.",
    ),
    Code(
        "TF-M20",
        "A record of these links was linked, deleted or changed in the meantime.",
        "Look at the links again, and repeat what is still wanted.",
        retryable=True,
    ),
    Code(
        "TF-M21",
        "The {side} has no record {id} that this sync knows.",
        "Check the id; a new record is known once the sync has run.",
    ),
    Code(
        "TF-M22",
        "Record {id} of the {side} is deleted there.",
        "Link another record, or bring this one back first.",
    ),
    Code(
        "TF-M23",
        "Record {id} of the {side} is linked to {twin} already.",
        "Cut that link first, or swap the two links.",
    ),
    Code(
        "TF-M24",
        "A twin of record {id} of the {side} is being created, and its outcome is not known yet.",
        "Run the sync first, then look which record it is linked to.",
        retryable=True,
    ),
    Code(
        "TF-M25",
        "Record {id} of the hub is not linked.",
        "Look at the links with 'twofold links list'.",
    ),
    Code(
        "TF-M26",
        "The file was not imported: {count} of its line(s) must be corrected first.",
        "Correct them and import the file again; nothing of it was taken.",
    ),
    Code(
        "TF-M27",
        "{path} has no column {column}.",
        "Name the columns in the first line: hub_id and app_id, and decision if you wish.",
    ),
    Code(
        "TF-M28",
        "The line names no {column}.",
        "Give the ids of both records.",
    ),
    Code(
        "TF-M29",
        "{text} is no decision.",
        "Write linked, or cut for two records that must stay apart; empty means linked.",
    ),
    Code(
        "TF-M30",
        "Record {id} of the {side} is in another line too, line {line}.",
        "A record is linked once: keep one of the two lines.",
    ),
    Code(
        "TF-M31",
        "The two records are in line {line} with the opposite decision.",
        "Keep one of the two lines.",
    ),
    Code(
        "TF-M32",
        "The line has {count} cells, and the first line names {expected} columns.",
        "Quote cells that hold commas or quotation marks, as spreadsheets do.",
    ),
    Code(
        "TF-M33",
        "{path} cannot be written: {reason}.",
        "Name another file, or leave it out to write to the screen.",
    ),
    Code(
        "TF-M40",
        "All targets of {name} cannot sync: in the {side}, a record has one {name} at most.",
        "Let the primary one sync alone, by leaving out --all-targets.",
    ),
    Code(
        "TF-M41",
        "No association of the hub that this sync maps is called {name}; it maps: {known}.",
        "Choose one of these, or map it with --associate.",
    ),
)
