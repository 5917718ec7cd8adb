"""Who may do what: users, sessions, tokens, links, failed sign-ins, and what was changed by whom.

No password, token or link is stored, only what can be compared with one.
"""

from __future__ import annotations

from collections.abc import Sequence

from msgspec import Struct

from twofold.database.migrations import Migration
from twofold.database.sqlite import Database

_TABLES = """
-- Times are seconds since 1970.
CREATE TABLE users (
    id INTEGER PRIMARY KEY,
    name TEXT NOT NULL UNIQUE COLLATE NOCASE,
    password TEXT NOT NULL,         -- argon2
    role TEXT NOT NULL,
    active INTEGER NOT NULL DEFAULT 1,
    created REAL NOT NULL
);
CREATE TABLE sessions (
    hash BLOB PRIMARY KEY,          -- SHA-256 of the cookie
    user INTEGER NOT NULL REFERENCES users,
    expires REAL NOT NULL
) WITHOUT ROWID;
CREATE TABLE tokens (
    id INTEGER PRIMARY KEY,
    name TEXT NOT NULL UNIQUE,
    hash BLOB NOT NULL UNIQUE,      -- SHA-256 of the token
    role TEXT NOT NULL,
    user INTEGER NOT NULL REFERENCES users,
    created REAL NOT NULL,
    used REAL NOT NULL DEFAULT 0,   -- the day on which it was last used
    expires REAL                    -- NULL: never
);
CREATE TABLE invitations (
    hash BLOB PRIMARY KEY,          -- SHA-256 of the link's secret
    user TEXT NOT NULL,             -- whose password it sets; empty: a new user chooses
    role TEXT NOT NULL,
    expires REAL NOT NULL
) WITHOUT ROWID;
CREATE TABLE failed_sign_ins (
    key TEXT PRIMARY KEY,           -- of a name, or of an address
    count INTEGER NOT NULL,
    until REAL NOT NULL             -- no further one counts before
) WITHOUT ROWID;
CREATE TABLE audit (
    id INTEGER PRIMARY KEY,
    at TEXT NOT NULL,
    who TEXT NOT NULL,
    what TEXT NOT NULL,
    target TEXT NOT NULL,
    detail TEXT NOT NULL            -- names of what was changed, never a secret
);
-- Answers to requests with an idempotency key, for a day.
CREATE TABLE answers (
    caller BLOB NOT NULL,
    key TEXT NOT NULL,
    request BLOB NOT NULL,          -- SHA-256 of method, path and body
    status INTEGER,                 -- NULL: still being worked on
    body BLOB,
    at REAL NOT NULL,
    PRIMARY KEY (caller, key)
) WITHOUT ROWID;
"""


def migration(number: int) -> Migration:
    """The tables of this module, as that number of the state's migrations."""
    return Migration(number, "users, sessions, tokens and the audit log", _TABLES)


class User(Struct, frozen=True):
    """A person who may sign in."""

    id: int
    name: str
    password: str
    role: str
    active: bool
    created: float


class Token(Struct, frozen=True):
    """A program's way in."""

    id: int
    name: str
    role: str
    user: str
    created: float
    used: float
    expires: float | None


class Change(Struct, frozen=True):
    """One line of the audit log."""

    id: int
    at: str
    who: str
    what: str
    target: str
    detail: str


class Answer(Struct, frozen=True):
    """What a request with an idempotency key was answered."""

    request: bytes
    status: int | None
    body: bytes


_USER = "id, name, password, role, active, created"


