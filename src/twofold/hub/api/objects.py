"""Records one by one: list, read, create, update, archive, merge, erase."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from msgspec import Struct

from twofold.core.records import Record
from twofold.core.schema import Op
from twofold.hub.api import reading, ties, wire
from twofold.hub.api.calls import Answer, Call
from twofold.hub.api.faults import Fault, invalid, missing, refused
from twofold.hub.api.kinds import ID, Type, named
from twofold.hub.api.reading import Seen
from twofold.hub.api.relations import Spec
from twofold.hub.crm import Hub
from twofold.hub.properties import Refused
from twofold.hub.tables import Gone
from twofold.hub.writing import Draft, Writing, shown
from twofold.kit.contract import Write

PAGE = 100
Texts = dict[str, str | None]


class Target(Struct, frozen=True):
    """The far end of an association."""

    id: str | int


class Associated(Struct, frozen=True):
    """An association that a new record is made with."""

    to: Target
    types: list[Spec]


class New(Struct, frozen=True, rename="camel"):
    """A record to make."""

    properties: Texts
    associations: list[Associated] | None = None
    object_write_trace_id: str | None = None


class Changes(Struct, frozen=True):
    """Properties to change."""

    properties: Texts


class Merge(Struct, frozen=True, rename="camel"):
    """Two records to make one of."""

    primary_object_id: str
    object_id_to_merge: str


class Erase(Struct, frozen=True, rename="camel"):
    """A record to erase."""

    object_id: str
    id_property: str | None = None


def listed(call: Call) -> Answer:
    """A page of all records by id."""
    kind, names = call.kind, names_of(call)
    limit = call.number("limit", 10, 1, PAGE)
    far = [named(text) for text in call.texts("associations")]
    found = reading.page(call.hub, kind, call.after(), limit + 1, archived=call.flag("archived"))
    page = found[:limit]
    results = [reading.told(call.hub, kind, seen, names) for seen in page]
    ties.attach(call.hub, kind, far, results)
    answer: dict[str, Any] = {"results": results}
    if len(found) > limit:
        answer["paging"] = {"next": {"after": page[-1].record.id}}
    return Answer(200, answer)


def read(call: Call) -> Answer:
    """One record; a merged-away id finds the survivor."""
    kind, asked = call.kind, call.path["id"]
    far = [named(text) for text in call.texts("associations")]
    by = call.text("idProperty")
    if call.flag("archived"):
        record = reading.archived(call.hub, kind, [asked]).get(asked)
    else:
        record = find(call.hub, kind, [asked], by).get(asked)
    if record is None:
        raise missing(kind.name, asked)
    answer = reading.told(call.hub, kind, Seen(record, call.flag("archived")), names_of(call))
    ties.attach(call.hub, kind, far, [answer])
    return Answer(200, answer)


def create(call: Call) -> Answer:
    """Make one record."""
    kind, given = call.kind, call.body(New)
    with call.hub.writing() as writing:
        draft = guarded(kind, "", lambda: made(writing, kind, given))
    return Answer(201, answered(call.hub, kind, shown(draft), given.properties))


def update(call: Call) -> Answer:
    """Change one record."""
    kind, given, asked = call.kind, call.body(Changes), call.path["id"]
    with call.hub.writing() as writing:
        record_id = resolved(call.hub, kind, asked, call.text("idProperty"))
        draft = guarded(kind, asked, lambda: changed(writing, kind, record_id, given.properties))
    return Answer(200, answered(call.hub, kind, shown(draft), given.properties))


def archive(call: Call) -> Answer:
    """Take one record away; nobody minds if it is gone already."""
    kind = call.kind
    with call.hub.writing() as writing:
        removed(writing, kind, call.path["id"], Gone.ARCHIVED)
    return Answer(204)


def merge(call: Call) -> Answer:
    """Make one record of two."""
    kind, given = call.kind, call.body(Merge)
    winner, loser = given.primary_object_id, given.object_id_to_merge
    with call.hub.writing() as writing:
        draft = guarded(kind, loser, lambda: writing.merge(kind.name, winner, loser))
    return Answer(200, answered(call.hub, kind, shown(draft), {}))


def erase(call: Call) -> Answer:
    """Take a contact away for ever, with its values."""
    kind, given = call.kind, call.body(Erase)
    if kind.name != "contact":
        raise Fault(404, "OBJECT_NOT_FOUND", "Only contacts are erased this way")
    with call.hub.writing() as writing:
        record_id = resolved(call.hub, kind, given.object_id, given.id_property)
        removed(writing, kind, record_id, Gone.DELETED)
    return Answer(204)


# --- what batches do too ----------------------------------------------------------------------


def names_of(call: Call) -> Sequence[str]:
    """The properties that a read asks for: those named besides its id and times, or a few."""
    asked = call.realism.left(call.texts("properties"))
    return complete(call.kind, asked)


def complete(kind: Type, asked: Sequence[str]) -> Sequence[str]:
    """Names that are answered where these are asked."""
    return (*asked, "createdate", kind.modified, ID) if asked else kind.shown


def find(hub: Hub, kind: Type, ids: Sequence[str], by: str | None) -> dict[str, Record]:
    """Records by id or by a unique property.

    Raises:
        Fault: 400, the property does not name one record.
    """
    if by is None or by == ID:
        return reading.here(hub, kind, ids)
    if by not in kind.unique:
        message = f"Property {by[:60]} is not a unique identifier property of {kind.plural}"
        raise invalid(message, "INVALID_UNIQUE_PROPERTY", idProperty=by)
    return reading.carrying(hub, kind, by, ids)


def resolved(hub: Hub, kind: Type, asked: str, by: str | None) -> str:
    """The id of a record.

    Raises:
        Fault: 404, there is none; 400, see ``find``.
    """
    if by is None or by == ID:
        return asked
    found = find(hub, kind, [asked], by).get(asked)
    if found is None:
        raise missing(kind.name, asked)
    return found.id


def made(writing: Writing, kind: Type, given: New) -> Draft:
    """Make a record with its associations, or nothing.

    Raises:
        Fault, Refused: nothing was made.
    """
    planned = [ties.planned(writing, kind, str(a.to.id), a.types) for a in given.associations or ()]
    fields = wire.values(kind, given.properties, None)
    forward = tuple(tie.kept for tie in planned if not tie.backward)
    draft = writing.create(kind.name, Write("", Op.CREATE, None, fields, forward))
    for tie in planned:
        if tie.backward:
            tie.made_from(writing, str(draft.id))
    return draft


def changed(writing: Writing, kind: Type, record_id: str, texts: Texts) -> Draft:
    """Change a record.

    Raises:
        Fault, Refused: nothing was changed.
    """
    current = writing.look(kind.name, record_id)
    if current is None:
        raise missing(kind.name, record_id)
    fields = wire.values(kind, texts, current)
    return writing.update(kind.name, Write("", Op.UPDATE, record_id, fields))


def removed(writing: Writing, kind: Type, record_id: str, gone: Gone) -> None:
    """Take a record away where it is there."""
    if (found := writing.look(kind.name, record_id)) is not None and found.id == record_id:
        writing.remove(kind.name, record_id, gone)


def guarded(kind: Type, record_id: str, change: Any) -> Draft:
    """Make a change; what the hub does not accept is told in the API's words."""
    try:
        draft: Draft = change()
    except Refused as refusal:
        raise refused(kind.name, record_id, refusal) from refusal
    return draft


def answered(hub: Hub, kind: Type, record: Record, written: Texts) -> dict[str, Any]:
    """A record as the answer to a write shows it."""
    names = dict.fromkeys((*written, *kind.shown))
    return reading.told(hub, kind, Seen(record), list(names))
