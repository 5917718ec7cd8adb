"""Who is told when something needs a person."""

from __future__ import annotations

from typing import Annotated

from fastapi import APIRouter, Depends, Response
from msgspec import Struct

from twofold.api.answers import reply
from twofold.api.calls import Admin, body
from twofold.api.once import Once
from twofold.api.schema import gives, takes
from twofold.services import alerts
from twofold.services.alerts import AlertChange, Told

router = APIRouter(route_class=Once, tags=["alerts"])


class Sent(Struct, frozen=True):
    """How a test was sent."""

    channels: list[str]


@router.get("/settings/alerts", **gives(Told))
def show(call: Admin) -> Response:
    """Who is told, of what, and how sending goes; secrets are not shown."""
    return reply(alerts.told(call.here))


@router.put("/settings/alerts", **gives(Told), **takes(AlertChange))
def change(call: Admin, given: Annotated[AlertChange, Depends(body(AlertChange))]) -> Response:
    """Set who is told, of what and how often; secrets that are left out stay as they are."""
    found = alerts.change(call.here, given)
    call.note("alerts set", "")
    return reply(found)


@router.post("/settings/alerts/test", **gives(Sent))
def test(call: Admin) -> Response:
    """Send a test over everything that is set."""
    return reply(Sent(call.work(alerts.test(call.here))))
