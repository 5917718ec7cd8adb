"""What is done to a sync from wherever it is listed: run, turn on and off, delete."""

from __future__ import annotations

from fastapi import APIRouter, Response

from twofold.services import keepsakes, requests, syncs
from twofold.web.area import Area
from twofold.web.forms import Form, Given
from twofold.web.view import Editing, Operating, Page, View

router = APIRouter(route_class=Page)
AREA = Area("syncs", router)


@router.post("/syncs/{name}/run")
def run_now(view: Operating, name: str, form: Given) -> Response:
    """Run a sync now, in both directions."""
    requests.run_now(view.here, name)
    return _back(view, form, view.say("%(name)s runs now.", name=name))


@router.post("/syncs/{name}/on")
def turn_on(view: Operating, name: str, form: Given) -> Response:
    """Turn a sync on; it catches up and repeats nothing."""
    syncs.turn(view.here, name, on=True)
    view.note("sync turned on", name)
    return _back(view, form, view.say("%(name)s is turned on.", name=name))


@router.post("/syncs/{name}/off")
def turn_off(view: Operating, name: str, form: Given) -> Response:
    """Turn a sync off, in both directions; mappings and links are kept."""
    syncs.turn(view.here, name, on=False)
    view.note("sync turned off", name)
    return _back(view, form, view.say("%(name)s is turned off.", name=name))


@router.post("/syncs/{name}/delete")
def delete(view: Editing, name: str, form: Given) -> Response:
    """Forget a sync with its links and history; no record on either side is touched.

    Where it is wished, links and history are written out first, as the API does.
    """
    if form.flag("keep"):
        keepsakes.write_out(view.here, name, keepsakes.folder_of(view.here, name))
    syncs.delete(view.here, name)
    view.note("sync deleted", name)
    return _back(view, form, view.say("%(name)s is deleted. No record was touched.", name=name))


def _back(view: View, form: Form, said: str) -> Response:
    return view.lead(view.inside(form.text("back"), "/health"), said)
