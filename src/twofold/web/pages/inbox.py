"""The inbox: what waits for a person."""

from __future__ import annotations

from fastapi import APIRouter, Response

from twofold.core.errors import TwofoldError
from twofold.core.guards import BrakeName
from twofold.core.health import State
from twofold.services import approvals, brakes, health, inbox, records, requests
from twofold.services.records import Line, Sought
from twofold.web.area import Area, Entry, later
from twofold.web.forms import Given
from twofold.web.view import Operating, Page, View, Viewing

router = APIRouter(route_class=Page)
AREA = Area("inbox", router, (Entry(later("Inbox"), "/inbox", 15),))

_SHOWN = 25
"""Of each kind and sync; the rest follows once these are decided."""
_UNCLEAR = ((State.EXCLUDED, "TF-X12"), (State.EXCLUDED, "TF-X16"))
_FROZEN = ((State.FAILING, "TF-R10"),)


@router.get("/inbox")
def overview(view: Viewing) -> Response:
    """Show all that waits for somebody: stopped syncs, deletes, unclear matches, frozen fields."""
    moments = health.moments(view.here)
    return view.page(
        "inbox/inbox.html",
        stopped=inbox.stopped(view.here, moments),
        asked=approvals.waiting(view.here)[:_SHOWN],
        unclear=_lines(view, moments, _UNCLEAR),
        frozen=_lines(view, moments, _FROZEN),
        now=view.here.world.now(),
    )


@router.post("/inbox/approvals")
def decide(view: Operating, form: Given) -> Response:
    """Approve or refuse deletes; the next run, which follows at once, carries it out."""
    yes = form.text("decision") == "approve"
    approvals.decide(view.here, form.many("id"), yes=yes, who=view.me.label)
    view.note("approved" if yes else "rejected", ", ".join(form.many("id"))[:200])
    return view.go("/inbox", said=view.say("Approved.") if yes else view.say("The record stays."))


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


def _lines(
    view: View, moments: list[health.Moment], causes: tuple[tuple[State, str], ...]
) -> list[Line]:
    found: list[Line] = []
    for moment in moments:
        for state, code in causes:
            sought, name = Sought(code=code), moment.status.sync
            found += records.page(view.here, state, name, "", _SHOWN, sought).lines
    return found
