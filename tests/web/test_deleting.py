"""A sync that goes away: turned off, named, deleted."""

from __future__ import annotations

from playwright.sync_api import Page, expect

from tests.web.browser import accessible
from tests.web.site import Site


def test_a_sync_is_deleted_by_keyboard_and_its_links_are_kept(page: Page, here: Site) -> None:
    page.goto("/health")
    row = page.get_by_role("row").filter(has_text="Companies")
    row.locator("summary").press("Enter")
    expect(row.get_by_role("button", name="Delete sync")).to_have_count(0)
    row.get_by_role("button", name="Turn off sync").press("Enter")
    page.get_by_role("dialog").get_by_role("button", name="Turn off sync").press("Enter")
    expect(row).to_contain_text("Turned off")
    row.locator("summary").press("Enter")
    row.get_by_role("button", name="Delete sync").press("Enter")
    dialog = page.get_by_role("dialog", name="Delete the sync of Companies?")
    delete = dialog.get_by_role("button", name="Delete sync")
    accessible(page)
    name = dialog.get_by_label("Type shop-companies to confirm")
    name.press_sequentially("shop")
    expect(delete).to_be_disabled()
    name.press_sequentially("-companies")
    dialog.get_by_label("Keep its links").press("Space")
    delete.press("Enter")
    expect(page.get_by_role("status")).to_contain_text("No record was touched.")
    expect(page.get_by_role("row").filter(has_text="Companies")).to_have_count(0)
    assert len(list(here.up.folder.glob("kept/shop-companies-*/links.csv"))) == 1
