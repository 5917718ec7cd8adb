"""Verification on request: compare every linked pair with what both apps show (R10)."""

from __future__ import annotations

from twofold.engine.braked import Braked
from twofold.engine.run import HeldUp
from twofold.engine.verify import Verified, verify_slice
from twofold.services.installation import Installation


async def verify(here: Installation, name: str) -> Verified:
    """Compare all pairs that are left of the round under way; what drifted is due again.

    Raises:
        TwofoldError: TF-U06, there is no such sync; TF-B01, a side shows nothing of what we know;
            an app cannot be read.
    """
    sync = here.sync(name)
    async with here.both_sides(sync) as connectors:
        try:
            return await verify_slice(here.state, here.world, sync.id, connectors, within=None)
        except Braked as stop:
            raise HeldUp(stop) from stop
