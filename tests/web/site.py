"""A running service with people who can sign in, for tests of pages."""

from __future__ import annotations

import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from playwright.sync_api import Browser, Page

from tests.api.client import PASSWORD, Client, administrator
from tests.service.service import Service, service
from tests.web.browser import quiet


class Site:
    """One service, and who is known there."""

    def __init__(self, up: Service) -> None:
        self.up = up
        self.url = up.url
        self.admin = administrator(up)
        """Requests by the administrator, ``ada``: the way to make and change what a test needs."""
        self._people: dict[str, Client] = {"admin": self.admin}

    def person(self, role: str) -> Client:
        """Somebody of that role, named as the role; signed in."""
        if role not in self._people:
            made = self.admin("POST", "/users", {"role": role}, status=201)
            given = {"secret": made.json["secret"], "name": role, "password": PASSWORD}
            Client(self.url)("POST", "/accept", given)
            self._people[role] = Client(self.url).signed_in(role)
        return self._people[role]

    @contextmanager
    def page(
        self, browser: Browser, role: str = "admin", *, language: str = "en"
    ) -> Iterator[Page]:
        """A page of somebody of that role; an empty role has not signed in."""
        context = browser.new_context(
            base_url=self.url, locale=language, viewport={"width": 1280, "height": 800}
        )
        if role:
            name, _, value = self.person(role).headers["Cookie"].partition("=")
            context.add_cookies([{"name": name, "value": value, "url": self.url}])
        with quiet(context, self.url) as page:
            yield page
        context.close()


@contextmanager
def site(folder: Path, *, demo: bool = True) -> Iterator[Site]:
    """A service over the small demo's data, or over nothing."""
    if demo:
        command = [sys.executable, "-m", "twofold.cli.main", "demo", "--small", "--data"]
        subprocess.run([*command, str(folder)], check=True, capture_output=True)
    with service(folder) as up:
        yield Site(up)
