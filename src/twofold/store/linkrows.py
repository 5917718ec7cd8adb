"""Links as rows: what is stored of them, and back."""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import Any

import msgspec
import orjson

from twofold.core.health import Outcome, State
from twofold.core.links import Flip, Link, Note, Sent
from twofold.core.records import Side
from twofold.core.values import Value
from twofold.store.codec import decode, encode, storable_text
from twofold.store.records import as_stored
from twofold.store.types import LinkRow

LINK_COLUMNS = (
    "l.state, l.agreed_hub, l.agreed_app, l.note, l.flips, l.outcome,"
    " h.row, h.id, h.version, h.shown, h.gone, h.into_id,"
    " a.row, a.id, a.version, a.shown, a.gone, a.into_id"
)


def as_link_row(row: tuple[Any, ...]) -> LinkRow:
    """Decode one row of LINK_COLUMNS."""
    state, agreed_hub, agreed_app, note, flips, outcome = row[:6]
    hub, app = as_stored(*row[6:12]), as_stored(*row[12:18])
    seen = {
        Side.HUB: hub.record.fields if agreed_hub is None else decode(agreed_hub),
        Side.APP: app.record.fields if agreed_app is None else decode(agreed_app),
    }
    link = Link(
        seen,
        decode_note(note) if note else {},
        decode_flips(flips) if flips else {},
    )
    return LinkRow(hub, app, state, link, (agreed_hub, agreed_app), outcome)


def encode_note(note: Note) -> bytes:
    """A note as bytes; an empty one too says that a write is under way."""
    flat: dict[str, Value] = {}
    for side, values in note.items():
        flat[f"{side}"] = None
        for name, sent in values.items():
            flat[f"{side}:v:{name}"] = sent.value
            flat[f"{side}:s:{name}"] = sent.source
            flat[f"{side}:b:{name}"] = sent.before
    return encode(flat)


def decode_note(data: bytes) -> Note:
    """The inverse of ``encode_note``; a side that is written has an entry, maybe an empty one."""
    flat = decode(data)
    note: dict[Side, dict[str, Sent]] = {Side(k): {} for k in flat if ":" not in k}
    for key, value in flat.items():
        if ":" in key:
            side, part, name = key.split(":", 2)
            if part == "v":
                source, before = (flat[f"{side}:{kind}:{name}"] for kind in "sb")
                note[Side(side)][name] = Sent(value, source, before)
    return note


def encode_flips(flips: Mapping[str, Flip]) -> bytes | None:
    """Flips as bytes; None where there are none."""
    if not flips:
        return None
    flat: dict[str, Value] = {}
    for name, flip in flips.items():
        flat[f"count:{name}"] = flip.count
        flat.update({f"{side}:{name}": value for side, value in flip.written.items()})
    return encode(flat)


def decode_flips(data: bytes) -> dict[str, Flip]:
    """The inverse of ``encode_flips``."""
    flat = decode(data)
    flips = {}
    for key, count in flat.items():
        kind, name = key.split(":", 1)
        if kind == "count":
            written = {s: flat[f"{s}:{name}"] for s in Side if f"{s}:{name}" in flat}
            flips[name] = Flip(written, int(str(count)))
    return flips


def encode_outcome(outcome: Outcome) -> str | None:
    """An outcome's reasons as JSON; None where there is nothing to tell."""
    if not outcome.issues and not outcome.candidates:
        return None
    plain = msgspec.to_builtins(outcome)
    try:
        return orjson.dumps(plain).decode()
    except TypeError:  # an app's own words with broken characters
        return storable_text(json.dumps(plain, ensure_ascii=False))


def decode_outcome(state: int, text: str | None) -> Outcome:
    """The inverse of ``encode_outcome``."""
    if text is None:
        return Outcome(State(state))
    return msgspec.json.decode(text, type=Outcome)
