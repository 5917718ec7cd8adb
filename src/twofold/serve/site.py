"""Everything that one address serves: the probes and the API; pages have their place here too."""

from __future__ import annotations

from pathlib import Path

from fastapi import FastAPI

from twofold import __version__
from twofold.api.pool import Pool
from twofold.api.probes import router as probes


def site(folder: Path) -> FastAPI:
    """The application over one data folder."""
    app = FastAPI(title="Twofold", version=__version__, docs_url=None, redoc_url=None)
    app.state.pool = Pool(folder)
    app.include_router(probes)
    return app
