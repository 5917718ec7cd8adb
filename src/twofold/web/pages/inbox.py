"""The inbox: what waits for a person."""

from __future__ import annotations

from fastapi import APIRouter, Response

from twofold.core.errors import TwofoldError
from twofold.core.guards import BrakeName
from twofold.services import brakes, requests
from twofold.web.area import Area
from twofold.web.forms import Given
from twofold.web.view import Operating, Page

router = APIRouter(route_class=Page)
AREA = Area("inbox", router)


@router.post("/syncs/{name}/resume")
def resume(view: Operating, name: str, form: Given) -> Response:
    """Override the brake that paused a sync; the next run, which follows at once, goes on."""
    text = form.text("brake")
    if text not in set(BrakeName):
        raise TwofoldError("TF-W06", reason=f"brake is one of {', '.join(BrakeName)}")
    view.work(brakes.resume(view.here, name, BrakeName(text), who=view.me.label))
    requests.run_now(view.here, name)
    view.note("brake overridden", name, f"{text}: {form.text('reason')[:200]}")
    said = view.say("%(name)s goes on.", name=name)
    return view.lead(view.inside(form.text("back"), "/inbox"), said)
