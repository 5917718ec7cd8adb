"""The inbox: everything that waits for a person, of all syncs (O6)."""

from __future__ import annotations

from collections.abc import Iterable

from msgspec import Struct

from twofold.core.codes import CODES
from twofold.core.guards import BrakeName, brake_of
from twofold.services.health import Moment, Word
from twofold.services.installation import Installation


class Stopped(Struct, frozen=True):
    """A sync that does not go on before a person did something."""

    sync: str
    connection: str
    """Its label."""
    app: str
    """The name of its connector."""
    object_type: str
    code: str
    sentence: str
    advice: str
    brake: BrakeName | None
    """The brake that a person may override; None where the account must be looked after."""


def stopped(here: Installation, moments: Iterable[Moment]) -> list[Stopped]:
    """The syncs of these that need somebody."""
    found = []
    for moment in moments:
        if moment.status.word is not Word.ACTION_REQUIRED:
            continue
        sync = here.sync(moment.status.sync)
        connection = here.state.syncs.connection(sync.connection)
        code = sync.status.code
        found.append(
            Stopped(
                sync.name,
                connection.label,
                connection.app,
                sync.rules.hub.name,
                code,
                sync.status.sentence,
                CODES[code].advice if code in CODES else "",
                brake_of(code),
            )
        )
    return found
