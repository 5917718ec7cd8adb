"""Connect an account: sign in to it, review what it allows, allow it (C2); and sign in again."""

from __future__ import annotations

from typing import Any

from fastapi import APIRouter, Response

from twofold.api.answers import status_of
from twofold.core.errors import TwofoldError
from twofold.services import apps, connections
from twofold.services.apps import App
from twofold.web.area import Area
from twofold.web.forms import Form, Given
from twofold.web.pending import Pending
from twofold.web.view import Editing, Page, View

router = APIRouter(route_class=Page)
AREA = Area("install", router)

_ANSWER = "answer-"
"""Fields of the form that answer the app's questions begin so."""


@router.get("/apps/{app}/install")
def begin(view: Editing, app: str) -> Response:
    """Say what is about to be connected."""
    return view.page("install/begin.html", app=apps.one(app))


@router.get("/apps/{app}/install/sign-in")
def ask(view: Editing, app: str) -> Response:
    """Ask what the app needs to let us in."""
    return view.page("install/sign_in.html", app=apps.one(app), form=Form())


@router.post("/apps/{app}/install/sign-in")
def sign_in(view: Editing, app: str, form: Given) -> Response:
    """Try the answers with a real call; nothing is saved yet."""
    known = apps.one(app)
    answers, label = form.starting(_ANSWER), form.text("label").strip()
    _complete(view, known, form, answers)
    if label and (len(label) > 100 or not label.isprintable() or "/" in label):
        form.errors["label"] = view.say("A name has 1 to 100 printable characters, and no slash.")
    if form.sound:
        try:
            view.work(connections.examine(view.here, app, answers))
            pending: Pending = view.request.app.state.pending
            now = view.here.world.now().timestamp()
            key = pending.keep(view.me.name, app, answers, label, now)
            return view.go("/apps", app, "install", "allow", key=key)
        except TwofoldError as error:
            form.problem = error
    status = 422 if form.problem is None else status_of(form.problem)
    return view.page("install/sign_in.html", status, app=known, form=form)


@router.get("/apps/{app}/install/allow")
def review(view: Editing, app: str, key: str = "") -> Response:
    """Show what the account lets us do, before anything is saved."""
    found = _pending(view, app, key)
    if found is None:
        return _again(view, app)
    examined = view.work(connections.examine(view.here, app, found.answers))
    context = {"app": apps.one(app), "examined": examined, "key": key, "label": found.label}
    return view.page("install/allow.html", **context)


@router.post("/apps/{app}/install/allow")
def allow(view: Editing, app: str, form: Given) -> Response:
    """Connect the account."""
    found = _pending(view, app, form.text("key"))
    if found is None:
        return _again(view, app)
    made = view.work(connections.connect(view.here, app, found.answers, found.label))
    pending: Pending = view.request.app.state.pending
    pending.drop(form.text("key"))
    view.note("connected", made.label, made.app)
    said = view.say("%(app)s is connected.", app=apps.one(app).label)
    return view.go("/apps", app, account=made.label, said=said)


@router.post("/apps/{app}/install/cancel")
def cancel(view: Editing, app: str, form: Given) -> Response:
    """Forget the answers."""
    pending: Pending = view.request.app.state.pending
    pending.drop(form.text("key"))
    return view.go("/apps", app)


@router.get("/apps/{app}/reconnect")
def ask_again(view: Editing, app: str, account: str) -> Response:
    """Ask for new answers to what may have changed."""
    return view.page("install/reconnect.html", **_reconnecting(view, app, account, Form()))


@router.post("/apps/{app}/reconnect")
def reconnect(view: Editing, app: str, form: Given) -> Response:
    """Take new answers after a real call; mappings and links are kept."""
    context = _reconnecting(view, app, form.text("account"), form)
    label = context["account"].label
    answers = {name: text for name, text in form.starting(_ANSWER).items() if text}
    try:
        view.work(connections.reconnect(view.here, label, answers))
    except TwofoldError as error:
        form.problem = error
        return view.page("install/reconnect.html", status_of(error), **context)
    view.note("reconnected", label, ", ".join(sorted(answers)))
    said = view.say("%(name)s is connected again.", name=label)
    return view.go("/apps", app, account=label, said=said)


def _reconnecting(view: View, app: str, label: str, form: Form) -> dict[str, Any]:
    account = connections.one(view.here, label)
    if account.app != app or account.is_hub:
        raise TwofoldError("TF-W15", kind="account", name=label[:200])
    return {"app": apps.one(app), "account": account, "form": form}


def _complete(view: View, app: App, form: Form, answers: dict[str, str]) -> None:
    for question in app.questions:
        if not question.optional and not answers.get(question.name):
            form.errors[_ANSWER + question.name] = view.say("This is needed.")


def _pending(view: View, app: str, key: str) -> Any:
    pending: Pending = view.request.app.state.pending
    return pending.find(key, view.me.name, app, view.here.world.now().timestamp())


def _again(view: View, app: str) -> Response:
    said = view.say("That took too long; please sign in once more.")
    return view.go("/apps", app, "install", "sign-in", said=said)
