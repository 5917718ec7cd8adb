"""HTTP for connectors: sign-in, budgets, retries, and the limits that hostile servers need."""

from __future__ import annotations

import ssl
from collections.abc import Callable, Mapping, Sequence
from datetime import UTC, datetime, timedelta
from email.utils import parsedate_to_datetime
from functools import cache
from typing import Any, NamedTuple

import aiohttp
import msgspec
from msgspec import Struct
from yarl import URL

from twofold.kit.addresses import base_address, plain_addresses, resolve, same_place
from twofold.kit.auth import Auth
from twofold.kit.budgets import Budgets
from twofold.kit.clock import Clock
from twofold.kit.contract import Pause, Response
from twofold.kit.errors import (
    AccessDenied,
    Misunderstood,
    OutcomeUnknown,
    RateLimited,
    Redirected,
    Unavailable,
)
from twofold.kit.network import ANYWHERE, Barred, Network, forbidden

SAFE_METHODS = frozenset({"GET", "HEAD", "OPTIONS", "PROPFIND", "REPORT"})
"""RFC 9110, section 9.2.1; RFC 4918, section 9.1; RFC 3253, section 3.6."""
_REDIRECTS = frozenset({301, 302, 303, 307, 308})
_BROKEN_GATEWAY = frozenset({502, 503, 504, 520, 521, 522, 523, 524})
"""RFC 9110, section 15.6; from 520 on those of Cloudflare, whose meaning is the same."""
_MOST_REDIRECTS = 5
_LONGEST_BACKOFF = 30.0
_READ_SIZE = 64 * 1024
_PACKED = frozenset({"Content-Encoding", "Transfer-Encoding"})
"""With one of these the length says nothing of how much will come."""


class Bounds(Struct, frozen=True):
    """How long and how large an answer may be, and how often a request is tried."""

    connect: float = 10.0
    """Seconds."""
    silence: float = 30.0
    """Seconds without a byte."""
    whole: float = 300.0
    """Seconds for request and answer together."""
    size: int = 64 * 1024 * 1024
    """Bytes, after decompression."""
    tries: int = 4
    backoff: float = 0.5
    """Seconds before the second try; doubled with each further one."""


class Request(NamedTuple):
    """One request, ready to be sent, perhaps more than once."""

    method: str
    url: URL
    headers: Mapping[str, str]
    content: bytes | None
    safe: bool


class _Failed(Exception):
    """One try brought no answer that can be used."""

    def __init__(
        self,
        reason: str,
        *,
        sent: bool,
        final: bool = False,
        until: datetime | None = None,
        throttled: bool = False,
    ) -> None:
        self.reason = reason
        self.sent = sent
        """Whether the app may have acted on the request."""
        self.final = final
        """Whether another try would end the same."""
        self.until = until
        """When the app wants to be asked again."""
        self.throttled = throttled
        super().__init__(reason)


