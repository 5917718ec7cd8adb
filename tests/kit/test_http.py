"""The kit's HTTP against real servers on the loopback interface, good and hostile ones."""

from __future__ import annotations

import asyncio
import gzip
import logging
import socket
import struct
from collections.abc import AsyncIterator, Awaitable, Callable, Mapping
from contextlib import asynccontextmanager
from datetime import timedelta
from typing import Any

import pytest
from aiohttp import web
from tests.kit.still_clock import START, StillClock

from twofold.kit.auth import Auth, BasicAuth, BearerAuth, HeaderAuth
from twofold.kit.budgets import Budgets
from twofold.kit.contract import Limit, Pause, Response
from twofold.kit.errors import (
    AccessDenied,
    LimitUntil,
    Misunderstood,
    OutcomeUnknown,
    RateLimited,
    Redirected,
    Unavailable,
)
from twofold.kit.http import AioHttp, Bounds

Handler = Callable[[web.BaseRequest], Awaitable[web.StreamResponse]]
Raw = Callable[[asyncio.StreamReader, asyncio.StreamWriter], Awaitable[None]]
SHORT = Bounds(connect=5, silence=0.2, whole=5, size=1000, tries=3)


@asynccontextmanager
async def serving(handler: Handler) -> AsyncIterator[str]:
    """A web server that answers everything with one handler; gives its address."""
    runner = web.ServerRunner(web.Server(handler), shutdown_timeout=0.1)
    await runner.setup()
    site = web.TCPSite(runner, "127.0.0.1", 0)
    await site.start()
    try:
        yield f"http://127.0.0.1:{runner.addresses[0][1]}/"
    finally:
        await runner.cleanup()


@asynccontextmanager
async def speaking(raw: Raw) -> AsyncIterator[str]:
    """A server on bare sockets; gives its address."""
    server = await asyncio.start_server(raw, "127.0.0.1", 0)
    try:
        yield f"http://127.0.0.1:{server.sockets[0].getsockname()[1]}/"
    finally:
        server.close()


@asynccontextmanager
async def http(
    base: str,
    auth: Auth | None = None,
    *,
    limits: tuple[Limit, ...] = (),
    bounds: Bounds = SHORT,
) -> AsyncIterator[tuple[AioHttp, StillClock]]:
    clock = StillClock()
    client = AioHttp("acme", base, clock, Budgets("acme", limits, clock), auth=auth, bounds=bounds)
    try:
        yield client, clock
    finally:
        await client.close()


class Script:
    """Answers in turn, the last one for ever; keeps what was asked."""

    def __init__(self, *answers: tuple[int, Mapping[str, str]]) -> None:
        self.answers = list(answers)
        self.asked: list[tuple[str, str, Mapping[str, str], bytes]] = []

    async def __call__(self, request: web.BaseRequest) -> web.Response:
        body = await request.read()
        self.asked.append((request.method, request.raw_path, dict(request.headers), body))
        status, headers = self.answers.pop(0) if len(self.answers) > 1 else self.answers[0]
        return web.Response(status=status, headers=headers, body=b"hello")


async def request_head(reader: asyncio.StreamReader) -> bytes:
    """Everything up to the end of a request's headers, and the body that it announces."""
    head = await reader.readuntil(b"\r\n\r\n")
    length = [line for line in head.lower().split(b"\r\n") if line.startswith(b"content-length:")]
    return head + (await reader.readexactly(int(length[0].split(b":")[1])) if length else b"")


def reset(writer: asyncio.StreamWriter) -> None:
    """Break a connection as a crashed server does: with a reset."""
    raw: socket.socket = writer.get_extra_info("socket")
    raw.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
    writer.transport.abort()


# --- requests as they arrive ----------------------------------------------------------------


async def test_a_request_arrives_as_it_was_meant() -> None:
    script = Script((200, {"X-Odd": "1"}))
    async with serving(script) as base, http(base, BearerAuth("acme", "t0k3n\n")) as (client, _):
        answer = await client.send("POST", "a%2Fb%40c?x=1", params={"y": "ä b"}, json={"n": [1]})
    method, path, headers, body = script.asked[0]
    assert (method, path, body) == ("POST", "/a%2Fb%40c?x=1&y=%C3%A4+b", b'{"n":[1]}')
    assert headers["Authorization"] == "Bearer t0k3n"
    assert headers["Content-Type"] == "application/json"
    assert (answer.status, answer.content, answer.headers["x-odd"]) == (200, b"hello", "1")
    assert answer.url.endswith("/a%2Fb%40c?x=1&y=%C3%A4+b")


