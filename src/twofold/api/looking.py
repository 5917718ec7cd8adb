"""Health: counts, lists of records, explanations, and trying again."""

from __future__ import annotations

from typing import Annotated

from fastapi import APIRouter, Depends, Query, Response
from msgspec import Struct

from twofold.api.answers import reply
from twofold.api.calls import Operator, Viewer, body
from twofold.api.once import Once
from twofold.api.schema import gives, takes
from twofold.core.errors import TwofoldError
from twofold.core.health import State
from twofold.core.records import Side
from twofold.services import charts, explain, health, records, requests
from twofold.services.charts import Chart, Span
from twofold.services.explain import Explanation
from twofold.services.health import Health
from twofold.services.records import Page

router = APIRouter(route_class=Once, tags=["health"])

STATES = {
    "in-sync": State.IN_SYNC,
    "failing": State.FAILING,
    "excluded": State.EXCLUDED,
    "waiting": State.WAITING,
}

Text = Annotated[str, Query(max_length=200)]
Limit = Annotated[int, Query(ge=1, le=200)]


class Healths(Struct, frozen=True):
    """The health of all syncs, or of one."""

    health: list[Health]


class Explanations(Struct, frozen=True):
    """What decides about a record."""

    explanations: list[Explanation]


class Retry(Struct, frozen=True):
    """Which failing records to try again; all, where nothing is named."""

    record: str = ""
    side: Side | None = None
    code: str = ""
    """Those with this cause."""
    search: str = ""
    """Those with this part of a name or of an e-mail address, or with this id."""


class Retried(Struct, frozen=True):
    """How many records are tried again."""

    records: int


@router.get("/health", **gives(Healths))
def all_health(call: Viewer, sync: Text = "") -> Response:
    """Counts, status and grouped issues of every sync."""
    return reply(Healths(health.healths(call.here, sync)))


@router.get("/syncs/{name}/records", **gives(Page))
def list_records(
    call: Viewer,
    name: str,
    state: Annotated[str, Query(json_schema_extra={"enum": list(STATES)})] = "failing",
    search: Text = "",
    code: Text = "",
    after: Text = "",
    limit: Limit = 50,
) -> Response:
    """List the records that stand there, paged by the key of the page before.

    `search` is part of a name, of an e-mail address or of an id; `code` a cause. A page may hold
    fewer lines than asked while `next` names where the search goes on.
    """
    if state not in STATES:
        raise TwofoldError("TF-W06", reason=f"state is one of {', '.join(STATES)}")
    call.here.sync(name)
    found = records.page(call.here, STATES[state], name, after, limit, records.Sought(search, code))
    return reply(found)


@router.get("/syncs/{name}/chart", **gives(Chart))
def charted(call: Viewer, name: str, span: Span = Span.HOUR) -> Response:
    """How many records the sync brought in step over the last hour, day or week."""
    return reply(charts.chart(call.here, name, span))


@router.get("/syncs/{name}/explain", **gives(Explanations))
def explained(call: Viewer, name: str, record: Text, side: Side | None = None) -> Response:
    """Explain a record, named by id or match key, such as an e-mail address."""
    found = call.work(explain.explain(call.here, name, record, side))
    return reply(Explanations(found))


@router.post("/syncs/{name}/retry", **gives(Retried), **takes(Retry))
def retry(call: Operator, name: str, given: Annotated[Retry, Depends(body(Retry))]) -> Response:
    """Try failing records again: one, those with one cause, or all."""
    count = requests.retry(
        call.here,
        name,
        record=given.record,
        side=given.side,
        code=given.code,
        search=given.search,
    )
    return reply(Retried(count))
