"""Links that lost an end: what becomes of the record that is left (R8, D11, D12).

And links of which a record left its limit, where that archives its twin (L5).
"""

from __future__ import annotations

from collections.abc import Sequence

from msgspec import Struct, structs

from twofold.core.deletes import Removal, plan_leaving, plan_removal
from twofold.core.errors import Issue, sentence
from twofold.core.health import Outcome, State
from twofold.core.mappings import Deletes
from twofold.core.plan import excluded
from twofold.core.records import Fields, Side
from twofold.core.schema import Op
from twofold.core.scope import Standing
from twofold.engine.context import Context
from twofold.engine.limits import NOTHING, Past
from twofold.store.types import LinkRow, Phase, Place, RemovalRow, Stored


class Ended(Struct):
    """A link that lost an end, and what follows."""

    link: LinkRow
    outcome: Outcome | None
    """None where both ends are gone: there is nothing left to tell of."""
    removal: RemovalRow | None
    """The twin that is to go, or that stays by a person's word."""
    known: RemovalRow | None
    """What was stored of it before."""
    held: bool = False
    """The twin is gone because the other record left its limit, where that still is (L5)."""
    entered: tuple[Place, ...] = ()
    """Records of which it counts no longer that they were within their limit."""

    @property
    def gone(self) -> Side:
        """The side that lost its record; the hub where both did."""
        return Side.HUB if self.link.hub.gone else Side.APP

    @property
    def over(self) -> bool:
        """Both ends were gone once, and one is back: a record of its own from now on.

        A removal on the side that is gone now was stored while the other one was gone.
        """
        known = self.known
        if self.outcome is None or known is None or self.held:
            return False
        if not (self.link.hub.gone or self.link.app.gone):
            return False
        return known.phase is Phase.OVER or known.side is self.gone


def plan_ended(context: Context, links: Sequence[LinkRow]) -> list[Ended]:
    """Decide about links that lost an end."""
    known = context.state.removals.of(context.sync.id, [x.hub.row for x in links])
    return [_planned(context, x, known.get(x.hub.row)) for x in links]


def _planned(context: Context, link: LinkRow, known: RemovalRow | None) -> Ended:
    ended = Ended(link, None, known, known)
    if link.hub.gone and link.app.gone:
        if context.sync.rules.deletes is not Deletes.IGNORE:
            ended.removal = _row(context, link, Removal(Side.APP, Op.DELETE), Phase.OVER, known)
        return ended
    side = ended.gone
    app = context.ports[side].app
    lost, twin = (link.hub, link.app) if link.hub.gone else (link.app, link.hub)
    ended.outcome = excluded("TF-X10", app=app)
    if ended.over:  # it is cut, and nothing else may be concluded from who is gone
        if lost.into_id is None:
            _hold(context, ended, twin, known)
        return ended
    ended.removal = None
    if lost.into_id is not None:
        ended.outcome = excluded("TF-X11", app=app, other_id=lost.into_id)
        return ended
    shown = {side: lost.record.fields, side.other: twin.record.fields}
    removal = plan_removal(context.program, side, shown, link.link, _standing(context, link))
    if removal is not None:
        ended.removal, ended.outcome = _wanted(context, link, removal, known)
    return ended


def _hold(context: Context, ended: Ended, left: Stored, known: RemovalRow | None) -> None:
    """Keep the link of a record whose twin was archived, while it is outside its limit.

    Within it again, the link is cut, and it gets a new twin; if the old one is back before that,
    the two go on where they were (D7).
    """
    side = ended.gone.other
    if not context.limits.archives or known is None or known.side is side:
        return
    fields: dict[Side, Fields | None] = {side: left.record.fields, side.other: None}
    place: Place = (side, left.row)
    standing = context.limits.standing(context.limits.past([place]), [place])
    scope = context.program.scope(fields[Side.HUB], fields[Side.APP], standing)
    if scope.exclusion is not None:
        ended.held = True
        ended.entered = (place,)
        ended.removal = structs.replace(known, phase=Phase.OVER)
        ended.outcome = Outcome(State.EXCLUDED, (scope.exclusion,))


