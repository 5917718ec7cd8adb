"""Previews of drafts: runs that write nothing, on a thread of their own while a person waits."""

from __future__ import annotations

import asyncio
import threading
from collections.abc import Sequence

from msgspec import Struct

from twofold.api.pool import Pool
from twofold.core.errors import TwofoldError
from twofold.services import drafts
from twofold.services.drafts import Document, Draft
from twofold.services.previews import Line, Planned
from twofold.web.wording import PLANNED

MOST_LINES = 100
"""Parts of a plan that a page shows."""
MOST_KEPT = 20
"""Previews that are remembered; an older one is made again when it is asked for."""


class Preview(Struct, frozen=True):
    """What became of one preview."""

    of: Document
    """The draft's document when it was begun."""
    plan: Planned | None = None
    """None while it runs, and where it failed."""
    lines: Sequence[Line] = ()
    error: TwofoldError | None = None

    @property
    def running(self) -> bool:
        """Whether it has not ended."""
        return self.plan is None and self.error is None

    @property
    def counts(self) -> list[tuple[str, int]]:
        """How many parts there are of each kind."""
        found = {} if self.plan is None else self.plan.counts
        return [(kind, found[kind]) for kind in PLANNED if found.get(kind)]


class Previews:
    """The latest preview of each draft. One is worked on at a time."""

    def __init__(self) -> None:
        self._found: dict[str, Preview] = {}
        self._lock = threading.Lock()
        self._one_at_a_time = threading.Lock()

    def of(self, draft: Draft) -> Preview | None:
        """The preview of a draft as it is now; None where it was changed since."""
        found = self._found.get(draft.id)
        return found if found is not None and found.of == draft.document else None

    def begin(self, pool: Pool, draft: Draft) -> None:
        """Begin a preview, unless one of the same draft is under way."""
        with self._lock:
            known = self.of(draft)
            if known is not None and known.running:
                return
            self._found.pop(draft.id, None)
            self._found[draft.id] = Preview(draft.document)
            while len(self._found) > MOST_KEPT:
                del self._found[next(iter(self._found))]
        # A preview must not keep the process from stopping: nothing of it needs to be finished.
        threading.Thread(target=self._work, args=(pool, draft), daemon=True).start()

    def _work(self, pool: Pool, draft: Draft) -> None:
        try:
            with self._one_at_a_time, pool.taken() as here:
                plan, lines = asyncio.run(drafts.previewed(here, draft, MOST_LINES))
            found = Preview(draft.document, plan, lines)
        except TwofoldError as error:
            found = Preview(draft.document, error=error)
        except Exception as error:
            found = Preview(draft.document, error=TwofoldError("TF-W18", kind=type(error).__name__))
            raise
        finally:
            with self._lock:
                self._found[draft.id] = found
