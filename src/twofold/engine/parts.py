"""What a chunk is about to do, part by part, as plain data; and the gate that may hold parts back.

A preview, a saved plan that is carried out, and a limit on creates are three gates over the very
same chunks that every run works with, so none of them has rules of its own.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from enum import StrEnum
from typing import Any, NamedTuple, Protocol

import orjson
import xxhash
from msgspec import Struct

from twofold.core.health import Outcome, State
from twofold.core.merge import Reason
from twofold.core.plan import Update, field_values
from twofold.core.records import Side, Target
from twofold.core.values import Value
from twofold.engine.chunk import Chunk, CreateWork, PairWork
from twofold.engine.context import Context
from twofold.store.codec import encode
from twofold.store.types import LinkRow, Place, RemovalRow, Stored

NEW = "(new)"
"""In place of the id of a record that this very run makes: it is not known before."""


class Kind(StrEnum):
    """What one part is."""

    CREATE = "create"
    """The record has no twin, and gets one."""
    UPDATE = "update"
    """A linked pair, of which one side or both are written."""
    LINK = "link"
    """Two records are found to be the same; maybe with writes."""
    AMBIGUOUS = "ambiguous"
    """Several could be the same; a person decides."""
    EXCLUDE = "exclude"
    FAIL = "fail"
    AGREE = "agree"
    """It takes part, or is in sync, again; nothing is written."""
    REMOVE = "remove"
    """Its twin was deleted, or left its limit, and it goes too."""


class FieldChange(Struct, frozen=True):
    """One value that is written."""

    field: str
    before: Any
    after: Any
    why: str = ""


class FarEnd(Struct, frozen=True, omit_defaults=True):
    """A record to be associated with."""

    association: str
    """Its name on the side that is written."""
    twin: str
    """The far end, by the id of its twin on the other side: it may have no other id yet."""
    primary: bool = False
    labels: tuple[str, ...] = ()


class PartWrite(Struct, frozen=True, omit_defaults=True):
    """What is written to one side."""

    side: Side
    fields: tuple[FieldChange, ...] = ()
    associate: tuple[FarEnd, ...] = ()
    dissociate: tuple[tuple[str, str], ...] = ()
    """(association, the far end that goes), by their name and id on this side."""


class Part(Struct, frozen=True, omit_defaults=True):
    """One pair or unlinked record, and what a run is about to do with it."""

    kind: Kind
    hub: str | None = None
    app: str | None = None
    writes: tuple[PartWrite, ...] = ()
    reasons: tuple[tuple[str, str], ...] = ()
    """(code, sentence) of errors, or of an exclusion."""
    candidates: tuple[str, ...] = ()
    shown: dict[str, str] = {}
    """By side: a digest of what it showed when this was decided."""


class Planned(NamedTuple):
    """A part, with what it is in the chunk."""

    part: Part
    item: object
    places: tuple[Place, ...]


class Gate(Protocol):
    """Looks at every chunk before it is applied, and may hold parts of it back."""

    def admit(self, context: Context, chunk: Chunk) -> None:
        """See a chunk, and take out of it what must not happen now; see ``hold``."""
        ...

    def removes(self, context: Context, link: LinkRow, row: RemovalRow) -> bool:
        """Whether a record may be removed now."""
        ...


def planned_of(context: Context, chunk: Chunk, made: set[Place]) -> Iterator[Planned]:
    """The parts of a chunk; what stays as it is, is none.

    Args:
        made: The sources of which this run has made twins already.
    """
    for agreed in chunk.agreed:
        yield _planned(context, made, agreed, Kind.LINK, agreed)
    for pair in chunk.pairs:
        kind = _kind(pair)
        if kind is not None:
            writes = tuple(_update(context, pair, u) for u in pair.plan.updates)
            ends = (pair.hub, pair.app)
            yield _planned(context, made, pair, kind, ends, writes, pair.plan.outcome)
    for place, outcome, _ in chunk.singles:
        several = outcome.candidates and outcome.state is State.EXCLUDED
        kind = Kind.AMBIGUOUS if several else Kind.EXCLUDE
        stored = context.state.records.stored([place[1]])[place[1]]
        yield _planned(context, made, place, kind, _alone(place[0], stored), (), outcome)
    for work in chunk.creates:
        one = _alone(work.side.other, work.source)
        outcome = Outcome(State.FAILING, work.create.issues)
        writes = (_create(context, work),)
        yield _planned(context, made, work, Kind.CREATE, one, writes, outcome)


def removal_of(link: LinkRow, row: RemovalRow) -> Part:
    """The part that removes a twin."""
    side = row.side.other
    lost = link.end(side).gone
    why = f"The {side} deleted its twin." if lost else f"The {side}'s record left its limit."
    reason = (str(row.op), why)
    return Part(Kind.REMOVE, link.hub.record.id, link.app.record.id, reasons=(reason,))


def hold(chunk: Chunk, planned: Iterable[Planned], at: float | None) -> None:
    """Take parts out of a chunk.

    Args:
        at: When they are due again, in seconds since 1970; None = when something about them
            changes, or a person says so.
    """
    gone = list(planned)
    items = {id(one.item) for one in gone}
    chunk.agreed = [pair for pair in chunk.agreed if id(pair) not in items]
    chunk.pairs = [pair for pair in chunk.pairs if id(pair) not in items]
    chunk.creates = [work for work in chunk.creates if id(work) not in items]
    places = {one.item for one in gone if one.part.kind in {Kind.EXCLUDE, Kind.AMBIGUOUS}}
    chunk.singles = [single for single in chunk.singles if single[0] not in places]
    chunk.held += [(place, at) for one in gone for place in one.places]


def _kind(pair: PairWork) -> Kind | None:
    state = pair.plan.outcome.state
    if pair.old_state is None:
        return Kind.EXCLUDE if state is State.EXCLUDED else Kind.LINK
    if pair.plan.updates:
        return Kind.UPDATE
    if pair.old_state == int(state):
        return None
    return {State.EXCLUDED: Kind.EXCLUDE, State.FAILING: Kind.FAIL}.get(state, Kind.AGREE)


def _planned(
    context: Context,
    made: set[Place],
    item: object,
    kind: Kind,
    ends: tuple[Stored | None, Stored | None],
    writes: tuple[PartWrite, ...] = (),
    outcome: Outcome | None = None,
) -> Planned:
    by_side = dict(zip(Side, ends, strict=True))
    places = tuple((side, end.row) for side, end in by_side.items() if end is not None)
    # What this run made itself is not known by id, nor by what it shows, before it is made.
    new = {side.other for side, row in places if (side, row) in made}
    ids = {
        side: NEW if side in new else end.record.id
        for side, end in by_side.items()
        if end is not None
    }
    part = Part(
        kind,
        ids.get(Side.HUB),
        ids.get(Side.APP),
        writes,
        () if outcome is None else tuple((i.code, i.sentence) for i in outcome.issues),
        () if outcome is None else outcome.candidates,
        {
            side.value: _digest(context, side, end)
            for side, end in by_side.items()
            if end is not None and not new
        },
    )
    return Planned(part, item, places)


def _alone(side: Side, stored: Stored) -> tuple[Stored | None, Stored | None]:
    return (stored, None) if side is Side.HUB else (None, stored)


def _digest(context: Context, side: Side, end: Stored) -> str:
    return xxhash.xxh3_64_hexdigest(encode(context.show(side, end.record)))


def _update(context: Context, pair: PairWork, update: Update) -> PartWrite:
    side, shown = update.side, update.record.fields
    reasons = {d.name: d.reason for d in pair.plan.merge.decisions}
    fields = tuple(
        FieldChange(
            c.fields[side],
            _value(shown.get(c.fields[side])),
            _value(update.values[c.name]),
            reasons.get(c.name, Reason.EDITED).value,
        )
        for c in context.program.conversions
        if c.name in update.values
    )
    return PartWrite(side, fields, _far_ends(context, side, update.associate), update.dissociate)


def _create(context: Context, work: CreateWork) -> PartWrite:
    values = field_values(context.program, work.side, work.create.values)
    fields = tuple(FieldChange(name, None, _value(value)) for name, value in values.items())
    return PartWrite(work.side, fields, _far_ends(context, work.side, work.create.associate))


def _far_ends(
    context: Context, side: Side, associate: Sequence[tuple[str, Target]]
) -> tuple[FarEnd, ...]:
    if not associate:
        return ()
    twins: dict[tuple[str, str], str] = {}
    for mapping, far in zip(context.sync.rules.associations, context.far_ends, strict=True):
        name = mapping.end(side)
        ids = {target.id for n, target in associate if n == name}
        if ids and far.sync is not None:
            found = context.state.links.twins(far.readers[side], ids, far.sync, side)
            twins.update({(name, target): twin for target, twin in found.items()})
    return tuple(
        FarEnd(name, twins.get((name, t.id), t.id), t.primary, t.labels) for name, t in associate
    )


def _value(value: Value) -> Any:
    """A value as JSON has it; equal values are equal JSON."""
    return orjson.loads(encode({"": value}))[""]
