"""Setting up a sync: its object, and where an edit begins. The steps have modules of their own."""

from __future__ import annotations

from fastapi import APIRouter, Response

from twofold.api.answers import status_of
from twofold.core.errors import TwofoldError
from twofold.services import drafts
from twofold.web.area import Area
from twofold.web.forms import Form, Given
from twofold.web.pages import setup_configure, setup_limits, setup_mapping, setup_review
from twofold.web.view import Editing, Page, View

router = APIRouter(route_class=Page)
for step in (setup_configure, setup_mapping, setup_limits, setup_review):
    router.include_router(step.router)
AREA = Area("setup", router)

_BETWEEN = "\n"
"""Between the two object types of a pair, in a form; no name has it."""


@router.get("/apps/{label}/syncs/new")
def choose(view: Editing, label: str) -> Response:
    """Ask which object to sync."""
    return _choice(view, label, Form())


@router.post("/apps/{label}/syncs/new")
def chosen(view: Editing, label: str, form: Given) -> Response:
    """Begin a draft with what the connector proposes."""
    hub, _, app = form.text("pair").partition(_BETWEEN)
    if not app:
        hub, app = form.text("hub"), form.text("app")
    if not (hub and app):
        form.errors["pair"] = view.say("Choose an object.")
        return _choice(view, label, form, 422)
    try:
        draft = view.work(drafts.begun(view.here, label, hub, app))
    except TwofoldError as error:
        form.problem = error
        return _choice(view, label, form, status_of(error))
    return view.go("/setup", draft.id, "configure")


@router.get("/syncs/{name}/edit")
def edit(view: Editing, name: str) -> Response:
    """Begin or go on with an edit of a sync."""
    draft = view.work(drafts.begun_edit(view.here, name))
    return view.go("/setup", draft.id, "configure")


@router.post("/setup/{draft_id}/discard")
def discard(view: Editing, draft_id: str) -> Response:
    """Forget a draft."""
    draft = drafts.opened(view.here, draft_id)
    drafts.discard(view.here, draft)
    return view.go("/apps", draft.connection, said=view.say("The set-up is discarded."))


def _choice(view: View, label: str, form: Form, status: int = 200) -> Response:
    found = view.work(drafts.offers(view.here, label))
    begun = drafts.under_way(view.here, label)
    context = {"label": label, "offers": found, "begun": begun, "between": _BETWEEN}
    return view.page("setup/choose.html", status, form=form, **context)
