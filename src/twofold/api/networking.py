"""Which addresses within the own network may be reached."""

from __future__ import annotations

from typing import Annotated

from fastapi import APIRouter, Depends, Response
from msgspec import Struct

from twofold.api.answers import reply
from twofold.api.calls import Admin, body
from twofold.api.once import Once
from twofold.api.schema import gives, takes
from twofold.services import network

router = APIRouter(route_class=Once, tags=["network"])


class Addresses(Struct, frozen=True):
    """Addresses, and blocks of them."""

    allowed: list[str]
    environment: list[str]
    """Those that the environment of the service names besides."""


class Address(Struct, frozen=True):
    """One address, or a block such as 192.168.1.0/24."""

    address: str


@router.get("/network", **gives(Addresses))
def list_addresses(call: Admin) -> Response:
    """List what connections may reach within the own network."""
    return reply(Addresses(network.allowed(call.here), network.from_environment()))


@router.post("/network", **gives(Address, 201), **takes(Address))
def allow(call: Admin, given: Annotated[Address, Depends(body(Address))]) -> Response:
    """Allow an address within the own network."""
    return reply(Address(network.allow(call.here, call.who, given.address)), 201)


@router.post("/network/forbid", **gives(Address), **takes(Address))
def forbid(call: Admin, given: Annotated[Address, Depends(body(Address))]) -> Response:
    """Allow an address no more."""
    return reply(Address(network.forbid(call.here, call.who, given.address)))
