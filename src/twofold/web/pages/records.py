"""The page of one record, and what is done to it: tried again, excluded, linked, cut, undone."""

from __future__ import annotations

from typing import Annotated, Any

from fastapi import APIRouter, Query, Response

from twofold.core.associations import kept_name
from twofold.core.errors import TwofoldError
from twofold.core.health import State
from twofold.core.parts import plain_name
from twofold.core.records import Side
from twofold.services import (
    exclusions,
    explain,
    frozen,
    health,
    history,
    links,
    records,
    requests,
    undo,
)
from twofold.services.explain import Explanation
from twofold.services.records import Line
from twofold.services.undo import Target
from twofold.web.area import Area
from twofold.web.forms import Form, Given
from twofold.web.view import Operating, Page, View, Viewing

router = APIRouter(route_class=Page)
AREA = Area("records", router)

_ENTRIES = 100
"""Lines of history that a page shows; all of them are in the export."""

Text = Annotated[str, Query(max_length=200)]
Number = Annotated[int | None, Query(ge=1, le=2**53)]


@router.get("/syncs/{name}/records/{side}/{record:path}")
def one(
    view: Viewing,
    name: str,
    side: Side,
    record: str,
    only: Text = "",
    run: Number = None,
    field: Text = "",
) -> Response:
    """Show both sides of a record, why they are as they are, and what was written to them.

    With ``run`` or ``field`` a dialog says what taking that back would mean.
    """
    line = records.one(view.here, name, side, record)
    context: dict[str, Any] = {
        "one": line,
        "side": side,
        "record": record,
        "only": only,
        "state": State[line.state.upper().replace(" ", "_")],
        "sync": health.statuses(view.here, name)[0],
        "labels": _labels(view, name),
        "written": history.of_record(view.here, name, record, side)[:_ENTRIES],
        "now": view.here.world.now(),
        "explained": None,
        "problem": None,
        "undo": None,
        "form": Form(),
        "target": {"run": run, "field": field},
    }
    try:
        context["explained"] = _explained(view, line, side, record)
    except TwofoldError as error:  # an app that cannot be opened hides no history
        context["problem"] = error
    if run is not None or field:
        try:
            target = Target(record=record, side=side, run=run, field=field)
            context["undo"] = undo.preview(view.here, name, target)
        except TwofoldError as error:
            context["form"].problem = error
    return view.page("records/record.html", **context)


@router.post("/syncs/{name}/undo")
def take_back(view: Operating, name: str, form: Given) -> Response:
    """Have the next run put back what a record held before."""
    run = form.text("run")
    target = Target(
        record=form.text("record"),
        side=_side(form),
        run=int(run) if run.isdecimal() and len(run) < 16 else None,
        field=form.text("field"),
    )
    found = undo.undo(view.here, name, target, who=view.me.label)
    view.note("writes taken back", name, f"{found.fields} fields")
    said = view.say_many("%(n)s field is put back.", "%(n)s fields are put back.", found.fields)
    return _back(view, form, said)


@router.post("/syncs/{name}/link")
def link(view: Operating, name: str, form: Given) -> Response:
    """Link two records by hand."""
    links.make(view.here, name, form.text("hub_id"), form.text("app_id"))
    view.note("records linked", name)
    requests.nudge(view.here, name)
    return _back(view, form, view.say("The two records are linked."))


@router.post("/syncs/{name}/cut")
def cut(view: Operating, name: str, form: Given) -> Response:
    """Cut two records from each other, and keep them apart."""
    for app_id in form.many("app_id"):
        links.cut(view.here, name, form.text("hub_id"), app_id)
    for hub_id in form.many("hub_ids"):
        links.cut(view.here, name, hub_id, form.text("single"))
    view.note("records cut apart", name)
    requests.nudge(view.here, name)
    return _back(view, form, view.say("The records are kept apart."))


@router.post("/syncs/{name}/unfreeze")
def unfreeze(view: Operating, name: str, form: Given) -> Response:
    """Let the two apps try once more on what they kept rewriting."""
    frozen.unfreeze(view.here, name, form.text("record"), _side(form))
    view.note("record unfrozen", name)
    requests.nudge(view.here, name)
    return _back(view, form, view.say("The two apps try once more."))


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


def _labels(view: View, name: str) -> dict[str, str]:
    """What people call each mapping: the hub's label of its field, or the object it points to."""
    rules = view.here.sync(name).rules
    fields = {plain_name(mapping.name): mapping.hub.label for mapping in rules.mappings}
    far = {kept_name(a, Side.HUB): view.words.singular(a.hub_target) for a in rules.associations}
    return fields | {name: view.say("Association: %(name)s", name=n) for name, n in far.items()}


def _explained(view: View, line: Line, side: Side, record: str) -> Explanation | None:
    found = view.work(explain.explain(view.here, line.sync, record, side))
    return next((e for e in found if (e.hub_id, e.app_id) == (line.hub_id, line.app_id)), found[0])


def _side(form: Form) -> Side | None:
    text = form.text("side")
    return Side(text) if text in set(Side) else None


def _back(view: View, form: Form, said: str) -> Response:
    return view.lead(view.inside(form.text("back"), "/health"), said)
