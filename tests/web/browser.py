"""Chromium as Debian packages it, and what every page must keep while a test looks at it."""

from __future__ import annotations

import os
from collections.abc import Iterator
from contextlib import contextmanager

from axe_playwright_python.sync_playwright import Axe
from playwright.sync_api import Browser, BrowserContext, Page, sync_playwright

CHROMIUM = os.environ.get("CHROMIUM", "/usr/bin/chromium")
FLAGS = [
    "--no-sandbox",
    "--disable-gpu",
    "--disable-quic",
    "--no-first-run",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
]
PATIENCE = 15_000
"""Milliseconds."""


@contextmanager
def chromium() -> Iterator[Browser]:
    """A browser. While it is open no asyncio runs on this thread: commands go through `Client`."""
    assert os.access(CHROMIUM, os.X_OK), "run `make test`, which installs chromium, or set CHROMIUM"
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=CHROMIUM, args=FLAGS, headless=True)
        yield browser
        browser.close()


@contextmanager
def quiet(context: BrowserContext, url: str) -> Iterator[Page]:
    """A page that fails the test on an error of a script and on a request that leaves ``url``."""
    errors: list[str] = []
    outside: list[str] = []

    def asked(address: str) -> None:
        if not address.startswith((url, "data:", "blob:")):
            outside.append(address)

    def said(kind: str, text: str) -> None:
        if kind == "error" and "status of" not in text:  # an answer of 4xx is no fault of the page
            errors.append(text)

    page = context.new_page()
    page.on("pageerror", lambda error: errors.append(str(error)))
    page.on("console", lambda message: said(message.type, message.text))
    page.on("request", lambda request: asked(request.url))
    page.set_default_timeout(PATIENCE)
    page.emulate_media(reduced_motion="reduce")
    yield page
    assert not errors, errors
    assert not outside, outside


def violations(page: Page) -> list[tuple[str, list[str]]]:
    """What axe finds wrong with a page, with some of the places."""
    found = Axe().run(page).response["violations"]
    return [(one["id"], [node["html"][:120] for node in one["nodes"]][:3]) for one in found]


def accessible(page: Page) -> None:
    """Assert that axe finds nothing, in light and in dark."""
    for theme in ("light", "dark"):
        page.evaluate("theme => document.documentElement.dataset.bsTheme = theme", theme)
        assert not violations(page), (theme, violations(page))


def fits(page: Page) -> None:
    """Assert that nothing sticks out sideways, on a phone and on a large screen."""
    for width in (360, 1920):
        page.set_viewport_size({"width": width, "height": 900})
        wide = page.evaluate("document.documentElement.scrollWidth")
        assert wide <= width, (width, wide)
