"""One's own account: language, time zone, theme, and password."""

from __future__ import annotations

from fastapi import APIRouter, Request, Response

from twofold.api.answers import status_of
from twofold.api.calls import address_of, cookie_path
from twofold.core.errors import TwofoldError
from twofold.services import access
from twofold.web.area import Area, Entry, later
from twofold.web.forms import Form, Given
from twofold.web.language import LANGUAGES, translations
from twofold.web.reader import LANGUAGE, THEME, ZONE, Theme, zones
from twofold.web.view import Page, View, Viewing
from twofold.web.wording import Wording

router = APIRouter(route_class=Page)
AREA = Area("account", router, (Entry(later("Account"), "/account", 50, in_account=True),))

_KEPT = 365 * 86_400
"""Seconds that a browser keeps the choices."""


@router.get("/account")
def show(view: Viewing) -> Response:
    """Show what can be chosen."""
    return _page(view, Form())


@router.post("/account/look")
def choose(view: Viewing, request: Request, form: Given) -> Response:
    """Keep language, time zone and theme in this browser; what is empty follows the device."""
    language = form.text(LANGUAGE)
    chosen = translations(language if language in LANGUAGES else view.reader.language)
    words = Wording(view.reader, chosen)
    answer = view.go("/account", said=words.say("Your choice is kept in this browser."))
    for name, known in ((LANGUAGE, LANGUAGES), (ZONE, zones()), (THEME, set(Theme))):
        value = form.text(name)
        if value in known:
            answer.set_cookie(
                name,
                value,
                max_age=_KEPT,
                samesite="lax",
                secure=request.url.scheme == "https",
                path=cookie_path(request),
            )
        else:
            answer.delete_cookie(name, path=cookie_path(request))
    return answer


@router.post("/account/password")
def set_password(view: Viewing, request: Request, form: Given) -> Response:
    """Set one's own password; all other sessions end."""
    old, new = form.text("old"), form.text("new")
    try:
        secret = access.change_password(view.here, view.me, old, new, address_of(request))
    except TwofoldError as error:
        form.problem = error
        return _page(view, form, status_of(error))
    said = view.say("Your password is changed; you are signed out everywhere else.")
    return view.signed_in(view.go("/account", said=said), secret)


def _page(view: View, form: Form, status: int = 200) -> Response:
    chosen = view.request.cookies
    named = sorted(zone for zone in zones() if "/" in zone and not zone.startswith("Etc/"))
    device = ("", view.say("As the device"))
    context = {
        "form": form,
        "zone_options": [device, *((zone, zone.replace("_", " ")) for zone in named)],
        "language": chosen.get(LANGUAGE, ""),
        "zone": chosen.get(ZONE, ""),
        "shortest": access.SHORTEST,
    }
    return view.page("account/account.html", status, **context)
