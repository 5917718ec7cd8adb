"""The first visit: what to begin with, and sample data in one click."""

from __future__ import annotations

from fastapi import APIRouter, Response

from twofold.demo import sample
from twofold.services import connections, health
from twofold.web import live
from twofold.web.area import Area
from twofold.web.view import Editing, Operating, Page, Viewing

router = APIRouter(route_class=Page)
AREA = Area("welcome", router)


@router.get("/")
def start(view: Viewing) -> Response:
    """Begin with the health of everything, or with the first steps while there is nothing."""
    empty = all(one.is_hub for one in connections.every(view.here))
    return view.go("/welcome" if empty else "/health")


@router.get("/welcome")
def welcome(view: Viewing) -> Response:
    """Offer what one can begin with."""
    return view.page("welcome/welcome.html", offered=sample.offered(view.here))


@router.post("/welcome/sample")
def bring(view: Editing) -> Response:
    """Bring the sample data."""
    view.work(sample.bring(view.here))
    view.note("sample data brought", sample.LABEL)
    return view.go("/welcome/sample")


@router.get("/welcome/sample")
def show(view: Viewing) -> Response:
    """Show the sample's syncs, and a few people on both sides."""
    moments = [m for m in health.moments(view.here) if m.status.connection == sample.LABEL]
    texts = {m.sync: live.shown(m, view.reader, view.words) for m in moments}
    shown = sample.people(view.here)
    return view.page("welcome/sample.html", moments=moments, texts=texts, people=shown)


@router.get("/welcome/sample/people")
def people(view: Viewing) -> Response:
    """The same few people as they are now, for the page that is open."""
    return view.page("welcome/people.html", people=sample.people(view.here))


@router.post("/welcome/sample/shop")
def change_in_shop(view: Operating) -> Response:
    """Change something in the shop."""
    name = sample.change_in_shop(view.here)
    return view.page("welcome/changed.html", name=name, field=view.say("phone number"), hub=False)


@router.post("/welcome/sample/hub")
def change_in_hub(view: Operating) -> Response:
    """Change something in the hub."""
    name = sample.change_in_hub(view.here)
    return view.page("welcome/changed.html", name=name, field=view.say("city"), hub=True)
