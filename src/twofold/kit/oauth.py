"""Sign-in by the authorization-code flow, for every app that has it (RFC 6749, section 4.1).

A person is sent to the app's own page and comes back with a code; the code is exchanged for two
tokens: a short-lived one for requests, and a refresh token for the next short-lived one. A
connector says where these pages are in its manifest (`OAuth`) and asks for ``client_id`` and
``client_secret``; all else is done here::

    begun = begin(manifest, answers, redirect)      # send the person to begun.address
    tokens = await exchange(manifest, answers, begun, code, post)
    auth = OAuthAuth(manifest, answers, keeper, post)     # signs requests, and refreshes

Two programs may use one account, and many apps take a refresh token once only. So tokens are
refreshed under the keeper's lock, and whoever comes second finds the new ones there.
"""

from __future__ import annotations

import base64
import hashlib
import secrets
from collections.abc import Awaitable, Callable, Mapping
from contextlib import AbstractAsyncContextManager
from datetime import UTC, datetime, timedelta
from typing import Protocol
from urllib.parse import quote, urlencode, urlsplit

import msgspec
from msgspec import Struct

from twofold.kit.clock import Clock
from twofold.kit.contract import Http, Manifest, OAuth, Question, Response
from twofold.kit.errors import AccessDenied, Misunderstood, OutcomeUnknown, Unavailable

ACCESS, REFRESH, EXPIRES = "access_token", "refresh_token", "access_expires"
"""The names under which tokens are kept among a connection's sealed answers."""
KEPT = tuple(
    Question(name, label, secret=True, optional=True, asked=False)
    for name, label in (
        (REFRESH, "Refresh token"),
        (ACCESS, "Access token"),
        (EXPIRES, "When the access token ends"),
    )
)
"""Questions that the sign-in itself answers: a manifest with ``oauth`` holds them."""
CLIENT = (
    Question("client_id", "Client ID of your app", optional=True),
    Question("client_secret", "Client secret of your app", secret=True, optional=True),
)
_EARLY = timedelta(minutes=1)
"""A token that ends within this is refreshed before it is used."""
_HOUR = 3600
_VERIFIER = 48
"""Bytes of chance: 64 characters (RFC 7636, section 4.1: 43 to 128)."""
_OVER = frozenset({"invalid_grant", "BAD_REFRESH_TOKEN", "BAD_AUTH_CODE"})

Post = Callable[[str, Mapping[str, str]], Awaitable[Response]]
"""Send a form to an address, safe to repeat or not; what comes back, whatever its status."""


class Begun(Struct, frozen=True):
    """A sign-in under way; all of it is secret but the address."""

    address: str
    """Where the person goes."""
    state: str
    """Comes back with the person, and proves that it is this sign-in."""
    verifier: str
    redirect: str


class Tokens(Struct, frozen=True):
    """What an account signs requests with."""

    access: str
    refresh: str
    expires: datetime

    def answers(self) -> dict[str, str]:
        """As they are kept."""
        return {ACCESS: self.access, REFRESH: self.refresh, EXPIRES: self.expires.isoformat()}


class Keeper(Protocol):
    """Where the tokens of one account live."""

    def locked(self) -> AbstractAsyncContextManager[None]:
        """Be the only one, of all programs, who refreshes."""
        ...

    async def load(self) -> Tokens:
        """The tokens as they are now."""
        ...

    async def save(self, tokens: Tokens) -> None:
        """Keep new ones; the old ones may open nothing any more."""
        ...


def kept(answers: Mapping[str, str]) -> Tokens | None:
    """The tokens among a connection's answers; None where it signs in another way."""
    refresh = answers.get(REFRESH, "")
    if not refresh:
        return None
    try:
        expires = datetime.fromisoformat(answers.get(EXPIRES, ""))
    except ValueError:
        expires = datetime(1970, 1, 1, tzinfo=UTC)
    return Tokens(answers.get(ACCESS, ""), refresh, expires)


def begin(manifest: Manifest, answers: Mapping[str, str], redirect: str) -> Begun:
    """Where to send a person who signs in; ``redirect``: where the app sends the person back to.

    Raises:
        AccessDenied: the client is not named, or this app has no such sign-in.
    """
    flow, client = _flow(manifest), answers.get("client_id", "")
    if not client or not answers.get("client_secret"):
        raise AccessDenied(manifest.name, "the client ID and secret of your app are needed")
    state, verifier = secrets.token_urlsafe(32), secrets.token_urlsafe(_VERIFIER)
    asked = {
        "response_type": "code",
        "client_id": client,
        "redirect_uri": redirect,
        "scope": _filled(" ".join(flow.scopes), answers),
        "state": state,
        "code_challenge": challenge(verifier),
        "code_challenge_method": "S256",
        **({"optional_scope": " ".join(flow.optional)} if flow.optional else {}),
        **flow.extra,
    }
    address = f"{_filled(flow.authorize, answers)}?{urlencode(asked, quote_via=quote)}"
    return Begun(address, state, verifier, redirect)


def challenge(verifier: str) -> str:
    """What proves, ahead of it, that we know a verifier (RFC 7636, section 4.2)."""
    digest = hashlib.sha256(verifier.encode()).digest()
    return base64.urlsafe_b64encode(digest).decode().rstrip("=")


async def exchange(
    manifest: Manifest,
    answers: Mapping[str, str],
    begun: Begun,
    code: str,
    post: Post,
    clock: Clock,
) -> Tokens:
    """The tokens for a code.

    Raises:
        AccessDenied: the app does not take the code, or the client.
        Unavailable, Misunderstood: it cannot be reached, or answers something else.
    """
    form = {
        "grant_type": "authorization_code",
        "code": code,
        "redirect_uri": begun.redirect,
        "code_verifier": begun.verifier,
    }
    return await _asked(manifest, answers, form, "", post, clock)