async def test_basic_sign_in_is_utf8() -> None:
    script = Script((200, {}))
    async with (
        serving(script) as base,
        http(base, BasicAuth("acme", "ann", "pä:ss")) as (client, _),
    ):
        await client.send("PROPFIND", "")
    assert script.asked[0][2]["Authorization"] == "Basic YW5uOnDDpDpzcw=="


@pytest.mark.parametrize("status", [200, 204, 207, 400, 403, 404, 409, 412, 500])
async def test_other_statuses_belong_to_the_connector(status: int) -> None:
    async with serving(Script((status, {}))) as base, http(base) as (client, clock):
        assert (await client.send("PUT", "x", content=b"1")).status == status
    assert clock.slept == []


async def test_line_breaks_in_a_link_stay_in_the_path() -> None:
    script = Script((200, {}))
    async with serving(script) as base, http(base) as (client, _):
        await client.send("GET", "x\r\nX-Injected: 1\r\n\r\n é")
    assert script.asked[0][1] == "/x%0D%0AX-Injected:%201%0D%0A%0D%0A%20%C3%A9"
    assert "X-Injected" not in script.asked[0][2]


# --- where requests go ----------------------------------------------------------------------


@pytest.mark.parametrize("method", ["GET", "PUT"])
async def test_no_other_host_is_asked(method: str) -> None:
    elsewhere = Script((200, {}))
    async with serving(elsewhere) as other:
        redirecting = Script((302, {"Location": f"{other}steal"}))
        async with serving(redirecting) as base, http(base, BasicAuth("acme", "u", "p")) as (c, _):
            with pytest.raises(Redirected, match=r"redirects to another host, 127\.0\.0\.1:\d+"):
                await c.send(method, "x")
            with pytest.raises(Redirected):
                await c.send(method, f"{other}direct")
    assert elsewhere.asked == []


async def test_redirects_on_the_same_host_are_followed_where_safe() -> None:
    script = Script((301, {"Location": "/dav/"}), (207, {}))
    async with serving(script) as base, http(base, BasicAuth("acme", "u", "p")) as (client, _):
        answer = await client.send("PROPFIND", ".well-known/carddav", content=b"<x/>")
    assert [(method, path, body) for method, path, _, body in script.asked] == [
        ("PROPFIND", "/.well-known/carddav", b"<x/>"),
        ("PROPFIND", "/dav/", b"<x/>"),
    ]
    assert answer.url == f"{base}dav/"
    assert all("Authorization" in headers for _, _, headers, _ in script.asked)


async def test_a_write_is_not_redirected() -> None:
    script = Script((307, {"Location": "/other"}))
    async with serving(script) as base, http(base) as (client, _):
        assert (await client.send("PUT", "x", content=b"1")).status == 307
    assert len(script.asked) == 1


async def test_a_circle_of_redirects_ends() -> None:
    script = Script((302, {"Location": "/again"}))
    async with serving(script) as base, http(base) as (client, _):
        with pytest.raises(Misunderstood, match="redirects more than 5 times"):
            await client.send("GET", "x")
    assert len(script.asked) == 6


@pytest.mark.parametrize("link", ["ftp://127.0.0.1/", "http://127.0.0.1:99999/", "javascript:1"])
async def test_a_link_that_is_no_address(link: str) -> None:
    async with serving(Script((302, {"Location": link}))) as base, http(base) as (client, _):
        with pytest.raises(Misunderstood):
            await client.send("GET", "x")


# --- refusals -------------------------------------------------------------------------------


async def test_a_wrong_password_is_named_and_nowhere_shown(caplog: Any) -> None:
    caplog.set_level(logging.DEBUG)
    auth = BasicAuth("acme", "ann", "correct horse")
    async with serving(Script((401, {}))) as base, http(base, auth) as (client, _):
        with pytest.raises(AccessDenied) as caught:
            await client.send("GET", "x")
    encoded = (await auth.headers())["Authorization"].split()[1]
    shown = f"{caught.value!r} {caught.value} {auth!r} {vars(caught.value)} {caplog.text}"
    assert "horse" not in shown
    assert encoded not in shown


async def test_renewed_credentials_are_used_at_once() -> None:
    class Renewing(HeaderAuth):
        renewals = 0

        async def renew(self) -> bool:
            self.renewals += 1
            self._value = "new"
            return True

    script, auth = Script((401, {}), (200, {})), Renewing("acme", "X-Key", "old")
    async with serving(script) as base, http(base, auth) as (client, _):
        assert (await client.send("POST", "x")).status == 200
    assert [headers["X-Key"] for _, _, headers, _ in script.asked] == ["old", "new"]
    async with serving(Script((401, {}))) as base, http(base, auth) as (client, _):
        with pytest.raises(AccessDenied):
            await client.send("POST", "x")
    assert auth.renewals == 2


