"""Does this record take part, and which sides may be written because of it?

Limits gate *sending from their own side* only (D5): they never hide a record from matching, and a
linked record that may not send may still receive.
"""

from __future__ import annotations

from collections.abc import Callable

from msgspec import Struct

from twofold.core.errors import Issue, sentence
from twofold.core.mappings import Rules
from twofold.core.matching import emails_of
from twofold.core.records import Fields, Side


class Scope(Struct, frozen=True):
    """The answer for one pair, or one record without a twin."""

    open: frozenset[Side]
    """The sides that may be written."""
    exclusion: Issue | None = None
    """Why nothing may be written; None where a side is open."""


Scoper = Callable[[Fields | None, Fields | None], Scope]


def scoper(rules: Rules) -> Scoper:
    """Return the function from the fields of both sides (None = no such record) to their scope."""
    sends = {side: _sends(rules, side) for side in Side}
    answers = {frozenset(o): Scope(frozenset(o)) for o in ((Side.HUB,), (Side.APP,), tuple(Side))}
    no_email = _exclusion("TF-X01")
    not_created = {side: _only_in(side) for side in Side}
    reaches = {side: rules.direction.reaches(side) for side in Side}

    def answer(hub: Fields | None, app: Fields | None) -> Scope:
        open_ = frozenset(
            side.other
            for side, fields in ((Side.HUB, hub), (Side.APP, app))
            if fields is not None and reaches[side.other] and sends[side](fields)
        )
        if open_:
            return answers[open_]
        if app is None and not reaches[Side.APP]:
            return not_created[Side.HUB]
        if hub is None and not reaches[Side.HUB]:
            return not_created[Side.APP]
        return no_email

    return answer


def scope(rules: Rules, hub: Fields | None, app: Fields | None) -> Scope:
    """The scope of one pair or single; compile ``scoper(rules)`` where there are many."""
    return scoper(rules)(hub, app)


def _sends(rules: Rules, side: Side) -> Callable[[Fields], object]:
    """Whether a record may send from its side (L1); any valid address of its own will do."""
    return emails_of(rules, side) if rules.require_email else lambda _fields: True


def _only_in(side: Side) -> Scope:
    """A record that the direction of the sync leaves on its own side (D9)."""
    return _exclusion("TF-X02", side=side.value, other=side.other.value)


def _exclusion(code: str, **facts: object) -> Scope:
    return Scope(frozenset(), Issue(code, sentence(code, facts)))
