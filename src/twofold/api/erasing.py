"""Erase one person."""

from __future__ import annotations

from typing import Annotated

from fastapi import APIRouter, Depends, Response
from msgspec import Struct

from twofold.api.answers import reply
from twofold.api.calls import Admin, body
from twofold.api.once import Once
from twofold.api.schema import gives, takes
from twofold.services import erasing
from twofold.services.erasing import Receipt

router = APIRouter(route_class=Once, tags=["personal data"])


class Erasure(Struct, frozen=True):
    """Whom to erase, and how far."""

    person: str
    """An e-mail address, or the id of a record."""
    hub: bool = False
    """From the hub inside, too."""


@router.post("/erasure/preview", **gives(Receipt), **takes(Erasure))
def preview(call: Admin, given: Annotated[Erasure, Depends(body(Erasure))]) -> Response:
    """Show what would be erased; nothing is done."""
    return reply(erasing.look(call.here, call.who, given.person, hub=given.hub))


@router.post("/erasure", **gives(Receipt), **takes(Erasure))
def erase(call: Admin, given: Annotated[Erasure, Depends(body(Erasure))]) -> Response:
    """Erase all that is remembered of a person; the answer is a receipt."""
    return reply(erasing.erase(call.here, call.who, given.person, hub=given.hub))
