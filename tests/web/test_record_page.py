"""The page of one record: both sides, why, what was written, and taking it back."""

from __future__ import annotations

import re
from typing import Any

import pytest
from playwright.sync_api import Browser, Page, expect

from tests.web.browser import accessible, fits
from tests.web.site import Site
from twofold.core.merge import Reason
from twofold.web.language import translations


def _checked(page: Page) -> None:
    accessible(page)
    fits(page)
    page.set_viewport_size({"width": 1280, "height": 800})


def _found(here: Site, search: str, state: str = "in-sync") -> dict[str, Any]:
    path = f"/syncs/shop-contacts/records?state={state}&search={search}"
    found: dict[str, Any] = here.admin("GET", path).json["lines"][0]
    return found


def _address(line: dict[str, Any]) -> str:
    return f"/syncs/shop-contacts/records/hub/{line['hub_id']}"


def test_a_failing_record_is_explained_from_its_count(page: Page) -> None:
    page.goto("/health")
    page.get_by_role("link", name="Failing: Contacts, show records").press("Enter")
    line = page.get_by_role("list", name="Records").locator("> li").filter(has_text="vasco.lobo")
    line.locator("summary").first.press("Enter")
    line.get_by_role("link", name="Open Vasco Lobo").press("Enter")
    expect(page.get_by_role("heading", name="Vasco Lobo")).to_be_visible()
    expect(page.get_by_role("region", name="What stands in the way")).to_contain_text("40")
    row = page.get_by_role("row").filter(has_text="Deputy assistant")
    expect(row).to_contain_text("the value does not fit the other side")
    _checked(page)
    page.get_by_role("link", name="Show only differences").click()
    expect(page.get_by_role("row")).to_have_count(2)
    page.get_by_role("button", name="Sync this record").click()
    expect(page.get_by_role("status")).to_contain_text("1 record is tried again.")


def test_an_edit_is_told_and_taken_back(page: Page, here: Site) -> None:
    line = _found(here, "thijs.dijkstra")
    old = here.admin("GET", f"/hub/contact/{line['hub_id']}").json["fields"]["city"]
    here.admin("PATCH", f"/hub/contact/{line['hub_id']}", {"fields": {"city": "Zierikzee"}})
    page.goto(_address(line))
    history = page.get_by_role("list", name="History")
    for _ in range(60):
        if history.count() and history.get_by_text("Zierikzee").count():
            break
        page.wait_for_timeout(250)
        page.reload()
    entry = history.get_by_role("listitem").filter(has_text="Zierikzee").first
    expect(entry).to_contain_text(old)
    expect(entry).to_contain_text("changed on the other side only")
    _checked(page)
    entry.get_by_role("link", name=re.compile("Undo what run")).press("Enter")
    dialog = page.get_by_role("dialog", name="Undo")
    expect(dialog).to_contain_text("1 field is put back with the next run.")
    expect(dialog).to_contain_text(old)
    _checked(page)
    page.keyboard.press("Escape")
    expect(page).to_have_url(re.compile(r"/hub/\d+$"))
    page.go_back()
    entry.get_by_role("link", name=re.compile("Undo what run")).click()
    dialog.get_by_role("button", name="Put back").press("Enter")
    expect(page.get_by_role("status")).to_contain_text("1 field is put back.")
    for _ in range(60):
        if history.get_by_text("put back by a person").count():
            break
        page.wait_for_timeout(250)
        page.reload()
    expect(history.get_by_text("put back by a person").first).to_be_visible()


def test_what_was_changed_since_is_not_taken_back(page: Page, here: Site) -> None:
    line = _found(here, "fiona.hughes")
    page.goto(f"{_address(line)}?run=1&field=city")
    expect(page.get_by_role("dialog").get_by_role("alert")).to_contain_text("TF-H03")
    expect(page.get_by_role("button", name="Put back")).to_have_count(0)
    _checked(page)


