"""What every request passes: the server's name, the size of the body, headers for browsers."""

from __future__ import annotations

from collections.abc import Collection
from urllib.parse import urlsplit

from starlette.datastructures import Headers, MutableHeaders
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from twofold.api.answers import refusal
from twofold.core.errors import TwofoldError

LARGEST_BODY = 1024 * 1024
"""Bytes of a request."""
LARGEST_FILE = 32 * LARGEST_BODY
"""Bytes of a request that brings a file: an import into the hub."""
_FILES = "/import"

_HEADERS = {
    "X-Content-Type-Options": "nosniff",
    "X-Frame-Options": "DENY",
    "Referrer-Policy": "same-origin",
    "Cross-Origin-Opener-Policy": "same-origin",
    "Cross-Origin-Resource-Policy": "same-origin",
    "Permissions-Policy": "camera=(), geolocation=(), microphone=()",
    "Content-Security-Policy": (
        "default-src 'self'; frame-ancestors 'none'; base-uri 'none'; form-action 'self';"
        " object-src 'none'"
    ),
    "Cache-Control": "no-store",
}
"""A page that needs another policy sets its own header, which stays."""

_HERE = frozenset({"localhost", "127.0.0.1", "::1"})
_SAFE = frozenset({"GET", "HEAD", "OPTIONS"})


class Guard:
    """Refuses what no route should see. It goes around the whole application."""

    def __init__(self, app: ASGIApp, hosts: Collection[str] = ()) -> None:
        """``hosts``: names of this server besides those of the machine itself."""
        self._app = app
        self._hosts = _HERE | {host.casefold() for host in hosts}
        self._largest = LARGEST_BODY

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """One request."""
        if scope["type"] != "http":
            await self._app(scope, receive, send)
            return
        headers = Headers(scope=scope)
        error = self._wrong(scope, headers)
        if error is not None:
            await refusal(error)(scope, receive, _with_headers(send))
            return
        await self._passed(scope, receive, send)

    def _most(self, scope: Scope) -> int:
        """The most bytes that a request may have."""
        return LARGEST_FILE if scope["path"].endswith(_FILES) else self._largest

    async def _passed(self, scope: Scope, receive: Receive, send: Send) -> None:
        taken, most = 0, self._most(scope)

        async def counted() -> Message:
            nonlocal taken
            message = await receive()
            taken += len(message.get("body", b""))
            if taken > most:
                raise TwofoldError("TF-W09", limit=most)
            return message

        await self._app(scope, counted, _with_headers(send))

    def _wrong(self, scope: Scope, headers: Headers) -> TwofoldError | None:
        host = headers.get("host", "")
        if _name(host) not in self._hosts:
            return TwofoldError("TF-W08", host=host[:200] or "(none)")
        length = headers.get("content-length", "0")
        if length.isdecimal() and int(length[:20]) > self._most(scope):
            return TwofoldError("TF-W09", limit=self._most(scope))
        # A page of another site can send a form with our cookie; browsers say where it comes from
        # (https://www.w3.org/TR/fetch-metadata/). Programs send neither header.
        if scope["method"] not in _SAFE and _foreign(headers, host):
            return TwofoldError("TF-W14")
        return None


def _name(host: str) -> str:
    """The name in a Host header, without the port."""
    try:
        return (urlsplit(f"//{host}").hostname or "").casefold()
    except ValueError:
        return ""


def _foreign(headers: Headers, host: str) -> bool:
    site = headers.get("sec-fetch-site")
    if site is not None:
        return site not in {"same-origin", "none"}
    origin = headers.get("origin")
    try:
        return origin is not None and urlsplit(origin).netloc.casefold() != host.casefold()
    except ValueError:
        return True


def _with_headers(send: Send) -> Send:
    async def sent(message: Message) -> None:
        if message["type"] == "http.response.start":
            headers = MutableHeaders(scope=message)
            for name, value in _HEADERS.items():
                headers.setdefault(name, value)
        await send(message)

    return sent
