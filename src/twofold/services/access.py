"""Sign in, roles, tokens, one-time links, and the audit log (Z2).

The first start makes a link; who opens it chooses a name and a password and is the administrator.
"""

from __future__ import annotations

import hashlib
import secrets
import threading
from enum import StrEnum

from argon2 import PasswordHasher
from argon2.exceptions import InvalidHashError, VerificationError
from msgspec import Struct

from twofold.core.errors import TwofoldError
from twofold.services.installation import Installation
from twofold.store.access import Change, Token, User

SHORTEST, LONGEST = 10, 1000
"""Characters of a password (NIST SP 800-63B asks for at least 8, and for room)."""
SESSION = 12 * 3600.0
"""Seconds that a session lasts after its last use."""
LINK = 24 * 3600.0
_FREE_TRIES = 5
_LONGEST_BLOCK = 900.0
_DAY = 86_400.0
_HASHER = PasswordHasher()
"""The library's defaults: argon2id as RFC 9106, section 4, recommends for little memory."""
_HASHING = threading.Semaphore(2)
"""64 MB and much of a core each: more at a time would let strangers exhaust the machine."""
_NOBODY = _HASHER.hash("a password that nobody has, to take as long as for somebody")


class Role(StrEnum):
    """What a person or a program may do; each may do all that those before it may."""

    VIEWER = "viewer"
    """See everything but secrets and users."""
    OPERATOR = "operator"
    """Also run, retry, turn on and off, and edit records of the hub."""
    EDITOR = "editor"
    """Also connect, and make, change and delete syncs."""
    ADMIN = "admin"
    """Also users, tokens and the audit log."""

    def covers(self, other: Role) -> bool:
        """Whether this role may do what the other one may."""
        order = list(Role)
        return order.index(self) >= order.index(other)


class Who(Struct, frozen=True):
    """Who asks."""

    name: str
    role: Role
    token: str = ""
    """The name of the token that was used, if one was."""

    @property
    def label(self) -> str:
        """For the audit log."""
        return f"{self.name} by {self.token}" if self.token else self.name


class Person(Struct, frozen=True):
    """A user as others may see it."""

    name: str
    role: Role
    active: bool


class Program(Struct, frozen=True):
    """A token as others may see it; its secret is told once, when it is made."""

    name: str
    role: Role
    user: str
    created: float
    used: float
    """The day of its last use, seconds since 1970; 0 = never."""
    expires: float | None


# --- the first link, and further ones -----------------------------------------------------


def first_link(here: Installation) -> str | None:
    """The secret of a link that makes the administrator; None where there is one."""
    if any(user.active and user.role == Role.ADMIN for user in here.state.access.users()):
        return None
    return _link(here, "", Role.ADMIN)


def invite(here: Installation, who: Who, role: Role) -> str:
    """The secret of a link for a new user."""
    note(here, who, "user invited", "", role.value)
    return _link(here, "", role)


def new_password_link(here: Installation, who: Who, name: str) -> str:
    """The secret of a link with which a user chooses a new password."""
    user = _known(here, name)
    note(here, who, "password link made", user.name, "")
    return _link(here, user.name, Role(user.role))


def accept(here: Installation, secret: str, name: str, password: str) -> Who:
    """Use a link: make the user that it invites, or set that user's password.

    Raises:
        TwofoldError: TF-W05, the link does not count; TF-W06, TF-W10, TF-W11: choose again.
    """
    found = here.state.access.invited(_hash(secret), _now(here))
    if found is None:
        raise TwofoldError("TF-W05")
    known, role = found
    hashed = _hashed(password)
    name = known or _name(name)
    if not known and here.state.access.user(name) is not None:
        raise TwofoldError("TF-W11", name=name)
    if not here.state.access.use_invitation(_hash(secret)):
        raise TwofoldError("TF-W05")
    user = here.state.access.user(name)
    if user is None:
        here.state.access.add_user(name, hashed, role, _now(here))
    else:
        here.state.access.set_password(user.id, hashed)
    made = _who(_known(here, name))
    note(here, made, "password set" if known else "user made", name, role)
    return made


# --- signing in ---------------------------------------------------------------------------


def sign_in(here: Installation, name: str, password: str, address: str) -> tuple[Who, str]:
    """Open a session; returns who it is and the session's secret.

    Raises:
        TwofoldError: TF-W03, too many failed; TF-W04, name or password is wrong.
    """
    keys = (f"name {name.casefold()[:200]}", f"address {address}")
    access, now = here.state.access, _now(here)
    blocked = access.blocked_until(keys)
    if blocked > now:
        raise TwofoldError("TF-W03", seconds=int(min(blocked - now, _LONGEST_BLOCK)) + 1)
    user = access.user(name)
    right = _verified(_NOBODY if user is None else user.password, password)
    if user is None or not right or not user.active:
        for key in keys:
            count = access.failures(key) + 1
            wait = min(2.0 ** min(count - _FREE_TRIES, 20), _LONGEST_BLOCK)
            until = now + wait if count >= _FREE_TRIES else now
            access.sign_in_failed(key, count, until, now - _DAY)
        raise TwofoldError("TF-W04")
    for key in keys:
        access.signed_in(key)
    if _HASHER.check_needs_rehash(user.password):
        access.set_password(user.id, _hashed(password))
    return _who(user), opened(here, user.name)


def opened(here: Installation, name: str) -> str:
    """The secret of a new session of a user who is known to be there."""
    secret = secrets.token_urlsafe(32)
    now = _now(here)
    here.state.access.open_session(_hash(secret), _known(here, name).id, now, now + SESSION)
    return secret


