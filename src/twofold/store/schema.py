"""The tables of the state, each with one meaning, as numbered migrations.

A record is named by its integer row everywhere in here; rows are never used again.
"""

from __future__ import annotations

from twofold.database.migrations import Migration
from twofold.store import (
    access,
    alerts,
    drafts,
    history,
    settings,
    sign_ins,
    spending,
    throughput,
    undo,
)

APPLICATION_ID = 0x54776F66
""""Twof", in the header of the file."""

_FIRST = """
CREATE TABLE connections (
    id INTEGER PRIMARY KEY,
    app TEXT NOT NULL,              -- connector name
    label TEXT NOT NULL UNIQUE,     -- chosen by a person
    account TEXT NOT NULL,          -- from verify(): the same account twice is refused
    settings TEXT NOT NULL,         -- JSON of what is not secret
    secrets BLOB NOT NULL,          -- AES-GCM; the key is not in this file
    UNIQUE (app, account)
);

-- One reader per connection and object type, with the union of the fields that its syncs need.
CREATE TABLE readers (
    id INTEGER PRIMARY KEY,
    connection INTEGER NOT NULL REFERENCES connections,
    object_type TEXT NOT NULL,
    fields TEXT NOT NULL,           -- JSON list
    associations TEXT NOT NULL,     -- JSON list
    cursor TEXT,                    -- stored with the page that it follows
    scanning INTEGER NOT NULL DEFAULT 1,    -- 1 a full listing is under way, 2 it ended: sweep
    complete INTEGER NOT NULL DEFAULT 0,    -- a full listing has ended at least once
    live INTEGER NOT NULL DEFAULT 0,        -- records that exist
    scanned INTEGER NOT NULL DEFAULT 0,     -- records seen by the listing under way
    moves INTEGER NOT NULL DEFAULT 0,       -- counts the times that something new was stored
    swept REAL NOT NULL DEFAULT 0,          -- when deletes were last looked for, seconds since 1970
    UNIQUE (connection, object_type)
);

-- What a side showed when it was last read. Moved by reading only.
CREATE TABLE records (
    row INTEGER PRIMARY KEY,
    reader INTEGER NOT NULL,
    id TEXT NOT NULL,
    digest INTEGER,
    version TEXT,
    shown BLOB NOT NULL,
    gone INTEGER NOT NULL DEFAULT 0,
    into_id TEXT,                   -- the record that it was merged into
    looked REAL NOT NULL DEFAULT 0, -- when it was last read past a lagging feed, seconds since 1970
    UNIQUE (reader, id)
);

-- Bitmaps of the rows that the full listing under way has shown; a block covers 8,192 rows.
CREATE TABLE scan_marks (
    reader INTEGER NOT NULL,
    block INTEGER NOT NULL,
    bits BLOB NOT NULL,
    PRIMARY KEY (reader, block)
) WITHOUT ROWID;

CREATE TABLE syncs (
    id INTEGER PRIMARY KEY,
    name TEXT NOT NULL UNIQUE,
    connection INTEGER NOT NULL REFERENCES connections,
    hub_reader INTEGER NOT NULL REFERENCES readers,
    app_reader INTEGER NOT NULL REFERENCES readers,
    config TEXT NOT NULL,           -- JSON, see twofold.store.syncs
    enabled INTEGER NOT NULL DEFAULT 0,
    indexed INTEGER NOT NULL DEFAULT 0,     -- both first readings have ended
    fence INTEGER NOT NULL DEFAULT 0,       -- who may write for this sync
    status TEXT NOT NULL DEFAULT '',        -- JSON: why it waits or stopped
    paired INTEGER NOT NULL DEFAULT 0       -- links of which both ends exist
);

-- A hub record and an app record known to be the same. An agreed value of NULL means: what that
-- side shows now. It is copied out before what the side shows moves.
CREATE TABLE links (
    sync INTEGER NOT NULL,
    hub INTEGER NOT NULL,
    app INTEGER NOT NULL,
    state INTEGER NOT NULL,
    agreed_hub BLOB,
    agreed_app BLOB,
    note BLOB,                      -- what is being sent
    flips BLOB,
    outcome TEXT,                   -- JSON; NULL = nothing to tell
    PRIMARY KEY (sync, hub)
) WITHOUT ROWID;
CREATE UNIQUE INDEX links_by_app ON links (sync, app);
CREATE INDEX links_noted ON links (sync) WHERE note IS NOT NULL;
CREATE INDEX links_unhappy ON links (sync, state) WHERE state <> 1;

-- Unlinked records that have been planned.
CREATE TABLE singles (
    sync INTEGER NOT NULL,
    side TEXT NOT NULL,
    row INTEGER NOT NULL,
    state INTEGER NOT NULL,
    outcome TEXT,
    PRIMARY KEY (sync, side, row)
) WITHOUT ROWID;
CREATE INDEX singles_by_state ON singles (sync, state);

-- The note of a create, which has no link yet.
CREATE TABLE creations (
    sync INTEGER NOT NULL,
    side TEXT NOT NULL,             -- where the record is made
    source INTEGER NOT NULL,
    ref TEXT NOT NULL,
    payload BLOB NOT NULL,          -- the very write; the same ref only with the same payload
    planned BLOB NOT NULL,          -- what the source showed
    newest INTEGER NOT NULL,        -- the highest row when it was noted
    fence INTEGER NOT NULL,
    at REAL NOT NULL,               -- when it was noted, seconds since 1970
    PRIMARY KEY (sync, side, source)
) WITHOUT ROWID;

-- Records whose pair must be planned again.
CREATE TABLE due (
    sync INTEGER NOT NULL,
    side TEXT NOT NULL,
    row INTEGER NOT NULL,
    PRIMARY KEY (sync, side, row)
) WITHOUT ROWID;
CREATE TABLE retries (
    sync INTEGER NOT NULL,
    side TEXT NOT NULL,
    row INTEGER NOT NULL,
    at REAL NOT NULL,               -- seconds since 1970
    attempts INTEGER NOT NULL,
    PRIMARY KEY (sync, side, row)
) WITHOUT ROWID;

-- 64-bit hashes of match keys. A hash only proposes; the keys themselves are compared.
CREATE TABLE match_keys (
    sync INTEGER NOT NULL,
    hash INTEGER NOT NULL,
    side TEXT NOT NULL,
    row INTEGER NOT NULL,
    PRIMARY KEY (sync, hash, side, row)
) WITHOUT ROWID;

-- Associations that wait for the link of their far end.
CREATE TABLE waits (
    sync INTEGER NOT NULL,
    reader INTEGER NOT NULL,        -- of the far end
    target TEXT NOT NULL,
    side TEXT NOT NULL,
    row INTEGER NOT NULL,
    PRIMARY KEY (sync, side, row, reader, target)
) WITHOUT ROWID;
CREATE INDEX waits_by_target ON waits (reader, target);

-- How many pairs and singles stand where; kept in the transactions that move them.
CREATE TABLE counters (
    sync INTEGER NOT NULL,
    state INTEGER NOT NULL,
    count INTEGER NOT NULL,
    PRIMARY KEY (sync, state)
) WITHOUT ROWID;

CREATE TABLE runs (
    id INTEGER PRIMARY KEY,
    sync INTEGER NOT NULL,
    started TEXT NOT NULL,
    ended TEXT,
    summary TEXT NOT NULL DEFAULT '{}'
);
"""