class AioHttp:
    """The kit's ``Http`` over aiohttp: one per connection, shared by all its syncs.

    Nothing but the base address's host is ever asked, and credentials go nowhere else. Nothing is
    logged. ``pauses`` is the connector's own; set it once the connector is made.
    """

    def __init__(
        self,
        app: str,
        base: str,
        clock: Clock,
        budgets: Budgets,
        *,
        auth: Auth | None = None,
        bounds: Bounds | None = None,
        tls: ssl.SSLContext | None = None,
        network: Network = ANYWHERE,
    ) -> None:
        """``tls``: None trusts what the system trusts; there is no way to trust nothing.

        ``network``: which addresses may be reached.

        Raises:
            Misunderstood: the base address is none.
        """
        self.pauses: Callable[[Response], Sequence[Pause]] = lambda _: ()
        self.sent = 0
        """Requests that left, each try counted."""
        self._app = app
        self._clock = clock
        self._budgets = budgets
        self._auth = auth
        self._bounds = bounds or Bounds()
        self._tls = tls or _trusted()
        self._network = network
        self._session: aiohttp.ClientSession | None = None
        try:
            self._base = base_address(base)
        except ValueError as error:
            raise Misunderstood(app, str(error)) from None
        self._plain = plain_addresses(self._base)

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
        """Send one request; see the contract."""
        headers = dict(headers or {})
        if json is not None:
            content = msgspec.json.encode(json)
            headers.setdefault("Content-Type", "application/json")
        target = self._allowed(self._base, url)
        if params:
            target = target.update_query(params)
        repeatable = safe or method in SAFE_METHODS
        request = Request(method, target, headers, content, repeatable)
        for _ in range(_MOST_REDIRECTS + 1):
            response = await self._answer(request, cost)
            location = response.headers.get("location")
            if response.status not in _REDIRECTS or location is None:
                return response
            onward = self._allowed(request.url, location)
            if not request.safe:
                return response
            request = request._replace(url=onward)
        raise Misunderstood(self._app, f"it redirects more than {_MOST_REDIRECTS} times")

    async def close(self) -> None:
        """Close all connections."""
        if self._session is not None:
            await self._session.close()
            self._session = None

    # --- one request, several tries -------------------------------------------------------

    async def _answer(self, request: Request, cost: Mapping[str, float] | None) -> Response:
        """The first usable answer, after as many tries as are allowed and safe."""
        failure = _Failed("it was not asked", sent=False)
        for attempt in range(self._bounds.tries):
            try:
                async with self._budgets.request(cost):
                    return self._usable(await self._signed(request), attempt)
            except _Failed as found:
                failure = found
            if failure.sent and not request.safe:
                raise OutcomeUnknown(self._app, failure.reason)
            if failure.final:
                raise Misunderstood(self._app, failure.reason)
            await self._back_off(attempt, failure.until)
        if failure.throttled and failure.until is not None:
            raise RateLimited(self._app, failure.until)
        raise Unavailable(self._app, failure.reason)

    def _usable(self, response: Response, attempt: int) -> Response:
        """The response, unless it asks us to come back later or comes from a broken gateway."""
        pauses = self.pauses(response)
        if pauses:
            self._budgets.learn(pauses)
        refusals = [pause for pause in pauses if pause.refused]
        throttled = bool(refusals) or response.status == 429
        if not throttled and response.status not in _BROKEN_GATEWAY:
            return response
        now = self._clock.now()
        said = _retry_after(response, now)
        if throttled:
            named = max((p.until for p in refusals if p.until is not None), default=None)
            until = said or named or now + timedelta(seconds=self._pace(attempt))
            raise _Failed("it throttles us", sent=False, until=until, throttled=True)
        # A gateway may have passed a write on before it gave up.
        reason = f"it answers with the server error {response.status}"
        raise _Failed(reason, sent=True, until=said)

    async def _back_off(self, attempt: int, until: datetime | None) -> None:
        """Wait before the next try, if there is one; all wait for a moment that the app named."""
        if until is not None:
            self._budgets.block(until)
        elif attempt + 1 < self._bounds.tries:
            await self._clock.sleep(self._pace(attempt))

    def _pace(self, attempt: int) -> float:
        longest: float = min(self._bounds.backoff * 2.0**attempt, _LONGEST_BACKOFF)
        return longest * (0.5 + self._clock.jitter() / 2)

    # --- one try --------------------------------------------------------------------------

    async def _signed(self, request: Request) -> Response:
        """One try, with new credentials once more where the app refuses the old ones."""
        response = await self._try(request)
        if response.status == 401 and self._auth is not None and await self._auth.renew():
            response = await self._try(request)
        if response.status == 401:
            raise AccessDenied(self._app, "the user, password or key is wrong or has expired")
        return response

    async def _try(self, request: Request) -> Response:
        headers = {**request.headers, **(await self._auth.headers() if self._auth else {})}
        connected = False
        self.sent += 1
        try:
            async with self._opened().request(
                request.method,
                request.url,
                headers=headers,
                data=request.content,
                allow_redirects=False,
            ) as answer:
                connected = True
                content = await self._content(answer)
                names = {name.lower(): value for name, value in answer.headers.items()}
                return Response(answer.status, names, content, str(request.url))
        except aiohttp.ClientConnectorCertificateError:
            raise Unavailable(self._app, "its certificate is not trusted") from None
        except (aiohttp.ClientConnectorError, aiohttp.ConnectionTimeoutError) as error:
            barred = getattr(error, "os_error", None)
            if isinstance(barred, Barred):
                raise forbidden(self._app, request.url.host or "", barred) from None
            raise _Failed(_reason(error), sent=False) from None
        except aiohttp.ClientResponseError:
            raise _Failed("its answer is not HTTP", sent=True, final=True) from None
        except (aiohttp.ClientError, TimeoutError, OSError) as error:
            reason = "the answer broke off" if connected else _reason(error)
            raise _Failed(reason, sent=True) from None

    async def _content(self, answer: aiohttp.ClientResponse) -> bytes:
        """The body, as far as it is not too large; compressed ones count as unpacked."""
        length, packed = answer.content_length, _PACKED.intersection(answer.headers)
        if length is not None and not packed and length <= self._bounds.size:
            return await answer.read()
        parts = bytearray()
        async for part in answer.content.iter_chunked(_READ_SIZE):
            parts += part
            if len(parts) > self._bounds.size:
                reason = f"its answer is larger than {self._bounds.size} bytes"
                raise _Failed(reason, sent=True, final=True)
        return bytes(parts)

    def _opened(self) -> aiohttp.ClientSession:
        if self._session is None:
            self._session = aiohttp.ClientSession(
                # One address after the other: what is barred is then said as such.
                connector=aiohttp.TCPConnector(
                    ssl=self._tls,
                    keepalive_timeout=2,
                    happy_eyeballs_delay=None,
                    socket_factory=self._network.socket_for,
                ),
                cookie_jar=aiohttp.DummyCookieJar(),
                timeout=aiohttp.ClientTimeout(
                    total=self._bounds.whole,
                    sock_connect=self._bounds.connect,
                    sock_read=self._bounds.silence,
                ),
                requote_redirect_url=False,
            )
            # aiohttp repeats a PUT or DELETE by itself when a kept connection breaks; whether
            # that is safe is not for it to decide. There is no public switch.
            self._session._retry_connection = False  # noqa: SLF001
        return self._session

    def _allowed(self, base: URL, reference: str) -> URL:
        """The address that a link names, if it is on our host.

        Raises:
            Redirected: it is elsewhere.
            Misunderstood: it is no address.
        """
        if self._plain.fullmatch(reference):
            return URL(reference, encoded=True)
        try:
            target = resolve(base, reference)
        except ValueError as error:
            raise Misunderstood(self._app, str(error)) from None
        if not same_place(self._base, target):
            raise Redirected(self._app, target.authority[:100])
        return target


