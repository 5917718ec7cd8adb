"""An edit of a few settings: the sync's own document, with these changed."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from twofold.core.errors import TwofoldError
from twofold.kit.yaml_text import Node, Unreadable, read
from twofold.services.applying import Change, document, reworded
from twofold.services.installation import Installation

_FIXED = ("twofold", "name", "connection", "hub", "app", "mappings")
_WAYS = {"both": "both", "to-hub": "to_hub", "to-app": "to_app"}


async def edited(
    here: Installation,
    name: str,
    settings: Sequence[str],
    maps: Sequence[str],
    without: Sequence[str],
) -> list[Change]:
    """What changing these settings of a sync means.

    Args:
        settings: As ``key=value``; a value is YAML.
        maps: As ``hubfield=appfield``, with ``:to-hub`` or ``:to-app`` behind it.
        without: Hub fields whose mapping goes.

    Raises:
        Refused: TF-U07, with all problems of the new rules.
        TwofoldError: TF-U06, there is no such sync; TF-E02, no setting; TF-U18, no mapping;
            TF-U23, no mapping to leave out.
    """
    found = document(here, here.sync(name))
    for text in settings:
        key, value = _setting(text)
        found[key] = value
    mappings: list[dict[str, Any]] = found.get("mappings", [])
    for field in without:
        kept = [m for m in mappings if m["hub"] != field]
        if len(kept) == len(mappings):
            raise TwofoldError("TF-U23", field=field)
        mappings = kept
    for text in maps:
        made = _mapping(text)
        mappings = [m for m in mappings if m["hub"] != made["hub"] and m["app"] != made["app"]]
        mappings.append(made)
    found["mappings"] = mappings
    return await reworded(here, found, name)


def _setting(text: str) -> tuple[str, Any]:
    key, equals, value = text.partition("=")
    if not (key and equals):
        raise TwofoldError("TF-E02", text=text, reason="it has no '='")
    if key in _FIXED:
        raise TwofoldError("TF-E02", text=text, reason=f"{key} is not set this way")
    try:
        nodes: list[Node] = read(value.encode())
    except (Unreadable, UnicodeEncodeError) as error:
        raise TwofoldError("TF-E02", text=text, reason="its value is no YAML") from error
    if len(nodes) > 1:
        raise TwofoldError("TF-E02", text=text, reason="its value is more than one document")
    return key, nodes[0].plain() if nodes else None


def _mapping(text: str) -> dict[str, Any]:
    pair, _, way = text.partition(":")
    ours, equals, theirs = pair.partition("=")
    if not (ours and equals and theirs) or (way and way not in _WAYS):
        raise TwofoldError("TF-U18", text=text)
    made = {"hub": ours, "app": theirs}
    return {**made, "direction": _WAYS[way]} if way else made
