"""Behind a proxy: the path under which it shows us, and what it says of who asks.

The prefix is the path of the public address, whether the proxy takes it away or passes it on. What
a proxy says in headers counts only where the proxy's own address is known.
"""

from __future__ import annotations

import re
from collections.abc import Collection

from starlette.datastructures import Headers
from starlette.types import ASGIApp, Receive, Scope, Send

from twofold.api.calls import PREFIX

_PATH = re.compile(r"(/[\w.~-]+)*")


class Proxied:
    """Goes around the whole application, and is the first to see a request."""

    def __init__(self, app: ASGIApp, prefix: str = "", proxies: Collection[str] = ()) -> None:
        """``prefix``: such as ``/sync``; ``proxies``: addresses whose headers are believed."""
        self._app = app
        self._prefix = prefix.rstrip("/")
        self._proxies = frozenset(proxies)

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """One request."""
        if scope["type"] == "http":
            scope = self._seen(scope)
        await self._app(scope, receive, send)

    def _seen(self, scope: Scope) -> Scope:
        """The request as whoever sent it sees it."""
        seen = dict(scope)
        prefix = self._prefix
        client = scope.get("client")
        if client is not None and client[0] in self._proxies:
            headers = Headers(scope=scope)
            prefix = _path(headers.get("x-forwarded-prefix", "")) or prefix
            if headers.get("x-forwarded-proto") in {"http", "https"}:
                seen["scheme"] = headers["x-forwarded-proto"]
            sender = self._sender(headers.get("x-forwarded-for", ""))
            if sender:
                seen["client"] = (sender, 0)
        seen[PREFIX] = prefix
        path = str(scope["path"])
        if prefix and (path == prefix or path.startswith(f"{prefix}/")):
            seen["path"] = path.removeprefix(prefix) or "/"
            raw = bytes(scope.get("raw_path") or b"")
            seen["raw_path"] = raw.removeprefix(prefix.encode()) or b"/"
        return seen

    def _sender(self, told: str) -> str:
        """The last address that is no proxy of ours: what stands before it anybody may have sent.

        https://developer.mozilla.org/docs/Web/HTTP/Reference/Headers/X-Forwarded-For
        """
        addresses = [part.strip() for part in told[:2000].split(",")]
        return next((one for one in reversed(addresses) if one not in self._proxies), "")


def _path(text: str) -> str:
    text = text.rstrip("/")
    return text if _PATH.fullmatch(text) else ""