_REFUSALS = """
-- Pairs that a person has cut from each other: matching leaves them apart.
CREATE TABLE refusals (
    sync INTEGER NOT NULL,
    hub INTEGER NOT NULL,
    app INTEGER NOT NULL,
    PRIMARY KEY (sync, hub, app)
) WITHOUT ROWID;
CREATE INDEX refusals_by_app ON refusals (sync, app);
"""

_FORESEEN = """
-- What matching all records at once came to, for the records of which that is simple: their twin,
-- or NULL where they are alone. A row is dropped when it is used, and when a key near it moves.
CREATE TABLE foreseen (
    sync INTEGER NOT NULL,
    side TEXT NOT NULL,
    row INTEGER NOT NULL,
    twin INTEGER,
    PRIMARY KEY (sync, side, row)
) WITHOUT ROWID;
"""

_SCHEDULE = """
-- When each sync is due, and who runs it. Times are seconds since 1970.
CREATE TABLE schedule (
    sync INTEGER PRIMARY KEY,
    poll REAL NOT NULL DEFAULT 0,           -- when both sides are read next
    interval REAL NOT NULL DEFAULT 0,       -- seconds between the last poll and that one
    held REAL NOT NULL DEFAULT 0,           -- nothing runs before, unless a person asks
    attempts INTEGER NOT NULL DEFAULT 0,    -- runs in vain since the last that got through
    nudge INTEGER NOT NULL DEFAULT 0,       -- 1 the hub changed, 2 a person asks
    asked TEXT NOT NULL DEFAULT '{}',       -- JSON: how the person wants it
    holder TEXT NOT NULL DEFAULT '',        -- the worker that runs it
    lease REAL NOT NULL DEFAULT 0,          -- until when it does without a word
    began REAL NOT NULL DEFAULT 0,          -- when it last had its turn
    progress TEXT NOT NULL DEFAULT ''       -- JSON: how far the run under way has come
);
CREATE TABLE worker (at REAL NOT NULL);     -- when it last gave a sign of life
INSERT INTO worker VALUES (0);
-- Seconds between two polls, unless somebody is at work.
ALTER TABLE connections ADD COLUMN poll REAL NOT NULL DEFAULT 300;
CREATE INDEX retries_by_time ON retries (sync, at);
"""

