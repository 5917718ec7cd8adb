"""How a request says who we are."""

from __future__ import annotations

import base64
from collections.abc import Mapping
from typing import Protocol

from msgspec import Struct

from twofold.kit.contract import Limit
from twofold.kit.errors import AccessDenied


class Auth(Protocol):
    """Signs requests to one account."""

    async def headers(self) -> Mapping[str, str]:
        """What to add to a request; secret."""
        ...

    async def renew(self) -> bool:
        """After a refusal: whether there are new credentials, so that asking again makes sense."""
        ...


class HeaderAuth:
    """A fixed header, e.g. an API key. Its representation shows no secret."""

    def __init__(self, app: str, name: str, value: str) -> None:
        self._name = name
        self._value = value.strip()
        if not self._value.isascii() or not self._value.isprintable():
            raise AccessDenied(app, "the key or token holds characters that no key has")

    def __repr__(self) -> str:
        return f"{type(self).__name__}({self._name}: ***)"

    async def headers(self) -> Mapping[str, str]:
        """The header."""
        return {self._name: self._value}

    async def renew(self) -> bool:
        """A fixed secret stays as it is."""
        return False


class BearerAuth(HeaderAuth):
    """A token (RFC 6750, section 2.1)."""

    def __init__(self, app: str, token: str) -> None:
        super().__init__(app, "Authorization", f"Bearer {token.strip()}")


class Reach(Struct, frozen=True):
    """How a connector's requests reach the app, where its answers alone do not say it.

    A connector whose class has a function ``reach(answers) -> Reach`` is asked; for all others the
    manifest says it.
    """

    address: str
    """The base address of ``Http``."""
    auth: Auth | None
    limits: tuple[Limit, ...] = ()


class BasicAuth(HeaderAuth):
    """A user and a password, in UTF-8 (RFC 7617, section 2.1)."""

    def __init__(self, app: str, user: str, password: str) -> None:
        if ":" in user:
            raise AccessDenied(app, "a user name cannot hold a colon")
        encoded = base64.b64encode(f"{user}:{password}".encode()).decode("ascii")
        super().__init__(app, "Authorization", f"Basic {encoded}")
