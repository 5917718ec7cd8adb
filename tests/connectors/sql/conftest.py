"""The servers that the tests of this folder share: each starts once, when a test first needs it."""

from __future__ import annotations

from collections.abc import Iterator

import pytest
from tests.servers.mariadb import MariaDb
from tests.servers.postgres import Postgres


@pytest.fixture(scope="session")
def postgres() -> Iterator[Postgres]:
    with Postgres() as server:
        yield server


@pytest.fixture(scope="session")
def mariadb() -> Iterator[MariaDb]:
    with MariaDb() as server:
        yield server
