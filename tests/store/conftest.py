"""The store on SQLite in memory and on a file: both must do the same."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
from tests.store.shelf import Shelf

Shelves = Callable[..., Shelf]


@pytest.fixture(params=["memory", "file"])
def shelves(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[Shelves]:
    """Makes the store of a test; ``Shelf``'s arguments."""
    made: list[Shelf] = []

    def make(**options: Any) -> Shelf:
        path = tmp_path / "state.db" if request.param == "file" else None
        made.append(Shelf(path, **options))
        return made[-1]

    yield make
    for shelf in made:
        shelf.state.close()


@pytest.fixture
def shelf(shelves: Shelves) -> Shelf:
    """A store with one sync that has been indexed."""
    return shelves()
