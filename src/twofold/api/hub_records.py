"""Records of the hub inside."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Annotated, Any

from fastapi import APIRouter, Depends, Query, Response
from msgspec import Struct

from twofold.api.answers import reply
from twofold.api.calls import Operator, Viewer, body
from twofold.api.once import Once
from twofold.api.schema import gives, takes
from twofold.core.errors import TwofoldError
from twofold.core.records import Record
from twofold.services import hub

router = APIRouter(prefix="/hub", route_class=Once, tags=["hub"])

_LONGEST_ID = 18


class Tie(Struct, frozen=True):
    """An association with a record."""

    id: str
    primary: bool


class HubRecord(Struct, frozen=True):
    """One record."""

    id: str
    fields: dict[str, Any]
    associations: dict[str, list[Tie]]


class HubPage(Struct, frozen=True):
    """A part of the list."""

    records: list[HubRecord]
    next: str | None


class Values(Struct, frozen=True):
    """Values as a person writes them; an empty one clears."""

    fields: dict[str, str]


class Association(Struct, frozen=True):
    """An association to make or to cut."""

    name: str
    id: str
    primary: bool = True
    remove: bool = False


class Gone(Struct, frozen=True):
    """A record that was taken away; it can be restored."""

    archived: str


@router.get("/{object_type}", **gives(HubPage))
def list_records(
    call: Viewer,
    object_type: str,
    after: Annotated[str, Query(max_length=_LONGEST_ID)] = "",
    limit: Annotated[int, Query(ge=1, le=200)] = 50,
) -> Response:
    """List records by id."""
    page = hub.page(call.here, object_type, after, limit)
    return reply(HubPage([_shown(record) for record in page.records], page.next))


@router.post("/{object_type}", **gives(HubRecord, 201), **takes(Values))
def create(
    call: Operator, object_type: str, given: Annotated[Values, Depends(body(Values))]
) -> Response:
    """Make a record."""
    return reply(_shown(hub.create(call.here, object_type, given.fields)), 201)


@router.get("/{object_type}/{record_id}", **gives(HubRecord))
def show(call: Viewer, object_type: str, record_id: str) -> Response:
    """Show a record, or the one that it was merged into."""
    return reply(_shown(hub.one(call.here, object_type, _checked(object_type, record_id))))


@router.patch("/{object_type}/{record_id}", **gives(HubRecord), **takes(Values))
def edit(
    call: Operator,
    object_type: str,
    record_id: str,
    given: Annotated[Values, Depends(body(Values))],
) -> Response:
    """Change some values."""
    record_id = _checked(object_type, record_id)
    return reply(_shown(hub.edit(call.here, object_type, record_id, given.fields)))


@router.delete("/{object_type}/{record_id}", **gives(Gone))
def archive(call: Operator, object_type: str, record_id: str) -> Response:
    """Take a record away; it stays restorable in the hub's file."""
    hub.delete(call.here, object_type, _checked(object_type, record_id))
    return reply(Gone(record_id))


@router.post("/{object_type}/{record_id}/associations", **gives(HubRecord), **takes(Association))
def associate(
    call: Operator,
    object_type: str,
    record_id: str,
    given: Annotated[Association, Depends(body(Association))],
) -> Response:
    """Tie a record to another one, or cut the tie."""
    made = hub.associate(
        call.here,
        object_type,
        _checked(object_type, record_id),
        given.name,
        _checked(object_type, given.id),
        primary=given.primary,
        remove=given.remove,
    )
    return reply(_shown(made))


def _checked(object_type: str, record_id: str) -> str:
    """An id as the hub makes them."""
    plain = record_id.isascii() and record_id.isdecimal() and len(record_id) <= _LONGEST_ID
    if not plain:
        raise TwofoldError("TF-U19", object_type=object_type, id=record_id[:50])
    return record_id


def _shown(record: Record) -> HubRecord:
    ties: Mapping[str, Any] = record.associations
    return HubRecord(
        record.id,
        dict(record.fields),
        {name: [Tie(t.id, t.primary) for t in targets] for name, targets in ties.items()},
    )
