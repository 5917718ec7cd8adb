"""Signing in and out, and what a stranger sees."""

from __future__ import annotations

import re
from collections.abc import Iterator

import pytest
from playwright.sync_api import Browser, Page, expect

from tests.api.client import PASSWORD, Client
from tests.web.browser import accessible, fits
from tests.web.site import Site


@pytest.fixture
def stranger(browser: Browser, here: Site) -> Iterator[Page]:
    with here.page(browser, "") as opened:
        yield opened


def test_a_stranger_signs_in_and_comes_to_the_page_that_was_wanted(stranger: Page) -> None:
    stranger.goto("/health?sync=contacts&state=failing")
    expect(stranger.get_by_role("heading", name="Sign in")).to_be_visible()
    accessible(stranger)
    fits(stranger)
    stranger.get_by_label("Name").fill("ada")
    stranger.get_by_label("Password").fill("not the right one")
    stranger.keyboard.press("Enter")
    problem = stranger.get_by_role("alert")
    expect(problem).to_contain_text("The name or the password is wrong.")
    expect(problem).to_contain_text("TF-W04")
    expect(stranger.get_by_label("Name")).to_have_value("ada")
    stranger.get_by_label("Password").fill(PASSWORD)
    stranger.keyboard.press("Enter")
    expect(stranger).to_have_url(re.compile(r"/health\?sync=contacts&state=failing$"))
    stranger.get_by_text("ada", exact=True).first.click()
    stranger.get_by_role("button", name="Sign out").click()
    expect(stranger.get_by_role("status")).to_contain_text("You are signed out.")
    stranger.goto("/health")
    expect(stranger.get_by_role("heading", name="Sign in")).to_be_visible()


@pytest.mark.parametrize(
    "wanted", ["https://evil.example/", "//evil.example/", "/\\evil.example", "javascript:alert(1)"]
)
def test_sign_in_leads_nowhere_else(stranger: Page, here: Site, wanted: str) -> None:
    stranger.goto("/sign-in")
    stranger.evaluate("wanted => document.querySelector('[name=next]').value = wanted", wanted)
    stranger.get_by_label("Name").fill("ada")
    stranger.get_by_label("Password").fill(PASSWORD)
    stranger.get_by_role("button", name="Sign in").click()
    expect(stranger).to_have_url(f"{here.url}/health")


def test_a_link_makes_a_user_once(stranger: Page, here: Site) -> None:
    secret = here.admin("POST", "/users", {"role": "viewer"}, status=201).json["secret"]
    stranger.goto(f"/accept#{secret}")
    expect(stranger).to_have_url(f"{here.url}/accept")
    accessible(stranger)
    stranger.get_by_label("Name").fill("<script>alert(1)</script>")
    stranger.get_by_label("Password").fill("short")
    stranger.get_by_role("button", name="Continue").click()
    expect(stranger.get_by_role("alert")).to_contain_text("TF-W10")
    stranger.get_by_label("Password").fill(PASSWORD)
    stranger.get_by_role("button", name="Continue").click()
    expect(stranger.get_by_role("heading", name="Sync health")).to_be_visible()
    expect(stranger.locator(".top-end")).to_contain_text("<script>alert(1)</script>")
    stranger.goto(f"/accept#{secret}")
    stranger.reload()
    stranger.get_by_label("Password").fill(PASSWORD)
    stranger.get_by_role("button", name="Continue").click()
    expect(stranger.get_by_role("alert")).to_contain_text("TF-W05")


def test_the_page_is_dutch_where_the_browser_is(browser: Browser, here: Site) -> None:
    with here.page(browser, "", language="nl-NL") as page:
        page.goto("/sign-in")
        expect(page.get_by_role("heading", name="Inloggen")).to_be_visible()
        assert page.locator("html").get_attribute("lang") == "nl"


def test_a_form_without_its_token_changes_nothing(here: Site) -> None:
    found = here.admin.raw("POST", "/sign-out", raw=b"form_token=0123456789abcdef")
    assert found.status == 403
    assert b"TF-W41" in found.body
    here.admin("GET", "/session")


def test_an_unknown_page_says_so(page: Page) -> None:
    answer = page.goto("/no/such/page")
    assert answer is not None
    assert answer.status == 404
    expect(page.get_by_role("heading")).to_contain_text("There is no page at /no/such/page.")
    accessible(page)


def test_programs_get_json(here: Site) -> None:
    assert Client(here.url).raw("GET", "/api/v1/nothing").code == "TF-W07"
