"""Settings of the installation and the log of runs, in a real browser."""

from __future__ import annotations

import re

from playwright.sync_api import Browser, Page, expect

from tests.api.client import Client
from tests.web.browser import accessible, fits
from tests.web.site import Site


def test_somebody_is_invited_and_closed_out(page: Page, here: Site) -> None:
    page.goto("/settings")
    accessible(page)
    fits(page)
    page.get_by_label("Role", exact=True).select_option("operator")
    page.get_by_role("button", name="Make a link").click()
    link = page.get_by_label("Give this link to the person.").input_value()
    assert link.startswith(f"{here.url}/accept#")
    given = {"secret": link.split("#")[1], "name": "grace", "password": "a long new password"}
    Client(here.url)("POST", "/accept", given)
    page.goto("/settings/users")
    page.get_by_role("button", name="Close the sign-in of grace").click()
    expect(page.get_by_role("status")).to_contain_text("grace is changed.")
    expect(page.get_by_role("row", name=re.compile("grace"))).to_contain_text("Closed")
    page.get_by_role("button", name="Close the sign-in of ada").click()
    expect(page.get_by_role("alert")).to_contain_text("TF-W16")


def test_tokens_are_made_shown_once_and_revoked(page: Page, here: Site) -> None:
    page.goto("/settings/tokens")
    accessible(page)
    fits(page)
    page.locator("#api-name").fill("nightly")
    page.get_by_role("button", name="Make a token").first.click()
    secret = page.get_by_label("Copy this token now").input_value()
    accessible(page)
    caller = Client(here.url)
    caller.headers["Authorization"] = f"Bearer {secret}"
    caller("GET", "/syncs")
    page.goto("/settings/tokens")
    assert secret not in page.content()
    page.get_by_role("button", name="Revoke nightly").click()
    expect(page.get_by_role("status")).to_contain_text("opens nothing")
    caller("GET", "/syncs", status=401)
    page.locator("#hub-name").fill("crm")
    page.get_by_role("button", name="Make a token").last.click()
    assert page.get_by_label("Copy this token now").input_value().startswith("pat-")


def test_network_retention_and_erasing(page: Page, here: Site) -> None:
    page.goto("/settings/network")
    accessible(page)
    page.get_by_label("Address or block").fill("not an address")
    page.get_by_role("button", name="Allow").click()
    expect(page.get_by_role("alert")).to_contain_text("TF-A41")
    page.get_by_label("Address or block").fill("192.168.7.0/24")
    page.get_by_role("button", name="Allow").click()
    page.get_by_role("button", name="Remove 192.168.7.0/24").click()
    expect(page.get_by_text("192.168.7.0/24")).to_have_count(0)
    page.goto("/settings/data")
    accessible(page)
    fits(page)
    page.get_by_label("Days").fill("0")
    page.get_by_role("button", name="Save").click()
    expect(page.get_by_role("alert")).to_contain_text("TF-H02")
    page.get_by_label("Days").fill("45")
    page.get_by_role("button", name="Save").click()
    expect(page.get_by_role("status")).to_contain_text("45 days")
    made = {"fields": {"email": "gone@hub.example"}}
    number = here.admin("POST", "/hub/contact", made, status=201).json["id"]
    page.get_by_label("E-mail address or number").fill("nobody@hub.example")
    page.get_by_role("button", name="Look who that is").click()
    expect(page.get_by_role("alert")).to_contain_text("TF-U50")
    page.get_by_label("E-mail address or number").fill("gone@hub.example")
    page.get_by_label("From the hub inside, too").check()
    page.get_by_role("button", name="Look who that is").click()
    accessible(page)
    page.get_by_label("Yes, erase this person.").check()
    page.get_by_role("button", name="Erase").click()
    expect(page.get_by_text("Erased.")).to_be_visible()
    here.admin("GET", f"/hub/contact/{number}", status=404)
    page.goto("/settings/audit")
    accessible(page)
    expect(page.locator("tbody")).to_contain_text("address allowed")
    assert "gone@hub.example" not in page.content()


def test_runs_and_what_each_wrote(page: Page) -> None:
    page.goto("/activity?show=wrote")
    accessible(page)
    fits(page)
    expect(page.locator("tbody")).to_contain_text("made in the hub")
    page.locator("tbody a").last.click()
    expect(page.get_by_role("heading", name=re.compile("^Run"))).to_be_visible()
    expect(page.locator("ins").first).to_be_visible()
    accessible(page)
    fits(page)
    page.goto("/activity/shop-contacts/99999")
    expect(page.get_by_text("TF-W15")).to_be_visible()


def test_settings_are_for_administrators(browser: Browser, here: Site) -> None:
    with here.page(browser, "editor") as page:
        page.goto("/settings/users")
        expect(page.get_by_text("TF-W02")).to_be_visible()
        page.goto("/activity")
        page.get_by_text("editor", exact=True).first.click()
        expect(page.get_by_role("link", name="Settings")).to_have_count(0)
