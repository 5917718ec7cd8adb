"""Sync health: where every sync stands, live, and the records behind each count."""

from __future__ import annotations

from typing import Annotated, Any

from fastapi import APIRouter, Query, Response

from twofold.api.looking import STATES
from twofold.core.errors import TwofoldError
from twofold.core.health import State
from twofold.services import charts, health, inbox, records, requests
from twofold.services.charts import Span
from twofold.services.health import Moment, Word
from twofold.services.records import Sought
from twofold.web import live
from twofold.web.area import Area, Entry, later
from twofold.web.view import Operating, Page, View, Viewing

router = APIRouter(route_class=Page)
AREA = Area("health", router, (Entry(later("Sync health"), "/health", 10),))

_SHOWN = 25
"""Records of one page of the panel."""
_MOST_EXPORTED = 100_000
"""Lines of one file: what is longer is exported with the command line."""

Text = Annotated[str, Query(max_length=200)]


@router.get("/health")
def overview(
    view: Viewing,
    sync: Text = "",
    state: Text = "failing",
    q: Text = "",
    code: Text = "",
    after: Text = "",
    span: Span = Span.HOUR,
) -> Response:
    """Show all syncs, and in a panel the records of one that stand somewhere."""
    moments = health.moments(view.here)
    panel = _panel(view, moments, sync, state, Sought(q.strip(), code), after) if sync else None
    return view.page(
        "health/overview.html",
        moments=moments,
        texts={m.sync: live.shown(m, view.reader, view.words) for m in moments},
        stopped=inbox.stopped(view.here, moments),
        chart=charts.chart(view.here, "", span),
        panel=panel,
        now=view.here.world.now(),
    )


@router.post("/health/run")
def run_all(view: Operating) -> Response:
    """Run all syncs that are on."""
    active = [m for m in health.moments(view.here) if m.status.word is not Word.OFF]
    for moment in active:
        requests.run_now(view.here, moment.status.sync)
    said = view.say_many("%(n)s sync runs now.", "%(n)s syncs run now.", len(active))
    return view.go("/health", said=said)


@router.get("/health/export")
def export(
    view: Viewing, sync: Text, state: Text = "failing", q: Text = "", code: Text = ""
) -> Response:
    """The list of a panel as CSV: exactly what is shown there, on all its pages."""
    lines = records.exported(view.here, _state(state), sync, Sought(q.strip(), code))
    text = "".join(line for line, _ in zip(lines, range(_MOST_EXPORTED), strict=False))
    name = f'attachment; filename="{state}.csv"'
    media = "text/csv; charset=utf-8"
    return Response(text, media_type=media, headers={"Content-Disposition": name})


def _panel(
    view: View, moments: list[Moment], name: str, state: str, sought: Sought, after: str
) -> dict[str, Any]:
    wanted = _state(state)
    view.here.sync(name)
    moment = next(m for m in moments if m.status.sync == name)
    counts = {word: getattr(moment.counts, word.replace("-", "_")) for word in STATES}
    grouped = wanted in {State.FAILING, State.EXCLUDED}
    return {
        "moment": moment,
        "state": wanted,
        "states": list(STATES.items()),
        "sought": sought,
        "after": after,
        "counts": counts,
        "total": counts[_word(wanted)],
        "groups": health.causes(view.here, name, wanted) if grouped else [],
        "page": records.page(view.here, wanted, name, after, _SHOWN, sought),
        "query": {"sync": name, "state": _word(wanted), "q": sought.text, "code": sought.code},
    }


def _word(state: State) -> str:
    return next(word for word, one in STATES.items() if one is state)


def _state(word: str) -> State:
    if word not in STATES:
        raise TwofoldError("TF-W06", reason=f"state is one of {', '.join(STATES)}")
    return STATES[word]
