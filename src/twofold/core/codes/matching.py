"""TF-M: matching rules, and links by hand."""

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
)
