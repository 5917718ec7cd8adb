"""All routes of the API on one application, and its errors outside of them."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from fastapi import FastAPI, Request, Response
from starlette.exceptions import HTTPException

from twofold.api import (
    alerting,
    connecting,
    deciding,
    erasing,
    history,
    hooks,
    hub_records,
    live,
    looking,
    metrics,
    networking,
    people,
    probes,
    signing,
    syncing,
)
from twofold.api.answers import refusal, reply
from twofold.api.hooks import Intake
from twofold.api.live import Live
from twofold.api.pool import Pool
from twofold.api.schema import document
from twofold.core.errors import TwofoldError

PREFIX = "/api/v1"

_PARTS = (
    signing,
    people,
    networking,
    connecting,
    syncing,
    looking,
    deciding,
    erasing,
    history,
    alerting,
    hub_records,
    live,
)

Log = Callable[..., None]


def mount(app: FastAPI, pool: Pool, log: Log, public: str = "") -> None:
    """Put the API on an application; ``public``: the address by which others know it."""
    app.state.pool = pool
    app.state.public = public
    app.state.intake = Intake(pool, log, public)
    app.state.live = Live(pool)
    app.include_router(probes.router)
    app.include_router(metrics.router)
    app.include_router(hooks.router)
    for module in _PARTS:
        app.include_router(module.router, prefix=PREFIX)

    @app.get(f"{PREFIX}/openapi.json", include_in_schema=False)
    def openapi() -> Response:
        return reply(document(app))

    @app.exception_handler(HTTPException)
    async def unknown(request: Request, error: HTTPException) -> Response:
        path, method = request.url.path[:200], request.method
        if error.status_code == 405:
            answer = refusal(TwofoldError("TF-W17", path=path, method=method))
            answer.headers.update(error.headers or {})
            return answer
        if error.status_code == 404:
            return refusal(TwofoldError("TF-W07", path=path))
        return refusal(TwofoldError("TF-W06", reason=str(error.detail)[:200]))

    @app.exception_handler(Exception)
    async def unexpected(_: Request, error: Exception) -> Response:
        kind = type(error).__name__
        log("request failed", kind=kind, at=_frames(error))
        return refusal(TwofoldError("TF-W18", kind=kind))

    document_of: Any = lambda: document(app)  # noqa: E731
    app.openapi = document_of  # type: ignore[method-assign]


def _frames(error: BaseException) -> list[str]:
    """Where it happened, without a value of anything."""
    found, at = [], error.__traceback__
    while at is not None:
        code = at.tb_frame.f_code
        found.append(f"{code.co_filename.rpartition('/')[2]}:{at.tb_lineno} {code.co_name}")
        at = at.tb_next
    return found[-5:]
