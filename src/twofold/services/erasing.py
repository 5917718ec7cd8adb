"""Erase one person everywhere we hold something of them, with a receipt (Z5)."""

from __future__ import annotations

from collections.abc import Collection, Iterator
from contextlib import suppress

from msgspec import Struct

from twofold.core.errors import TwofoldError
from twofold.core.values import Value
from twofold.engine.observe import Audience
from twofold.hub.crm import Hub
from twofold.services import access
from twofold.services.access import Who
from twofold.services.finding import standings
from twofold.services.installation import Installation
from twofold.store.codec import decode
from twofold.store.syncs import HUB_CONNECTION
from twofold.store.types import Stored


class Trace(Struct, frozen=True):
    """One record of the person, or one that is linked to it."""

    connection: str
    object_type: str
    id: str
    there: bool
    """It was there when the app was last read: it is read again unless it is deleted there."""


class Receipt(Struct, frozen=True):
    """What was erased, or would be. It names no value of the person."""

    records: tuple[Trace, ...]
    """What was remembered of each is gone, with its links, notes and outcomes."""
    hub: int
    """Records erased from the hub inside."""
    history: int
    """Lines of the history that went; 0 beforehand."""
    reports: tuple[str, ...]
    """Files of failures that nobody foresaw in which the text stands: delete them by hand."""
    at: str
    who: str


def look(here: Installation, who: Who, text: str, *, hub: bool = False) -> Receipt:
    """What erasing a person would do; nothing is done.

    Raises:
        TwofoldError: TF-U50, nobody is known by that.
    """
    rows = _rows(here, text)
    inside = _in_hub(here, rows, text) if hub else {}
    return _receipt(here, who, text, rows, sum(map(len, inside.values())), 0)


def erase(here: Installation, who: Who, text: str, *, hub: bool = False) -> Receipt:
    """Forget all that we hold of a person; ``hub``: erase them from the hub inside, too.

    Args:
        text: What the person is known by: an e-mail address, or the id of one of their records.

    Raises:
        TwofoldError: TF-U50, nobody is known by that.
    """
    rows = _rows(here, text)
    inside = _in_hub(here, rows, text) if hub else {}
    receipt = _receipt(here, who, text, rows, sum(map(len, inside.values())), 0)
    _erase_in_hub(here, inside)
    _leave(here, rows)
    lines = here.state.erasing.erase(rows, {text, text.lower()})
    access.note(here, who, "person erased", f"{len(rows)} record(s)", f"{receipt.hub} in the hub")
    return Receipt(receipt.records, receipt.hub, lines, receipt.reports, receipt.at, receipt.who)


def _rows(here: Installation, text: str) -> set[int]:
    """All records that hold the text as a value, or carry it as a match key, and their twins."""
    found = {s.row for s in here.state.erasing.holding(text) if _is_of(s, text)}
    found |= {s.row for s in here.state.erasing.holding(text.lower()) if _is_of(s, text)}
    for sync in here.state.syncs.all():
        with suppress(TwofoldError):  # TF-U12: not in this one
            for standing in standings(here, sync, text):
                found |= {end.row for end in (standing.hub, standing.app) if end is not None}
    if not found:
        raise TwofoldError("TF-U50", text=text)
    while not (more := here.state.erasing.twins(found)) <= found:
        found |= more
    return found


def _is_of(stored: Stored, text: str) -> bool:
    """Whether a whole value is the text: another person's address may end like it."""
    wanted = text.strip().casefold()
    return stored.record.id == text or any(
        part == wanted for value in decode(stored.shown).values() for part in _texts(value)
    )


def _texts(value: Value) -> Iterator[str]:
    if isinstance(value, str):
        yield value.strip().casefold()
    elif isinstance(value, tuple):
        yield from (part.strip().casefold() for part in value if isinstance(part, str))


def _in_hub(here: Installation, rows: Collection[int], text: str) -> dict[str, set[str]]:
    """Object type → ids of the person's records in the hub inside, synced or not."""
    found: dict[str, set[str]] = {}
    for reader, stored in here.state.erasing.records(rows):
        about = here.state.records.reader(reader)
        if about.connection == HUB_CONNECTION and not stored.gone:
            found.setdefault(about.object_type, set()).add(stored.record.id)
    hub = Hub.open(here.hub_path)
    try:
        carriers = hub.carriers("contact", "email", [text]).get(text, [])
        if carriers:
            found.setdefault("contact", set()).update(str(row[0]) for row in carriers)
    finally:
        hub.close()
    return found


def _erase_in_hub(here: Installation, found: dict[str, set[str]]) -> None:
    hub = Hub.open(here.hub_path)
    try:
        with hub.database.overwriting():
            for object_type, ids in found.items():
                for record_id in sorted(ids):
                    hub.delete(object_type, record_id)
    finally:
        hub.close()


def _leave(here: Installation, rows: Collection[int]) -> None:
    """Take the records as gone on both sides, so that no delete travels."""
    by_reader: dict[int, list[Stored]] = {}
    for reader, stored in here.state.erasing.records(rows):
        if not stored.gone:
            by_reader.setdefault(reader, []).append(stored)
    for reader, found in by_reader.items():
        audience = Audience(here.state.syncs.on_reader(reader))
        keys = [audience.keys(decode(stored.shown)) for stored in found]
        gone = [(stored.row, None) for stored in found]
        here.state.records.refresh(reader, [], gone, keys, audience.subscribers)


def _receipt(
    here: Installation, who: Who, text: str, rows: Collection[int], hub: int, history: int
) -> Receipt:
    labels = {connection.id: connection.label for connection in here.state.syncs.connections()}
    traces = []
    for reader, stored in here.state.erasing.records(rows):
        about = here.state.records.reader(reader)
        label = labels.get(about.connection, "")
        traces.append(Trace(label, about.object_type, stored.record.id, not stored.gone))
    reports = [
        path.name
        for path in sorted(here.folder.glob("error-*.txt"))
        if text.casefold() in path.read_text(errors="replace").casefold()
    ]
    at = here.world.now().isoformat(timespec="seconds")
    return Receipt(tuple(traces), hub, history, tuple(reports), at, who.label)
