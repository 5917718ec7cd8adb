"""``/healthz`` and ``/readyz``: for whoever keeps the process alive; they tell nothing else."""

from __future__ import annotations

from fastapi import APIRouter, Request, Response

from twofold.api.pool import Pool
from twofold.core.errors import TwofoldError

router = APIRouter(include_in_schema=False)

_SILENT = 120.0
"""Seconds without a sign of life of the worker after which it does not count as ready."""


@router.get("/healthz")
def healthz() -> dict[str, str]:
    """The web process answers."""
    return {"status": "ok"}


@router.get("/readyz")
def readyz(request: Request, response: Response) -> dict[str, str]:
    """The state can be read, and the worker is alive."""
    pool: Pool = request.app.state.pool
    try:
        with pool.taken() as here:
            silent = here.world.now().timestamp() - here.state.schedule.last_sign()
    except TwofoldError as error:
        response.status_code = 503
        return {"status": "not ready", "code": error.code}
    if silent > _SILENT:
        response.status_code = 503
        return {"status": "not ready", "code": "worker silent"}
    return {"status": "ok"}
