"""One's own account: language, time zone, theme, password."""

from __future__ import annotations

import re

from playwright.sync_api import Browser, Page, expect

from tests.api.client import PASSWORD, Client
from tests.web.browser import accessible, fits
from tests.web.site import Site


def test_language_zone_and_theme_are_kept(page: Page) -> None:
    page.goto("/account")
    accessible(page)
    fits(page)
    page.set_viewport_size({"width": 1280, "height": 800})
    page.get_by_label("Language", exact=True).select_option("nl")
    page.get_by_label("Time zone").select_option("Asia/Tokyo")
    page.get_by_label("Theme").select_option("dark")
    page.get_by_role("button", name="Save").click()
    expect(page.get_by_role("status")).to_contain_text("in deze browser")
    expect(page.locator("html")).to_have_attribute("data-bs-theme", "dark")
    expect(page.get_by_role("link", name="Gekoppelde apps")).to_be_visible()
    page.goto("/apps/sql?tab=activity")
    expect(page.locator("time").first).to_have_attribute("title", re.compile(r"\(Asia/Tokyo\)$"))
    page.get_by_role("button", name="Licht").click()
    page.reload()
    expect(page.locator("html")).to_have_attribute("data-bs-theme", "light")


def test_a_cookie_that_makes_no_sense_counts_for_nothing(page: Page, here: Site) -> None:
    for name in ("twofold_language", "twofold_zone", "twofold_theme", "twofold_flash"):
        value = "../../etc/passwd%00<script>"
        page.context.add_cookies([{"name": name, "value": value, "url": here.url}])
    page.goto("/health")
    expect(page.get_by_role("heading", name="Sync health")).to_be_visible()
    assert page.locator("html").get_attribute("lang") == "en"


def test_the_theme_follows_the_device_until_it_is_chosen(page: Page) -> None:
    page.emulate_media(color_scheme="dark")
    page.goto("/health")
    expect(page.locator("html")).to_have_attribute("data-bs-theme", "dark")
    page.emulate_media(color_scheme="light")
    expect(page.locator("html")).to_have_attribute("data-bs-theme", "light")


def test_a_password_is_changed_with_the_old_one(browser: Browser, here: Site) -> None:
    with here.page(browser, "operator") as page:
        page.goto("/account")
        page.get_by_label("Present password").fill("not it, not it")
        page.get_by_label("New password").fill("another good one")
        page.get_by_role("button", name="Change password").click()
        expect(page.get_by_role("alert")).to_contain_text("TF-W04")
        accessible(page)
        page.get_by_label("Present password").fill(PASSWORD)
        page.get_by_label("New password").fill("another good one")
        page.get_by_role("button", name="Change password").click()
        expect(page.get_by_role("status")).to_contain_text("Your password is changed")
        page.goto("/health")
        expect(page.get_by_role("heading", name="Sync health")).to_be_visible()
    here.person("operator")("GET", "/session", status=401)
    Client(here.url).signed_in("operator", "another good one")
