"""Limits of a sync: set by words, as an edit of its document (L2–L5, L7)."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import msgspec
from msgspec import Struct

from twofold.core.filter_words import filter_words, parsed
from twofold.core.filters import Filter, Leaving
from twofold.core.mappings import Rules
from twofold.core.records import Side
from twofold.services.applying import Change, document, reworded
from twofold.services.installation import Installation


class Wanted(Struct, frozen=True):
    """What a person wants to be another way; None = as it is."""

    to_app: Sequence[str] | None = None
    """Criteria of what the hub sends, as `filter_words` writes them; empty = no limit."""
    to_hub: Sequence[str] | None = None
    """Criteria of what the app sends."""
    leaving: Leaving | None = None
    from_now_on: bool | None = None
    stages: Sequence[str] | None = None
    """Lifecycle stages of the hub that belong to the sync (S9); empty = all."""


async def changed(here: Installation, name: str, wanted: Wanted) -> list[Change]:
    """What other limits of a sync mean, checked and not saved.

    Raises:
        Refused: TF-U07, with all problems of the limits.
        TwofoldError: TF-U06, there is no such sync; TF-L07, TF-L10, a line is no criterion.
    """
    sync = here.sync(name)
    found: dict[str, Any] = document(here, sync)
    if wanted.to_app is not None:
        found["hub_filter"] = _plain(sync.rules, Side.HUB, wanted.to_app)
    if wanted.to_hub is not None:
        found["app_filter"] = _plain(sync.rules, Side.APP, wanted.to_hub)
    if wanted.leaving is not None:
        found["leaving"] = wanted.leaving.value
    if wanted.from_now_on is not None:
        found["from_now_on"] = wanted.from_now_on
    if wanted.stages is not None:
        found["stages"] = list(wanted.stages)
    return await reworded(here, found, name)


def told(rules: Rules, side: Side) -> list[str]:
    """The limit of what a side sends, in words; empty where everything is sent."""
    return filter_words(rules.filter_of(side))


def _plain(rules: Rules, side: Side, lines: Sequence[str]) -> Any:
    asked: Filter = parsed(lines, [field.name for field in rules.type_of(side).fields])
    return msgspec.to_builtins(asked)
