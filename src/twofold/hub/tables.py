"""The tables of the hub inside.

A record is one row: its properties as one JSON object in ``body``, its associations as another in
``links``. The change log is the column ``sequence``: each change of a record moves it to the next
number, so a reader that has seen everything up to *n* asks for what lies above, and finds every
record once, in its newest state. Nothing ever needs to be compacted. Records that are gone keep
their row, for the log.
"""

from __future__ import annotations

import secrets
import sqlite3
from enum import IntEnum

from twofold.database.sqlite import Migration

APPLICATION_ID = 0x54774846
"""In the header of a hub's file: "TwHF"."""


class Gone(IntEnum):
    """Why a record is no longer there."""

    HERE = 0
    ARCHIVED = 1
    """Can be restored."""
    DELETED = 2
    """Its values are erased."""
    MERGED = 3
    """``survivor`` says into which record."""


_TABLES = """
CREATE TABLE hub (
    identity TEXT NOT NULL,      -- random: a position in one hub means nothing in another
    next_record INTEGER NOT NULL,
    sequence INTEGER NOT NULL    -- of the newest change
);

CREATE TABLE record (
    id INTEGER PRIMARY KEY,      -- unique across object types, never used again
    type INTEGER NOT NULL,
    sequence INTEGER NOT NULL,
    revision INTEGER NOT NULL,
    modified INTEGER NOT NULL,   -- microseconds since 1970, UTC
    gone INTEGER NOT NULL,
    survivor INTEGER,
    body BLOB NOT NULL,
    links BLOB                   -- NULL: none
);
CREATE INDEX record_listing ON record (type) WHERE gone = 0;
CREATE UNIQUE INDEX record_log ON record (type, sequence);
CREATE INDEX record_merged ON record (survivor) WHERE survivor IS NOT NULL;

-- Records by the values of their key fields. A hash finds, the record itself confirms.
CREATE TABLE match_key (
    hash INTEGER NOT NULL,
    record INTEGER NOT NULL,
    PRIMARY KEY (hash, record)
) WITHOUT ROWID;

-- The associations again, from their far end.
CREATE TABLE association (
    target INTEGER NOT NULL,
    type INTEGER NOT NULL,       -- of the source
    name TEXT NOT NULL,
    source INTEGER NOT NULL,
    PRIMARY KEY (target, type, name, source)
) WITHOUT ROWID;

-- What each create was called by its sender: a repeated one finds the record already made.
CREATE TABLE creation (
    ref TEXT PRIMARY KEY,
    record INTEGER NOT NULL
) WITHOUT ROWID;

CREATE TABLE owner (
    id INTEGER PRIMARY KEY,
    email TEXT NOT NULL,
    name TEXT NOT NULL,
    active INTEGER NOT NULL DEFAULT 1
);
"""

_API = """
-- Programs that may use the API. Times are seconds since 1970.
CREATE TABLE api_token (
    name TEXT PRIMARY KEY,
    hash BLOB NOT NULL UNIQUE,   -- SHA-256 of the token
    scopes BLOB NOT NULL,        -- JSON
    created REAL NOT NULL,
    expires REAL                 -- NULL: never
) WITHOUT ROWID;

-- The numbers by which the API names labels of associations.
CREATE TABLE api_label (
    id INTEGER PRIMARY KEY,
    source INTEGER NOT NULL,     -- the type that keeps the association
    name TEXT NOT NULL,
    label TEXT NOT NULL,
    UNIQUE (source, name, label)
);
"""


_OAUTH = """
-- Programs that ask people for access by OAuth. Times are seconds since 1970.
CREATE TABLE api_client (
    id TEXT PRIMARY KEY,
    name TEXT NOT NULL UNIQUE,
    hash BLOB NOT NULL,          -- SHA-256 of its secret
    redirects BLOB NOT NULL,     -- JSON
    created REAL NOT NULL
) WITHOUT ROWID;

-- Codes that a person allowed and no program has exchanged yet.
CREATE TABLE api_code (
    hash BLOB PRIMARY KEY,       -- SHA-256 of the code
    client TEXT NOT NULL,
    redirect TEXT NOT NULL,
    challenge TEXT NOT NULL,     -- empty: none was given
    scopes BLOB NOT NULL,        -- JSON
    expires REAL NOT NULL
) WITHOUT ROWID;

CREATE TABLE api_refresh (
    hash BLOB PRIMARY KEY,       -- SHA-256 of the refresh token
    client TEXT NOT NULL,
    scopes BLOB NOT NULL,        -- JSON
    created REAL NOT NULL
) WITHOUT ROWID;
"""


def new_identity() -> str:
    """A name that no other hub has."""
    return secrets.token_hex(8)


def _christen(connection: sqlite3.Connection) -> None:
    connection.execute("INSERT INTO hub VALUES (?, 1, 0)", (new_identity(),))


MIGRATIONS = (
    Migration(1, "records, keys, associations and owners", _TABLES),
    Migration(2, "an identity", _christen),
    Migration(3, "tokens and labels of the API", _API),
    Migration(4, "sign-in of programs by OAuth", _OAUTH),
)
