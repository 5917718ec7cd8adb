"""Sign-in by OAuth, both ways: programs that ask for our hub, and apps that send people back."""

from __future__ import annotations

from collections.abc import Mapping
from urllib.parse import urlsplit

from fastapi import APIRouter, Request, Response
from fastapi.responses import RedirectResponse

from twofold.core.errors import TwofoldError
from twofold.services import hub_clients, signing_in
from twofold.services.hub_clients import Asked
from twofold.web.area import Area
from twofold.web.forms import Form, Given
from twofold.web.rendering import POLICY
from twofold.web.view import Administering, Editing, Page

router = APIRouter(route_class=Page)
AREA = Area("oauth", router)

_KEPT = (
    *("client_id", "redirect_uri", "scope", "optional_scope", "state"),
    *("code_challenge", "code_challenge_method"),
)
"""What a program's question says; all of it goes with the answer."""


@router.get("/oauth/authorize")
def ask(view: Administering, request: Request) -> Response:
    """Ask whether a program may use the hub."""
    given = _known(request.query_params)
    asked = hub_clients.asked(view.here, given)
    answer = view.page("oauth/authorize.html", asked=asked, given=given, form=Form())
    # The answer to this form leads to the program.
    parts = urlsplit(asked.redirect)
    origin = f"{parts.scheme}://{parts.netloc}"
    policy = POLICY.replace("form-action 'self'", f"form-action 'self' {origin}")
    answer.headers["Content-Security-Policy"] = policy
    return answer


@router.post("/oauth/authorize")
def allow(view: Administering, form: Given) -> Response:
    """Allow it, or not, and lead back to the program."""
    given = _known({name: form.text(name) for name in _KEPT})
    asked: Asked = hub_clients.asked(view.here, given)
    if not form.flag("allow"):
        return RedirectResponse(hub_clients.refuse(asked), 303)
    view.note("hub client allowed", asked.client.name, " ".join(asked.scopes))
    return RedirectResponse(hub_clients.allow(view.here, asked), 303)


@router.get(signing_in.CALLBACK)
def come_back(view: Editing, state: str = "", code: str = "") -> Response:
    """Connect the account that a person has just signed in to at an app."""
    if not state:
        raise TwofoldError("TF-A50")
    made = view.work(signing_in.finish(view.here, state, code))
    view.note("connected", made.label, made.app)
    return view.go("/", said=view.say("%(label)s is connected.", label=made.label))


def _known(given: Mapping[str, str]) -> dict[str, str]:
    return {name: given[name] for name in _KEPT if given.get(name)}
