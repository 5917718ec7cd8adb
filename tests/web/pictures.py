"""Pictures of the pages from a real service: ``python -m tests.web.pictures`` (`make screenshots`).

Each area adds its own to PICTURES: name of the file → the address, and what is done there first.
"""

from __future__ import annotations

import sys
import tempfile
from collections.abc import Callable
from pathlib import Path

from playwright.sync_api import Page
from tools.tree import ROOT

from tests.web.browser import chromium
from tests.web.site import site

FOLDER = ROOT / "docs" / "images"
Steps = Callable[[Page], None]


def _nothing(_: Page) -> None:
    """The page as it opens."""


def _turning_off(page: Page) -> None:
    page.get_by_text("Actions", exact=True).last.click()
    page.get_by_role("button", name="Turn off sync").click()


def _step(page: Page, name: str) -> None:
    """Go to a step of a set-up, and wait for what is counted there."""
    page.get_by_role("link", name=name, exact=True).click()
    page.get_by_text("Counting…").wait_for(state="detached")


def _opened(page: Page) -> None:
    page.get_by_role("list", name="Records").locator("summary").first.click()


def _record(page: Page) -> None:
    _opened(page)
    page.get_by_role("list", name="Records").get_by_role("link").first.click()
    page.get_by_role("heading", name="Fields").wait_for()


def _undoing(page: Page) -> None:
    _record(page)
    page.get_by_role("link", name="Undo what run").first.click()
    page.get_by_role("dialog", name="Undo").wait_for()


PICTURES: dict[str, tuple[str, Steps]] = {
    "sync-health": ("/health", _nothing),
    "setup-configure": ("/syncs/shop-contacts/edit", _nothing),
    "setup-limits": ("/syncs/shop-contacts/edit", lambda page: _step(page, "Limit")),
    "setup-review": ("/syncs/shop-contacts/edit", lambda page: _step(page, "Review")),
    "turn-off": ("/health", _turning_off),
    "records-failing": ("/health?sync=shop-contacts&state=failing", _opened),
    "records-in-sync": ("/health?sync=shop-contacts&state=in-sync", _nothing),
    "record": ("/health?sync=shop-contacts&state=failing", _record),
    "record-in-sync": ("/health?sync=shop-contacts&state=in-sync", _record),
    "record-undo": ("/health?sync=shop-contacts&state=in-sync", _undoing),
    "records-none": ("/health?sync=shop-companies&state=failing", _nothing),
    "connected-apps": ("/apps", _nothing),
    "app-catalog": ("/catalog", _nothing),
    "app": ("/apps/sql", _nothing),
    "app-settings": ("/apps/sql?tab=settings", _nothing),
    "app-accounts": ("/apps/sql?panel=accounts", _nothing),
    "app-about": ("/apps/carddav", _nothing),
    "install-sign-in": ("/apps/carddav/install/sign-in", _nothing),
    "welcome": ("/welcome", _nothing),
    "account": ("/account", _nothing),
}


def main(folder: Path = FOLDER) -> int:
    """Take all pictures, in light and in dark."""
    folder.mkdir(parents=True, exist_ok=True)
    wanted = sys.argv[1:]
    with (
        tempfile.TemporaryDirectory() as place,
        site(Path(place) / "data") as here,
        chromium() as browser,
        here.page(browser) as page,
    ):
        for name, (path, steps) in PICTURES.items():
            if wanted and name not in wanted:
                continue
            for theme in ("light", "dark"):
                page.emulate_media(color_scheme=theme, reduced_motion="reduce")
                page.goto(path)
                if "/health" in path:
                    page.get_by_text("Live", exact=True).wait_for()
                steps(page)
                page.screenshot(path=folder / f"{name}-{theme}.png")
                print(folder / f"{name}-{theme}.png")
    return 0


if __name__ == "__main__":
    sys.exit(main())
