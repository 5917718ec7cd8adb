"""Settings of the whole installation: users, tokens, what may be reached, what is kept, the log."""

from __future__ import annotations

from typing import Any

from fastapi import APIRouter, Response

from twofold.api.answers import status_of
from twofold.core.errors import TwofoldError
from twofold.services import access, erasing, history, hub_tokens, network
from twofold.services.access import Role
from twofold.web.area import Area, Entry, later
from twofold.web.forms import Form, Given
from twofold.web.view import Administering, Page, View

router = APIRouter(route_class=Page)
AREA = Area(
    "settings",
    router,
    (Entry(later("Settings"), "/settings", 60, role=Role.ADMIN, in_account=True),),
)

TABS = (
    ("users", later("Users")),
    ("tokens", later("Tokens")),
    ("network", later("Network")),
    ("data", later("Personal data")),
    ("audit", later("Audit log")),
)
_LOGGED = 50


@router.get("/settings")
def first(view: Administering) -> Response:
    """Begin with users."""
    return view.go("/settings/users")


# --- users --------------------------------------------------------------------------------------


@router.get("/settings/users")
def users(view: Administering) -> Response:
    """List all users."""
    return _users(view, Form())


@router.post("/settings/users")
def invited(view: Administering, form: Given) -> Response:
    """Make a link for a new user; it is shown once."""
    secret = access.invite(view.here, view.me, _role(form))
    return _users(view, Form(), link=_link(view, secret))


@router.post("/settings/users/{name}")
def changed(view: Administering, name: str, form: Given) -> Response:
    """Give a user another role, or take away or give back the sign-in, or make a new link."""
    act = form.text("act")
    try:
        if act == "password":
            secret = access.new_password_link(view.here, view.me, name)
            return _users(view, Form(), link=_link(view, secret))
        if act == "role":
            access.change(view.here, view.me, name, role=_role(form))
        else:
            access.change(view.here, view.me, name, active=act == "open")
    except TwofoldError as error:
        form.problem = error
        return _users(view, form, status=status_of(error))
    return view.go("/settings/users", said=view.say("%(name)s is changed.", name=name))


def _users(view: View, form: Form, *, link: str = "", status: int = 200) -> Response:
    people = access.people(view.here)
    return _tab(view, "users", status, form=form, people=people, link=link, roles=tuple(Role))


def _link(view: View, secret: str) -> str:
    return str(view.request.base_url).rstrip("/") + f"/accept#{secret}"


def _role(form: Form) -> Role:
    known = {role.value for role in Role}
    return Role(form.text("role")) if form.text("role") in known else Role.VIEWER


# --- tokens -------------------------------------------------------------------------------------


@router.get("/settings/tokens")
def tokens(view: Administering) -> Response:
    """List the tokens of programs."""
    return _tokens(view, Form())


@router.post("/settings/tokens")
def token_made(view: Administering, form: Given) -> Response:
    """Make a token; its secret is shown once."""
    name, days = form.text("name"), {"30": 30.0, "365": 365.0}.get(form.text("days"), 90.0)
    try:
        if form.text("kind") == "hub":
            secret = hub_tokens.make(view.here, name, form.many("scopes"), days)
            view.note("hub token made", name)
        else:
            _, secret = access.make_token(view.here, view.me, name, _role(form), days)
    except TwofoldError as error:
        form.problem = error
        return _tokens(view, form, status=status_of(error))
    return _tokens(view, Form(), secret=secret)


@router.post("/settings/tokens/revoke")
def token_revoked(view: Administering, form: Given) -> Response:
    """Forget a token."""
    name = form.text("name")
    try:
        if form.text("kind") == "hub":
            hub_tokens.revoke(view.here, name)
            view.note("hub token revoked", name)
        else:
            access.revoke_token(view.here, view.me, name)
    except TwofoldError as error:
        form.problem = error
        return _tokens(view, form, status=status_of(error))
    return view.go("/settings/tokens", said=view.say("%(name)s opens nothing any more.", name=name))


def _tokens(view: View, form: Form, *, secret: str = "", status: int = 200) -> Response:
    context: dict[str, Any] = {
        "programs": access.programs(view.here),
        "hub_programs": hub_tokens.listed(view.here),
        "scopes": tuple(hub_tokens.SCOPES),
        "roles": tuple(Role),
        "secret": secret,
    }
    return _tab(view, "tokens", status, form=form, **context)


# --- what may be reached ------------------------------------------------------------------------


@router.get("/settings/network")
def reachable(view: Administering) -> Response:
    """List the addresses within the own network that may be reached."""
    return _network(view, Form())


@router.post("/settings/network")
def reach_changed(view: Administering, form: Given) -> Response:
    """Allow an address, or take that back."""
    address = form.text("address").strip()
    try:
        if form.text("act") == "forbid":
            network.forbid(view.here, view.me, address)
        else:
            network.allow(view.here, view.me, address)
    except TwofoldError as error:
        form.problem = error
        return _network(view, form, status_of(error))
    return view.go("/settings/network", said=view.say("The list is changed."))


def _network(view: View, form: Form, status: int = 200) -> Response:
    found = network.allowed(view.here)
    return _tab(view, "network", status, form=form, allowed=found, fixed=network.from_environment())


# --- personal data ------------------------------------------------------------------------------


@router.get("/settings/data")
def data(view: Administering) -> Response:
    """Ask how long history is kept, and whom to erase."""
    return _data(view, Form())


@router.post("/settings/data")
def data_changed(view: Administering, form: Given) -> Response:
    """Set how long history is kept."""
    text = form.text("days").strip()
    try:
        days = _days(text)
        history.keep(view.here, days)
    except TwofoldError as error:
        form.problem = error
        return _data(view, form, status_of(error))
    view.note("retention changed", "history", text)
    return view.go("/settings/data", said=view.say("History is kept for %(n)s days.", n=days))


def _days(text: str) -> int:
    if not (text.isascii() and text.isdigit() and len(text) < 6):
        raise TwofoldError("TF-W06", reason="days are a whole number")
    return int(text)


@router.post("/settings/data/erase")
def erased(view: Administering, form: Given) -> Response:
    """Look who would be erased, and erase when that was agreed to."""
    text, inside = form.text("person").strip(), form.flag("hub")
    try:
        if form.flag("agreed"):
            receipt = erasing.erase(view.here, view.me, text, hub=inside)
            return _data(view, Form(), receipt=receipt)
        receipt = erasing.look(view.here, view.me, text, hub=inside)
    except TwofoldError as error:
        form.problem = error
        return _data(view, form, status_of(error))
    return _data(view, form, look=receipt)


def _data(
    view: View,
    form: Form,
    status: int = 200,
    receipt: erasing.Receipt | None = None,
    look: erasing.Receipt | None = None,
) -> Response:
    days = history.keep_days(view.here)
    return _tab(view, "data", status, form=form, days=days, receipt=receipt, look=look)


# --- the log ------------------------------------------------------------------------------------


@router.get("/settings/audit")
def audit(view: Administering, before: int = 0) -> Response:
    """List who changed what, newest first."""
    found = access.changes(view.here, max(before, 0), _LOGGED)
    following = found[-1].id if len(found) == _LOGGED else None
    return _tab(view, "audit", 200, changes=found, next=following, before=before, form=Form())


def _tab(view: View, tab: str, status: int, **context: Any) -> Response:
    return view.page(f"settings/{tab}.html", status, tab=tab, tabs=TABS, **context)
