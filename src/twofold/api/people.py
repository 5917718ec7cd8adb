"""Users, tokens and the audit log."""

from __future__ import annotations

from typing import Annotated

from fastapi import APIRouter, Depends, Query, Response
from msgspec import Struct

from twofold.api.answers import reply
from twofold.api.calls import Admin, Call, Operator, body
from twofold.api.once import Once
from twofold.api.schema import gives, takes
from twofold.core.errors import TwofoldError
from twofold.services import access
from twofold.services.access import Person, Program, Role
from twofold.store.access import Change

router = APIRouter(route_class=Once, tags=["access"])

Row = Annotated[int, Query(ge=0, le=2**62)]
Limit = Annotated[int, Query(ge=1, le=200)]


class People(Struct, frozen=True):
    """All users."""

    users: list[Person]


class Programs(Struct, frozen=True):
    """All tokens."""

    tokens: list[Program]


class Invitation(Struct, frozen=True):
    """A link for a new user."""

    role: Role


class Link(Struct, frozen=True):
    """The secret of a one-time link, told once; it counts for a day."""

    secret: str


class UserChange(Struct, frozen=True):
    """What to change of a user."""

    role: Role | None = None
    active: bool | None = None


class NewToken(Struct, frozen=True):
    """A token to make."""

    name: str
    role: Role = Role.VIEWER
    days: float | None = 90.0
    """None: it never expires."""


class MadeToken(Struct, frozen=True):
    """A token with its secret, told once."""

    token: Program
    secret: str


class Revoked(Struct, frozen=True):
    """A token that counts no more."""

    revoked: str


class Audit(Struct, frozen=True):
    """A part of the audit log, newest first."""

    changes: list[Change]
    next: int | None


@router.get("/users", **gives(People))
def users(call: Admin) -> Response:
    """List all users."""
    return reply(People(access.people(call.here)))


@router.post("/users", **gives(Link, 201), **takes(Invitation))
def invite(call: Admin, given: Annotated[Invitation, Depends(body(Invitation))]) -> Response:
    """Make a link with which a new user chooses a name and a password."""
    return reply(Link(access.invite(call.here, call.who, given.role)), 201)


@router.patch("/users/{name}", **gives(Person), **takes(UserChange))
def change_user(
    call: Admin, name: str, given: Annotated[UserChange, Depends(body(UserChange))]
) -> Response:
    """Give a user another role, or take away or give back the sign-in."""
    made = access.change(call.here, call.who, name, role=given.role, active=given.active)
    return reply(made)


@router.post("/users/{name}/password-link", **gives(Link, 201))
def password_link(call: Admin, name: str) -> Response:
    """Make a link with which a user chooses a new password."""
    return reply(Link(access.new_password_link(call.here, call.who, name)), 201)


@router.get("/tokens", **gives(Programs))
def tokens(call: Admin) -> Response:
    """List all tokens, without their secrets."""
    return reply(Programs(access.programs(call.here)))


@router.post("/tokens", **gives(MadeToken, 201), **takes(NewToken))
def make_token(call: Operator, given: Annotated[NewToken, Depends(body(NewToken))]) -> Response:
    """Make a token for a program, with at most one's own role. Its secret is told only now."""
    _refuse_tokens(call)
    if given.days is not None and not 0 < given.days <= 3660:
        raise TwofoldError("TF-W06", reason="days are more than 0 and at most 3660")
    token, secret = access.make_token(call.here, call.who, given.name, given.role, given.days)
    return reply(MadeToken(token, secret), 201)


@router.delete("/tokens/{name}", **gives(Revoked))
def revoke(call: Admin, name: str) -> Response:
    """Forget a token: it counts no more."""
    access.revoke_token(call.here, call.who, name)
    return reply(Revoked(name))


@router.get("/audit", **gives(Audit))
def audit(call: Admin, before: Row = 0, limit: Limit = 50) -> Response:
    """List who changed what, newest first."""
    found = access.changes(call.here, before, limit)
    return reply(Audit(found, found[-1].id if len(found) == limit else None))


def _refuse_tokens(call: Call) -> None:
    """A program makes no further programs: what leaks ends with its own token."""
    if call.who.token:
        raise TwofoldError("TF-W02", needed="a person", who=call.who.label, role="a token")
