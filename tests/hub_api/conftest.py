"""One API for tests that make what they need under names of their own."""

from __future__ import annotations

from collections.abc import Iterator

import pytest
from tests.hub_api.serving import Serving, serving


@pytest.fixture(scope="module")
def hub(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Serving]:
    """A running API without limits."""
    with serving(tmp_path_factory.mktemp("hub") / "hub.db") as made:
        yield made
