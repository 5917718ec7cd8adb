"""Links that lost an end: what becomes of the record that is left (R8, D11, D12)."""

from __future__ import annotations

from collections.abc import Sequence

from msgspec import Struct

from twofold.core.deletes import Removal, plan_removal
from twofold.core.errors import Issue, sentence
from twofold.core.health import Outcome, State
from twofold.core.mappings import Deletes
from twofold.core.plan import excluded
from twofold.core.records import Side
from twofold.core.schema import Op
from twofold.core.scope import Standing
from twofold.engine.context import Context
from twofold.store.types import LinkRow, Phase, Place, RemovalRow


class Ended(Struct):
    """A link that lost an end, and what follows."""

    link: LinkRow
    outcome: Outcome | None
    """None where both ends are gone: there is nothing left to tell of."""
    removal: RemovalRow | None
    """The twin that is to go, or that stays by a person's word."""
    known: RemovalRow | None
    """What was stored of it before."""

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
        if self.outcome is None or known is None:
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


def _standing(context: Context, link: LinkRow) -> Standing:
    """What is remembered of the two: a record that a person excluded sends no delete."""
    places: list[Place] = [(Side.HUB, link.hub.row), (Side.APP, link.app.row)]
    return context.limits.standing(context.limits.past(places), places)


def _wanted(
    context: Context, link: LinkRow, removal: Removal, known: RemovalRow | None
) -> tuple[RemovalRow, Outcome]:
    """A removal that the policy wants, after what a person said about it (D18)."""
    app = context.ports[removal.side.other].app
    twin = link.app if removal.side is Side.APP else link.hub
    if known is not None and known.who and known.side is removal.side:
        if known.phase is Phase.REJECTED:
            return known, excluded("TF-D04", app=app, who=known.who)
        decided = known.phase in {Phase.APPROVED, Phase.SENDING}
        if decided and known.op is removal.op and known.shown == twin.shown:
            return known, waiting("TF-D01", app=app)
    if removal.asks:
        outcome = waiting("TF-D03" if removal.edited else "TF-D02", app=app)
        return _row(context, link, removal, Phase.ASKED, known), outcome
    return _row(context, link, removal, Phase.STAGED, known), waiting("TF-D01", app=app)


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
