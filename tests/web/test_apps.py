"""Connected apps: the catalog, the install flow, accounts, and what is done to them."""

from __future__ import annotations

from pathlib import Path

import pytest
from playwright.sync_api import Browser, Page, expect

from tests.interfaces.program import Shop
from tests.web.browser import accessible, fits
from tests.web.site import Site


def _checked(page: Page) -> None:
    accessible(page)
    fits(page)
    page.set_viewport_size({"width": 1280, "height": 800})


def test_an_app_is_installed_and_a_second_account_of_it_too(
    browser: Browser, new: Site, tmp_path: Path
) -> None:
    first, second = Shop(tmp_path / "one.db"), Shop(tmp_path / "two.db")
    with new.page(browser) as page:
        page.goto("/apps")
        expect(page.get_by_text("No app is connected yet.")).to_be_visible()
        _checked(page)
        page.get_by_role("link", name="Connect an app").click()
        _checked(page)
        page.get_by_label("Search apps").fill("postgres")
        page.keyboard.press("Enter")
        expect(page.get_by_role("listitem")).to_have_count(1)
        page.get_by_role("link", name="SQL database").click()
        _checked(page)
        page.get_by_role("link", name="Install app").click()
        _checked(page)
        page.get_by_role("link", name="Next").click()
        page.get_by_label("Address of the database").fill("not an address")
        page.get_by_role("button", name="Sign in").click()
        expect(page.get_by_role("alert")).to_contain_text("TF-U04")
        _checked(page)
        assert new.admin("GET", "/connections").json["connections"][1:] == []
        page.get_by_label("Address of the database").fill(first.url)
        page.get_by_role("button", name="Sign in").click()
        expect(page.get_by_role("heading", name="Twofold will be allowed to:")).to_be_visible()
        expect(page.get_by_role("row").filter(has_text="people")).to_contain_text("yes")
        _checked(page)
        assert new.admin("GET", "/connections").json["connections"][1:] == []
        page.get_by_role("button", name="Allow").click()
        expect(page.get_by_role("status")).to_contain_text("SQL database is connected.")
        expect(page.get_by_role("heading", name="SQL database")).to_be_visible()
        page.get_by_text("Actions", exact=True).click()
        page.get_by_role("link", name="Manage accounts").click()
        panel = page.get_by_role("dialog", name="Manage accounts")
        expect(panel).to_be_visible()
        _checked(page)
        panel.get_by_role("link", name="Connect another account").click()
        page.get_by_role("link", name="Next").click()
        page.get_by_label("Address of the database").fill(first.url)
        page.get_by_role("button", name="Sign in").click()
        expect(page.get_by_role("alert")).to_contain_text("connected already, as sql")
        page.get_by_label("Address of the database").fill(second.url)
        page.get_by_label("Name of this account").fill('<b>"Zwei" & \u202etsrif')
        page.get_by_role("button", name="Sign in").click()
        expect(page.get_by_text("A name has 1 to 100 printable")).to_be_visible()
        page.get_by_label("Address of the database").fill(second.url)
        page.get_by_label("Name of this account").fill('<b onclick=alert(1)>"Zwei" & 🏬')
        page.get_by_role("button", name="Sign in").click()
        page.get_by_role("button", name="Allow").click()
        expect(page.locator("summary").filter(has_text="Zwei")).to_be_visible()
        page.goto("/apps")
        expect(page.get_by_role("listitem")).to_contain_text("2 accounts")
        _checked(page)
        page.get_by_role("link", name="SQL database").click()
        page.locator("summary").filter(has_text="sql").first.click()
        page.get_by_role("link", name="Zwei").click()
        page.get_by_text("Actions", exact=True).click()
        page.get_by_role("button", name="Disconnect").click()
        dialog = page.get_by_role("dialog")
        expect(dialog.get_by_role("button", name="Disconnect")).to_be_disabled()
        _checked(page)
        dialog.get_by_role("textbox").fill('<b onclick=alert(1)>"Zwei" & 🏬')
        dialog.get_by_role("button", name="Disconnect").click()
        expect(page.get_by_role("status")).to_contain_text("is disconnected.")
    labels = [one["label"] for one in new.admin("GET", "/connections").json["connections"]]
    assert labels == ["hub", "sql"]


@pytest.mark.parametrize("tab", ["", "settings", "permissions", "activity", "about"])
def test_each_tab_is_in_order(page: Page, tab: str) -> None:
    page.goto(f"/apps/sql?tab={tab}")
    expect(page.get_by_role("heading", name="SQL database")).to_be_visible()
    expect(page.get_by_text("Asking the app")).to_have_count(0)
    _checked(page)