class OAuthAuth:
    """Signs requests of one account, and refreshes its token where it ends or is refused."""

    def __init__(
        self,
        manifest: Manifest,
        answers: Mapping[str, str],
        keeper: Keeper,
        post: Post,
        clock: Clock,
    ) -> None:
        self._manifest = manifest
        self._answers = answers
        self._keeper = keeper
        self._post = post
        self._clock = clock
        self._known: Tokens | None = None

    def __repr__(self) -> str:
        return f"{type(self).__name__}({self._manifest.name}: ***)"

    async def headers(self) -> Mapping[str, str]:
        """The header, with a token that has not ended."""
        if self._known is None:
            self._known = await self._keeper.load()
        if self._known.expires - self._clock.now() < _EARLY:
            await self._refresh(self._known)
        return {"Authorization": f"Bearer {self._known.access}"}

    async def renew(self) -> bool:
        """After a refusal: a token may be ended before its time."""
        if self._known is not None:
            await self._refresh(self._known)
        return True

    async def _refresh(self, used: Tokens) -> None:
        """Get other tokens than those: from another program that was faster, or from the app."""
        async with self._keeper.locked():
            found = await self._keeper.load()
            if found.access == used.access:
                form = {"grant_type": "refresh_token", "refresh_token": found.refresh}
                found = await _asked(
                    self._manifest, self._answers, form, found.refresh, self._post, self._clock
                )
                await self._keeper.save(found)
            self._known = found


class ClientAuth:
    """Signs requests of a client that signs in for itself: RFC 6749, section 4.4."""

    def __init__(
        self, manifest: Manifest, answers: Mapping[str, str], post: Post, clock: Clock
    ) -> None:
        self._manifest = manifest
        self._answers = answers
        self._post = post
        self._clock = clock
        self._known: Tokens | None = None

    def __repr__(self) -> str:
        return f"{type(self).__name__}({self._manifest.name}: ***)"

    async def headers(self) -> Mapping[str, str]:
        """The header, with a token that has not ended."""
        if self._known is None or self._known.expires - self._clock.now() < _EARLY:
            self._known = await self._new()
        return {"Authorization": f"Bearer {self._known.access}"}

    async def renew(self) -> bool:
        """After a refusal: a token may be ended before its time."""
        self._known = await self._new()
        return True

    async def _new(self) -> Tokens:
        scopes = " ".join(_flow(self._manifest).machine_scopes)
        form = {"grant_type": "client_credentials"}
        if scopes:
            form["scope"] = _filled(scopes, self._answers)
        return await _asked(self._manifest, self._answers, form, "", self._post, self._clock)


class _Granted(Struct, frozen=True):
    """The app's answer (RFC 6749, section 5.1)."""

    access_token: str
    refresh_token: str = ""
    expires_in: float = _HOUR


class _Refused(Struct, frozen=True):
    """The app's refusal (RFC 6749, section 5.2), or HubSpot's form of it."""

    error: str = ""
    status: str = ""


async def _asked(
    manifest: Manifest,
    answers: Mapping[str, str],
    form: Mapping[str, str],
    refresh: str,
    post: Post,
    clock: Clock,
) -> Tokens:
    """Ask for tokens. ``refresh``: stays where the app gives no new one (section 6)."""
    client = {name: answers.get(name, "") for name in ("client_id", "client_secret")}
    address = _filled(_flow(manifest).token, answers)
    now = clock.now()
    response = await post(address, {**form, **client})
    if response.status >= 500:
        reason = f"its sign-in answers with the server error {response.status}"
        raise Unavailable(manifest.name, reason)
    if response.status >= 400:
        raise AccessDenied(manifest.name, _why(response))
    try:
        granted = msgspec.json.decode(response.content, type=_Granted)
    except (msgspec.DecodeError, UnicodeDecodeError):
        raise Misunderstood(manifest.name, "its sign-in gives no token") from None
    expires = now + timedelta(seconds=granted.expires_in)
    return Tokens(granted.access_token, granted.refresh_token or refresh, expires)


def _why(response: Response) -> str:
    """Why no token was given, without a word of the app's that could hold one."""
    try:
        said = msgspec.json.decode(response.content, type=_Refused)
    except (msgspec.DecodeError, UnicodeDecodeError):
        said = _Refused()
    if {said.error, said.status} & _OVER:
        return "this sign-in is over or was ended there; sign in again"
    if said.error == "invalid_client":
        return "the client ID or secret of your app is wrong"
    return "its sign-in refuses us"


def _flow(manifest: Manifest) -> OAuth:
    if manifest.oauth is None:
        raise AccessDenied(manifest.name, "it has no sign-in by its own page")
    return manifest.oauth


def _filled(address: str, answers: Mapping[str, str]) -> str:
    """An address with answers in it, as ``{tenant}``."""
    return address.format_map({name: answer.rstrip("/") for name, answer in answers.items()})


def poster(app: str, http_to: Callable[[str], Http]) -> Post:
    """Send forms through the kit's ``Http``; ``http_to`` makes one for a base address.

    A lost answer is no half-done write here: signing in is tried again.
    """

    async def post(address: str, form: Mapping[str, str]) -> Response:
        parts = urlsplit(address)
        http = http_to(f"{parts.scheme}://{parts.netloc}")
        try:
            return await http.send("POST", address, headers=_FORM, content=urlencode(form).encode())
        except OutcomeUnknown as error:
            raise Unavailable(app, str(error.facts["reason"])) from error

    return post


_FORM = {"Content-Type": "application/x-www-form-urlencoded", "Accept": "application/json"}
