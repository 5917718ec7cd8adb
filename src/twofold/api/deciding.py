"""What a person decides: approvals, links and exclusions by hand, and syncs as documents."""

from __future__ import annotations

from typing import Annotated

from fastapi import APIRouter, Depends, Query, Response
from msgspec import Struct

from twofold.api.answers import reply
from twofold.api.calls import Call, Editor, Operator, Viewer, body
from twofold.api.once import Once
from twofold.api.schema import gives, takes
from twofold.core.guards import BrakeName
from twofold.core.records import Side
from twofold.services import applying, approvals, brakes, exclusions, health, links
from twofold.services.applying import Applied, Change
from twofold.services.approvals import Approval
from twofold.services.edits import Effect
from twofold.services.health import Status
from twofold.services.links import Page

router = APIRouter(route_class=Once, tags=["decisions"])

Text = Annotated[str, Query(max_length=200)]
Limit = Annotated[int, Query(ge=1, le=200)]


class Approvals(Struct, frozen=True):
    """What waits for a yes or a no."""

    approvals: list[Approval]


class Decision(Struct, frozen=True):
    """A yes or a no to some of them."""

    ids: tuple[str, ...]
    approve: bool


class Resume(Struct, frozen=True):
    """The brake that a person looked at."""

    brake: BrakeName


class Exclusion(Struct, frozen=True):
    """A record to exclude by hand."""

    record: str
    """Its id, or a match key such as an e-mail address."""
    reason: str = ""
    until: str = ""
    """A day or a moment; empty: until it is included again."""
    side: Side | None = None


class Called(Struct, frozen=True):
    """What people call the record."""

    name: str


class LinkOrder(Struct, frozen=True):
    """Two records."""

    hub_id: str
    app_id: str


class Document(Struct, frozen=True):
    """Syncs as one YAML text."""

    yaml: str


class Foreseen(Struct, frozen=True):
    """What would become of one sync; without an effect it is new, or stays as it is."""

    name: str
    is_new: bool
    effect: Effect | None


class Effects(Struct, frozen=True):
    """What a document would do."""

    changes: list[Foreseen]


class Done(Struct, frozen=True):
    """What became of each document."""

    applied: list[Applied]


@router.get("/approvals", **gives(Approvals))
def list_approvals(call: Viewer, sync: Text = "") -> Response:
    """List the deletes that wait for a decision, oldest first."""
    return reply(Approvals(approvals.waiting(call.here, sync)))


@router.post("/approvals", **gives(Approvals), **takes(Decision))
def decide(call: Operator, given: Annotated[Decision, Depends(body(Decision))]) -> Response:
    """Approve or reject; the next run, which follows at once, carries it out."""
    who = call.who.label
    found = approvals.decide(call.here, given.ids, yes=given.approve, who=who)
    call.note("approved" if given.approve else "rejected", ", ".join(given.ids)[:200])
    return reply(Approvals(found))


@router.post("/syncs/{name}/resume", **gives(Status), **takes(Resume))
def resume(call: Operator, name: str, given: Annotated[Resume, Depends(body(Resume))]) -> Response:
    """Override the brake that paused a sync; the next run, which follows at once, goes on."""
    sync = call.work(brakes.resume(call.here, name, given.brake, who=call.who.label))
    call.here.state.schedule.nudge(sync.id)
    call.note("brake overridden", name, given.brake.value)
    return reply(health.status(call.here, sync))


@router.post("/syncs/{name}/exclusions", **gives(Called), **takes(Exclusion))
def exclude(
    call: Operator, name: str, given: Annotated[Exclusion, Depends(body(Exclusion))]
) -> Response:
    """Exclude one record by hand, with its pair."""
    found = exclusions.exclude(call.here, name, given.record, given.reason, given.until, given.side)
    call.note("record excluded", name)
    return reply(Called(found))


@router.delete("/syncs/{name}/exclusions", **gives(Called))
def include(call: Operator, name: str, record: Text, side: Side | None = None) -> Response:
    """Let a record that was excluded by hand take part again."""
    found = exclusions.include(call.here, name, record, side)
    call.note("record included", name)
    return reply(Called(found))


@router.get("/syncs/{name}/links", **gives(Page))
def list_links(
    call: Viewer, name: str, apart: bool = False, after: Text = "", limit: Limit = 50
) -> Response:
    """List linked pairs, or those that a person keeps apart."""
    return reply(links.page(call.here, name, apart=apart, after=after, limit=limit))


@router.post("/syncs/{name}/links", **gives(LinkOrder), **takes(LinkOrder))
def link(
    call: Operator, name: str, given: Annotated[LinkOrder, Depends(body(LinkOrder))]
) -> Response:
    """Link two records by hand."""
    links.make(call.here, name, given.hub_id, given.app_id)
    call.note("records linked", name)
    return reply(given)


@router.delete("/syncs/{name}/links", **gives(LinkOrder))
def cut(call: Operator, name: str, hub_id: Text, app_id: Text) -> Response:
    """Cut two records from each other, and keep them apart."""
    links.cut(call.here, name, hub_id, app_id)
    call.note("records cut apart", name)
    return reply(LinkOrder(hub_id, app_id))


@router.get("/document", **gives(Document))
def export(call: Viewer, sync: Annotated[list[str], Query()] = []) -> Response:  # noqa: B006
    """Export syncs as YAML; all of them where none is named."""
    return reply(Document(applying.exported(call.here, sync)))


@router.post("/document/check", **gives(Effects), **takes(Document))
def check(call: Viewer, given: Annotated[Document, Depends(body(Document))]) -> Response:
    """Say what a document would do; nothing is written."""
    changes = _changes(call, given)
    effects = applying.effects(call.here, changes)
    pairs = zip(changes, effects, strict=True)
    return reply(Effects([Foreseen(c.name, c.old is None, effect) for c, effect in pairs]))


@router.put("/document", **gives(Done), **takes(Document))
def apply(call: Editor, given: Annotated[Document, Depends(body(Document))]) -> Response:
    """Make and edit syncs as a document says; only what an edit touches is done again."""
    done = applying.applied(call.here, _changes(call, given))
    for one in done:
        if one.did != "unchanged":
            call.note(f"sync {one.did}", one.name, "by document")
    return reply(Done(done))


def _changes(call: Call, given: Document) -> list[Change]:
    data = given.yaml.encode("utf-8", "surrogatepass")
    return call.work(applying.checked(call.here, data, "the request"))
