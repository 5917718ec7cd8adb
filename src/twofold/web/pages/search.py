"""One box for everything: records, syncs, connections, and what can be set."""

from __future__ import annotations

from fastapi import APIRouter, Response

from twofold.core.errors import TwofoldError
from twofold.services import connections, hub_lists, syncs
from twofold.web.area import Area
from twofold.web.view import Page, View, Viewing

router = APIRouter(route_class=Page)
AREA = Area("search", router)

_MOST = 10
_TYPES = ("contact", "company", "deal")


@router.get("/search")
def search(view: Viewing, q: str = "") -> Response:
    """Everything that has a text in its name or values."""
    text = q.strip()[:200]
    groups = [] if not text else [_places(view, text), *(_records(view, t, text) for t in _TYPES)]
    shown = [group for group in groups if group[1]]
    return view.page("search/results.html", query=text, groups=shown)


def _places(view: View, text: str) -> tuple[str, list[tuple[str, str]], str]:
    """Pages whose name has the text: (heading, [(what it is called, its address)], more)."""
    wanted = text.casefold()
    named = [(sync.name, view.url("/health", sync=sync.name)) for sync in syncs.every(view.here)]
    named += [(one.label, view.url("/apps", one.label)) for one in connections.every(view.here)[1:]]
    entries = [entry for area in view.request.app.state.areas for entry in area.entries]
    named += [
        (view.say(entry.label), view.url(entry.path))
        for entry in entries
        if view.me.role.covers(entry.role)
    ]
    found = [(name, address) for name, address in named if wanted in name.casefold()]
    return view.say("Pages"), found[:_MOST], ""


def _records(view: View, object_type: str, text: str) -> tuple[str, list[tuple[str, str]], str]:
    try:
        page = hub_lists.sought(view.here, object_type, text, "", _MOST)
    except TwofoldError:
        return view.words.plural(object_type), [], ""
    found = [(hub_lists.title(r), view.url("/hub", object_type, r.id)) for r in page.records]
    more = view.url("/hub", object_type, q=text) if page.next else ""
    return view.words.plural(object_type), found, more
