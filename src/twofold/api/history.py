"""What was written to records: lists, exports, how long it is kept, and taking it back."""

from __future__ import annotations

from enum import StrEnum
from typing import Annotated

from fastapi import APIRouter, Depends, Query, Response
from msgspec import Struct

from twofold.api.answers import reply
from twofold.api.calls import Admin, Operator, Viewer, body
from twofold.api.once import Once
from twofold.api.schema import gives, takes
from twofold.core.records import Side
from twofold.services import history, undo
from twofold.services.history import HistoryPage
from twofold.services.undo import Target, Undo

router = APIRouter(route_class=Once, tags=["history"])

Text = Annotated[str, Query(max_length=200)]
Limit = Annotated[int, Query(ge=1, le=200)]
Number = Annotated[int | None, Query(ge=1, le=2**53)]

MOST_EXPORTED = 100_000
"""Lines of one answer: what is longer is exported by ``since``, or with the command line."""


class Form(StrEnum):
    """How an export is written."""

    CSV = "csv"
    JSON = "json"


class Retention(Struct, frozen=True):
    """For how many days history is kept."""

    days: int


@router.get("/syncs/{name}/history", **gives(HistoryPage))
def list_history(
    call: Viewer,
    name: str,
    record: Text = "",
    side: Side | None = None,
    run: Number = None,
    since: Text = "",
    after: Text = "",
    limit: Limit = 50,
) -> Response:
    """List what a sync wrote, newest first; or all that was written to a record and its twin."""
    if record:
        entries = history.of_record(call.here, name, record, side)
        return reply(HistoryPage(tuple(entries), None))
    return reply(history.page(call.here, name, after=after, limit=limit, run=run, since=since))


@router.get(
    "/syncs/{name}/history/export",
    responses={200: {"content": {"text/csv": {}, "application/jsonl": {}}}},
)
def export_history(
    call: Viewer, name: str, form: Form = Form.CSV, run: Number = None, since: Text = ""
) -> Response:
    """Export what a sync wrote, newest first: CSV with cells that are no formulas, or JSON Lines.

    An answer holds 100,000 lines at most.
    """
    lines = history.exported(call.here, name, form, run=run, since=since)
    text = "".join(line for line, _ in zip(lines, range(MOST_EXPORTED), strict=False))
    kind = "text/csv; charset=utf-8" if form is Form.CSV else "application/jsonl"
    name = f'attachment; filename="history.{"csv" if form is Form.CSV else "jsonl"}"'
    return Response(text, media_type=kind, headers={"Content-Disposition": name})


@router.get("/settings/history", **gives(Retention))
def retention(call: Viewer) -> Response:
    """For how many days history is kept."""
    return reply(Retention(history.keep_days(call.here)))


@router.put("/settings/history", **gives(Retention), **takes(Retention))
def keep(call: Admin, given: Annotated[Retention, Depends(body(Retention))]) -> Response:
    """Set for how many days history is kept."""
    history.keep(call.here, given.days)
    call.note("history retention set", "", f"{given.days} days")
    return reply(given)


@router.post("/syncs/{name}/undo/preview", **gives(Undo), **takes(Target))
def preview(call: Viewer, name: str, given: Annotated[Target, Depends(body(Target))]) -> Response:
    """Say what taking back would put back, and what was changed since; nothing is written."""
    return reply(undo.preview(call.here, name, given))


@router.post("/syncs/{name}/undo", **gives(Undo), **takes(Target))
def take_back(
    call: Operator, name: str, given: Annotated[Target, Depends(body(Target))]
) -> Response:
    """Put back what a field, a record or a run held before; the next run does it at once."""
    found = undo.undo(call.here, name, given, who=call.who.label)
    call.note("writes taken back", name, f"{found.fields} fields")
    return reply(found)
