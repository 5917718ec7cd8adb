"""What the hub keeps: properties and their groups, owners, pipelines."""

from __future__ import annotations

from datetime import datetime
from typing import Any

from twofold.core.schema import Field, Option
from twofold.core.values import Kind
from twofold.hub.api import wire
from twofold.hub.api.calls import Answer, Call
from twofold.hub.api.faults import NOT_FOUND, Fault
from twofold.hub.api.kinds import ID, MERGED, Type
from twofold.hub.api.oauth import account_number
from twofold.hub.schema import OWNER_FIELD
from twofold.hub.writing import EPOCH

_TYPES = {
    Kind.INT: ("number", "number"),
    Kind.DECIMAL: ("number", "number"),
    Kind.BOOL: ("bool", "booleancheckbox"),
    Kind.DATE: ("date", "date"),
    Kind.DATETIME: ("datetime", "date"),
    Kind.CHOICE: ("enumeration", "select"),
    Kind.OWNER: ("enumeration", "select"),
    Kind.PHONE: ("string", "phonenumber"),
}
_YES_NO = (Option("true", "Yes"), Option("false", "No"))
_ALWAYS = EPOCH
"""The time at which what the hub has by itself was made."""


def group_of(kind: Type) -> str:
    """The one group of a type's properties."""
    return f"{kind.name}information"


def properties(call: Call) -> Answer:
    """All properties of a type; none of them is archived."""
    kind = call.kind
    left = set(call.realism.left(field.name for field in kind.fields()))
    found = [_told(call, kind, field) for field in kind.fields() if field.name in left]
    return Answer(200, {"results": [] if call.flag("archived") else found})


def one_property(call: Call) -> Answer:
    """One property."""
    kind = call.kind
    field = kind.field(call.path["name"])
    if field is None or call.flag("archived"):
        raise _nothing("property", call.path["name"])
    return Answer(200, _told(call, kind, field))


def groups(call: Call) -> Answer:
    """The groups of a type's properties."""
    return Answer(200, {"results": [_group(call.kind)]})


def one_group(call: Call) -> Answer:
    """One group."""
    if call.path["name"] != group_of(call.kind):
        raise _nothing("property group", call.path["name"])
    return Answer(200, _group(call.kind))


def fixed(call: Call) -> Answer:
    """Refuse: the hub inside keeps the properties and pipelines that it has."""
    message = "The properties, groups and pipelines of the hub inside cannot be changed."
    raise Fault(403, "FORBIDDEN", message)


def custom(call: Call) -> Answer:
    """All object types that users made; the hub inside has none."""
    return Answer(200, {"results": []})


def account(call: Call) -> Answer:
    """Which hub this is: its identity, as the number that HubSpot gives accounts."""
    details = {
        "portalId": account_number(call.hub),
        "accountType": "STANDARD",
        "timeZone": "UTC",
        "companyCurrency": "EUR",
        "utcOffset": "+00:00",
        "utcOffsetMilliseconds": 0,
        "dataHostingLocation": "self-hosted",
    }
    return Answer(200, details)


def owners(call: Call) -> Answer:
    """A page of the users whom records can be given to."""
    limit = call.number("limit", 100, 1, 500)
    email = (call.text("email") or "").casefold()
    query = (
        "SELECT id, email, name, active FROM owner WHERE id > ? AND active <> ?"
        " AND (? = '' OR lower(email) = ?) ORDER BY id LIMIT ?"
    )
    values = (call.after(), call.flag("archived"), email, email, limit + 1)
    rows = call.hub.database.connection.execute(query, values).fetchall()
    answer: dict[str, Any] = {"results": [_owner(*row) for row in rows[:limit]]}
    if len(rows) > limit:
        answer["paging"] = {"next": {"after": str(rows[limit - 1][0])}}
    return Answer(200, answer)


def one_owner(call: Call) -> Answer:
    """One user by id."""
    query = "SELECT id, email, name, active FROM owner WHERE id = ?"
    row = call.hub.database.connection.execute(query, (call.path["id"],)).fetchone()
    if row is None or bool(row[3]) is call.flag("archived"):
        raise _nothing("owner", call.path["id"])
    return Answer(200, _owner(*row))


