"""The registry of every error and exclusion: code, sentence, advice, whether a retry can help.

Codes are permanent. A group is a letter and a file: access A · alerts N · brakes B · calls C ·
deletes D · edits E · exclusions X · fields F · history H · limits L · matching M · records R ·
state S · use U · documents Y.
"""

from __future__ import annotations

from twofold.core.codes import (
    access,
    alerts,
    brakes,
    calls,
    deletes,
    documents,
    edits,
    exclusions,
    fields,
    history,
    limits,
    matching,
    records,
    state,
    use,
    web,
)
from twofold.core.codes.entry import Code

__all__ = ["CODES", "Code"]

_GROUPS = (
    access.CODES,
    alerts.CODES,
    brakes.CODES,
    calls.CODES,
    deletes.CODES,
    edits.CODES,
    exclusions.CODES,
    fields.CODES,
    history.CODES,
    limits.CODES,
    matching.CODES,
    records.CODES,
    state.CODES,
    use.CODES,
    web.CODES,
    documents.CODES,
)

CODES: dict[str, Code] = {entry.code: entry for group in _GROUPS for entry in group}
