"""Brakes: refusals that need a person's yes. Each has a name, a limit and a sentence (R9)."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from enum import StrEnum

from msgspec import Struct

from twofold.core.codes import CODES
from twofold.core.mappings import Rules
from twofold.core.matching import key_fields
from twofold.core.parts import part_names
from twofold.core.records import Side
from twofold.core.schema import ObjectType

EMPTY_FROM = 10
"""A side with fewer known records may become empty without a brake."""
DELETES_FROM = 3
"""Fewer deletes than this trip no brake, however few pairs there are."""
WRITES_FROM = 100
"""Fewer creates, or changed pairs, than this trip no brake."""


class BrakeName(StrEnum):
    """What people call a brake, as in ``twofold sync resume NAME --override``."""

    SIDE_EMPTY = "side-empty"
    DELETES = "deletes"
    CREATES = "creates"
    CHANGES = "changes"
    FIELD_GONE = "field-gone"
    FIELD_CHANGED = "field-changed"

    @property
    def code(self) -> str:
        """Its line in the registry."""
        return _CODES[self]


_CODES: Mapping[BrakeName, str] = {
    BrakeName.SIDE_EMPTY: "TF-B01",
    BrakeName.DELETES: "TF-B02",
    BrakeName.CREATES: "TF-B03",
    BrakeName.CHANGES: "TF-B04",
    BrakeName.FIELD_GONE: "TF-B05",
    BrakeName.FIELD_CHANGED: "TF-B06",
}


class Brake(Struct, frozen=True):
    """Why a run pauses and asks."""

    name: BrakeName
    sentence: str
    number: int
    """What was counted: an override holds up to this."""

    @property
    def code(self) -> str:
        """Its line in the registry."""
        return self.name.code

    @property
    def advice(self) -> str:
        """What a person can do."""
        return CODES[self.code].advice


def brake_of(code: str) -> BrakeName | None:
    """The brake behind a code of the registry; None where it is no brake's."""
    return next((name for name, its in _CODES.items() if its == code), None)


def side_suddenly_empty(side: Side, app: str, known: int, found: int) -> Brake | None:
    """A full listing that shows nothing of what we knew: more likely a fault than a wish."""
    if found > 0 or known < EMPTY_FROM:
        return None
    return _brake(BrakeName.SIDE_EMPTY, known, side=side.value, app=app, known=known)


def too_many_deletes(rules: Rules, deletes: int, pairs: int) -> Brake | None:
    """Deletes that would travel by the policy alone, of all pairs that there were before."""
    if deletes < DELETES_FROM or deletes <= rules.brakes.deletes * pairs:
        return None
    share = _percent(rules.brakes.deletes)
    return _brake(BrakeName.DELETES, deletes, deletes=deletes, pairs=pairs, limit=share)


def most_writes(share: float, pairs: int) -> float:
    """How many creates, or changed pairs, a run may bring without a question."""
    return max(WRITES_FROM, share * pairs)


def too_many_creates(rules: Rules, creates: int, pairs: int) -> Brake | None:
    """Far more records would be made than a sync that has come to rest leads to expect."""
    if creates <= most_writes(rules.brakes.creates, pairs):
        return None
    share = _percent(rules.brakes.creates)
    return _brake(BrakeName.CREATES, creates, creates=creates, pairs=pairs, limit=share)


def too_many_changes(rules: Rules, changes: int, pairs: int) -> Brake | None:
    """Far more pairs would be written than a sync that has come to rest leads to expect."""
    if changes <= most_writes(rules.brakes.changes, pairs):
        return None
    share = _percent(rules.brakes.changes)
    return _brake(BrakeName.CHANGES, changes, changes=changes, pairs=pairs, limit=share)


def schema_moved(rules: Rules, side: Side, app: str, now: ObjectType | None) -> Brake | None:
    """A field that this sync needs is gone, or holds another kind of value than before."""
    known = rules.type_of(side)
    gone = gone_fields(rules, side, now)
    if gone:
        facts = {"app": app, "object_type": known.label, "fields": ", ".join(gone)}
        return _brake(BrakeName.FIELD_GONE, len(gone), **facts)
    changed = list(_changed(rules, side, now))
    if changed:
        facts = {"app": app, "object_type": known.label, "changes": "; ".join(changed)}
        return _brake(BrakeName.FIELD_CHANGED, len(changed), **facts)
    return None


def gone_fields(rules: Rules, side: Side, now: ObjectType | None) -> tuple[str, ...]:
    """The fields and associations that a sync needs of a side and that are no longer there."""
    fields, associations = needed(rules, side), [m.end(side) for m in rules.associations]
    if now is None:
        return (*fields, *associations)
    gone = [name for name in fields if now.field(name) is None]
    return (*gone, *(name for name in associations if now.association(name) is None))


def needed(rules: Rules, side: Side) -> tuple[str, ...]:
    """The fields of a side that mappings, matching and its filter use."""
    mapped = (name for m in rules.mappings for name in part_names(m.end(side).name))
    given = (constant.field for constant in rules.constants if constant.side is side)
    return tuple(
        dict.fromkeys((*mapped, *given, *key_fields(rules, side), *rules.filter_of(side).fields))
    )


def _changed(rules: Rules, side: Side, now: ObjectType | None) -> Iterator[str]:
    for name in needed(rules, side):
        before = rules.type_of(side).field(name)
        after = None if now is None else now.field(name)
        if before is None or after is None:
            continue
        if (before.kind, before.multi) != (after.kind, after.multi):
            was, turned = (
                f"{'several ' if f.multi else ''}{f.kind.value}" for f in (before, after)
            )
            yield f"{name} was {was} and is {turned}"


def _percent(share: float) -> str:
    return f"{100 * share:g} %"


def _brake(name: BrakeName, number: int, /, **facts: object) -> Brake:
    return Brake(name, CODES[name.code].sentence.format_map(facts), number)
