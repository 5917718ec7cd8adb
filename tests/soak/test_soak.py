"""A small part of `make soak`: each fault once, and checks that can fail."""

from __future__ import annotations

import pytest
from tests.soak.__main__ import Pace, prepared
from tests.soak.arrivals import Arrivals, Edit, percentile


@pytest.mark.slow
def test_everything_arrives_whatever_goes_wrong() -> None:
    pace = Pace(1.2, edit_every=0.4, fault_every=9.0, calm_after=3.0, contacts=12, quiet=10.0)
    with prepared(pace) as soak:
        short = soak.run()
        assert len(set(soak.did)) >= 4
        assert soak.arrivals.made > 20
    # How long things take on a busy machine is for `make soak` to say.
    assert [line for line in short if "do not arrive within" not in line] == []


def test_an_edit_counts_when_every_other_place_shows_it() -> None:
    found = Arrivals(["hub", "shop", "book"])
    found.add(Edit("a@x", "One", "hub", at=10.0, created=False, calm=True))
    found.look(11.0, {"hub": {"a@x": "One"}, "shop": {"a@x": "One"}})
    assert found.oldest(12.0) == 2.0
    found.disturb()
    found.look(14.0, {"book": {"a@x": "One"}})
    assert found.open == {}
    assert dict(found.took) == {"pushed": [1.0, 4.0], "pushed, calm": [1.0]}
    assert (percentile([3.0, 1.0, 2.0], 0.5), percentile([3.0, 1.0, 2.0], 0.99)) == (2.0, 3.0)
