"""Sync health: where every sync stands, live."""

from __future__ import annotations

from fastapi import APIRouter, Response

from twofold.services import health
from twofold.web import live
from twofold.web.area import Area, Entry, later
from twofold.web.view import Page, Viewing

router = APIRouter(route_class=Page)
AREA = Area("health", router, (Entry(later("Sync health"), "/health", 10),))


@router.get("/")
def start(view: Viewing) -> Response:
    """Begin with the health of everything."""
    return view.go("/health")


@router.get("/health")
def overview(view: Viewing) -> Response:
    """Show all syncs."""
    moments = health.moments(view.here)
    texts = {m.sync: live.shown(m, view.reader, view.words) for m in moments}
    return view.page("health/overview.html", moments=moments, texts=texts)
