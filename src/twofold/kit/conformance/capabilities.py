"""Which tests a connector's declared capabilities call for."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from enum import StrEnum
from typing import Any, TypeVar

from msgspec import Struct

from twofold.core.schema import Feed, Field, ObjectType, Op
from twofold.core.values import TEXT_KINDS, Kind


class Capability(StrEnum):
    """What an object type can do, as read from what ``describe`` says about it."""

    LOG = "log"
    WATERMARK = "watermark"
    SNAPSHOT = "snapshot"
    DELETES = "deletes"
    """The feed reports deletes between listings."""
    MERGES = "merges"
    CREATE = "create"
    UPDATE = "update"
    ARCHIVE = "archive"
    DELETE = "delete"
    BATCH = "batch"
    """More than one create at once."""
    ATOMIC = "atomic"
    CONDITIONAL = "conditional"
    IDEMPOTENT = "idempotent"
    KEYS = "keys"
    UNIQUE = "unique"
    """A writable unique field."""
    REQUIRED = "required"
    BOUNDED = "bounded"
    """A writable text field with a greatest length."""
    CLOSED = "closed"
    """A writable choice field that refuses other values."""
    READ_ONLY = "read-only"
    ASSOCIATIONS = "associations"
    """A writable association."""
    MANY = "many"
    """A writable association to many."""
    PRIMARY = "primary"


FEEDS = {
    Feed.LOG: Capability.LOG,
    Feed.WATERMARK: Capability.WATERMARK,
    Feed.SNAPSHOT: Capability.SNAPSHOT,
}


def capabilities(kind: ObjectType) -> frozenset[Capability]:
    """Everything that this object type declares."""
    writable = [field for field in kind.fields if is_writable(field)]
    related = [a for a in kind.associations if a.writable]
    claims = {
        FEEDS[kind.feed]: True,
        Capability.DELETES: kind.deletes,
        Capability.MERGES: kind.merges,
        Capability.CREATE: Op.CREATE in kind.ops,
        Capability.UPDATE: Op.UPDATE in kind.ops,
        Capability.ARCHIVE: Op.ARCHIVE in kind.ops,
        Capability.DELETE: Op.DELETE in kind.ops,
        Capability.BATCH: kind.batch.get(Op.CREATE, 1) > 1,
        Capability.ATOMIC: kind.atomic,
        Capability.CONDITIONAL: kind.conditional,
        Capability.IDEMPOTENT: kind.idempotent,
        Capability.KEYS: bool(kind.keys),
        Capability.UNIQUE: any(field.unique for field in writable),
        Capability.REQUIRED: any(field.required for field in writable),
        Capability.BOUNDED: any(is_bounded(field) for field in writable),
        Capability.CLOSED: any(is_closed(field) for field in writable),
        Capability.READ_ONLY: any(field.read_only for field in kind.fields),
        Capability.ASSOCIATIONS: bool(related),
        Capability.MANY: any(a.many for a in related),
        Capability.PRIMARY: any(a.many and a.primary for a in related),
    }
    return frozenset(capability for capability, claimed in claims.items() if claimed)


def is_writable(field: Field) -> bool:
    """Whether creates and updates may name the field."""
    return field.creatable and field.updatable and not field.unmappable


def is_bounded(field: Field) -> bool:
    """Whether a text can be too long for it."""
    return field.kind in TEXT_KINDS and field.max_length is not None and not field.options


def is_closed(field: Field) -> bool:
    """Whether a choice can be none of its options."""
    return field.kind is Kind.CHOICE and bool(field.options) and field.closed


class Needs(Struct, frozen=True):
    """What a test of the suite presupposes."""

    all_of: frozenset[Capability]
    any_of: frozenset[Capability]
    none_of: frozenset[Capability]
    hooks: frozenset[str]
    """Methods that the connector's own test class has to define."""

    def lacking(self, declared: frozenset[Capability], hooks: frozenset[str]) -> str:
        """Why the test is not called for; empty when it is."""
        reasons = [f"{name} not declared" for name in sorted(self.all_of - declared)]
        if self.any_of and not self.any_of & declared:
            reasons.append(f"none of {', '.join(sorted(self.any_of))} declared")
        reasons += [f"{name} declared" for name in sorted(self.none_of & declared)]
        reasons += [f"no {name}()" for name in sorted(self.hooks - hooks)]
        return "; ".join(reasons)


Test = TypeVar("Test", bound=Callable[..., Any])
_NEEDS: dict[str, Needs] = {}


def needs(
    *all_of: Capability,
    any_of: Iterable[Capability] = (),
    none_of: Iterable[Capability] = (),
    hooks: Iterable[str] = (),
) -> Callable[[Test], Test]:
    """Mark a test of the suite with what it presupposes."""

    def mark(test: Test) -> Test:
        _NEEDS[test.__name__] = Needs(
            frozenset(all_of), frozenset(any_of), frozenset(none_of), frozenset(hooks)
        )
        return test

    return mark


def lacking(test: str, declared: frozenset[Capability], hooks: frozenset[str]) -> str:
    """Why a test of the suite is not called for; empty when it is."""
    return _NEEDS[test].lacking(declared, hooks) if test in _NEEDS else ""
