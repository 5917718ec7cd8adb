"""Records of the hub inside, in a real browser: found, made, changed, tied, merged, in and out."""

from __future__ import annotations

import re
from collections.abc import Iterator
from pathlib import Path

import pytest
from playwright.sync_api import Browser, Page, expect

from tests.web.browser import accessible, fits
from tests.web.site import Site

HOSTILE = "<script>alert(1)</script>\u202e\U0001f600" + "x" * 300


@pytest.fixture
def operator(browser: Browser, here: Site) -> Iterator[Page]:
    with here.page(browser, "operator") as opened:
        yield opened


def _made(here: Site, object_type: str, **fields: str) -> str:
    made = here.admin("POST", f"/hub/{object_type}", {"fields": fields}, status=201)
    return str(made.json["id"])


def test_a_record_is_made_changed_and_deleted(operator: Page, here: Site) -> None:
    page = operator
    page.goto("/hub")
    accessible(page)
    fits(page)
    page.get_by_role("link", name="New record").click()
    page.get_by_label("E-mail", exact=True).fill("zoe@hub.example")
    page.get_by_label("First name").fill(HOSTILE)
    page.get_by_label("Date of birth").fill("yesterday")
    page.get_by_role("button", name="Create").click()
    expect(page.get_by_text("a date such as 2026-12-31")).to_be_visible()
    expect(page.get_by_label("E-mail", exact=True)).to_have_value("zoe@hub.example")
    accessible(page)
    page.get_by_label("Date of birth").fill("1990-05-01")
    page.get_by_role("button", name="Create").click()
    expect(page.get_by_role("status")).to_contain_text("The record is made.")
    expect(page.get_by_role("heading", level=1)).to_contain_text("<script>")
    accessible(page)
    fits(page)
    page.get_by_label("First name").fill("Zoë")
    page.get_by_role("button", name="Save").click()
    expect(page.get_by_role("heading", level=1)).to_have_text("Zoë")
    number = page.url.rsplit("/", 1)[1]
    kept = here.admin("GET", f"/hub/contact/{number}").json["fields"]
    assert (kept["firstname"], kept["date_of_birth"]) == ("Zoë", "1990-05-01")
    page.get_by_role("button", name="Delete").click()
    accessible(page)
    page.get_by_role("dialog").get_by_role("button", name="Delete").click()
    expect(page.get_by_role("status")).to_contain_text("The record is deleted.")
    page.goto(f"/hub/contact/{number}")
    expect(page.get_by_text("TF-U19")).to_be_visible()


def test_only_what_was_changed_is_written(operator: Page, here: Site) -> None:
    number = _made(here, "contact", email="both@hub.example", firstname="Old")
    operator.goto(f"/hub/contact/{number}")
    here.admin("PATCH", f"/hub/contact/{number}", {"fields": {"city": "Ghent"}})
    operator.get_by_label("First name").fill("New")
    operator.get_by_role("button", name="Save").click()
    expect(operator.get_by_label("City")).to_have_value("Ghent")
    expect(operator.get_by_label("First name")).to_have_value("New")


def test_records_are_found_by_any_value(operator: Page, here: Site) -> None:
    page = operator
    _made(here, "contact", email="needle@hub.example", city="Zwijndrecht")
    page.goto("/hub/contact")
    page.get_by_label("Search name, e-mail or any value").fill("zwijnd")
    page.get_by_role("button", name="Search").click()
    expect(page.locator("tbody tr")).to_have_count(1)
    expect(page.locator("tbody")).to_contain_text("needle@hub.example")
    page.goto("/hub/contact?q=lastname")  # the name of a property is no value
    expect(page.get_by_text("Nothing was found.")).to_be_visible()
    accessible(page)
    page.keyboard.press("/")
    page.keyboard.type("needle@hub")
    page.keyboard.press("Enter")
    expect(page).to_have_url(re.compile(r"/search\?q=needle"))
    expect(page.locator(".result-list")).to_contain_text("needle@hub.example")
    accessible(page)
    fits(page)
    page.goto("/search?q=shop-con")
    expect(page.get_by_role("link", name="shop-contacts")).to_be_visible()


def test_records_are_tied_and_merged(operator: Page, here: Site) -> None:
    page = operator
    firm = _made(here, "company", name="Tied Ltd")
    stays = _made(here, "contact", email="stays@hub.example", firstname="Stays")
    goes = _made(here, "contact", email="goes@hub.example", firstname="Goes")
    page.goto(f"/hub/contact/{stays}")
    page.get_by_label("Number of the record", exact=True).fill(firm)
    page.get_by_role("button", name="Add").click()
    expect(page.get_by_role("link", name="Tied Ltd")).to_be_visible()
    page.get_by_role("button", name="Remove Tied Ltd").click()
    expect(page.get_by_role("link", name="Tied Ltd")).to_have_count(0)
    page.get_by_role("button", name="Merge").click()
    page.get_by_label("Number of the record that goes").fill(goes)
    page.get_by_role("dialog").get_by_role("button", name="Merge").click()
    expect(page.get_by_role("status")).to_contain_text("The records are merged.")
    assert here.admin("GET", f"/hub/contact/{goes}").json["id"] == stays


def test_a_file_is_looked_at_before_it_is_imported(
    operator: Page, here: Site, tmp_path: Path
) -> None:
    page = operator
    file = tmp_path / "people.csv"
    file.write_text(
        "email,firstname,date_of_birth\na@in.example,=cmd(),1999-01-01\nb@in.example,B,never\n"
    )
    page.goto("/hub/contact/import")
    accessible(page)
    page.get_by_label("A CSV file or a JSON list").set_input_files(file)
    page.get_by_role("button", name="Look at the file").click()
    expect(page.get_by_text("1 row fits. 1 row would be refused.")).to_be_visible()
    accessible(page)
    fits(page)
    assert (
        not here.admin("GET", "/hub/contact?limit=200")
        .json["records"][-1]["fields"]["email"]
        .endswith("@in.example")
    )
    page.get_by_role("button", name="Import").click()
    expect(page.get_by_text("1 record was made. 1 row was refused.")).to_be_visible()
    with page.expect_download() as download:
        page.goto("/hub/contact")
        page.get_by_role("link", name="Export CSV").click()
    text = Path(download.value.path()).read_text(encoding="utf-8")
    assert "'=cmd()" in text
    assert ",=cmd()" not in text


@pytest.mark.parametrize("path", ["/hub/nothing", "/hub/contact/1e5", "/hub/contact/x?after=%00"])
def test_what_is_not_there_is_said(operator: Page, path: str) -> None:
    operator.goto(path)
    expect(operator.locator(".problem-page")).to_contain_text("TF-")


def test_a_viewer_looks_and_changes_nothing(browser: Browser, here: Site) -> None:
    number = _made(here, "contact", email="seen@hub.example")
    with here.page(browser, "viewer") as page:
        page.goto(f"/hub/contact/{number}")
        expect(page.get_by_label("E-mail", exact=True)).to_be_disabled()
        expect(page.get_by_role("button", name="Save")).to_have_count(0)
        page.goto("/hub/contact/new")
        expect(page.get_by_text("TF-W02")).to_be_visible()
