"""TF-F: fields, mappings and object types."""

from __future__ import annotations

from twofold.core.codes.entry import Code

CODES = (
    Code(
        "TF-F01",
        "{object_type} has no field {field}.",
        "Choose a field that exists, or remove the mapping.",
    ),
    Code(
        "TF-F02",
        "{app} has no object type {object_type}; it has: {known}.",
        "Choose one of these.",
    ),
    Code(
        "TF-F03",
        "{field} of the {side} is mapped {count} times, and a field can be mapped once.",
        "Keep one of its mappings and remove the others.",
    ),
    Code(
        "TF-F04",
        "{hub_field} of the hub and {app_field} of the app cannot be mapped: {reason}.",
        "Choose a field of another kind, or remove the mapping.",
    ),
    Code(
        "TF-F05",
        "{hub_field} of the hub and {app_field} of the app can both only be read.",
        "Remove the mapping, or choose a field that can be written.",
    ),
    Code(
        "TF-F06",
        "{field} of the {side} cannot be mapped: {reason}.",
        "Choose another field, or remove the mapping.",
    ),
    Code(
        "TF-F07",
        "{field} of the {side} holds several or labeled values, which only default mappings use.",
        "Turn on the default mapping of this field, or choose a field with a single value.",
    ),
    Code(
        "TF-F08",
        "{field} of the {side} is required for new records, and nothing is mapped to it.",
        "Map a field to it, give it a constant, or sync the other way only.",
    ),
    Code(
        "TF-F09",
        "Between {hub_field} and {app_field} values travel only {left}: {reason}.",
        "Nothing to do if that is what you want; else change the direction or the fields.",
    ),
    Code(
        "TF-F10",
        "Nothing can travel between {hub_field} and {app_field}: {reason}.",
        "Change the direction of the mapping or of the sync, or remove the mapping.",
    ),
    Code(
        "TF-F11",
        "There is no time zone {timezone}.",
        "Name one from the tz database, such as Europe/Amsterdam or UTC.",
    ),
    Code(
        "TF-F12",
        "There is no country with the code {region}, or it has no phone numbers of its own.",
        "Name a country by its two letters (ISO 3166), such as NL, or leave it empty.",
    ),
    Code(
        "TF-F13",
        "Only records with an e-mail address are sent, and the {side} has no e-mail field mapped.",
        "Map the e-mail field, or let the sync send records without one.",
    ),
    Code(
        "TF-F14",
        "{object_type} of the {side} can only be read, and this sync would write there.",
        "Let the sync go the other way only, with its direction.",
    ),
    Code(
        "TF-F15",
        "{hub_field} and {app_field} would be mapped {asked}, and the sync goes only {sync}.",
        "Leave out the direction of the mapping, or change the direction of the sync.",
    ),
    Code(
        "TF-F16",
        "{field} of the {side} has no option {value}; it has: {known}.",
        "Name one of these, by its value.",
    ),
    Code(
        "TF-F17",
        "{hub_field} and {app_field} have no options to be paired.",
        "Pair options, or name a fallback, only between two choices or two owners.",
    ),
    Code(
        "TF-F18",
        "Option {value} of {field} of the {side} is paired with two options of the other side.",
        "Keep one of the pairs, or let the mapping go the other way only.",
    ),
    Code(
        "TF-F19",
        "The transform {transform} between {hub_field} and {app_field} cannot work: {reason}.",
        "Correct what the transform is told, or leave it out.",
    ),
    Code(
        "TF-F20",
        "{field} of the {side} holds no text, and transforms work on text only.",
        "Leave out the transform, or map text fields.",
    ),
    Code(
        "TF-F21",
        "{hub_field} and {app_field} cannot be mapped: {reason}.",
        "Name two fields on one side and one on the other, with the transform join.",
    ),
    Code(
        "TF-F22",
        "{field} of the {side} cannot be given a constant: {reason}.",
        "Correct the constant, or map a field to it.",
    ),
    Code(
        "TF-F23",
        "{text} is no transform.",
        "Begin with one of the catalog, such as prefix:T-, case:upper or lookup:a=1,b=2.",
    ),
    Code(
        "TF-F30",
        "{app} no longer has a table or column that we read: {reason}.",
        "Bring it back, or change the sync's mappings to what the database has now.",
    ),
    Code(
        "TF-F31",
        "{object_type} has no primary key, so its rows cannot be told apart.",
        "Give the table a primary key, or name unique columns under 'keys' when you connect.",
    ),
    Code(
        "TF-F32",
        "{object_type} has no column {column} that could be its {role}, as '{question}' says.",
        "Correct that answer and connect again.",
    ),
    Code(
        "TF-F33",
        "{app} does not show {object_type} as it did: {reason}.",
        "Bring the object or property back there, or change the sync.",
    ),
    Code(
        "TF-F35",
        "{column} does not tell the rows of {object_type} apart: {reason}.",
        "Give each row a value of its own there, or name another column under 'keys'.",
    ),
)