async def test_a_pasted_key_loses_its_line_break() -> None:
    assert await HeaderAuth("acme", "X-Key", " k3y\n").headers() == {"X-Key": "k3y"}


@pytest.mark.parametrize("value", ["to\nken", "tökén", "to\x00ken"])
def test_a_key_that_no_header_can_hold(value: str) -> None:
    with pytest.raises(AccessDenied) as caught:
        BearerAuth("acme", value)
    assert value not in str(caught.value)


@pytest.mark.parametrize("method", ["GET", "POST"])
async def test_throttling_is_waited_out_for_any_request(method: str) -> None:
    script = Script((429, {"Retry-After": "7"}), (200, {}))
    async with serving(script) as base, http(base) as (client, clock):
        assert (await client.send(method, "x")).status == 200
    assert clock.slept == [7]


async def test_throttling_without_an_end_gives_up() -> None:
    script = Script((429, {}))
    async with serving(script) as base, http(base) as (client, clock):
        with pytest.raises(RateLimited):
            await client.send("POST", "x")
    assert (len(script.asked), clock.slept) == (3, [0.5, 1.0])


@pytest.mark.parametrize("after", ["3600", "Thu, 01 Jan 2026 01:00:00 GMT"])
async def test_a_long_pause_unwinds(after: str) -> None:
    script = Script((429, {"Retry-After": after}))
    async with serving(script) as base, http(base) as (client, clock):
        for _ in range(2):
            with pytest.raises(LimitUntil) as caught:
                await client.send("GET", "x")
            assert caught.value.until == START + timedelta(hours=1)
    assert (len(script.asked), clock.slept) == (1, [])


async def test_the_connector_reads_other_signs_of_throttling() -> None:
    def pauses(response: Response) -> list[Pause]:
        refused = response.status == 403
        return [Pause("calls", until=START + timedelta(seconds=9), refused=refused)]

    script, limits = Script((403, {}), (200, {})), (Limit("calls", 10, timedelta(seconds=1)),)
    async with serving(script) as base, http(base, limits=limits) as (client, clock):
        client.pauses = pauses
        assert (await client.send("POST", "x")).status == 200
    assert clock.slept == [9]


async def test_a_budget_that_is_used_up_is_not_asked_further() -> None:
    def pauses(response: Response) -> list[Pause]:
        return [Pause("calls", remaining=0, until=START + timedelta(seconds=9))]

    script, limits = Script((200, {})), (Limit("calls", 10, timedelta(seconds=1)),)
    async with serving(script) as base, http(base, limits=limits) as (client, clock):
        client.pauses = pauses
        await client.send("GET", "x")
        assert clock.slept == []
        await client.send("GET", "x")
    assert clock.slept == [9]


# --- trouble --------------------------------------------------------------------------------


@pytest.mark.parametrize("status", [502, 503, 504])
async def test_a_broken_gateway_is_asked_again_where_safe(status: int) -> None:
    script = Script((status, {}), (status, {}), (200, {}))
    async with serving(script) as base, http(base) as (client, clock):
        assert (await client.send("REPORT", "x")).status == 200
    assert clock.slept == [0.5, 1.0]
    script = Script((status, {}))
    async with serving(script) as base, http(base) as (client, _):
        with pytest.raises(OutcomeUnknown, match=f"server error {status}"):
            await client.send("POST", "x")
        assert len(script.asked) == 1
        with pytest.raises(Unavailable, match=f"server error {status}"):
            await client.send("POST", "x", safe=True)


async def test_nothing_listens_there() -> None:
    with socket.socket() as unused:
        unused.bind(("127.0.0.1", 0))
        base = f"http://127.0.0.1:{unused.getsockname()[1]}/"
        async with http(base) as (client, clock):
            with pytest.raises(Unavailable, match="nothing answers there"):
                await client.send("POST", "x")
    assert clock.slept == [0.5, 1.0]


async def test_a_name_that_does_not_exist() -> None:
    async with http("http://crm.invalid/") as (client, _):
        with pytest.raises(Unavailable, match="its name is not known"):
            await client.send("POST", "x")


