"""What every page gets: who asks, an installation, and the way to an answer."""

from __future__ import annotations

import asyncio
import base64
import binascii
import json
from collections.abc import Callable, Coroutine, Iterator
from typing import Annotated, Any, TypeVar
from urllib.parse import quote, urlencode

from fastapi import Depends, Request, Response
from fastapi.exceptions import RequestValidationError
from fastapi.responses import HTMLResponse, RedirectResponse
from fastapi.routing import APIRoute

from twofold.api.answers import status_of
from twofold.api.calls import COOKIE, PREFIX, cookie_path, identified
from twofold.api.pool import Pool
from twofold.core.errors import TwofoldError
from twofold.services import access
from twofold.services.access import Role, Who
from twofold.services.installation import Installation
from twofold.web import forms
from twofold.web.language import LANGUAGES, translations
from twofold.web.reader import Theme, instant, reader_of
from twofold.web.rendering import POLICY, rendered
from twofold.web.wording import Wording

T = TypeVar("T")

FLASH = "twofold_flash"
"""A cookie that lives until the next page: what was just done, to be said there."""
_SAFE = frozenset({"GET", "HEAD", "OPTIONS"})


class Screen:
    """What one request is answered with; anybody may ask."""

    def __init__(self, request: Request) -> None:
        self.request = request
        self.reader = reader_of(request.cookies, request.headers.get("accept-language", ""))
        self.words = Wording(self.reader, translations(self.reader.language))
        self.say = self.words.say
        self.say_many = self.words.say_many

    @property
    def who(self) -> Who | None:
        """Who asks, as far as that is known."""
        found: Who | None = getattr(self.request.state, "who", None)
        return found

    @property
    def partial(self) -> bool:
        """Whether a part of a page is asked for by a page that is open."""
        return self.request.headers.get("hx-request") == "true"

    def url(self, path: str, *parts: str | int, **query: object) -> str:
        """The address of a page of ours: ``url("/apps", label, tab="activity")``.

        ``parts`` are names of things, whatever they hold; parameters without a value are left out.
        """
        prefix: str = self.request.scope.get(PREFIX, "")
        return prefix + self.local(path, *parts, **query)

    def local(self, path: str, *parts: str | int, **query: object) -> str:
        """The same without the prefix: what a form sends along as the way back."""
        whole = path + "".join(f"/{quote(str(part), safe='')}" for part in parts)
        kept = {name: value for name, value in query.items() if value not in {None, ""}}
        return f"{whole}?{urlencode(kept)}" if kept else whole

    def page(self, template: str, status: int = 200, **context: Any) -> Response:
        """A page, or a part of one, out of a template."""
        flash = _flash(self.request)
        values = {**_SHARED, **self._own(flash), **context}
        answer = HTMLResponse(rendered(self.reader.language, template, values), status)
        answer.headers["Content-Security-Policy"] = POLICY
        answer.headers["Vary"] = "Accept-Language, Cookie"
        if flash is not None:
            answer.delete_cookie(FLASH, path=cookie_path(self.request))
        return answer

    def go(self, path: str, *parts: str | int, said: str = "", **query: object) -> Response:
        """Lead on to another page, which says in a moment what was done."""
        return self.lead(self.url(path, *parts, **query), said)

    def lead(self, address: str, said: str = "") -> Response:
        """Lead on to an address that `url` made."""
        if self.partial:
            answer = Response(status_code=204, headers={"HX-Redirect": address})
        else:
            answer = RedirectResponse(address, 303)
        if said:
            packed = base64.urlsafe_b64encode(json.dumps(said[:500]).encode()).decode()
            self.keep(answer, FLASH, packed, 60)
        return answer

    def keep(self, answer: Response, name: str, value: str, seconds: int) -> None:
        """Have the browser keep a cookie that no script reads."""
        answer.set_cookie(
            name,
            value,
            max_age=seconds,
            httponly=True,
            # An app's own sign-in leads back here from its site; what changes something is checked.
            samesite="lax",
            secure=self.request.url.scheme == "https",
            path=cookie_path(self.request),
        )

    def signed_in(self, answer: Response, secret: str) -> Response:
        """Have the browser keep a session."""
        self.keep(answer, COOKIE, secret, int(access.SESSION))
        return answer

    def inside(self, wanted: str, otherwise: str = "/") -> str:
        """The address of a page that a form or an address named: only ever one of ours."""
        ours = wanted.startswith("/") and not wanted.startswith("//") and wanted.isprintable()
        return self.url(wanted if ours and "\\" not in wanted else otherwise)

    def _own(self, flash: str | None) -> dict[str, Any]:
        state = self.request.app.state
        return {
            "view": self,
            "who": self.who,
            "reader": self.reader,
            "words": self.words,
            "url": self.url,
            "asset": lambda name: self.url(state.assets.path(name)),
            "areas": state.areas,
            "entries": self._entries(),
            "form_token": forms.token(self.request),
            "flash": flash,
        }

    def _entries(self) -> list[tuple[Any, bool]]:
        """What the reader sees of top bar and menu, each with whether we are there."""
        who, path = self.who, self.request.url.path
        if who is None:
            return []
        found = [entry for area in self.request.app.state.areas for entry in area.entries]
        shown = sorted((e for e in found if who.role.covers(e.role)), key=lambda e: e.order)
        return [(e, path == e.path or path.startswith(f"{e.path}/")) for e in shown]


