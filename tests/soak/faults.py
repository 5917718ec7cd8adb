"""What goes wrong meanwhile: servers that go away and come back, processes that are killed."""

from __future__ import annotations

import os
import signal
from collections.abc import Callable
from contextlib import suppress
from typing import NamedTuple

from tests.servers.postgres import Postgres
from tests.servers.radicale import Radicale
from tests.service.service import Service


class Fault(NamedTuple):
    """One thing that goes wrong for a while."""

    name: str
    begin: Callable[[], None]
    end: Callable[[], None]
    lasts: float
    """Seconds."""
    away: str = ""
    """The place that nobody can reach meanwhile."""


def all_faults(up: Service, shop: Postgres, book: Radicale) -> list[Fault]:
    """Each once, in the order in which they happen."""

    def signaled(name: str, number: int) -> Callable[[], None]:
        def send() -> None:
            with suppress(ProcessLookupError):  # it was just replaced
                os.kill(up.pid(name), number)

        return send

    return [
        Fault("worker killed", signaled("worker", signal.SIGKILL), _nothing, 5.0),
        Fault("shop's server crashed", lambda: shop.stop(signal.SIGQUIT), shop.start, 4.0, "shop"),
        Fault("book's server restarted", book.stop, book.start, 4.0, "book"),
        Fault(
            "worker frozen",
            signaled("worker", signal.SIGSTOP),
            signaled("worker", signal.SIGCONT),
            8.0,
        ),
        Fault("web process killed", signaled("web", signal.SIGKILL), _nothing, 5.0),
    ]


def _nothing() -> None:
    """The supervisor puts it right."""