async def _silent(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
    await request_head(reader)
    await reader.read()  # until the client gives up
    writer.close()


async def _vanishing(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
    await request_head(reader)
    reset(writer)


async def _breaking_off(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
    await request_head(reader)
    writer.write(b"HTTP/1.1 200 OK\r\nContent-Length: 100\r\n\r\nonly this")
    await writer.drain()
    writer.close()


@pytest.mark.parametrize("raw", [_silent, _vanishing, _breaking_off])
async def test_a_lost_answer_is_an_unknown_outcome_of_a_write(raw: Raw) -> None:
    asked: list[None] = []

    async def counting(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        asked.append(None)
        await raw(reader, writer)

    async with speaking(counting) as base, http(base) as (client, _):
        with pytest.raises(OutcomeUnknown):
            await client.send("POST", "x", content=b"1")
        assert len(asked) == 1
        with pytest.raises(Unavailable):
            await client.send("GET", "x")
        assert len(asked) == 1 + SHORT.tries


@pytest.mark.parametrize("method", ["PUT", "DELETE", "POST"])
async def test_a_write_is_sent_once_when_a_kept_connection_breaks(method: str) -> None:
    heads: list[bytes] = []

    async def answer_once(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        heads.append(await request_head(reader))
        writer.write(b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok")
        await writer.drain()
        heads.append(await request_head(reader))
        reset(writer)

    async with speaking(answer_once) as base, http(base) as (client, _):
        await client.send("GET", "first")
        with pytest.raises(OutcomeUnknown):
            await client.send(method, "second", content=b"1")
    assert [head.split()[1] for head in heads] == [b"/first", b"/second"]


async def test_an_answer_that_is_not_http() -> None:
    async def babbling(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await request_head(reader)
        writer.write(b"220 mail.example ESMTP\r\n\r\n")
        await writer.drain()
        writer.close()

    async with speaking(babbling) as base, http(base) as (client, _):
        with pytest.raises(Misunderstood, match="not HTTP"):
            await client.send("GET", "x")


@pytest.mark.parametrize("packed", [False, True])
async def test_a_huge_answer_is_cut_short(packed: bool) -> None:
    body = b"0" * 1_000_000
    headers = {"Content-Encoding": "gzip"} if packed else {}

    async def huge(request: web.BaseRequest) -> web.Response:
        return web.Response(body=gzip.compress(body) if packed else body, headers=headers)

    async with serving(huge) as base, http(base) as (client, _):
        with pytest.raises(Misunderstood, match="larger than 1000 bytes"):
            await client.send("GET", "x")
        with pytest.raises(OutcomeUnknown, match="larger than 1000 bytes"):
            await client.send("POST", "x")


async def test_cookies_are_not_kept() -> None:
    script = Script((200, {"Set-Cookie": "session=1; Path=/"}))
    # Browsers and their likes keep no cookies of bare numbers, so the host needs a name here.
    async with serving(script) as base, http(base.replace("127.0.0.1", "localhost")) as (client, _):
        await client.send("GET", "x")
        await client.send("GET", "x")
    assert "Cookie" not in script.asked[1][2]


async def test_a_certificate_that_nobody_vouches_for(self_signed: Any) -> None:
    async with self_signed() as base, http(base, BasicAuth("acme", "u", "p")) as (client, clock):
        with pytest.raises(Unavailable, match="certificate is not trusted"):
            await client.send("GET", "x")
    assert clock.slept == []


@pytest.fixture
def self_signed(tmp_path: Any) -> Any:
    """A TLS server with a certificate of its own making."""
    import datetime as dt
    import ssl
    from ipaddress import ip_address

    from cryptography import x509
    from cryptography.hazmat.primitives import hashes, serialization
    from cryptography.hazmat.primitives.asymmetric import ec

    key = ec.generate_private_key(ec.SECP256R1())
    name = x509.Name([x509.NameAttribute(x509.NameOID.COMMON_NAME, "127.0.0.1")])
    now = dt.datetime.now(dt.UTC)
    certificate = (
        x509.CertificateBuilder()
        .subject_name(name)
        .issuer_name(name)
        .public_key(key.public_key())
        .serial_number(1)
        .not_valid_before(now - dt.timedelta(days=1))
        .not_valid_after(now + dt.timedelta(days=1))
        .add_extension(
            x509.SubjectAlternativeName([x509.IPAddress(ip_address("127.0.0.1"))]), critical=False
        )
        .sign(key, hashes.SHA256())
    )
    pem = tmp_path / "server.pem"
    pem.write_bytes(
        key.private_bytes(
            serialization.Encoding.PEM,
            serialization.PrivateFormat.PKCS8,
            serialization.NoEncryption(),
        )
        + certificate.public_bytes(serialization.Encoding.PEM)
    )
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(pem)

    @asynccontextmanager
    async def start() -> AsyncIterator[str]:
        async def never(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
            pytest.fail("a request came through")

        server = await asyncio.start_server(never, "127.0.0.1", 0, ssl=context)
        try:
            yield f"https://127.0.0.1:{server.sockets[0].getsockname()[1]}/"
        finally:
            server.close()

    return start
