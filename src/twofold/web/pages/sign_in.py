"""Sign in and out, and the page behind a one-time link."""

from __future__ import annotations

from fastapi import APIRouter, Request, Response

from twofold.api.answers import status_of
from twofold.api.calls import COOKIE, Stranger, address_of, cookie_path
from twofold.core.errors import TwofoldError
from twofold.services import access
from twofold.web.area import Area
from twofold.web.forms import Form, Given
from twofold.web.view import Anybody, Page

router = APIRouter(route_class=Page)
AREA = Area("sign_in", router)


@router.get("/sign-in")
def ask(screen: Anybody, next: str = "") -> Response:  # noqa: A002
    """Ask for name and password."""
    return screen.page("sign_in/sign_in.html", form=Form({"next": [next]}))


@router.post("/sign-in")
def sign_in(screen: Anybody, request: Request, here: Stranger, form: Given) -> Response:
    """Open a session, and go where the reader wanted to."""
    try:
        name, password = form.text("name"), form.text("password")
        _, secret = access.sign_in(here, name, password, address_of(request))
    except TwofoldError as error:
        form.problem = error
        return screen.page("sign_in/sign_in.html", status_of(error), form=form)
    return screen.signed_in(screen.lead(screen.inside(form.text("next"))), secret)


@router.post("/sign-out")
def sign_out(screen: Anybody, request: Request, here: Stranger) -> Response:
    """End the session."""
    access.sign_out(here, request.cookies.get(COOKIE, ""))
    answer = screen.go("/sign-in", said=screen.say("You are signed out."))
    answer.delete_cookie(COOKIE, path=cookie_path(request))
    return answer


@router.get("/accept")
def welcome(screen: Anybody) -> Response:
    """Ask for a name and a password; the link's secret stays in the browser until they are sent."""
    return screen.page("sign_in/accept.html", form=Form(), shortest=access.SHORTEST)


@router.post("/accept")
def accept(screen: Anybody, here: Stranger, form: Given) -> Response:
    """Use the link, and be signed in."""
    try:
        who = access.accept(here, form.text("secret"), form.text("name"), form.text("password"))
    except TwofoldError as error:
        form.problem = error
        status = status_of(error)
        return screen.page("sign_in/accept.html", status, form=form, shortest=access.SHORTEST)
    return screen.signed_in(screen.go("/"), access.opened(here, who.name))