def pipelines(call: Call) -> Answer:
    """All pipelines of a type; only deals have one."""
    return Answer(200, {"results": _pipelines(call.kind)})


def one_pipeline(call: Call) -> Answer:
    """One pipeline."""
    return Answer(200, _pipeline(call))


def stages(call: Call) -> Answer:
    """The stages of a pipeline."""
    return Answer(200, {"results": _pipeline(call)["stages"]})


def one_stage(call: Call) -> Answer:
    """One stage of a pipeline."""
    for stage in _pipeline(call)["stages"]:
        if stage["id"] == call.path["stage"]:
            return Answer(200, stage)
    raise _nothing("stage", call.path["stage"])


def _pipeline(call: Call) -> dict[str, Any]:
    for pipeline in _pipelines(call.kind):
        if pipeline["id"] == call.path["pipeline"]:
            return pipeline
    raise _nothing("pipeline", call.path["pipeline"])


def _pipelines(kind: Type) -> list[dict[str, Any]]:
    if kind.name != "deal":
        return []
    known = {field.name: field for field in kind.kind.fields}
    found = []
    for position, option in enumerate(known["dealstage"].options):
        closed = option.value in {"closedwon", "closedlost"}
        metadata = {"isClosed": "true" if closed else "false"}
        found.append({**_listed(option, position), "metadata": metadata})
    return [
        {**_listed(option, position), "stages": found}
        for position, option in enumerate(known["pipeline"].options)
    ]


def _listed(option: Option, position: int) -> dict[str, Any]:
    named = {"id": option.value, "label": option.label, "displayOrder": position}
    return {**named, **_dates(_ALWAYS), "archived": False}


def _dates(at: datetime) -> dict[str, str]:
    return {"createdAt": wire.moment(at), "updatedAt": wire.moment(at)}


def _group(kind: Type) -> dict[str, Any]:
    label = f"{kind.name.capitalize()} information"
    return {"name": group_of(kind), "label": label, "displayOrder": 0, "archived": False}


def _told(call: Call, kind: Type, field: Field) -> dict[str, Any]:
    sort, shape = _TYPES.get(field.kind, ("string", "text"))
    calculated = bool(field.computed)
    answer = {
        "name": field.name,
        "label": field.label,
        "type": sort,
        "fieldType": "checkbox" if field.multi and sort == "enumeration" else shape,
        "description": "",
        "groupName": group_of(kind),
        "options": [_option(*pair) for pair in enumerate(_options(call, field))],
        "displayOrder": -1,
        "calculated": calculated,
        "externalOptions": field.kind is Kind.OWNER,
        "hasUniqueValue": field.name in {ID, *kind.unique},
        "hidden": field.name == MERGED,
        "hubspotDefined": True,
        "formField": not field.read_only,
        "archived": False,
        "modificationMetadata": {
            "archivable": False,
            "readOnlyDefinition": True,
            "readOnlyValue": field.read_only,
        },
        **_dates(_ALWAYS),
    }
    if field.name == OWNER_FIELD:
        answer["referencedObjectType"] = "OWNER"
    return answer


def _options(call: Call, field: Field) -> tuple[Option, ...]:
    if field.kind is Kind.BOOL:
        return _YES_NO
    return field.options


def _option(position: int, option: Option) -> dict[str, Any]:
    return {
        "label": option.label,
        "value": option.value,
        "displayOrder": position,
        "hidden": not option.active,
        "description": "",
    }


def _owner(number: int, email: str, name: str, active: int) -> dict[str, Any]:
    first, _, last = name.partition(" ")
    return {
        "id": str(number),
        "email": email,
        "firstName": first,
        "lastName": last,
        "type": "PERSON",
        "userId": number,
        "archived": not active,
        **_dates(_ALWAYS),
    }


def _nothing(what: str, name: str) -> Fault:
    return Fault(404, NOT_FOUND, f"There is no {what} {name[:60]}")
