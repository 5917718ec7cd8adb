"""The panel behind a count: looked through, narrowed, exported, and acted on."""

from __future__ import annotations

import csv
import re
from pathlib import Path

import pytest
from playwright.sync_api import Browser, Locator, Page, expect

from tests.web.browser import accessible, fits
from tests.web.site import Site

FAILING = "/health?sync=shop-contacts&state=failing"
HOSTILE = [
    "=cmd|' /C calc'!A0",
    "<script>document.title='x'</script>",
    "\u202eevil \u05e9\u05dc\u05d5\u05dd",
    "🦊" * 40,
    "long " * 40,
]


def _records(page: Page) -> Locator:
    return page.get_by_role("dialog").get_by_role("list", name="Records").locator("> li")


def _checked(page: Page) -> None:
    accessible(page)
    fits(page)
    page.set_viewport_size({"width": 1280, "height": 800})


@pytest.mark.parametrize("state", ["in-sync", "failing", "excluded", "waiting"])
def test_each_state_has_its_panel(page: Page, state: str) -> None:
    for sync in ("shop-contacts", "shop-companies"):
        page.goto(f"/health?sync={sync}&state={state}")
        expect(page.get_by_role("dialog")).to_be_visible()
        _checked(page)


def test_a_search_and_a_reason_narrow_the_list_and_its_export(page: Page, tmp_path: Path) -> None:
    page.goto(FAILING)
    panel = page.get_by_role("dialog")
    panel.get_by_label("Reason", exact=True).select_option(index=2)
    panel.get_by_role("button", name="Search").click()
    expect(_records(page)).to_have_count(2)
    expect(page).to_have_url(re.compile("code=TF-R04"))
    with page.expect_download() as saved:
        panel.get_by_role("link", name="Export CSV").click()
    with saved.value.path().open(encoding="utf-8", newline="") as file:
        assert [row["code"] for row in csv.DictReader(file)] == ["TF-R04", "TF-R04"]
    page.go_back()
    panel.get_by_label("Search name or email").fill("KAETHE")
    page.keyboard.press("Enter")
    expect(_records(page)).to_have_count(1)
    panel.get_by_label("Search name or email").fill("nobody of that name")
    page.keyboard.press("Enter")
    expect(panel.get_by_text("No record matches this search.")).to_be_visible()
    _checked(page)
    panel.get_by_role("link", name="Clear search").last.click()
    expect(_records(page)).to_have_count(5)


def _runs(here: Site) -> int:
    found: int = here.admin("GET", "/runs?sync=shop-contacts&limit=1").json["runs"][0]["id"]
    return found


def test_records_are_tried_again_one_a_group_or_all(page: Page, here: Site) -> None:
    page.goto(FAILING)
    panel = page.get_by_role("dialog")
    for name, said in (
        ("Retry all 5 records", "5 records are tried again."),
        ("Retry 3 records of this group", "3 records are tried again."),
        ("Retry Käthe kaethe.mueller@post.example", "1 record is tried again."),
    ):
        before = _runs(here)
        if name.startswith("Retry K"):
            _records(page).filter(has_text="kaethe").locator("summary").first.click()
        panel.get_by_role("button", name=name).click()
        expect(panel.get_by_role("status")).to_contain_text(said)
        expect(page).to_have_url(re.compile("state=failing"))
        page.wait_for_timeout(100)
        for _ in range(100):
            if _runs(here) > before:
                break
            page.wait_for_timeout(100)
        assert _runs(here) > before


def test_a_record_is_excluded_and_let_in_by_keyboard_alone(page: Page, here: Site) -> None:
    page.goto("/health")
    page.get_by_role("link", name="Failing: Contacts, show records").press("Enter")
    line = _records(page).filter(has_text="vasco.lobo")
    line.locator("summary").first.press("Enter")
    line.get_by_label("Exclude Vasco Lobo").press("Enter")
    line.get_by_label("Reason").press_sequentially("asked by <b>Rosa</b>")
    page.keyboard.press("Enter")
    expect(page.get_by_role("status")).to_contain_text("is excluded with the next run")
    page.keyboard.press("Escape")
    number = page.get_by_role("link", name="Excluded: Contacts, show records")
    expect(number).to_have_text("7")
    number.press("Enter")
    line = _records(page).filter(has_text="vasco.lobo")
    expect(line).to_contain_text("asked by <b>Rosa</b>")
    line.locator("summary").first.press("Enter")
    line.get_by_role("button", name="Let Vasco Lobo").press("Enter")
    expect(page.get_by_role("status")).to_contain_text("takes part again")
    page.keyboard.press("Escape")
    expect(page.get_by_role("link", name="Failing: Contacts, show records")).to_have_text("5")


