"""Syncs of one connection that share an object type of the hub: a stage belongs to one (S9)."""

from __future__ import annotations

from collections.abc import Sequence

from twofold.core.mappings import Rules
from twofold.core.stages import Beside, check_beside
from twofold.core.validate import Problem
from twofold.services.installation import Installation


def beside(
    here: Installation, connection: int, rules: Rules, coming: Sequence[Beside] = ()
) -> list[Beside]:
    """The other syncs of the same connection and type of the hub.

    ``coming``: syncs of that connection as they are about to be, in place of what is stored.
    """
    stored = [
        Beside(sync.name, sync.enabled, sync.rules)
        for sync in here.state.syncs.all()
        if sync.connection == connection
    ]
    by_name = {one.name: one for one in (*stored, *coming)}
    return [
        one
        for one in by_name.values()
        if one.rules.hub.name == rules.hub.name and one.rules.app.name != rules.app.name
    ]


def stage_problems(rules: Rules, enabled: bool, others: Sequence[Beside]) -> list[Problem]:
    """Stages that would belong to two syncs."""
    return [Problem(e.code, e.sentence) for e in check_beside(rules, enabled, others)]