_LIMITS = """
-- Records that a person excluded, with the reason, or paused until a moment.
CREATE TABLE exclusions (
    sync INTEGER NOT NULL,
    side TEXT NOT NULL,
    row INTEGER NOT NULL,
    reason TEXT NOT NULL,
    until REAL,                     -- seconds since 1970; NULL = until a person says so
    PRIMARY KEY (sync, side, row)
) WITHOUT ROWID;

-- Records that were there before a sync 'from now on' began, and did not change since.
CREATE TABLE earlier (
    sync INTEGER NOT NULL,
    side TEXT NOT NULL,
    row INTEGER NOT NULL,
    PRIMARY KEY (sync, side, row)
) WITHOUT ROWID;

-- Records that met their limit when they were last worked on; kept where a record that leaves does
-- more than stop.
CREATE TABLE entered (
    sync INTEGER NOT NULL,
    side TEXT NOT NULL,
    row INTEGER NOT NULL,
    PRIMARY KEY (sync, side, row)
) WITHOUT ROWID;

-- When a record may leave or come back although nothing changes but the time.
CREATE TABLE revisits (
    sync INTEGER NOT NULL,
    side TEXT NOT NULL,
    row INTEGER NOT NULL,
    at REAL NOT NULL,               -- seconds since 1970
    PRIMARY KEY (sync, side, row)
) WITHOUT ROWID;
CREATE INDEX revisits_by_time ON revisits (sync, at);
"""

_REMOVALS = """
-- Twins of deleted records that are to go. It is gone when the deleted record is back.
CREATE TABLE removals (
    sync INTEGER NOT NULL,
    hub INTEGER NOT NULL,           -- the link
    side TEXT NOT NULL,             -- where the twin is
    op TEXT NOT NULL,
    phase INTEGER NOT NULL,         -- see twofold.store.removals
    shown BLOB NOT NULL,            -- the twin as it was when this was asked or decided
    at REAL NOT NULL,               -- when it was asked or decided, seconds since 1970
    who TEXT NOT NULL DEFAULT '',   -- decided
    PRIMARY KEY (sync, hub)
) WITHOUT ROWID;
CREATE INDEX records_merged ON records (row) WHERE into_id IS NOT NULL;
CREATE INDEX removals_open ON removals (sync, phase) WHERE phase < 4;
"""

