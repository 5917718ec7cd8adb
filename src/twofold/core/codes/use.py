"""TF-U: use of the command line and of the services."""

from __future__ import annotations

from twofold.core.codes.entry import Code

CODES = (
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
    Code(
        "TF-U31",
        "{name} cannot be the name of a sync: {reason}.",
        "Choose another name.",
    ),
    Code(
        "TF-U32",
        "{label} is the hub, which does not sync with itself.",
        "Name the connection of an app; 'twofold connection list' lists them.",
    ),
    Code(
        "TF-U33",
        "'{text}' is no valid e-mail address.",
        "Correct it; owners are paired by their addresses.",
    ),
    Code(
        "TF-U34",
        "{name} has the address {email} already.",
        "Use that owner, or another address.",
    ),
    Code(
        "TF-U40",
        "The service cannot listen on {host}, port {port}: {reason}.",
        "Name another one with --host and --port, or stop the program that has it.",
    ),
    Code(
        "TF-U50",
        "Nobody is known by {text}.",
        "Give an e-mail address, or the id of a record, as an app shows it.",
    ),
)
