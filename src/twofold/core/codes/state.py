"""TF-S: the state on disk."""

from __future__ import annotations

from twofold.core.codes.entry import Code

CODES = (
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
        "The stored credentials cannot be opened: the key file, or the settings that they were"
        " sealed with, changed.",
        "Put the right key back (the file, or TWOFOLD_KEY), or connect the app again.",
    ),
    Code(
        "TF-S23",
        "{source} gives no key: {reason}.",
        "Give 64 hexadecimal digits, as 'openssl rand -hex 32' makes them, or 32 bytes in base64.",
    ),
    Code(
        "TF-S40",
        "Something went wrong that Twofold did not expect: {kind}.",
        "It is tried again by itself; if it repeats, report it with the lines of the log.",
        retryable=True,
    ),
    Code(
        "TF-S41",
        "The backup {path} cannot be made: {reason}.",
        "Name a folder that does not exist yet, on a disk with room.",
    ),
    Code(
        "TF-S42",
        "{path} is not a backup: it holds no state.db.",
        "Name the folder that 'twofold backup' made.",
    ),
)