class View(Screen):
    """What the request of somebody who may make it is answered with."""

    def __init__(self, request: Request, here: Installation, who: Who) -> None:
        super().__init__(request)
        self.here = here
        self.me = who
        request.state.who = who

    def may(self, role: str) -> bool:
        """Whether the reader has that role, for what is shown; the routes decide themselves."""
        return self.me.role.covers(Role(role))

    def work(self, coroutine: Coroutine[Any, Any, T]) -> T:
        """Call a service that calls an app; we are on a thread of our own here."""
        return asyncio.run(coroutine)

    def note(self, what: str, target: str, detail: str = "") -> None:
        """Write down a change of configuration."""
        access.note(self.here, self.me, what, target, detail)


def sees(role: Role) -> Callable[[Request], Iterator[View]]:
    """A dependency: the view of somebody with that role.

    Raises:
        TwofoldError: TF-W01, nobody signed in; TF-W02, the role does not suffice.
    """

    def dependency(request: Request) -> Iterator[View]:
        pool: Pool = request.app.state.pool
        with pool.taken() as here:
            who = identified(here, request)
            view = View(request, here, who)
            if not who.role.covers(role):
                raise TwofoldError("TF-W02", needed=role.value, who=who.name, role=who.role.value)
            yield view

    return dependency


Viewing = Annotated[View, Depends(sees(Role.VIEWER))]
Operating = Annotated[View, Depends(sees(Role.OPERATOR))]
Editing = Annotated[View, Depends(sees(Role.EDITOR))]
Administering = Annotated[View, Depends(sees(Role.ADMIN))]
Anybody = Annotated[Screen, Depends(Screen)]
"""For the few pages that need no sign-in."""


class Page(APIRoute):
    """A route of the pages: refuses forms of other sites, and shows errors to people."""

    def get_route_handler(self) -> Callable[[Request], Coroutine[Any, Any, Response]]:
        """The route's own handler behind the check of forms."""
        handler = super().get_route_handler()

        async def answered(request: Request) -> Response:
            try:
                if request.method not in _SAFE and "authorization" not in request.headers:
                    await forms.check(request)
                return await handler(request)
            except TwofoldError as error:
                return problem(request, error)
            except RequestValidationError:
                return problem(request, TwofoldError("TF-W40", path=request.url.path[:200]))

        return answered


def problem(request: Request, error: TwofoldError) -> Response:
    """An error as a page, or as a message in the page that is open."""
    screen = Screen(request)
    if error.code == "TF-W01":
        path = request.url.path + (f"?{request.url.query}" if request.url.query else "")
        back = path if request.method == "GET" and not screen.partial and path != "/" else ""
        return screen.go("/sign-in", next=back)
    status = status_of(error)
    if screen.partial:
        answer = screen.page("parts/problem_toast.html", status, error=error)
        answer.headers.update({"HX-Retarget": "#toasts", "HX-Reswap": "beforeend"})
        return answer
    answer = screen.page("parts/problem_page.html", status, error=error)
    if error.code == "TF-W03":
        answer.headers["Retry-After"] = str(error.facts["seconds"])
    return answer


def _flash(request: Request) -> str | None:
    packed = request.cookies.get(FLASH)
    if packed is None:
        return None
    try:
        said = json.loads(base64.urlsafe_b64decode(packed[:4000]))
    except (ValueError, binascii.Error, RecursionError):
        return ""
    return said if isinstance(said, str) else ""


_SHARED: dict[str, Any] = {"languages": LANGUAGES, "themes": tuple(Theme), "instant": instant}
