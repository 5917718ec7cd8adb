"""Serves scripts and styles."""

from __future__ import annotations

from fastapi import APIRouter, Request, Response

from twofold.core.errors import TwofoldError
from twofold.web.assets import Assets
from twofold.web.view import Page

router = APIRouter(route_class=Page, include_in_schema=False)


@router.get("/assets/{version}/{name}")
def asset(request: Request, version: str, name: str) -> Response:
    """One file; what is asked for by another version is there too, but not for good."""
    assets: Assets = request.app.state.assets
    found = assets.files.get(name)
    if found is None:
        raise TwofoldError("TF-W40", path=request.url.path[:200])
    lasting = "public, max-age=31536000, immutable" if version == assets.version else "no-store"
    headers = {"Cache-Control": lasting, "Vary": "Accept-Encoding"}
    if "gzip" in request.headers.get("accept-encoding", ""):
        headers["Content-Encoding"] = "gzip"
        return Response(found.packed, headers=headers, media_type=found.media)
    return Response(found.content, headers=headers, media_type=found.media)
