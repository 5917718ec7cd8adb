"""Setting up a sync and editing it, in a real browser, step by step."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest
from playwright.sync_api import Browser, Page, expect

from tests.interfaces.program import Shop, until
from tests.web.browser import accessible, fits
from tests.web.site import Site

HOSTILE = "<script>alert(1)</script>"


@pytest.fixture(scope="module")
def shop(new: Site, tmp_path_factory: pytest.TempPathFactory) -> Shop:
    """A database with people, and with columns that say nothing by their names."""
    made = Shop(tmp_path_factory.mktemp("shop") / "shop.db", people=6, firms=2)
    made.run(f'ALTER TABLE people ADD COLUMN "{HOSTILE}" TEXT')
    made.run("ALTER TABLE people ADD COLUMN born DATE")
    answers = {"url": made.url}
    new.admin(
        "POST", "/connections", {"app": "sql", "label": "shop", "answers": answers}, status=201
    )
    return made


@pytest.fixture
def editor(browser: Browser, new: Site, shop: Shop) -> Iterator[Page]:
    with new.page(browser, "editor") as opened:
        yield opened


def _begun(page: Page, app: str = "people") -> None:
    """Choose an object, and be at the step *Configure*."""
    page.goto("/apps/shop/syncs/new")
    other = page.get_by_label("Another pair of objects")
    if other.count():
        other.check()
    page.get_by_label("In the hub").select_option("contact")
    page.get_by_label("In the app").select_option(app)
    page.get_by_role("button", name="Next").click()
    expect(page.get_by_role("group", name="Choose your sync direction")).to_be_visible()


def _map(page: Page, app: str, hub: str) -> None:
    page.get_by_label("App field").select_option(app)
    page.locator("#add-hub").select_option(hub)
    page.get_by_role("button", name="Add a mapping").click()
    expect(page.get_by_role("link", name=f"Settings of {app}", exact=True)).to_be_visible()


def test_a_sync_from_the_first_step_to_records_in_the_hub(
    editor: Page, new: Site, shop: Shop
) -> None:
    page = editor
    page.goto("/apps/shop/syncs/new")
    accessible(page)
    fits(page)
    _begun(page)
    page.get_by_label("Only sync data from shop to the hub").check()
    page.get_by_label("Resolve data conflicts").select_option("app")
    for app, hub in (("email", "email"), ("first_name", "firstname"), ("last_name", "lastname")):
        _map(page, app, hub)
    accessible(page)
    fits(page)
    page.reload()
    expect(page.get_by_label("Only sync data from shop to the hub")).to_be_checked()
    expect(page.get_by_label("Resolve data conflicts")).to_have_value("app")
    page.locator(".step-foot").get_by_role("button", name="Next").click()

    expect(page.get_by_text("6 of 6 records match.")).to_be_visible()
    page.get_by_text("Add a filter").click()
    page.locator("#field-app").select_option("last_name")
    expect(page.locator("#crit-app-operator")).to_be_visible()
    page.locator("#crit-app-operator").select_option("is any of")
    page.locator("#crit-app-value").fill("Last1, Last2")
    accessible(page)
    page.get_by_role("button", name="Add", exact=True).click()
    expect(page.get_by_text("2 of 6 records match.")).to_be_visible()
    expect(page.get_by_text("last_name is any of Last1, Last2")).to_be_visible()
    accessible(page)
    fits(page)
    page.get_by_label("Rules", exact=True).select_option("contacts")
    page.get_by_role("button", name="Next").click()

    expect(page.get_by_text("Only sync data from shop to the hub")).to_be_visible()
    page.get_by_role("button", name="Preview this sync").click()
    expect(page.locator(".counts li", has_text="to create")).to_contain_text("2")
    accessible(page)
    fits(page)
    assert new.admin("GET", "/hub/contact").json["records"] == []
    page.get_by_role("button", name="Save and sync").click()
    expect(page.get_by_role("status")).to_contain_text("is saved")
    until(lambda: len(new.admin("GET", "/hub/contact").json["records"]) == 2)


def test_refused_pairs_say_why_before_they_are_added(editor: Page) -> None:
    page = editor
    _begun(page, "firms")
    page.get_by_label("App field").select_option("name")
    page.locator("#add-hub").select_option("lifecyclestage")
    expect(page.locator("#reason")).to_contain_text("To the app")
    page.get_by_role("button", name="Add a mapping").click()
    expect(page.get_by_role("link", name="Settings of name")).to_be_visible()
    page.get_by_role("button", name="Remove the mapping of name").click()
    expect(page.get_by_text("No mapping fits what is shown.")).to_be_visible()
    page.get_by_role("link", name="Review").click()
    expect(page.get_by_role("alert")).to_contain_text("before this can be saved")
    expect(page.get_by_role("button", name="Save and sync")).to_be_disabled()
    accessible(page)
    page.get_by_role("button", name="Discard").click()
    expect(page.get_by_role("status")).to_contain_text("discarded")


def test_suggestions_are_offered_and_hostile_names_are_text(editor: Page) -> None:
    page = editor
    _begun(page, "firms")
    page.get_by_role("button", name="Discard").click()
    page.goto("/apps/shop/syncs/new")
    expect(page.get_by_text("Already set up")).to_be_visible()
    page.goto("/syncs/shop-contacts/edit")
    page.get_by_label("App field").select_option(HOSTILE)
    page.locator("#add-hub").select_option("jobtitle")
    page.get_by_role("button", name="Add a mapping").click()
    expect(page.get_by_text(HOSTILE, exact=True).first).to_be_visible()
    page.get_by_role("button", name="Suggest mappings").click()
    phone = page.get_by_role("button", name="Add the mapping of phone")
    expect(phone).to_be_visible()
    accessible(page)
    phone.click()
    expect(page.get_by_role("link", name="Settings of phone")).to_be_visible()
    page.get_by_label("Show").select_option("custom")
    page.get_by_label("Search fields").fill("phone")
    page.get_by_role("button", name="Apply").click()
    expect(page.locator(".mapping-table tbody tr")).to_have_count(1)
    page.get_by_role("button", name="Discard").click()


def test_an_edit_says_what_it_means_and_is_saved(editor: Page, new: Site) -> None:
    page = editor
    page.goto("/syncs/shop-contacts/edit")
    page.get_by_role("link", name="Settings of first_name").click()
    page.get_by_label("When it writes").select_option("if_empty")
    page.get_by_label("Transforms").fill("case:nonsense")
    page.get_by_role("button", name="Update").click()
    expect(page.get_by_role("alert")).to_contain_text("nonsense")
    accessible(page)
    fits(page)
    page.get_by_label("Transforms").fill("trim")
    page.get_by_role("button", name="Update").click()
    page.get_by_role("link", name="Limit", exact=True).click()
    page.get_by_role("button", name="Remove: last_name is any of Last1, Last2").click()
    expect(page.get_by_text("All records are sent.")).to_be_visible()
    page.get_by_role("link", name="Review").click()
    expect(page.get_by_text("4 records start taking part")).to_be_visible()
    accessible(page)
    page.get_by_role("button", name="Save", exact=True).click()
    expect(page.get_by_role("status")).to_contain_text("is saved")
    until(lambda: len(new.admin("GET", "/hub/contact").json["records"]) == 6)


def test_an_edit_that_somebody_else_overtook_is_not_saved(editor: Page, new: Site) -> None:
    page = editor
    page.goto("/syncs/shop-contacts/edit")
    page.get_by_label("Resolve data conflicts").select_option("hub")
    expect(page.locator("#mappings")).to_be_visible()
    new.admin("POST", "/syncs/shop-contacts/off")
    page.get_by_role("link", name="Review").click()
    page.get_by_role("button", name="Save", exact=True).click()
    expect(page.get_by_role("alert")).to_contain_text("TF-E01")
    new.admin("POST", "/syncs/shop-contacts/on")


def test_who_may_not_edit_is_refused(browser: Browser, new: Site, shop: Shop) -> None:
    with new.page(browser, "operator") as page:
        page.goto("/apps/shop/syncs/new")
        expect(page.get_by_text("TF-W02")).to_be_visible()
        page.goto("/setup/nothing-here/configure")
        expect(page.get_by_text("TF-W02")).to_be_visible()
    with new.page(browser, "editor") as page:
        page.goto("/setup/nothing-here/configure")
        expect(page.get_by_text("TF-W50")).to_be_visible()


def test_in_dutch(browser: Browser, new: Site, shop: Shop, tmp_path: Path) -> None:
    with new.page(browser, "editor", language="nl") as page:
        page.goto("/apps/shop/syncs/new")
        expect(page.get_by_role("group", name="Kies een te synchroniseren object")).to_be_visible()
        page.goto("/syncs/shop-contacts/edit")
        expect(page.get_by_text("Kies je synchronisatierichting")).to_be_visible()
        expect(page.get_by_text("Gegevensconflicten oplossen")).to_be_visible()
        expect(page.get_by_role("button", name="Een toewijzing toevoegen")).to_be_visible()
        page.get_by_role("link", name="Beperkingen").click()
        expect(page.get_by_text("Beperken welke records synchroniseren")).to_be_visible()
        page.get_by_role("link", name="Bekijken").click()
        expect(page.get_by_role("button", name="Opslaan")).to_be_visible()