def test_a_link_is_cut_and_made_again(page: Page, here: Site) -> None:
    line = _found(here, "callum.ashworth")
    page.goto(_address(line))
    page.get_by_role("button", name="Cut the link").press("Enter")
    dialog = page.get_by_role("dialog", name="Cut these two records from each other?")
    accessible(page)
    here.admin("POST", "/syncs/shop-contacts/off")
    dialog.get_by_role("button", name="Cut the link").press("Enter")
    expect(page.get_by_role("status")).to_contain_text("The records are kept apart.")
    expect(page.get_by_text("no record")).to_be_visible()
    _checked(page)
    ends = {"hub_id": line["hub_id"], "app_id": line["app_id"]}
    here.admin("POST", "/syncs/shop-contacts/links", ends)
    here.admin("POST", "/syncs/shop-contacts/on")
    page.reload()
    expect(page.get_by_text("no record")).to_have_count(0)


def test_a_record_is_excluded_until_a_day(page: Page, here: Site) -> None:
    line = _found(here, "leonor.carvalho")
    page.goto(_address(line))
    page.get_by_role("button", name="Exclude this record").click()
    dialog = page.get_by_role("dialog", name="Exclude this record?")
    dialog.get_by_label("Reason").fill("moves house")
    dialog.get_by_label("Until").fill("2999-01-01")
    dialog.get_by_role("button", name="Exclude").click()
    expect(page.get_by_role("status")).to_contain_text("is excluded with the next run")
    for _ in range(60):
        if page.get_by_role("button", name="take part again").count():
            break
        page.wait_for_timeout(250)
        page.reload()
    expect(page.get_by_role("region", name="What stands in the way")).to_contain_text("moves house")
    page.get_by_role("button", name="take part again").click()
    expect(page.get_by_role("status")).to_contain_text("takes part again")


def test_values_of_apps_are_text(page: Page, here: Site) -> None:
    fields = {
        "firstname": "<img src=x onerror=alert(1)>",
        "lastname": "x" * 60,
        "email": "evil@hostile.example",
        "jobtitle": "javascript:alert(1)",
        "city": "\u202eAB\u05d0",
    }
    made = here.admin("POST", "/hub/contact", {"fields": fields}, status=201).json
    number = page.get_by_role("link", name="In sync: Contacts, show records")
    page.goto("/health?sync=shop-contacts&state=in-sync&q=evil@hostile.example")
    for _ in range(60):
        if page.get_by_role("list", name="Records").count():
            break
        page.wait_for_timeout(250)
        page.reload()
    page.goto(f"/syncs/shop-contacts/records/hub/{made['id']}")
    expect(page.get_by_role("heading", level=1)).to_contain_text("<img src=x")
    expect(page.locator("a[href^='javascript']")).to_have_count(0)
    expect(page.locator("main img")).to_have_count(0)
    expect(number).to_have_count(0)
    _checked(page)


def test_who_only_looks_sees_all_and_changes_nothing(browser: Browser, here: Site) -> None:
    line = _found(here, "vasco.lobo", "failing")
    with here.page(browser, "viewer", language="nl") as page:
        page.goto(_address(line))
        expect(page.get_by_role("heading", name="Velden")).to_be_visible()
        expect(page.get_by_text("de waarde past niet aan de andere kant")).to_be_visible()
        expect(page.locator("main").get_by_role("button")).to_have_count(0)
        _checked(page)
        token = page.locator("meta[name=form-token]").get_attribute("content")
    for what in ("undo", "link", "cut", "unfreeze"):
        form = f"form_token={token}&record={line['hub_id']}&hub_id=1&app_id=1".encode()
        headers = {"Content-Type": "application/x-www-form-urlencoded"}
        path = f"/syncs/shop-contacts/{what}"
        found = here.person("viewer").raw("POST", path, raw=form, headers=headers)
        assert (found.status, b"TF-W02" in found.body) == (403, True)


@pytest.mark.parametrize(
    "path",
    [
        "/syncs/nobody/records/hub/1",
        "/syncs/shop-contacts/records/hub/999999",
        "/syncs/shop-contacts/records/side/1",
        "/syncs/shop-contacts/records/app/..%2f..%2fetc%2fpasswd",
        "/syncs/shop-contacts/records/hub/%3Cscript%3E",
    ],
)
def test_what_is_not_there_is_told(page: Page, path: str) -> None:
    answer = page.goto(path)
    assert answer is not None
    assert answer.status == 404
    accessible(page)


def test_every_reason_has_its_words() -> None:
    dutch = translations("nl")
    assert not [reason for reason in Reason if dutch.gettext(reason) == reason]
