"""The smallest `Http` that keeps the contract's promises."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any
from urllib.parse import urljoin, urlsplit

import aiohttp
from yarl import URL

from twofold.kit.contract import Response
from twofold.kit.errors import AccessDenied, Redirected, Unavailable


class PlainHttp:
    def __init__(self, user: str, password: str) -> None:
        self._auth = aiohttp.BasicAuth(user, password)
        self._session: aiohttp.ClientSession | None = None
        self.calls: list[tuple[str, str]] = []

    async def send(
        self,
        method: str,
        url: str,
        *,
        headers: Mapping[str, str] | None = None,
        params: Mapping[str, str] | None = None,
        json: Any = None,
        content: bytes | None = None,
        cost: Mapping[str, float] | None = None,
        safe: bool = False,
    ) -> Response:
        if self._session is None:
            self._session = aiohttp.ClientSession(auth=self._auth)
        for _ in range(5):
            self.calls.append((method, url))
            try:
                async with self._session.request(
                    method,
                    URL(url, encoded=True),
                    headers=headers,
                    data=content,
                    allow_redirects=False,
                ) as answer:
                    body = await answer.read()
            except aiohttp.ClientConnectionError as error:
                raise Unavailable("carddav", type(error).__name__) from None
            if answer.status == 401:
                raise AccessDenied("carddav", "401")
            if answer.status in (301, 302, 307, 308):
                target = urljoin(url, answer.headers["Location"])
                if urlsplit(target).netloc != urlsplit(url).netloc:
                    raise Redirected("carddav", str(urlsplit(target).hostname))
                url = target
                continue
            found = {k.lower(): v for k, v in answer.headers.items()}
            return Response(answer.status, found, body, url)
        raise Unavailable("carddav", "redirects")

    async def close(self) -> None:
        if self._session:
            await self._session.close()
