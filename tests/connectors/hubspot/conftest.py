"""One account for tests that say themselves what goes wrong."""

from __future__ import annotations

from collections.abc import AsyncIterator, Iterator
from contextlib import AsyncExitStack
from pathlib import Path

import pytest
from tests.connectors.hubspot.account import LAG, Account
from tests.hub_api.serving import Serving, serving

from twofold.hub.api.realism import Limits, Realism


@pytest.fixture
def realism() -> Realism:
    """The switches of the account, to be changed by the test."""
    return Realism(limits=Limits(ten_seconds=1_000), index_lag=LAG)


@pytest.fixture
def served(tmp_path: Path, realism: Realism) -> Iterator[Serving]:
    """The API of an account."""
    with serving(tmp_path / "hub.db", realism) as running:
        yield running


@pytest.fixture
async def account(served: Serving) -> AsyncIterator[Account]:
    """Connectors to it, with pages as large as the real ones."""
    async with AsyncExitStack() as stack:
        yield Account(served, stack, 200)