def test_settings_are_saved_and_refused(page: Page, here: Site) -> None:
    page.goto("/apps/sql?tab=settings")
    page.get_by_label("Seconds between").fill("never")
    page.get_by_role("button", name="Save").click()
    expect(page.get_by_text("A number from 5 to 86400.")).to_be_visible()
    accessible(page)
    page.get_by_label("Seconds between").fill("60")
    page.get_by_label("Name of this account").fill("hub")
    page.get_by_role("button", name="Save").click()
    expect(page.get_by_role("alert")).to_contain_text("TF-A05")
    page.get_by_label("Name of this account").fill("Web shop")
    page.get_by_role("button", name="Save").click()
    expect(page.get_by_role("status")).to_contain_text("The settings are saved.")
    found = here.admin("GET", "/connections/Web shop").json
    assert found["poll"] == 60
    here.admin("PATCH", "/connections/Web shop", {"label": "shop", "poll": 300})


def test_a_sync_is_turned_off_on_and_deleted(page: Page, here: Site) -> None:
    page.goto("/apps/sql?account=shop")
    row = page.get_by_role("row").filter(has_text="Companies")
    row.get_by_text("Actions").focus()
    page.keyboard.press("Enter")
    page.keyboard.press("Escape")
    expect(row.get_by_role("button", name="Turn off sync")).to_be_hidden()
    expect(row.locator("summary")).to_be_focused()
    page.keyboard.press("Enter")
    row.get_by_role("button", name="Turn off sync").press("Enter")
    dialog = page.get_by_role("dialog", name="Turn off the sync of Companies?")
    accessible(page)
    page.keyboard.press("Escape")
    expect(dialog).to_be_hidden()
    row.get_by_text("Actions").click()
    row.get_by_role("button", name="Turn off sync").click()
    dialog.get_by_role("button", name="Turn off sync").click()
    expect(page.get_by_role("status")).to_contain_text("is turned off")
    expect(row).to_contain_text("Turned off")
    expect(page).to_have_url(f"{here.url}/apps/sql?account=shop")
    row.get_by_text("Actions").click()
    row.get_by_role("button", name="Turn on sync").click()
    expect(row).to_contain_text("Active and listening")
    row.get_by_text("Actions").click()
    row.get_by_role("button", name="Sync now").click()
    expect(page.get_by_role("status")).to_contain_text("runs now")
    page.get_by_role("button", name="Sync now", exact=True).first.click()
    expect(page.get_by_role("status")).to_contain_text("2 syncs run now")
    page.get_by_text("Actions", exact=True).first.click()
    page.get_by_role("button", name="Test connection").click()
    expect(page.get_by_role("status")).to_contain_text("The connection works")


def test_reconnecting_keeps_the_account(page: Page, tmp_path: Path) -> None:
    page.goto("/apps/sql/reconnect?account=shop")
    _checked(page)
    page.get_by_label("Address of the database").fill(Shop(tmp_path / "other.db").url)
    page.get_by_role("button", name="Reconnect").click()
    expect(page.get_by_role("alert")).to_contain_text("TF-U15")
    page.get_by_role("button", name="Reconnect").click()
    expect(page.get_by_role("status")).to_contain_text("shop is connected again.")


def test_roles_see_and_do_what_they_may(browser: Browser, here: Site) -> None:
    with here.page(browser, "viewer") as page:
        page.goto("/apps/sql")
        expect(page.get_by_role("heading", name="SQL database")).to_be_visible()
        expect(page.get_by_text("Actions")).to_have_count(0)
        expect(page.get_by_role("link", name="Set up your sync")).to_have_count(0)
        page.goto("/apps/sql/install")
        expect(page.get_by_text("TF-W02")).to_be_visible()
        token = page.locator("meta[name=form-token]").get_attribute("content")
    for path in ("/syncs/shop-contacts/off", "/apps/sql/remove", "/apps/sql/run"):
        form = f"form_token={token}&account=shop".encode()
        found = here.person("viewer").raw("POST", path, raw=form, headers=_FORM)
        assert (found.status, b"TF-W02" in found.body) == (403, True)


_FORM = {"Content-Type": "application/x-www-form-urlencoded"}


def test_answers_are_kept_for_their_owner_only(
    browser: Browser, here: Site, tmp_path: Path
) -> None:
    with here.page(browser) as page:
        page.goto("/apps/sql/install/sign-in")
        page.get_by_label("Address of the database").fill(Shop(tmp_path / "mine.db").url)
        page.get_by_role("button", name="Sign in").click()
        expect(page.get_by_role("button", name="Allow")).to_be_visible()
        address = page.url
    with here.page(browser, "editor") as page:
        page.goto(address)
        expect(page.get_by_role("status")).to_contain_text("please sign in once more")


@pytest.mark.parametrize(
    "path",
    ["/apps/..%2f..%2fetc", "/apps/%3Cscript%3E", "/apps/hub", "/apps/sql?account=nobody"],
)
def test_what_is_not_there_is_told(page: Page, path: str) -> None:
    answer = page.goto(path)
    assert answer is not None
    assert answer.status == 404
    accessible(page)
