"""Syncs: made, turned on and off, run, deleted; what they did."""

from __future__ import annotations

from typing import Annotated

from fastapi import APIRouter, Depends, Query, Response
from msgspec import Struct

from twofold.api.answers import reply
from twofold.api.calls import Call, Editor, Operator, Viewer, body
from twofold.api.once import Once
from twofold.api.schema import gives, takes
from twofold.core.validate import Problem
from twofold.services import health, keepsakes, requests, runs, syncs
from twofold.services.configured import Configured, configured
from twofold.services.health import Status
from twofold.services.proposals import Request
from twofold.store.schedule import Asked

router = APIRouter(route_class=Once, tags=["syncs"])


class Listed(Struct, frozen=True):
    """A sync and where it stands."""

    sync: Configured
    status: Status


class Syncs(Struct, frozen=True):
    """All syncs."""

    syncs: list[Listed]


class Saved(Struct, frozen=True):
    """A sync that was saved, with what to know about it."""

    sync: Configured
    warnings: list[Problem]


class Wish(Struct, frozen=True):
    """How to run."""

    full: bool = False
    allow_empty: bool = False
    """Believe a side that suddenly shows nothing."""


class Ran(Struct, frozen=True):
    """One run."""

    id: int
    sync: str
    started: str
    ended: str | None
    summary: dict[str, int | str]


class Runs(Struct, frozen=True):
    """The latest runs."""

    runs: list[Ran]


@router.get("/syncs", **gives(Syncs))
def list_syncs(call: Viewer) -> Response:
    """List all syncs with their status."""
    return reply(Syncs([_listed(call, sync.name) for sync in syncs.every(call.here)]))


@router.post("/syncs", **gives(Saved, 201), **takes(Request))
def add(call: Editor, given: Annotated[Request, Depends(body(Request))]) -> Response:
    """Check and save a sync; a refusal lists all problems and saves nothing."""
    made, warnings = call.work(syncs.add(call.here, given))
    call.note("sync saved", made.name, given.connection)
    return reply(Saved(configured(call.here, made), list(warnings)), 201)


@router.get("/syncs/{name}", **gives(Listed))
def show(call: Viewer, name: str) -> Response:
    """Show what is configured for a sync, and where it stands."""
    return reply(_listed(call, name))


@router.post("/syncs/{name}/on", **gives(Listed))
def turn_on(call: Operator, name: str) -> Response:
    """Turn a sync on; it catches up and repeats nothing."""
    syncs.turn(call.here, name, on=True)
    call.note("sync turned on", name)
    return reply(_listed(call, name))


@router.post("/syncs/{name}/off", **gives(Listed))
def turn_off(call: Operator, name: str) -> Response:
    """Turn a sync off, in both directions; mappings and links are kept."""
    syncs.turn(call.here, name, on=False)
    call.note("sync turned off", name)
    return reply(_listed(call, name))


@router.post("/syncs/{name}/run", **gives(Listed), **takes(Wish))
def run_now(call: Operator, name: str, given: Annotated[Wish, Depends(body(Wish))]) -> Response:
    """Run a sync now, in both directions."""
    requests.run_now(call.here, name, Asked(given.full, given.allow_empty, call.who.label))
    if given.allow_empty:
        call.note("empty side believed", name)
    return reply(_listed(call, name))


@router.delete("/syncs/{name}", **gives(Configured))
def delete(call: Editor, name: str, keep: bool = False) -> Response:
    """Forget a sync with its links and history; no record on either side is touched.

    `keep`: its links and history are written out first, as CSV, to the folder `kept` of the server.
    """
    going = configured(call.here, call.here.sync(name))
    if keep:
        keepsakes.write_out(call.here, name, keepsakes.folder_of(call.here, name))
    syncs.delete(call.here, name)
    call.note("sync deleted", name)
    return reply(going)


@router.get("/runs", **gives(Runs))
def latest(
    call: Viewer, sync: str = "", limit: Annotated[int, Query(ge=1, le=200)] = 20
) -> Response:
    """List the latest runs, newest first."""
    found = runs.latest(call.here, sync, limit)
    return reply(
        Runs([Ran(run.id, one.name, run.started, run.ended, run.summary) for one, run in found])
    )


def _listed(call: Call, name: str) -> Listed:
    sync = call.here.sync(name)
    return Listed(configured(call.here, sync), health.status(call.here, sync))
