"""Sync health: the overview and its live numbers."""

from __future__ import annotations

from playwright.sync_api import Page, expect

from tests.web.browser import accessible, fits
from tests.web.site import Site


def test_the_overview_shows_each_sync(page: Page) -> None:
    page.goto("/health")
    expect(page.get_by_role("heading", name="Sync health")).to_be_visible()
    row = page.get_by_role("row").filter(has_text="Contacts")
    expect(row).to_contain_text("Active and listening")
    expect(row.get_by_role("link", name="Failing: Contacts, show records")).to_have_text("5")
    expect(page.get_by_text("Live", exact=True)).to_be_visible()
    accessible(page)
    fits(page)


def test_numbers_change_while_the_page_is_open(page: Page, here: Site) -> None:
    page.goto("/health")
    expect(page.get_by_text("Live", exact=True)).to_be_visible()
    row = page.get_by_role("row").filter(has_text="Contacts")
    number = row.get_by_role("link", name="In sync: Contacts, show records")
    before = int(number.inner_text())
    person = {"firstname": "Rosa", "lastname": "Adams", "email": "rosa.adams@example.com"}
    here.admin("POST", "/hub/contact", {"fields": person}, status=201)
    expect(number).to_have_text(str(before + 1))


def test_a_pause_holds_the_numbers(page: Page, here: Site) -> None:
    page.goto("/health")
    expect(page.get_by_text("Live", exact=True)).to_be_visible()
    sync = here.admin("GET", "/syncs").json["syncs"][0]["sync"]["name"]
    status = page.get_by_role("row").nth(1)
    page.get_by_role("button", name="Pause updates").click()
    expect(page.get_by_text("Paused", exact=True)).to_be_visible()
    here.admin("POST", f"/syncs/{sync}/off")
    try:
        with page.expect_response("**/health"):
            page.evaluate("fetch('/health')")
        expect(status).to_contain_text("Active and listening")
        page.get_by_role("button", name="Pause updates").click()
        expect(status).to_contain_text("Turned off")
    finally:
        here.admin("POST", f"/syncs/{sync}/on")


def test_a_visit_is_light(page: Page, here: Site) -> None:
    sizes: list[int] = []
    page.on("requestfinished", lambda r: sizes.append(r.sizes()["responseBodySize"]))
    page.goto("/health", wait_until="load")
    expect(page.get_by_text("Live", exact=True)).to_be_visible()
    assert 3 <= len(sizes) <= 8
    assert sum(sizes) <= 150 * 1024


def test_a_count_opens_the_records_behind_it(page: Page, here: Site) -> None:
    page.goto("/health")
    number = page.get_by_role("link", name="Failing: Contacts, show records")
    number.focus()
    page.keyboard.press("Enter")
    panel = page.get_by_role("dialog", name="Failing: Contacts (5)")
    expect(panel).to_be_visible()
    expect(page).to_have_url(f"{here.url}/health?sync=shop-contacts&state=failing")
    expect(panel.get_by_role("list", name="Records").locator("> li")).to_have_count(5)
    accessible(page)
    fits(page)
    page.keyboard.press("Escape")
    expect(panel).to_be_hidden()
    expect(page).to_have_url(f"{here.url}/health")
    expect(number).to_be_focused()
