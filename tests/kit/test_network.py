"""Which addresses may be reached, looked at on the very address that is connected to."""

from __future__ import annotations

import asyncio
import socket
from typing import Any

import pytest
from aiohttp import web
from tests.kit.still_clock import StillClock
from tests.kit.test_http import serving

from twofold.kit.budgets import Budgets
from twofold.kit.errors import Forbidden
from twofold.kit.http import AioHttp
from twofold.kit.network import ANYWHERE, Barred, Network, network

CLOSED = Network()
OWN = [
    "127.0.0.1",
    "127.8.9.10",
    "::1",
    "0.0.0.0",
    "::",
    "10.1.2.3",
    "172.16.0.1",
    "192.168.1.20",
    "100.64.0.1",
    "169.254.169.254",
    "100.100.100.200",
    "fe80::1",
    "fe80::1%eth0",
    "fd00:ec2::254",
    "224.0.0.1",
    "ff0e::1",
    "::ffff:127.0.0.1",
    "::ffff:a9fe:a9fe",
    "64:ff9b::7f00:1",
    "2002:7f00:1::",
    "240.0.0.1",
]


@pytest.mark.parametrize("address", OWN)
def test_the_own_network_is_barred_unless_allowed(address: str) -> None:
    assert not CLOSED.permits(address)
    assert ANYWHERE.permits(address)


@pytest.mark.parametrize("address", ["93.184.215.14", "2606:2800:21f:cb07:6820:80da:af6b:8b2c"])
def test_the_internet_is_open(address: str) -> None:
    assert CLOSED.permits(address)


def test_only_what_is_allowed_opens() -> None:
    found = network(["192.168.1.0/24", "::1"])
    assert found.permits("192.168.1.20")
    assert found.permits("::ffff:192.168.1.20")
    assert found.permits("::1")
    assert not found.permits("192.168.2.20")
    assert not found.permits("127.0.0.1")


def _client(base: str, allowed: Network) -> AioHttp:
    clock = StillClock()
    return AioHttp("acme", base, clock, Budgets("acme", (), clock), network=allowed)


class Counted:
    """A server that answers, and knows how often it was reached."""

    def __init__(self) -> None:
        self.asked = 0

    async def __call__(self, _: web.BaseRequest) -> web.Response:
        self.asked += 1
        return web.Response(text="here", headers={"Connection": "close"})


@pytest.mark.parametrize("host", ["127.0.0.1", "localhost", "[::ffff:127.0.0.1]"])
async def test_no_spelling_of_the_own_machine_is_reached(host: str) -> None:
    counted = Counted()
    async with serving(counted) as base:
        client = _client(base.replace("127.0.0.1", host), CLOSED)
        with pytest.raises(Forbidden) as found:
            await client.send("GET", "/")
        await client.close()
    assert found.value.code == "TF-A40"
    assert not found.value.entry.retryable
    assert counted.asked == 0


async def test_a_name_that_leads_elsewhere_by_then_is_no_way_around(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """What answers names stands in for a hostile name server: the second answer differs."""
    answers = ["127.0.0.1", "127.0.0.2"]
    real = socket.getaddrinfo

    def lookup(host: Any, *rest: Any, **options: Any) -> Any:
        named = host == "rebinds.invalid"
        options.pop("family", None) if named else None
        return real(answers.pop(0) if named else host, *rest, **options)

    counted = Counted()
    async with serving(counted) as base:
        monkeypatch.setattr(socket, "getaddrinfo", lookup)
        client = _client(base.replace("127.0.0.1", "rebinds.invalid"), network(["127.0.0.1"]))
        assert (await client.send("GET", "/")).content == b"here"
        client._session._connector.clear_dns_cache()  # type: ignore[union-attr]
        with pytest.raises(Forbidden):
            await client.send("GET", "/")
        await client.close()
    assert counted.asked == 1


async def test_a_socket_of_another_protocol_goes_the_same_way() -> None:
    async with serving(Counted()) as base:
        port = int(base.rstrip("/").rpartition(":")[2])
        with pytest.raises(Barred, match=r"127\.0\.0\.1"):
            await asyncio.to_thread(CLOSED.connect, "127.0.0.1", port, 5)
        made = await asyncio.to_thread(network(["127.0.0.1"]).connect, "127.0.0.1", port, 5)
        made.close()
