"""Webhooks of apps: who may call for a connection, and what a call sets in motion."""

from __future__ import annotations

from collections.abc import Callable, Collection, Mapping

from twofold.core.errors import TwofoldError
from twofold.kit import catalog
from twofold.kit.hooks import Hears, HookCall
from twofold.services.installation import Installation

Receiver = Callable[[HookCall], Collection[str]]
"""What a connection makes of a call: the object types that changed, or NotGenuine."""


def receiver(here: Installation, label: str) -> Receiver:
    """What takes the calls for a connection, with its secrets.

    Raises:
        TwofoldError: TF-U05, there is no such connection; TF-W31, its app sends no webhooks.
    """
    connection = here.connection(label)
    kind = catalog.load(connection.app)
    if not isinstance(kind, Hears):
        raise TwofoldError("TF-W31", label=label, app=connection.app)
    heard, settings = kind.heard, here.answers(connection)
    return lambda call: heard(settings, call)


def nudge(here: Installation, changed: Mapping[str, Collection[str]]) -> None:
    """Have syncs read soon: by the connection's label the object types; none = all of them."""
    known = {connection.label: connection.id for connection in here.state.syncs.connections()}
    for label, types in changed.items():
        if label in known:
            here.state.schedule.nudge_app(known[label], types)