@cache
def _trusted() -> ssl.SSLContext:
    """What the system trusts: half a megabyte and several milliseconds, so it is read once."""
    return ssl.create_default_context()


def _reason(error: Exception) -> str:
    """Why there is no answer, without an address that might hold a secret."""
    if isinstance(error, TimeoutError):
        return "it does not answer in time"
    if isinstance(error, aiohttp.ClientConnectorDNSError):
        return "its name is not known"
    if isinstance(error, aiohttp.ClientConnectorSSLError):
        return "no secure connection is possible"
    if isinstance(error, aiohttp.ClientConnectorError):
        return "nothing answers there" if _refused(error) else "no connection is possible"
    return "the connection broke off"


def _refused(error: aiohttp.ClientConnectorError) -> bool:
    return isinstance(error.os_error, ConnectionRefusedError)


def _retry_after(response: Response, now: datetime) -> datetime | None:
    """The moment that Retry-After names, in seconds or as a date (RFC 9110, section 10.2.3)."""
    text = response.headers.get("retry-after", "").strip()
    if text.isdecimal() and text.isascii():
        return now + timedelta(seconds=min(int(text[:9]), 10**8))
    try:
        moment = parsedate_to_datetime(text)
    except ValueError:
        return None
    return moment if moment.tzinfo is not None else moment.replace(tzinfo=UTC)
