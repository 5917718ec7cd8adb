"""The registry of every error and exclusion: code, sentence, advice, whether a retry can help.

Codes are permanent. Groups: TF-A access and connections · TF-C calls to an app · TF-F fields and
mappings · TF-R records · TF-X exclusions · TF-S store and state · TF-U use of the command line ·
TF-B brakes.
"""

from __future__ import annotations

from msgspec import Struct


class Code(Struct, frozen=True):
    """One line of the registry."""

    code: str
    sentence: str
    """A format string over the error's facts."""
    advice: str
    retryable: bool = False
    """Whether trying again without a change can succeed."""


_ALL = (
    # --- calls to an app -----------------------------------------------------------------
    Code(
        "TF-C01",
        "{app} is out of reach: {reason}.",
        "Check the address and that the server runs; the sync tries again by itself.",
        retryable=True,
    ),
    Code(
        "TF-C02",
        "{app} asks us to slow down until {until}.",
        "Nothing to do: the sync goes on by itself.",
        retryable=True,
    ),
    Code(
        "TF-C03",
        "{app} gave no answer to a write, so its outcome is unknown: {reason}.",
        "Nothing to do: the next round looks at the app before it writes again.",
        retryable=True,
    ),
    Code(
        "TF-C04",
        "{app} no longer knows the position that we read up to.",
        "Nothing to do: the next round reads everything once; unchanged records are not written.",
        retryable=True,
    ),
    Code(
        "TF-C05",
        "{app} answered in a way we do not understand: {reason}.",
        "Check that the address belongs to this app; if it does, report the answer to us.",
    ),
    # --- access --------------------------------------------------------------------------
    Code(
        "TF-A01",
        "{app} refused the sign-in: {reason}.",
        "Connect again with the right user and password; mappings and links are kept.",
    ),
    Code(
        "TF-A02",
        "{app} redirects to another host, {host}.",
        "Connect with that address yourself if you trust it; credentials are never sent along.",
    ),
    Code(
        "TF-A03",
        "{app} does not allow this account to {action}.",
        "Ask the app's administrator for the permission, then connect again.",
    ),
    Code(
        "TF-A04",
        "This account of {app} is connected already, as {label}.",
        "Use that connection, or sign in to another account.",
    ),
    Code(
        "TF-A05",
        "There is a connection named {label} already.",
        "Choose another name.",
    ),
    Code(
        "TF-A06",
        "There is a sync named {name} already.",
        "Choose another name, or delete that sync first.",
    ),
    Code(
        "TF-A09",
        "{app} has no address book {name}; it has: {known}.",
        "Connect again with one of these names, or without a name to take the first.",
    ),
    Code(
        "TF-A10",
        "There is no connector named {name}; there are: {known}.",
        "Choose one of these, or install the package that brings it.",
    ),
    Code(
        "TF-A11",
        "The connector {name} of the package {package} cannot be used: {reason}.",
        "Update or remove that package, or report this to its authors.",
    ),
    Code(
        "TF-A30",
        "This is not the address of a database: {reason}.",
        "Use sqlite:///path/to/file, postgresql://user:password@host/database, or mariadb://….",
    ),
    # --- schema --------------------------------------------------------------------------
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
        "Map a field to it, give it a default in the app, or sync the other way only.",
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
    # --- records -------------------------------------------------------------------------
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
    # --- store and state -----------------------------------------------------------------
    Code(
        "TF-S01",
        "{path} is locked by another process.",
        "Stop the other Twofold that uses this file, or wait until it is done.",
        retryable=True,
    ),
    Code(
        "TF-S02",
        "{path} is damaged: {reason}.",
        "Keep a copy of the file, then restore a backup; reading all apps anew rebuilds the rest.",
    ),
    Code(
        "TF-S03",
        "{path} was written by a newer Twofold: its tables are of version {version}, "
        "and this program knows them up to {newest}.",
        "Upgrade Twofold; the file was not changed.",
    ),
    Code(
        "TF-S04",
        "{path} is not a Twofold database: {reason}.",
        "Name another file; if this was Twofold's own, restore a backup. It was not changed.",
    ),
    Code(
        "TF-S05",
        "The disk that holds {path} is full.",
        "Free some space, then run again: what was not saved is done again.",
    ),
    Code(
        "TF-S06",
        "{path} can only be read: {reason}.",
        "Give the user that runs Twofold the right to write the file and its folder.",
    ),
    Code(
        "TF-S07",
        "{path} cannot be opened: the folder {folder} does not exist.",
        "Make the folder, or name another file.",
    ),
    Code(
        "TF-S08",
        "{path} cannot be read or written: {reason}.",
        "Check the path, its permissions and the disk.",
    ),
    Code(
        "TF-R10",
        "{field} is frozen: the two apps keep rewriting each other's value.",
        "Choose one value by hand on both sides, or map the field one way only.",
    ),
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
        "Ambiguous: {count} records in {app} could be the same ({candidates}).",
        "Link the right pair by hand, or make the records different.",
    ),
    # --- brakes --------------------------------------------------------------------------
    Code(
        "TF-B01",
        "{app} suddenly shows none of the {known} records that we know on the {side} side.",
        "Check the app; if it is true, run the sync once with --allow-empty.",
    ),
    # --- the state -----------------------------------------------------------------------
    Code(
        "TF-S20",
        "Another worker has taken over this sync.",
        "Nothing to do: the other worker goes on where this one stopped.",
        retryable=True,
    ),
    Code(
        "TF-S21",
        "The key file {path} does not hold a key of 32 bytes.",
        "Put the right key file back from your backup.",
    ),
    Code(
        "TF-S22",
        "The stored credentials cannot be opened with this key file.",
        "Put the right key file back, or connect the app again.",
    ),
    # --- use of the command line and of the services -----------------------------------------
    Code(
        "TF-U01",
        "This command cannot be understood: {reason}.",
        "Run it with --help for its options and an example.",
    ),
    Code(
        "TF-U02",
        "{app} needs an answer to: {questions}.",
        "Give each as --set name=value, secrets as --set name=- or TWOFOLD_SECRET_NAME.",
    ),
    Code(
        "TF-U03",
        "{app} asks nothing named {name}; it asks: {known}.",
        "Choose one of these names; 'twofold app show' explains them.",
    ),
    Code(
        "TF-U04",
        "The answer to {name} does not have the right form, such as {example}.",
        "Correct the answer; nothing was saved.",
    ),
    Code(
        "TF-U05",
        "There is no connection named {label}; there are: {known}.",
        "Choose one of these, or make it with 'twofold connect'.",
    ),
    Code(
        "TF-U06",
        "There is no sync named {name}; there are: {known}.",
        "Choose one of these, or make it with 'twofold sync add'.",
    ),
    Code(
        "TF-U07",
        "The sync was not saved: {count} problem(s) must be solved first.",
        "Solve them and give the command again.",
    ),
    Code(
        "TF-U08",
        "{label} does not say what pairs with {hub_type}; it has: {known}.",
        "Name one of these after the hub's object type.",
    ),
    Code(
        "TF-U09",
        "{label} is used by {count} sync(s): {names}.",
        "Delete them first, or remove the connection with --with-syncs.",
    ),
    Code(
        "TF-U10",
        "{name} is turned off.",
        "Turn it on with 'twofold sync on' first.",
    ),
    Code(
        "TF-U11",
        "{path} is in use by another Twofold, process {pid}.",
        "Wait until it is done, or stop that process.",
        retryable=True,
    ),
    Code(
        "TF-U12",
        "{name} has no record with the id or the match key {text}.",
        "Check the spelling, or run the sync first so that the record is read.",
    ),
    Code(
        "TF-U13",
        "The data folder {path} cannot be used: {reason}.",
        "Name another folder with --data or TWOFOLD_DATA, or correct its permissions.",
    ),
    Code(
        "TF-U14",
        "{path} cannot be read: {reason}.",
        "Name a CSV file, or a JSON file with a list of objects.",
    ),
    Code(
        "TF-U15",
        "This is another account of {app}, {found}; {label} is {known}.",
        "Make a connection of its own for it with 'twofold connect'.",
    ),
    Code(
        "TF-U16",
        "Interrupted; what was done so far is kept.",
        "Give the same command again: it goes on from there.",
        retryable=True,
    ),
    Code(
        "TF-U17",
        "Something went wrong that Twofold did not expect: {kind}; details are in {report}.",
        "Report it with that file, once you have checked that it holds nothing private.",
    ),
    Code(
        "TF-U18",
        "{text} is no mapping.",
        "Write hubfield=appfield, with :to-hub or :to-app behind it for one way only.",
    ),
    Code(
        "TF-U19",
        "There is no {object_type} {id} in the hub.",
        "Look for it with 'twofold hub records list'.",
    ),
    Code(
        "TF-U20",
        "This needs your yes: {what}.",
        "Nothing was done; add --yes to do it.",
    ),
    Code(
        "TF-U21",
        "{label} already syncs {hub_type} with {app_type}, as {name}.",
        "Use that sync, or delete it first.",
    ),
    Code(
        "TF-U22",
        "{name} waits until the first run of {other} is done.",
        "Nothing to do: it runs after that one.",
        retryable=True,
    ),
    Code(
        "TF-U23",
        "No mapping uses the hub's field {field}.",
        "Leave out the option, or name a field that is mapped.",
    ),
    Code(
        "TF-U24",
        "{text} is no place to go on from.",
        "Use what the page before named, or start without --after.",
    ),
    Code(
        "TF-U25",
        "{side} has no association {name}; it has: {known}.",
        "Choose one of these, or leave the option out.",
    ),
    Code(
        "TF-U26",
        "The hub cannot be removed: every sync has it on one side.",
        "Nothing to do; to start anew, name another data folder.",
    ),
    Code(
        "TF-U27",
        "{path} holds something else than a demo.",
        "Name a new folder with --data; the demo empties its folder before it begins.",
    ),
    Code(
        "TF-U28",
        "The demo needs Radicale, a CardDAV server, and it is not installed.",
        "Use 'make demo', install twofold[demo], or leave the address book out with --small.",
    ),
    Code(
        "TF-U29",
        "The demo's CardDAV server cannot be used: {reason}.",
        "Run the demo again; if it repeats, read the log in its folder, address-book/log.",
    ),
    Code(
        "TF-U30",
        "The demo found {count} thing(s) that are not as they should be.",
        "This is a fault of Twofold: report it with the lines above that are marked.",
    ),
)

CODES: dict[str, Code] = {entry.code: entry for entry in _ALL}
