"""Everything that one address serves: the API with its probes; pages have their place here too."""

from __future__ import annotations

from collections.abc import AsyncIterator, Collection
from contextlib import asynccontextmanager
from pathlib import Path

from fastapi import FastAPI
from starlette.types import ASGIApp

from twofold import __version__, api
from twofold.api.guard import Guard
from twofold.api.pool import Pool
from twofold.serve.log import Log


def site(folder: Path, hosts: Collection[str], log: Log) -> ASGIApp:
    """The application over one data folder; ``hosts``: its names besides those of the machine."""
    pool = Pool(folder)

    @asynccontextmanager
    async def lifespan(_: FastAPI) -> AsyncIterator[None]:
        yield
        pool.close()

    # FastAPI's own pages of documentation load scripts from other servers.
    app = FastAPI(
        title="Twofold",
        version=__version__,
        docs_url=None,
        redoc_url=None,
        openapi_url=None,
        lifespan=lifespan,
    )
    api.mount(app, pool, log)
    return Guard(app, hosts)
