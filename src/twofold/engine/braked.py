"""A brake was pulled: the run stops here, before anything that it warns of."""

from __future__ import annotations

from twofold.core.guards import Brake


class Braked(Exception):
    """A brake was pulled; nothing of what it warns of was done. Carries the brake."""

    def __init__(self, brake: Brake) -> None:
        self.brake = brake
        super().__init__(brake.sentence)
