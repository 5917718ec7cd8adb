"""Live numbers for pages that are open: what changed, by the names that templates give it.

An element with ``data-live="7.failing"`` shows how many records of sync 7 fail, at every moment.
"""

from __future__ import annotations

from collections.abc import Sequence
from functools import cache

import msgspec
from fastapi import APIRouter, Request
from fastapi.responses import StreamingResponse
from starlette.concurrency import run_in_threadpool

from twofold.api.calls import identified
from twofold.api.live import Live, Shape
from twofold.api.pool import Pool
from twofold.services.health import Moment
from twofold.web.language import LANGUAGES, translations
from twofold.web.reader import Reader, reader_of
from twofold.web.view import Page
from twofold.web.wording import Wording

router = APIRouter(route_class=Page, include_in_schema=False)


@router.get("/live")
async def stream(request: Request) -> StreamingResponse:
    """Stream what is shown of every sync whenever it changes."""

    def allowed() -> None:
        pool: Pool = request.app.state.pool
        with pool.taken() as here:  # only now: a stream that lasts must not keep it
            identified(here, request)

    await run_in_threadpool(allowed)
    reader = reader_of(request.cookies, request.headers.get("accept-language", ""))
    live: Live = request.app.state.live
    return StreamingResponse(
        live.listen(request, shape(reader.language)),
        media_type="text/event-stream",
        headers={"X-Accel-Buffering": "no"},
    )


@cache
def shape(language: str) -> Shape:
    """Makes the texts of a language: one function each, so that they are made once for all."""
    assert language in LANGUAGES
    reader = Reader(language)
    words = Wording(reader, translations(language))

    def texts(moments: Sequence[Moment]) -> bytes:
        found: dict[str, str] = {}
        for moment in moments:
            for name, text in shown(moment, reader, words).items():
                found[f"{moment.sync}.{name}"] = text
        return msgspec.json.encode(found)

    return texts


def shown(moment: Moment, reader: Reader, words: Wording) -> dict[str, str]:
    """What is shown of one sync, by name; the first rendering of a page uses the same."""
    status, counts = moment.status, moment.counts
    total = status.total or 0
    return {
        "word": status.word.name.lower(),
        "status": words.status(status),
        "reason": words.reason(status),
        "in_sync": reader.number(counts.in_sync),
        "failing": reader.number(counts.failing),
        "excluded": reader.number(counts.excluded),
        "waiting": reader.number(counts.waiting),
        "done": str(min(status.done, total)),
        "total": str(total),
    }