class Access:
    """All that decides about who may do what."""

    def __init__(self, database: Database) -> None:
        self._database = database
        self._connection = database.connection

    # --- users ------------------------------------------------------------------------------

    def users(self) -> list[User]:
        """All users by name."""
        found = self._connection.execute(f"SELECT {_USER} FROM users ORDER BY name")
        return [_user(row) for row in found]

    def user(self, name: str) -> User | None:
        """A user by name; case does not count."""
        row = self._connection.execute(
            f"SELECT {_USER} FROM users WHERE name = ?", (name,)
        ).fetchone()
        return None if row is None else _user(row)

    def add_user(self, name: str, password: str, role: str, now: float) -> None:
        """Store a user whose name is free."""
        with self._database.transaction() as db:
            db.execute(
                "INSERT INTO users (name, password, role, created) VALUES (?, ?, ?, ?)",
                (name, password, role, now),
            )

    def change_user(self, user: int, *, role: str, active: bool) -> None:
        """Give a user another role, or take the sign-in away, with all that it opened."""
        with self._database.transaction() as db:
            db.execute("UPDATE users SET role = ?, active = ? WHERE id = ?", (role, active, user))
            if not active:
                db.execute("DELETE FROM sessions WHERE user = ?", (user,))

    def set_password(self, user: int, password: str) -> None:
        """Set a password and end all sessions."""
        with self._database.transaction() as db:
            db.execute("UPDATE users SET password = ? WHERE id = ?", (password, user))
            db.execute("DELETE FROM sessions WHERE user = ?", (user,))

    # --- links ------------------------------------------------------------------------------

    def invite(self, secret: bytes, user: str, role: str, expires: float) -> None:
        """Store a link; older ones for the same user no longer count."""
        with self._database.transaction() as db:
            db.execute("DELETE FROM invitations WHERE user = ? AND role = ?", (user, role))
            db.execute("INSERT INTO invitations VALUES (?, ?, ?, ?)", (secret, user, role, expires))

    def invited(self, secret: bytes, now: float) -> tuple[str, str] | None:
        """The user and the role of a link that still counts."""
        found: tuple[str, str] | None = self._connection.execute(
            "SELECT user, role FROM invitations WHERE hash = ? AND expires > ?", (secret, now)
        ).fetchone()
        return found

    def use_invitation(self, secret: bytes) -> bool:
        """Use a link up; False where somebody else was faster."""
        with self._database.transaction() as db:
            return db.execute("DELETE FROM invitations WHERE hash = ?", (secret,)).rowcount == 1

    # --- sessions and tokens ----------------------------------------------------------------

    def open_session(self, secret: bytes, user: int, now: float, expires: float) -> None:
        """Store a session, and forget those that are over."""
        with self._database.transaction() as db:
            db.execute("DELETE FROM sessions WHERE expires <= ?", (now,))
            db.execute("INSERT INTO sessions VALUES (?, ?, ?)", (secret, user, expires))

    def session(self, secret: bytes, now: float) -> tuple[User, float] | None:
        """Whose session that is, and until when."""
        row = self._connection.execute(
            "SELECT u.id, name, password, role, active, created, s.expires FROM sessions s"
            " JOIN users u ON u.id = s.user WHERE s.hash = ? AND s.expires > ? AND u.active",
            (secret, now),
        ).fetchone()
        return None if row is None else (_user(row[:6]), row[6])

    def extend_session(self, secret: bytes, expires: float) -> None:
        """Let a session last longer."""
        with self._database.transaction() as db:
            db.execute("UPDATE sessions SET expires = ? WHERE hash = ?", (expires, secret))

    def close_session(self, secret: bytes) -> None:
        """End a session."""
        with self._database.transaction() as db:
            db.execute("DELETE FROM sessions WHERE hash = ?", (secret,))

    def add_token(
        self, name: str, secret: bytes, role: str, user: int, now: float, expires: float | None
    ) -> None:
        """Store a token whose name is free."""
        with self._database.transaction() as db:
            db.execute(
                "INSERT INTO tokens (name, hash, role, user, created, expires)"
                " VALUES (?, ?, ?, ?, ?, ?)",
                (name, secret, role, user, now, expires),
            )

    def token(self, secret: bytes, now: float) -> tuple[Token, User] | None:
        """A token that still counts, with its owner."""
        row = self._connection.execute(
            "SELECT t.id, t.name, t.role, u.name, t.created, t.used, t.expires, u.id, u.name,"
            " u.password, u.role, u.active, u.created FROM tokens t JOIN users u ON u.id = t.user"
            " WHERE t.hash = ? AND coalesce(t.expires > ?, 1) AND u.active",
            (secret, now),
        ).fetchone()
        return None if row is None else (Token(*row[:7]), _user(row[7:]))

    def use_token(self, token: int, day: float) -> None:
        """Note the day on which a token was last used."""
        with self._database.transaction() as db:
            db.execute("UPDATE tokens SET used = ? WHERE id = ?", (day, token))

    def tokens(self) -> list[Token]:
        """All tokens by name."""
        found = self._connection.execute(
            "SELECT t.id, t.name, t.role, u.name, t.created, t.used, t.expires FROM tokens t"
            " JOIN users u ON u.id = t.user ORDER BY t.name"
        )
        return [Token(*row) for row in found]

    def revoke_token(self, name: str) -> bool:
        """Forget a token; False where there is none."""
        with self._database.transaction() as db:
            return db.execute("DELETE FROM tokens WHERE name = ?", (name,)).rowcount == 1

    # --- failed sign-ins --------------------------------------------------------------------

    def blocked_until(self, keys: Sequence[str]) -> float:
        """Until when no sign-in with one of these keys counts."""
        found = [
            self._connection.execute(
                "SELECT until FROM failed_sign_ins WHERE key = ?", (key,)
            ).fetchone()
            for key in keys
        ]
        return max((row[0] for row in found if row), default=0.0)

    def failures(self, key: str) -> int:
        """How often a sign-in with this key failed."""
        row = self._connection.execute(
            "SELECT count FROM failed_sign_ins WHERE key = ?", (key,)
        ).fetchone()
        return 0 if row is None else int(row[0])

    def sign_in_failed(self, key: str, count: int, until: float, forget: float) -> None:
        """Note it; what was blocked until before ``forget`` is forgotten."""
        with self._database.transaction() as db:
            db.execute("DELETE FROM failed_sign_ins WHERE until < ?", (forget,))
            db.execute("REPLACE INTO failed_sign_ins VALUES (?, ?, ?)", (key, count, until))

    def signed_in(self, key: str) -> None:
        """Forget failures."""
        if self.failures(key):
            with self._database.transaction() as db:
                db.execute("DELETE FROM failed_sign_ins WHERE key = ?", (key,))

    # --- the audit log ----------------------------------------------------------------------

    def note(self, at: str, who: str, what: str, target: str, detail: str) -> None:
        """Add a line."""
        with self._database.transaction() as db:
            db.execute(
                "INSERT INTO audit (at, who, what, target, detail) VALUES (?, ?, ?, ?, ?)",
                (at, who, what, target, detail),
            )

    def changes(self, before: int, limit: int) -> list[Change]:
        """Lines, newest first, older than that one; 0 begins with the newest."""
        found = self._connection.execute(
            "SELECT id, at, who, what, target, detail FROM audit WHERE ? = 0 OR id < ?"
            " ORDER BY id DESC LIMIT ?",
            (before, before, limit),
        )
        return [Change(*row) for row in found]

    # --- repeated requests ------------------------------------------------------------------

    def begin_answer(
        self, caller: bytes, key: str, request: bytes, now: float, forget: float
    ) -> Answer | None:
        """Begin to answer a request; or what is known of an earlier one with this key."""
        with self._database.transaction() as db:
            db.execute("DELETE FROM answers WHERE at < ?", (forget,))
            row = db.execute(
                "SELECT request, status, body FROM answers WHERE caller = ? AND key = ?",
                (caller, key),
            ).fetchone()
            if row is not None:
                return Answer(row[0], row[1], row[2] or b"")
            db.execute(
                "INSERT INTO answers (caller, key, request, at) VALUES (?, ?, ?, ?)",
                (caller, key, request, now),
            )
        return None

    def end_answer(self, caller: bytes, key: str, status: int | None, body: bytes) -> None:
        """Keep an answer; a status of None: it did not come to one, and may be asked again."""
        with self._database.transaction() as db:
            if status is None:
                db.execute("DELETE FROM answers WHERE caller = ? AND key = ?", (caller, key))
            else:
                db.execute(
                    "UPDATE answers SET status = ?, body = ? WHERE caller = ? AND key = ?",
                    (status, body, caller, key),
                )


def _user(row: Sequence[object]) -> User:
    number, name, password, role, active, created = row
    assert isinstance(number, int)
    assert isinstance(created, int | float)
    return User(number, str(name), str(password), str(role), bool(active), float(created))
