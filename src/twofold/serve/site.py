"""Everything that one address serves: the pages, the API with its probes, and the hub's own API."""

from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path

from fastapi import FastAPI
from starlette.types import ASGIApp, Receive, Scope, Send

from twofold import __version__, api
from twofold.api.guard import Guard
from twofold.api.pool import Pool
from twofold.hub.api.application import Api
from twofold.hub.api.versions import spoken
from twofold.serve.log import Log
from twofold.serve.proxied import Proxied
from twofold.serve.reach import Reach
from twofold.services.installation import HUB_FILE
from twofold.web.mounting import mount as mount_pages


def site(folder: Path, reach: Reach, log: Log) -> ASGIApp:
    """The application over one data folder."""
    pool = Pool(folder)
    hub = Api(folder / HUB_FILE, log=log)

    @asynccontextmanager
    async def lifespan(_: FastAPI) -> AsyncIterator[None]:
        yield
        pool.close()
        hub.close()

    # FastAPI's own pages of documentation load scripts from other servers.
    app = FastAPI(
        title="Twofold",
        version=__version__,
        docs_url=None,
        redoc_url=None,
        openapi_url=None,
        lifespan=lifespan,
    )
    api.mount(app, pool, log, reach.public)
    mount_pages(app)

    async def shared(scope: Scope, receive: Receive, send: Send) -> None:
        own = scope["type"] == "http" and spoken(scope["path"])
        await (hub if own else app)(scope, receive, send)

    return Proxied(Guard(shared, reach.hosts), reach.prefix, reach.proxies)