_OVERRIDES = """
-- What a person allowed in spite of a brake: kept for ever, in force until a run comes to rest.
CREATE TABLE overrides (
    id INTEGER PRIMARY KEY,
    sync INTEGER NOT NULL,
    brake TEXT NOT NULL,
    number INTEGER NOT NULL,        -- what the brake had counted: it holds up to this
    sentence TEXT NOT NULL,         -- what the person was told
    at REAL NOT NULL,               -- seconds since 1970
    who TEXT NOT NULL,
    used REAL                       -- when a run under it came to rest
);
CREATE INDEX overrides_open ON overrides (sync) WHERE used IS NULL;
-- Whether a run of the sync has ever come to rest: only then is much of anything unexpected.
ALTER TABLE syncs ADD COLUMN settled INTEGER NOT NULL DEFAULT 0;
-- When the sync's object types were last compared with what the apps declare.
ALTER TABLE syncs ADD COLUMN described REAL NOT NULL DEFAULT 0;
"""

_VERIFICATIONS = """
-- How far the rolling comparison of all linked pairs has come. Times are seconds since 1970.
CREATE TABLE verifications (
    sync INTEGER PRIMARY KEY,
    position INTEGER NOT NULL DEFAULT 0,    -- the hub row of the last pair that was compared
    advanced REAL NOT NULL,                 -- when it last went on
    began REAL NOT NULL,                    -- when the round under way began
    ended REAL,                             -- when a round last ended
    checked INTEGER NOT NULL DEFAULT 0,     -- pairs compared, ever
    drift INTEGER NOT NULL DEFAULT 0        -- pairs of which something had been missed, ever
);
"""

_LIFTED = "ALTER TABLE refusals ADD COLUMN lifted INTEGER NOT NULL DEFAULT 0"
"""A person allowed the pair again: it may be matched, and what was cut is remembered."""

_REMADE = """
-- Records that lost their link and may get another twin, and how often: a create of theirs must
-- not look like a repetition of the one before.
CREATE TABLE remade (
    sync INTEGER NOT NULL,
    side TEXT NOT NULL,
    row INTEGER NOT NULL,
    times INTEGER NOT NULL,
    PRIMARY KEY (sync, side, row)
) WITHOUT ROWID;
"""

_ADDRESSES = """
-- Addresses within the own network that an administrator allowed to be reached.
CREATE TABLE allowed_addresses (address TEXT PRIMARY KEY) WITHOUT ROWID;
"""

MIGRATIONS = (
    Migration(1, "the first tables", _FIRST),
    Migration(2, "pairs that a person cut apart", _REFUSALS),
    Migration(3, "matches seen ahead", _FORESEEN),
    Migration(4, "the schedule", _SCHEDULE),
    Migration(5, "what limits depend on", _LIMITS),
    Migration(6, "deletes that travel", _REMOVALS),
    Migration(7, "brakes that a person overrides", _OVERRIDES),
    access.migration(8),
    Migration(9, "verification", _VERIFICATIONS),
    Migration(10, "cuts that were taken back", _LIFTED),
    Migration(11, "records that get another twin", _REMADE),
    Migration(12, "addresses that are allowed", _ADDRESSES),
    Migration(13, "the history of records, charts", history.TABLES + throughput.TABLES),
    Migration(14, "settings", settings.TABLES),
    Migration(15, "what is to be put back", undo.TABLES),
    Migration(16, "sign-ins under way", sign_ins.TABLES),
    Migration(17, "drafts of syncs", drafts.TABLES),
    Migration(18, "what connections send", spending.TABLES),
    Migration(19, "alerts", alerts.TABLES),
)
