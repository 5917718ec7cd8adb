"""Apps and connections."""

from __future__ import annotations

from typing import Annotated

from fastapi import APIRouter, Depends, Query, Request, Response
from msgspec import Struct

from twofold.api.answers import reply
from twofold.api.calls import Editor, Viewer, body
from twofold.api.once import Once
from twofold.api.schema import gives, takes
from twofold.core.errors import TwofoldError
from twofold.core.schema import ObjectType
from twofold.services import apps, connections, signing_in
from twofold.services.apps import App
from twofold.services.connections import Contents, Shown

router = APIRouter(route_class=Once, tags=["connections"])


class Apps(Struct, frozen=True):
    """The catalog."""

    apps: list[App]


class Connections(Struct, frozen=True):
    """All connections, the hub first."""

    connections: list[Shown]


class NewConnection(Struct, frozen=True):
    """An account to connect."""

    app: str
    answers: dict[str, str] = {}
    """By the names of the app's questions."""
    label: str = ""


class Answers(Struct, frozen=True):
    """New answers to some of the app's questions."""

    answers: dict[str, str] = {}


class NewSignIn(Struct, frozen=True):
    """A sign-in by an app's own page."""

    app: str = ""
    answers: dict[str, str] = {}
    """The client of your app: ``client_id`` and ``client_secret``."""
    label: str = ""
    again: bool = False
    """For the connection of that label, which keeps its mappings and links."""


class Onward(Struct, frozen=True):
    """Where to send the person."""

    address: str


class ConnectionChange(Struct, frozen=True):
    """What to change of a connection."""

    label: str | None = None
    poll: float | None = None
    """Seconds between two polls."""
    reserve: float | None = None
    """The share of the app's limit per day, from 0 to 0.9, that is left to others."""


class ObjectTypes(Struct, frozen=True):
    """What an account offers now."""

    object_types: list[ObjectType]


class Works(Struct, frozen=True):
    """The account answered."""

    account: str
    label: str


@router.get("/apps", **gives(Apps))
def list_apps(call: Viewer) -> Response:
    """List the apps that can be connected."""
    return reply(Apps(apps.every()))


@router.get("/apps/{name}", **gives(App))
def show_app(call: Viewer, name: str) -> Response:
    """Show what an app asks, and what pairs with the hub."""
    return reply(apps.one(name))


@router.get("/connections", **gives(Connections))
def list_connections(call: Viewer) -> Response:
    """List the connected accounts. Secrets are never shown."""
    return reply(Connections(connections.every(call.here)))


@router.post("/connections", **gives(Shown, 201), **takes(NewConnection))
def connect(
    call: Editor, given: Annotated[NewConnection, Depends(body(NewConnection))]
) -> Response:
    """Connect an account, after a real call with the answers; a refusal saves nothing."""
    _check_label(given.label)
    made = call.work(connections.connect(call.here, given.app, given.answers, given.label))
    call.note("connected", made.label, made.app)
    return reply(made, 201)


@router.post("/sign-ins", **gives(Onward, 201), **takes(NewSignIn))
def sign_in(
    call: Editor, request: Request, given: Annotated[NewSignIn, Depends(body(NewSignIn))]
) -> Response:
    """Begin to connect an account by the app's own page; it sends the person back to us."""
    _check_label(given.label)
    public = request.app.state.public or str(request.base_url)
    redirect = public.rstrip("/") + signing_in.CALLBACK
    address = signing_in.begin(
        call.here, given.app, given.answers, redirect, given.label, again=given.again
    )
    return reply(Onward(address), 201)


@router.get("/connections/{label}", **gives(Shown))
def show_connection(call: Viewer, label: str) -> Response:
    """Show a connection."""
    return reply(connections.one(call.here, label))


@router.patch("/connections/{label}", **gives(Shown), **takes(ConnectionChange))
def change_connection(
    call: Editor, label: str, given: Annotated[ConnectionChange, Depends(body(ConnectionChange))]
) -> Response:
    """Give a connection another name, or another time between polls."""
    made = connections.one(call.here, label)
    if given.poll is not None:
        if not 5 <= given.poll <= 86_400:
            raise TwofoldError("TF-W06", reason="poll is from 5 to 86400 seconds")
        made = connections.poll_every(call.here, label, given.poll)
    if given.reserve is not None:
        if not 0 <= given.reserve <= 0.9:
            raise TwofoldError("TF-W06", reason="reserve is from 0 to 0.9")
        made = connections.reserve(call.here, label, given.reserve)
    if given.label is not None and given.label != label:
        _check_label(given.label or " ")
        made = connections.rename(call.here, label, given.label)
    call.note("connection changed", label, made.label)
    return reply(made)


@router.get("/connections/{label}/object-types", **gives(ObjectTypes))
def object_types(call: Viewer, label: str) -> Response:
    """Ask the account what it offers now."""
    return reply(ObjectTypes(call.work(connections.object_types(call.here, label))))


@router.post("/connections/{label}/test", **gives(Works))
def test(call: Editor, label: str) -> Response:
    """Call the app with the stored answers."""
    found = call.work(connections.test(call.here, label))
    return reply(Works(found.account, found.label))


@router.post("/connections/{label}/reconnect", **gives(Shown), **takes(Answers))
def reconnect(
    call: Editor, label: str, given: Annotated[Answers, Depends(body(Answers))]
) -> Response:
    """Give new answers, such as a changed password; mappings and links are kept."""
    made = call.work(connections.reconnect(call.here, label, given.answers))
    call.note("reconnected", label, ", ".join(sorted(given.answers)))
    return reply(made)


@router.delete("/connections/{label}", **gives(Contents))
def remove(call: Editor, label: str, with_syncs: Annotated[bool, Query()] = False) -> Response:
    """Forget a connection and what was read through it; no app is touched."""
    gone = connections.remove(call.here, label, with_syncs=with_syncs)
    call.note("connection removed", label, ", ".join(gone.syncs))
    return reply(gone)


def _check_label(label: str) -> None:
    if label and (label != label.strip() or len(label) > 100 or not label.isprintable()):
        raise TwofoldError("TF-W06", reason="a label has 1 to 100 printable characters")
    if "/" in label:
        raise TwofoldError("TF-W06", reason="a label has no slash")