def by_session(here: Installation, secret: str) -> Who | None:
    """Whose session that is, if it still lasts."""
    now = _now(here)
    found = here.state.access.session(_hash(secret), now)
    if found is None:
        return None
    user, expires = found
    if expires - now < SESSION / 2:
        here.state.access.extend_session(_hash(secret), now + SESSION)
    return _who(user)


def by_token(here: Installation, secret: str) -> Who | None:
    """Whose token that is, with the role of whoever of token and owner may do less."""
    found = here.state.access.token(_hash(secret), _now(here))
    if found is None:
        return None
    token, user = found
    day = _now(here) // _DAY * _DAY
    if token.used != day:
        here.state.access.use_token(token.id, day)
    owner, own = Role(user.role), Role(token.role)
    return Who(user.name, own if owner.covers(own) else owner, token.name)


def sign_out(here: Installation, secret: str) -> None:
    """End a session."""
    here.state.access.close_session(_hash(secret))


def change_password(here: Installation, who: Who, old: str, new: str, address: str) -> str:
    """Set one's own password, which ends all sessions; returns the secret of a new one.

    Raises:
        TwofoldError: TF-W03, TF-W04, the old password is wrong; TF-W10, choose another new one.
    """
    sign_in(here, who.name, old, address)
    here.state.access.set_password(_known(here, who.name).id, _hashed(new))
    note(here, who, "password set", who.name, "")
    return opened(here, who.name)


# --- users and tokens ---------------------------------------------------------------------


def people(here: Installation) -> list[Person]:
    """All users."""
    return [_person(user) for user in here.state.access.users()]


def change(
    here: Installation, who: Who, name: str, *, role: Role | None = None, active: bool | None = None
) -> Person:
    """Give a user another role, or take away or give back the sign-in.

    Raises:
        TwofoldError: TF-W15, there is none; TF-W16, nobody could administer any more.
    """
    user = _known(here, name)
    new = Role(user.role) if role is None else role
    stays = user.active if active is None else active
    others = [u for u in here.state.access.users() if u.active and u.role == Role.ADMIN]
    if (not stays or new is not Role.ADMIN) and [u.name for u in others] == [user.name]:
        raise TwofoldError("TF-W16", name=user.name)
    here.state.access.change_user(user.id, role=new.value, active=stays)
    note(here, who, "user changed", user.name, f"{new.value}, {'on' if stays else 'off'}")
    return _person(_known(here, name))


def programs(here: Installation) -> list[Program]:
    """All tokens."""
    return [_program(token) for token in here.state.access.tokens()]


def make_token(
    here: Installation, who: Who, name: str, role: Role, days: float | None
) -> tuple[Program, str]:
    """Make a token with at most one's own role; returns its secret, which is told only now."""
    name = _name(name)
    if any(token.name == name for token in here.state.access.tokens()):
        raise TwofoldError("TF-W11", name=name)
    if not who.role.covers(role):
        raise TwofoldError("TF-W02", needed=role.value, who=who.name, role=who.role.value)
    secret = f"tf_{secrets.token_urlsafe(32)}"
    now = _now(here)
    expires = None if days is None else now + days * _DAY
    user = _known(here, who.name)
    here.state.access.add_token(name, _hash(secret), role.value, user.id, now, expires)
    note(here, who, "token made", name, role.value)
    made = next(token for token in here.state.access.tokens() if token.name == name)
    return _program(made), secret


def revoke_token(here: Installation, who: Who, name: str) -> None:
    """Forget a token.

    Raises:
        TwofoldError: TF-W15, there is none of that name.
    """
    if not here.state.access.revoke_token(name):
        raise TwofoldError("TF-W15", kind="token", name=name)
    note(here, who, "token revoked", name, "")


# --- the audit log ------------------------------------------------------------------------


def note(here: Installation, who: Who, what: str, target: str, detail: str) -> None:
    """Write down a change of configuration; ``detail`` never holds a secret."""
    at = here.world.now().isoformat(timespec="seconds")
    here.state.access.note(at, who.label, what, target, detail[:1000])


def changes(here: Installation, before: int, limit: int) -> list[Change]:
    """The audit log, newest first."""
    return here.state.access.changes(before, limit)


def _link(here: Installation, user: str, role: Role) -> str:
    secret = secrets.token_urlsafe(24)
    here.state.access.invite(_hash(secret), user, role.value, _now(here) + LINK)
    return secret


def _hashed(password: str) -> str:
    if not SHORTEST <= len(password) <= LONGEST:
        raise TwofoldError("TF-W10", least=SHORTEST, most=LONGEST)
    with _HASHING:
        return _HASHER.hash(password.encode("utf-8", "surrogatepass"))


def _verified(hashed: str, password: str) -> bool:
    if len(password) > LONGEST:
        return False
    with _HASHING:
        try:
            return _HASHER.verify(hashed, password.encode("utf-8", "surrogatepass"))
        except (VerificationError, InvalidHashError):
            return False


def _name(text: str) -> str:
    name = text.strip()
    if not name or len(name) > 100 or not name.isprintable():
        raise TwofoldError("TF-W06", reason="a name has 1 to 100 printable characters")
    return name


def _known(here: Installation, name: str) -> User:
    user = here.state.access.user(name)
    if user is None:
        raise TwofoldError("TF-W15", kind="user", name=name)
    return user


def _who(user: User) -> Who:
    return Who(user.name, Role(user.role))


def _person(user: User) -> Person:
    return Person(user.name, Role(user.role), user.active)


def _program(token: Token) -> Program:
    return Program(
        token.name, Role(token.role), token.user, token.created, token.used, token.expires
    )


def _hash(secret: str) -> bytes:
    return hashlib.sha256(secret.encode("utf-8", "surrogatepass")).digest()


def _now(here: Installation) -> float:
    return here.world.now().timestamp()
