"""What happened: runs, the latest first, and all that one run wrote."""

from __future__ import annotations

from typing import Any

from fastapi import APIRouter, Response

from twofold.core.errors import TwofoldError
from twofold.services import history, runs, syncs
from twofold.web.area import Area, Entry, later
from twofold.web.view import Page, Viewing

router = APIRouter(route_class=Page)
AREA = Area("activity", router, (Entry(later("Activity"), "/activity", 40),))

MOST_RUNS = 100
_UNSAID = frozenset({"hub read", "app read", "hub writes", "app writes"})
"""What counts calls and readings, and not what becomes of records."""


@router.get("/activity")
def listed(view: Viewing, sync: str = "", show: str = "") -> Response:
    """List the latest runs; ``show=wrote`` leaves out those that had nothing to do."""
    found = runs.latest(view.here, sync, MOST_RUNS)
    rows = [(one, run, counts(run.summary)) for one, run in found]
    shown = [row for row in rows if show != "wrote" or row[2]]
    names = [one.name for one in syncs.every(view.here)]
    context: dict[str, Any] = {
        "rows": shown,
        "names": names,
        "sync": sync,
        "show": show,
        "most": MOST_RUNS,
    }
    return view.page("activity/list.html", **context)


@router.get("/activity/{sync}/{run}")
def one(view: Viewing, sync: str, run: int, after: str = "") -> Response:
    """Show one run: its counts, and what it wrote."""
    for known, found in runs.latest(view.here, sync, 1_000):
        if found.id == run:
            page = history.page(view.here, sync, after=after, run=run)
            did = counts(found.summary)
            context: dict[str, Any] = {"sync": known, "run": found, "counts": did}
            return view.page("activity/run.html", page=page, after=after, **context)
    raise TwofoldError("TF-W15", kind="run", name=str(run))


def counts(summary: dict[str, int | str]) -> list[tuple[str, int]]:
    """What a run did, by words such as ``hub created``; reading alone is nothing."""
    return [(k, n) for k, n in summary.items() if isinstance(n, int) and n and k not in _UNSAID]
