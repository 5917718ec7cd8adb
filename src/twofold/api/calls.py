"""What every route of the API gets: who asks, an installation, and a body that was understood."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Coroutine, Iterator
from typing import Annotated, Any, TypeVar

import msgspec
from fastapi import Depends, Request

from twofold.api.pool import Pool
from twofold.core.errors import TwofoldError
from twofold.services import access
from twofold.services.access import Role, Who
from twofold.services.installation import Installation

T = TypeVar("T")

COOKIE = "twofold_session"
PREFIX = "twofold.prefix"
"""In a request's scope: the path under which a proxy shows us, such as ``/sync``."""


class Call:
    """One request by somebody who may make it."""

    def __init__(self, here: Installation, who: Who) -> None:
        self.here = here
        self.who = who

    def work(self, coroutine: Coroutine[Any, Any, T]) -> T:
        """Call a service that calls an app; we are on a thread of our own here."""
        return asyncio.run(coroutine)

    def note(self, what: str, target: str, detail: str = "") -> None:
        """Write down a change of configuration."""
        access.note(self.here, self.who, what, target, detail)


def needs(role: Role) -> Callable[[Request], Iterator[Call]]:
    """A dependency: the call of somebody with that role.

    Raises:
        TwofoldError: TF-W01, nobody signed in; TF-W02, the role does not suffice.
    """

    def dependency(request: Request) -> Iterator[Call]:
        pool: Pool = request.app.state.pool
        with pool.taken() as here:
            who = identified(here, request)
            if not who.role.covers(role):
                raise TwofoldError("TF-W02", needed=role.value, who=who.name, role=who.role.value)
            yield Call(here, who)

    return dependency


Viewer = Annotated[Call, Depends(needs(Role.VIEWER))]
Operator = Annotated[Call, Depends(needs(Role.OPERATOR))]
Editor = Annotated[Call, Depends(needs(Role.EDITOR))]
Admin = Annotated[Call, Depends(needs(Role.ADMIN))]


def stranger(request: Request) -> Iterator[Installation]:
    """A dependency: an installation for a request of somebody who has not signed in."""
    pool: Pool = request.app.state.pool
    with pool.taken() as here:
        yield here


Stranger = Annotated[Installation, Depends(stranger)]


def identified(here: Installation, request: Request) -> Who:
    """Who sends this request.

    Raises:
        TwofoldError: TF-W01, no session or token that counts.
    """
    scheme, _, secret = request.headers.get("authorization", "").partition(" ")
    if secret:
        who = access.by_token(here, secret.strip()) if scheme.lower() == "bearer" else None
    else:
        cookie = request.cookies.get(COOKIE, "")
        who = access.by_session(here, cookie) if cookie else None
    if who is None:
        raise TwofoldError("TF-W01")
    return who


def body(kind: type[T]) -> Callable[[Request], Coroutine[Any, Any, T]]:
    """A dependency: the request's body as that type.

    Raises:
        TwofoldError: TF-W06, it is not one.
    """

    async def dependency(request: Request) -> T:
        content = await request.body()
        try:
            return msgspec.json.decode(content or b"{}", type=kind)
        except (msgspec.DecodeError, UnicodeDecodeError, RecursionError) as error:
            reason = str(error) if isinstance(error, msgspec.DecodeError) else "it is not JSON"
            raise TwofoldError("TF-W06", reason=reason.rstrip(".")[:300]) from None

    return dependency


def cookie_path(request: Request) -> str:
    """The path that our cookies belong to: all that we serve, and nothing beside it."""
    return request.scope.get(PREFIX) or "/"


def address_of(request: Request) -> str:
    """The address that a request comes from."""
    return "" if request.client is None else request.client.host