def test_a_record_is_corrected_while_the_page_is_open(page: Page, here: Site) -> None:
    person = {"firstname": "Noor", "email": "noor@post.example"}
    made = here.admin("POST", "/hub/contact", {"fields": person}, status=201).json
    page.goto("/health")
    number = page.get_by_role("link", name="Failing: Contacts, show records")
    expect(number).to_have_text("6")
    number.click()
    line = _records(page).filter(has_text="noor@post.example")
    line.locator("summary").first.click()
    expect(line).to_contain_text("needs a value for last_name")
    expect(line).to_contain_text("Fill it in, map a field to it, or give it a default in the app.")
    page.keyboard.press("Escape")
    here.admin("PATCH", f"/hub/contact/{made['id']}", {"fields": {"lastname": "de Wit"}})
    expect(number).to_have_text("5")


def test_what_comes_from_an_app_is_text_and_nothing_else(browser: Browser, here: Site) -> None:
    made = [
        here.admin(
            "POST", "/hub/contact", {"fields": {"firstname": name, "email": mail}}, status=201
        )
        for name, mail in ((n, f"h{i}@hostile.example") for i, n in enumerate(HOSTILE))
    ]
    with here.page(browser) as page:
        page.goto("/health")
        expect(page.get_by_role("link", name="Failing: Contacts, show records")).to_have_text("10")
        page.goto(f"{FAILING}&q=hostile.example")
        expect(_records(page)).to_have_count(len(HOSTILE))
        expect(page).not_to_have_title("x")
        for one in _records(page).all():
            one.locator("summary").first.click()
        _checked(page)
        with page.expect_download() as saved:
            page.get_by_role("link", name="Export CSV").click()
        text = saved.value.path().read_text(encoding="utf-8")
        names = [row["name"] for row in csv.DictReader(text.splitlines())]
        assert sum(name.startswith("'=cmd") for name in names) == 1
        assert not any(name.startswith("=") for name in names)
    for reply in made:
        here.admin("DELETE", f"/hub/contact/{reply.json['id']}")


def test_long_lists_come_in_pages(page: Page, here: Site) -> None:
    page.goto("/health?sync=shop-contacts&state=in-sync")
    expect(_records(page)).to_have_count(25)
    page.get_by_role("link", name="Next").click()
    expect(page.get_by_role("link", name="First page")).to_be_visible()
    assert 0 < _records(page).count() < 25
    _checked(page)


def test_somebody_who_only_looks_is_offered_nothing_else(browser: Browser, here: Site) -> None:
    with here.page(browser, "viewer") as page:
        page.goto(FAILING)
        expect(_records(page)).to_have_count(5)
        expect(page.get_by_role("button", name=re.compile("Retry"))).to_have_count(0)
        expect(page.get_by_text("Exclude this record")).to_have_count(0)
        expect(page.get_by_role("button", name="Sync now")).to_have_count(0)
        token = page.locator("meta[name=form-token]").get_attribute("content")
    for what in ("retry", "exclude", "include", "resume"):
        form = f"form_token={token}&record=19&brake=deletes".encode()
        headers = {"Content-Type": "application/x-www-form-urlencoded"}
        path = f"/syncs/shop-contacts/{what}"
        found = here.person("viewer").raw("POST", path, raw=form, headers=headers)
        assert (found.status, b"TF-W02" in found.body) == (403, True)


def test_dutch(browser: Browser, here: Site) -> None:
    with here.page(browser, language="nl") as page:
        page.goto(FAILING)
        panel = page.get_by_role("dialog", name="Mislukt: Contacten (5)")
        expect(panel.get_by_role("button", name="Alle 5 records opnieuw proberen")).to_be_visible()
        _checked(page)


@pytest.mark.parametrize(
    ("path", "status"),
    [
        ("/health?sync=nobody", 404),
        ("/health?sync=shop-contacts&state=broken", 422),
        (f"{FAILING}&after=../../etc", 422),
        ("/health/export?sync=..%2f..", 404),
        ("/health?span=century", 404),
    ],
)
def test_what_is_not_there_is_told(page: Page, path: str, status: int) -> None:
    answer = page.goto(path)
    assert answer is not None
    assert answer.status == status
    accessible(page)


@pytest.mark.parametrize("span", ["hour", "day", "week"])
def test_the_chart_says_in_words_what_it_draws(page: Page, span: str) -> None:
    page.goto(f"/health?span={span}")
    chart = page.get_by_role("img", name=re.compile(r"\d+ records were synced"))
    expect(chart).to_be_visible()
    assert chart.locator("rect").count() >= 1
    _checked(page)