def plan_left(context: Context, links: Sequence[LinkRow], past: Past) -> list[Ended]:
    """Decide about whole links of which a record left its limit, under ``archive`` (L5).

    Those without an outcome are planned as any other pair: what was stored of them is dropped.

    Args:
        past: What is remembered of their records.
    """
    if not context.limits.archives:
        return []
    known = context.state.removals.of(context.sync.id, [x.hub.row for x in links])
    found = [_left(context, x, past, known.get(x.hub.row)) for x in links]
    return [one for one in found if one.outcome or one.known or one.entered]


def _left(context: Context, link: LinkRow, past: Past, known: RemovalRow | None) -> Ended:
    ended = Ended(link, None, None, known)
    places: dict[Side, Place] = {side: (side, link.end(side).row) for side in Side}
    shown = {side: link.end(side).record.fields for side in Side}
    left = [
        side
        for side in context.limits.by_side
        if past.get(places[side], NOTHING).entered and not context.limits.meets(side, shown[side])
    ]
    if not left or context.limits.standing(past, list(places.values())).by_hand is not None:
        return ended
    rejected = known is not None and known.phase is Phase.REJECTED
    if rejected or len(left) > 1:  # where both left, neither is the other's archived twin
        ended.entered = tuple(places[side] for side in left)
        return ended
    removal = plan_leaving(context.program, left[0], shown, link.link)
    ended.removal, ended.outcome = _wanted(context, link, removal, known, _LEFT)
    return ended


def _standing(context: Context, link: LinkRow) -> Standing:
    """What is remembered of the two: a record that a person excluded sends no delete."""
    places: list[Place] = [(Side.HUB, link.hub.row), (Side.APP, link.app.row)]
    return context.limits.standing(context.limits.past(places), places)


_DELETED = ("TF-D01", "TF-D02", "TF-D03")
_LEFT = ("TF-D08", "TF-D09", "TF-D09")
"""Why a twin goes: by the policy alone, with approval, and with approval as it was edited."""


def _wanted(
    context: Context,
    link: LinkRow,
    removal: Removal,
    known: RemovalRow | None,
    codes: tuple[str, str, str] = _DELETED,
) -> tuple[RemovalRow, Outcome]:
    """A removal that the policy wants, after what a person said about it (D18)."""
    app = context.ports[removal.side.other].app
    twin = link.app if removal.side is Side.APP else link.hub
    if known is not None and known.who and known.side is removal.side:
        if known.phase is Phase.REJECTED:
            return known, excluded("TF-D04", app=app, who=known.who)
        decided = known.phase in {Phase.APPROVED, Phase.SENDING}
        if decided and known.op is removal.op and known.shown == twin.shown:
            return known, waiting(codes[0], app=app)
    if removal.asks:
        outcome = waiting(codes[2] if removal.edited else codes[1], app=app)
        return _row(context, link, removal, Phase.ASKED, known), outcome
    return _row(context, link, removal, Phase.STAGED, known), waiting(codes[0], app=app)


def waiting(code: str, **facts: object) -> Outcome:
    """A record that waits, by its registered reason."""
    return Outcome(State.WAITING, (Issue(code, sentence(code, facts)),))


def _row(
    context: Context,
    link: LinkRow,
    removal: Removal,
    phase: Phase,
    known: RemovalRow | None = None,
) -> RemovalRow:
    """A removal as it stands now; the same as before where nothing changed."""
    shown = link.app.shown if removal.side is Side.APP else link.hub.shown
    at = context.world.now().timestamp()
    row = RemovalRow(link.hub.row, removal.side, removal.op, phase, shown, at)
    if known is not None and (known.side, known.op, known.phase, known.shown, known.who) == (
        row.side,
        row.op,
        row.phase,
        row.shown,
        row.who,
    ):
        return known
    return row
