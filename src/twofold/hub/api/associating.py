"""Associations by the API's version 4: of one pair, of many, and their labels."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any, TypeVar

from msgspec import Struct

from twofold.core.records import Target
from twofold.hub.api import ties, wire
from twofold.hub.api.calls import Answer, Call
from twofold.hub.api.faults import NOT_FOUND, Fault, invalid, missing, refused
from twofold.hub.api.kinds import Type, named
from twofold.hub.api.relations import Spec, Way, definitions, meant, number_labels, types, way
from twofold.hub.properties import Refused
from twofold.hub.writing import Writing

PAGE = 500
READS, CREATES, ARCHIVES = 1_000, 2_000, 100
T = TypeVar("T")


class Ref(Struct, frozen=True):
    """A record."""

    id: str | int


class Pair(Struct, frozen=True, rename={"near": "from"}):
    """Two records and what their association means."""

    near: Ref
    to: Ref
    types: list[Spec] = []


class Pairs(Struct, frozen=True):
    """Associations."""

    inputs: list[Pair]


class Fan(Struct, frozen=True, rename={"near": "from"}):
    """A record and several others."""

    near: Ref
    to: list[Ref]


class Fans(Struct, frozen=True):
    """Associations to take away."""

    inputs: list[Fan]


class Reads(Struct, frozen=True):
    """Records whose associations are asked for."""

    inputs: list[Ref]


class Label(Struct, frozen=True):
    """A label to make."""

    label: str
    name: str = ""


def _way(call: Call) -> tuple[Type, Type, Way]:
    near, far = call.kind, named(call.path["to"])
    return near, far, way(near, far)


def read(call: Call) -> Answer:
    """What one record is associated with."""
    near, _, one = _way(call)
    asked = call.path["id"]
    found = ties.ends(call.hub, one, [asked]).get(asked)
    if found is None:
        raise missing(near.name, asked)
    limit, after = call.number("limit", PAGE, 1, PAGE), call.after()
    rest = [target for target in found if int(target.id) > after]
    answer: dict[str, Any] = {"results": _ends(call, one, rest[:limit])}
    if len(rest) > limit:
        answer["paging"] = {"next": {"after": rest[limit - 1].id}}
    return Answer(200, answer)


def put(call: Call) -> Answer:
    """Associate a pair, or give it labels."""
    near, far, one = _way(call)
    specs = call.body(list[Spec])
    if not specs:
        raise invalid("The association has no types", "INVALID_ASSOCIATION_TYPE")
    with call.hub.writing() as writing:
        labels = _tied(writing, near, one, call.path["id"], call.path["to_id"], specs)
    return Answer(201, _pair(near, far, call.path["id"], call.path["to_id"], labels))


def put_default(call: Call) -> Answer:
    """Associate a pair without a label."""
    near, _, one = _way(call)
    near_id, far_id = call.path["id"], call.path["to_id"]
    with call.hub.writing() as writing:
        _tied(writing, near, one, near_id, far_id, ())
    results = [*_default(one, near_id, far_id), *_default(_turned(one), far_id, near_id)]
    return _complete(call, 200, results, [])


def remove(call: Call) -> Answer:
    """Take all associations of a pair away."""
    _, _, one = _way(call)
    with call.hub.writing() as writing:
        ties.cut(writing, one, call.path["id"], call.path["to_id"])
    return Answer(204)


def batch_read(call: Call) -> Answer:
    """What many records are associated with."""
    near, _, one = _way(call)
    ids = [str(ref.id) for ref in _limited(call.body(Reads).inputs, READS)]
    found = ties.ends(call.hub, one, ids)
    results = [
        {"from": {"id": asked}, "to": _ends(call, one, found[asked])}
        for asked in dict.fromkeys(ids)
        if found.get(asked)
    ]
    none = [asked for asked in dict.fromkeys(ids) if not found.get(asked)]
    message = f"No associations were found for some {near.plural}"
    errors = [Fault(404, NOT_FOUND, message, context={"fromObjectId": none}).item(None)]
    return _complete(call, 200, results, errors if none else [])


def batch_create(call: Call) -> Answer:
    """Associate many pairs."""
    near, far, one = _way(call)
    inputs = _limited(call.body(Pairs).inputs, CREATES)

    def tie(writing: Writing, pair: Pair) -> list[dict[str, Any]]:
        ids = str(pair.near.id), str(pair.to.id)
        return [_pair(near, far, *ids, _tied(writing, near, one, *ids, pair.types))]

    return _each(call, near, inputs, tie, 201)


def batch_default(call: Call) -> Answer:
    """Associate many pairs without labels."""
    near, _, one = _way(call)
    inputs = _limited(call.body(Pairs).inputs, CREATES)

    def tie(writing: Writing, pair: Pair) -> list[dict[str, Any]]:
        ids = str(pair.near.id), str(pair.to.id)
        _tied(writing, near, one, *ids, ())
        return [*_default(one, *ids), *_default(_turned(one), *reversed(ids))]

    return _each(call, near, inputs, tie, 200)


def batch_archive(call: Call) -> Answer:
    """Take the associations of many pairs away."""
    _, _, one = _way(call)
    inputs = _limited(call.body(Fans).inputs, ARCHIVES)
    with call.hub.writing() as writing:
        for fan in inputs:
            for far in fan.to:
                ties.cut(writing, one, str(fan.near.id), str(far.id))
    return Answer(204)


def batch_unlabel(call: Call) -> Answer:
    """Take labels off many pairs."""
    _, _, one = _way(call)
    inputs = _limited(call.body(Pairs).inputs, ARCHIVES)
    with call.hub.writing() as writing:
        for pair in inputs:
            meaning = meant(writing.connection, one, pair.types)
            ties.unlabel(writing, one, str(pair.near.id), str(pair.to.id), meaning)
    return Answer(204)


def labels(call: Call) -> Answer:
    """All meanings that an association between two types can have."""
    _, _, one = _way(call)
    return Answer(200, {"results": definitions(call.hub.database.connection, one)})


def make_label(call: Call) -> Answer:
    """Make a label; both directions get a number."""
    _, _, one = _way(call)
    label = call.body(Label).label.strip()
    if not label or len(label) > 100 or not label.isprintable():
        raise invalid("A label has 1 to 100 printable characters", "INVALID_LABEL")
    with call.hub.database.transaction() as db:
        number_labels(db, one, [label])
        number_labels(db, _turned(one), [label])
        both = [*definitions(db, one), *definitions(db, _turned(one))]
    return Answer(200, {"results": [told for told in both if told["label"] == label]})


def _turned(one: Way) -> Way:
    return Way(one.relation, not one.backward)


def _tied(
    writing: Writing, near: Type, one: Way, near_id: str, far_id: str, specs: Sequence[Spec]
) -> list[str]:
    """Associate a pair; returns the labels that were given.

    Raises:
        Fault: 404, the record is not there; 400, the other one, or a number that means nothing.
    """
    if writing.look(near.name, near_id) is None:
        raise missing(near.name, near_id)
    meaning = meant(writing.connection, one, specs)
    try:
        ties.Tie(one, far_id, meaning).made_from(writing, near_id)
    except Refused as refusal:
        raise refused(near.name, far_id, refusal) from refusal
    return list(meaning.labels)


def _ends(call: Call, one: Way, targets: Sequence[Target]) -> list[dict[str, Any]]:
    used = sorted({label for target in targets for label in target.labels})
    numbers: dict[str, int] = {}
    if used:
        with call.hub.database.transaction() as db:
            numbers = number_labels(db, one, used)
    return [
        {"toObjectId": target.id, "associationTypes": types(one, target, numbers)}
        for target in targets
    ]


def _pair(near: Type, far: Type, near_id: str, far_id: str, given: list[str]) -> dict[str, Any]:
    return {
        "fromObjectTypeId": near.type_id,
        "fromObjectId": near_id,
        "toObjectTypeId": far.type_id,
        "toObjectId": far_id,
        "labels": given,
    }


def _default(one: Way, near_id: str, far_id: str) -> list[dict[str, Any]]:
    spec = {"associationCategory": "HUBSPOT_DEFINED", "associationTypeId": one.plain}
    return [{"from": {"id": near_id}, "to": {"id": far_id}, "associationSpec": spec}]


def _each(
    call: Call,
    near: Type,
    inputs: Sequence[Pair],
    tie: Callable[[Writing, Pair], list[dict[str, Any]]],
    status: int,
) -> Answer:
    results: list[dict[str, Any]] = []
    errors: list[dict[str, Any]] = []
    with call.hub.writing() as writing:
        for pair in inputs:
            try:
                results += tie(writing, pair)
            except Fault as fault:
                errors.append(fault.item(None))
    return _complete(call, status, results, errors)


def _complete(
    call: Call, status: int, results: list[dict[str, Any]], errors: list[dict[str, Any]]
) -> Answer:
    at = wire.moment(call.now)
    body = {"status": "COMPLETE", "results": results, "startedAt": at, "completedAt": at}
    if errors:
        return Answer(207, body | {"numErrors": len(errors), "errors": errors})
    return Answer(status, body)


def _limited(inputs: list[T], most: int) -> list[T]:
    if not 0 < len(inputs) <= most:
        message = f"A batch has 1 to {most} inputs, and {len(inputs)} came"
        raise invalid(message, "BATCH_SIZE_EXCEEDED")
    return inputs
