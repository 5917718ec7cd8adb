"""For tests of pages: one browser for all, one service per module, one page per test."""

from __future__ import annotations

from collections.abc import Iterator

import pytest
from playwright.sync_api import Browser, Page

from tests.web.browser import chromium
from tests.web.site import Site, site


@pytest.fixture(scope="package")
def browser() -> Iterator[Browser]:
    """One Chromium; closed before tests that run asyncio on this thread begin."""
    with chromium() as opened:
        yield opened


@pytest.fixture(scope="module")
def here(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Site]:
    """A service over the small demo: a hub and a shop with people, one of them failing."""
    with site(tmp_path_factory.mktemp("pages") / "data") as made:
        yield made
        assert not made.up.events("request failed")


@pytest.fixture(scope="module")
def new(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Site]:
    """A service without anything but its administrator."""
    with site(tmp_path_factory.mktemp("new") / "data", demo=False) as made:
        yield made
        assert not made.up.events("request failed")


@pytest.fixture
def page(browser: Browser, here: Site) -> Iterator[Page]:
    """A page of the administrator."""
    with here.page(browser) as opened:
        yield opened
