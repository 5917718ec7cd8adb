"""What is done to single records: tried again, excluded, let in, linked and cut."""

from __future__ import annotations

from fastapi import APIRouter, Response

from twofold.core.records import Side
from twofold.services import exclusions, requests
from twofold.web.area import Area
from twofold.web.forms import Form, Given
from twofold.web.view import Operating, Page, View

router = APIRouter(route_class=Page)
AREA = Area("records", router)


@router.post("/syncs/{name}/retry")
def retry(view: Operating, name: str, form: Given) -> Response:
    """Try failing records again: one, those that are looked for, or all."""
    count = requests.retry(
        view.here,
        name,
        record=form.text("record"),
        side=_side(form),
        code=form.text("code"),
        search=form.text("q"),
    )
    said = view.say_many("%(n)s record is tried again.", "%(n)s records are tried again.", count)
    return _back(view, form, said)


@router.post("/syncs/{name}/exclude")
def exclude(view: Operating, name: str, form: Given) -> Response:
    """Exclude one record by hand, with its pair."""
    called = exclusions.exclude(
        view.here,
        name,
        form.text("record"),
        form.text("reason"),
        form.text("until"),
        _side(form),
    )
    view.note("record excluded", name)
    return _back(view, form, view.say("%(name)s is excluded with the next run.", name=called))


@router.post("/syncs/{name}/include")
def include(view: Operating, name: str, form: Given) -> Response:
    """Let a record that was excluded by hand take part again."""
    called = exclusions.include(view.here, name, form.text("record"), _side(form))
    view.note("record included", name)
    return _back(view, form, view.say("%(name)s takes part again.", name=called))


def _side(form: Form) -> Side | None:
    text = form.text("side")
    return Side(text) if text in set(Side) else None


def _back(view: View, form: Form, said: str) -> Response:
    return view.lead(view.inside(form.text("back"), "/health"), said)
