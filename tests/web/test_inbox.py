"""The inbox: what waits for a person, and deciding it."""

from __future__ import annotations

from playwright.sync_api import Browser, Page, expect

from tests.web.browser import accessible, fits
from tests.web.site import Site


def _checked(page: Page) -> None:
    accessible(page)
    fits(page)
    page.set_viewport_size({"width": 1280, "height": 800})


def test_an_unclear_match_waits_and_is_decided_by_keyboard(page: Page, here: Site) -> None:
    page.goto("/inbox")
    expect(page.get_by_text("Nothing waits for you.")).to_be_visible()
    _checked(page)
    line = here.admin("GET", "/syncs/shop-contacts/records?state=in-sync&search=thijs").json
    (thijs,) = line["lines"]
    here.admin("POST", "/syncs/shop-contacts/off")
    ends = f"hub_id={thijs['hub_id']}&app_id={thijs['app_id']}"
    here.admin("DELETE", f"/syncs/shop-contacts/links?{ends}")
    twin = {"firstname": "Thijs", "lastname": "<b>Twin</b>", "email": "thijs.dijkstra@post.example"}
    for _ in range(2):
        here.admin("POST", "/hub/contact", {"fields": twin}, status=201)
    here.admin("POST", "/syncs/shop-contacts/on")
    found = page.get_by_role("list", name="Matches that are not clear").locator("> li")
    for _ in range(60):
        if found.filter(has_text="<b>Twin</b>").count():
            break
        page.wait_for_timeout(250)
        page.reload()
    twins = found.filter(has_text="<b>Twin</b>")
    expect(twins.first).to_be_visible()
    _checked(page)
    before = twins.count()
    twins.first.get_by_role("button", name="Link Thijs").first.press("Enter")
    expect(page.get_by_role("status")).to_contain_text("The two records are linked.")
    for _ in range(60):
        if twins.count() < before:
            break
        page.wait_for_timeout(250)
        page.reload()
    assert twins.count() < before


def test_who_only_looks_decides_nothing(browser: Browser, here: Site) -> None:
    with here.page(browser, "viewer", language="nl") as page:
        page.goto("/inbox")
        expect(page.get_by_role("heading", name="Postvak")).to_be_visible()
        expect(page.locator("main").get_by_role("button")).to_have_count(0)
        token = page.locator("meta[name=form-token]").get_attribute("content")
    form = f"form_token={token}&id=1.1&decision=approve".encode()
    headers = {"Content-Type": "application/x-www-form-urlencoded"}
    answer = here.person("viewer").raw("POST", "/inbox/approvals", raw=form, headers=headers)
    assert (answer.status, b"TF-W02" in answer.body) == (403, True)
