"""Two values that differ: which one wins, case by case (D1–D4)."""

from __future__ import annotations

import pytest

from twofold.core.mappings import Blanks, Direction
from twofold.core.merge import choose
from twofold.core.records import Side
from twofold.core.values import Value

HUB, APP = Side.HUB, Side.APP
BOTH, TO_APP, TO_HUB = Direction.BOTH, Direction.TO_APP, Direction.TO_HUB
KEEP, CLEAR = Blanks.NEVER_ERASE, Blanks.CLEAR
NEVER_MET = None
NOBODY: tuple[Side, ...] = ()

# direction, blanks, hub, app, who edited, default app → which side is written, seen moves
CASES: tuple[
    tuple[Direction, Blanks, str, str, tuple[Side, ...] | None, Side, Side | None, bool], ...
] = (
    # Both directions, first meeting: the default app wins, and blanks are filled.
    (BOTH, KEEP, "h", "a", NEVER_MET, HUB, APP, True),
    (BOTH, KEEP, "h", "a", NEVER_MET, APP, HUB, True),
    (BOTH, KEEP, "", "a", NEVER_MET, HUB, HUB, True),
    (BOTH, CLEAR, "h", "", NEVER_MET, APP, APP, True),
    # An edit on one side travels, whatever the default app is.
    (BOTH, KEEP, "h", "a", (HUB,), APP, APP, True),
    (BOTH, KEEP, "h", "a", (APP,), HUB, HUB, True),
    (BOTH, KEEP, "h", "a", NOBODY, HUB, None, True),
    # A blank never erases unless the mapping says so.
    (BOTH, KEEP, "", "a", (HUB,), HUB, None, True),
    (BOTH, KEEP, "h", " ", (APP,), APP, None, True),
    (BOTH, CLEAR, "", "a", (HUB,), APP, APP, True),
    (BOTH, CLEAR, "h", "", (APP,), HUB, HUB, True),
    # Both edited: the default app wins, but an edit beats a clear.
    (BOTH, KEEP, "h", "a", (HUB, APP), HUB, APP, True),
    (BOTH, KEEP, "h", "a", (HUB, APP), APP, HUB, True),
    (BOTH, CLEAR, "", "a", (HUB, APP), HUB, HUB, True),
    (BOTH, CLEAR, "h", "", (HUB, APP), APP, APP, True),
    # One way, first meeting: written, unless the receiving side is the default app.
    (TO_APP, KEEP, "h", "a", NEVER_MET, HUB, APP, True),
    (TO_APP, KEEP, "h", "a", NEVER_MET, APP, None, True),
    (TO_APP, KEEP, "h", "", NEVER_MET, APP, APP, True),
    (TO_APP, CLEAR, "", "a", NEVER_MET, HUB, None, True),
    (TO_HUB, KEEP, "h", "a", NEVER_MET, APP, HUB, True),
    (TO_HUB, KEEP, "h", "a", NEVER_MET, HUB, None, True),
    # One way, an edit at the source is sent.
    (TO_APP, KEEP, "h", "a", (HUB,), APP, APP, True),
    (TO_HUB, KEEP, "h", "a", (APP,), HUB, HUB, True),
    (TO_APP, KEEP, "", "a", (HUB,), HUB, None, True),
    (TO_APP, CLEAR, "", "a", (HUB,), APP, APP, True),
    # One way, an edit at the receiving side stays, and still counts as one later.
    (TO_APP, KEEP, "h", "a", (APP,), HUB, None, False),
    (TO_HUB, KEEP, "h", "a", (HUB,), APP, None, False),
    (TO_APP, KEEP, "h", "a", NOBODY, HUB, None, True),
    # One way, both edited: the default app wins.
    (TO_APP, KEEP, "h", "a", (HUB, APP), HUB, APP, True),
    (TO_APP, KEEP, "h", "a", (HUB, APP), APP, None, True),
    (TO_APP, CLEAR, "", "a", (HUB, APP), HUB, None, True),
)


@pytest.mark.parametrize("case", CASES)
def test_one_value_wins(
    case: tuple[Direction, Blanks, str, str, tuple[Side, ...] | None, Side, Side | None, bool],
) -> None:
    direction, blanks, hub, app, editors, default, written, moves = case
    values: dict[Side, Value] = {HUB: hub, APP: app}
    edited = None if editors is None else frozenset(editors)
    _, to, settled = choose(direction, blanks, values, edited, default)
    assert (to, settled) == (written, moves)
