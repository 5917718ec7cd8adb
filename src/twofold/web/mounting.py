"""All pages on the application that also serves the API."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from typing import cast

from fastapi import FastAPI, Request, Response
from starlette.exceptions import HTTPException

from twofold.core.errors import TwofoldError
from twofold.web import files, live
from twofold.web.area import areas
from twofold.web.assets import Assets
from twofold.web.pending import Pending
from twofold.web.previewing import Previews
from twofold.web.view import problem

_PROGRAMS = ("/api/", "/healthz", "/readyz", "/metrics")
"""Paths whose callers are programs: their errors stay JSON."""

Handler = Callable[[Request, Exception], Awaitable[Response]]


def mount(app: FastAPI) -> None:
    """Put the pages on an application that has the API already.

    Raises:
        TwofoldError: TF-W42, a file of an installed package is missing.
    """
    app.state.assets = Assets()
    app.state.areas = areas()
    app.state.pending = Pending()
    app.state.previews = Previews()
    app.include_router(files.router)
    app.include_router(live.router)
    for area in app.state.areas:
        app.include_router(area.router, include_in_schema=False)
    for kind in (HTTPException, Exception):
        handler = cast("Handler", app.exception_handlers[kind])
        app.add_exception_handler(kind, _for_people(handler))


def _for_people(programs: Handler) -> Handler:
    """Errors outside of any route, as pages where a person asked."""

    async def shown(request: Request, error: Exception) -> Response:
        answer = await programs(request, error)
        if request.url.path.startswith(_PROGRAMS):
            return answer
        if answer.status_code == 500:
            return problem(request, TwofoldError("TF-W18", kind=type(error).__name__))
        return problem(request, TwofoldError("TF-W40", path=request.url.path[:200]))

    return shown
