"""Scripted trouble: what a test can make the memory app do wrong, and when."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from enum import StrEnum

from msgspec import Struct

from twofold.kit.contract import Status
from twofold.kit.errors import ConnectorError


class Phase(StrEnum):
    """Where a call stands when the script is asked."""

    BEFORE = "before"
    """Nothing has happened yet."""
    AFTER = "after"
    """The effect is there, the answer has not been given."""


class Call(Struct, frozen=True):
    """One call that a connector received."""

    name: str
    """verify, describe, pull, get or push."""
    obj: str
    """Empty for verify and describe."""
    items: int
    """Ids asked or writes sent; 0 for the others."""
    phase: Phase
    number: int
    """Counts the calls of this app, from 1."""


class Fail(Struct, frozen=True):
    """The call raises this error.

    ``OutcomeUnknown`` before the effect is a request that got lost; after it, a lost answer.
    """

    error: ConnectorError


class Partly(Struct, frozen=True):
    """A push applies its first items, then no answer comes (before only)."""

    applied: int


class Items(Struct, frozen=True):
    """Some items of a push are answered RETRY (never applied) or UNKNOWN (before only)."""

    statuses: Mapping[int, Status]
    """By position in the push."""
    applied: bool = False
    """Whether the UNKNOWN ones took effect."""


class Reorder(Struct, frozen=True):
    """The rows of a page come in reverse order (pull, before only)."""


class Meanwhile(Struct, frozen=True):
    """Somebody else acts on the app at this very moment; the call itself goes on."""

    act: Callable[[], object]


Fault = Fail | Partly | Items | Reorder | Meanwhile
Script = Callable[[Call], Fault | None]
"""Asked before and after the effect of each call. It may itself raise, e.g. to play a crash."""
