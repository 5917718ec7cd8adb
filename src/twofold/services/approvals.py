"""Approvals: deletes that wait for a person's yes or no (R8, D18).

A decision is stored with what the record showed when it was asked about. The next run derives it
again, and asks again where the record has moved since.
"""

from __future__ import annotations

from collections.abc import Sequence

from msgspec import Struct

from twofold.core.errors import Issue, TwofoldError
from twofold.core.records import Fields, Side
from twofold.core.schema import Op
from twofold.services.installation import Installation
from twofold.services.records import called
from twofold.store.syncs import Sync
from twofold.store.types import LinkRow, Phase, RemovalRow


class Approval(Struct, frozen=True):
    """One delete that a person is asked about."""

    id: str
    sync: str
    name: str
    """What people know the record by."""
    side: Side
    """Where it would be removed."""
    record: str
    """Its id there."""
    op: Op
    issues: tuple[Issue, ...]
    """Why it is asked."""
    shown: Fields
    """What it showed when this was asked."""
    asked: float
    """Seconds since 1970."""


def waiting(here: Installation, sync: str = "") -> list[Approval]:
    """All that wait for a decision, of one sync or of all, oldest first."""
    syncs = [here.sync(sync)] if sync else here.state.syncs.all()
    found = [approval for one in syncs for approval in _of(here, one)]
    return sorted(found, key=lambda approval: (approval.asked, approval.id))


def decide(here: Installation, ids: Sequence[str], *, yes: bool, who: str) -> list[Approval]:
    """Approve or reject; the next run carries it out.

    Raises:
        TwofoldError: TF-D07, nothing of that name waits; then nothing is decided.
    """
    asked = {approval.id: approval for approval in waiting(here)}
    for text in ids:
        if text not in asked:
            raise TwofoldError("TF-D07", text=text)
    phase = Phase.APPROVED if yes else Phase.REJECTED
    at = here.world.now().timestamp()
    for text in dict.fromkeys(ids):
        sync, hub = map(int, text.split("."))
        here.state.removals.decide(sync, [hub], phase, at, who)
        here.state.schedule.nudge(sync)
    return [asked[text] for text in dict.fromkeys(ids)]


def _of(here: Installation, sync: Sync) -> list[Approval]:
    rows = here.state.removals.open(sync.id, Phase.ASKED)
    links = here.state.links.of(sync.id, Side.HUB, [row.hub for row in rows])
    by_hub = {link.hub.row: link for link in links}
    return [_approval(here, sync, row, by_hub[row.hub]) for row in rows if row.hub in by_hub]


def _approval(here: Installation, sync: Sync, row: RemovalRow, link: LinkRow) -> Approval:
    twin = link.app if row.side is Side.APP else link.hub
    standing = here.state.outcomes.standing(sync.id, (Side.HUB, row.hub))
    return Approval(
        f"{sync.id}.{row.hub}",
        sync.name,
        called(sync, link.hub, link.app),
        row.side,
        twin.record.id,
        row.op,
        () if standing is None else standing.outcome.issues,
        twin.record.fields,
        row.at,
    )
