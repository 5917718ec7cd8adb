"""People who decide about pairs at any moment: what they said holds, and it comes to rest."""

from __future__ import annotations

import pytest
from tests.simulation.decisions import check


@pytest.mark.parametrize("block", range(4))
def test_twenty_histories_with_decisions(block: int) -> None:
    played = [check(20_000 + 20 * block + n) for n in range(20)]
    assert sum(history.decided for history in played) > 100
    assert sum(history.disturbed for history in played) > 5, "in the midst of runs, too"
