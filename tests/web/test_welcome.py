"""The first visit: from nothing to a two-way sync before one's eyes."""

from __future__ import annotations

from playwright.sync_api import Browser, expect

from tests.api.client import program
from tests.web.browser import accessible, fits
from tests.web.site import Site


def test_a_newcomer_sees_a_two_way_sync_with_one_click(browser: Browser, new: Site) -> None:
    with new.page(browser) as page:
        page.goto("/")
        expect(page.get_by_role("heading", name="Welcome to Twofold")).to_be_visible()
        accessible(page)
        fits(page)
        page.get_by_role("button", name="Try it with sample data").click()
        expect(page.get_by_role("heading", name="A two-way sync")).to_be_visible()
        expect(page.get_by_text("Active and listening")).to_have_count(2, timeout=60_000)
        accessible(page)
        fits(page)
        people = page.get_by_role("row")
        expect(people.nth(1)).not_to_contain_text("differs", timeout=60_000)
        phone = people.nth(1).get_by_role("cell").nth(0)
        before = phone.inner_text()
        page.get_by_role("button", name="Change a phone number in the shop").click()
        expect(page.get_by_role("status").first).to_contain_text("phone number in the shop now")
        expect(phone).not_to_have_text(before, timeout=60_000)
        expect(phone).to_contain_text("+31 20 555")
        city = people.nth(2).get_by_role("cell").nth(3)
        before = city.inner_text()
        button = page.get_by_role("button", name="Change a city in the hub")
        button.focus()
        page.keyboard.press("Enter")
        expect(page.get_by_role("status").first).to_contain_text("city in the hub now")
        expect(button).to_be_focused()
        expect(people.nth(2)).not_to_contain_text(before, timeout=60_000)
        page.get_by_role("link", name="To Sync health").click()
        expect(page.get_by_role("heading", name="Sync health")).to_be_visible()
        page.goto("/welcome")
        expect(page.get_by_role("button", name="Try it with sample data")).to_have_count(0)
    editor = program(new.admin, "editor's", "editor")
    assert b"TF-W43" in editor.raw("POST", "/welcome/sample", raw=b"").body


def test_sample_data_that_is_gone_is_told(here: Site) -> None:
    found = here.admin.raw("GET", "/welcome/sample")
    assert (found.status, b"TF-W44" in found.body) == (404, True)
