"""Sign in and out, use a one-time link, and say who one is."""

from __future__ import annotations

from typing import Annotated

from fastapi import APIRouter, Depends, Request, Response
from msgspec import Struct

from twofold.api.answers import reply
from twofold.api.calls import COOKIE, Stranger, Viewer, address_of, body, cookie_path
from twofold.api.once import Once
from twofold.api.schema import gives, takes
from twofold.services import access
from twofold.services.access import SESSION, Role, Who

router = APIRouter(route_class=Once, tags=["sign-in"])


class Credentials(Struct, frozen=True):
    """A person signs in."""

    name: str
    password: str


class Acceptance(Struct, frozen=True):
    """A person uses a link; ``name`` counts only where the link is for a new user."""

    secret: str
    password: str
    name: str = ""


class Me(Struct, frozen=True):
    """Who asks."""

    name: str
    role: Role
    token: str = ""


@router.post("/session", **gives(Me), **takes(Credentials))
def sign_in(
    request: Request, here: Stranger, given: Annotated[Credentials, Depends(body(Credentials))]
) -> Response:
    """Sign in with name and password; the answer sets a cookie."""
    who, secret = access.sign_in(here, given.name, given.password, address_of(request))
    return _with_cookie(request, who, secret)


@router.post("/accept", **gives(Me), **takes(Acceptance))
def accept(
    request: Request, here: Stranger, given: Annotated[Acceptance, Depends(body(Acceptance))]
) -> Response:
    """Use a one-time link: choose a name and a password, and be signed in."""
    who = access.accept(here, given.secret, given.name, given.password)
    return _with_cookie(request, who, access.opened(here, who.name))


@router.get("/session", **gives(Me))
def session(call: Viewer) -> Response:
    """Say who sends the request."""
    return reply(_me(call.who))


@router.delete("/session", **gives(Me))
def sign_out(request: Request, call: Viewer) -> Response:
    """End the session."""
    access.sign_out(call.here, request.cookies.get(COOKIE, ""))
    answer = reply(_me(call.who))
    answer.delete_cookie(COOKIE, path=cookie_path(request))
    return answer


def _me(who: Who) -> Me:
    return Me(who.name, who.role, who.token)


def _with_cookie(request: Request, who: Who, secret: str) -> Response:
    answer = reply(_me(who))
    answer.set_cookie(
        COOKIE,
        secret,
        max_age=int(SESSION),
        httponly=True,
        samesite="strict",
        secure=request.url.scheme == "https",
        path=cookie_path(request),
    )
    return answer
