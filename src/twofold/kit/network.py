"""Which addresses may be reached: those of the internet, and what an administrator allowed.

A person who may connect apps must not thereby reach what only this machine can reach: its own
services, its network, the address at which a cloud keeps credentials. So the address itself is
looked at, at the moment of connecting: a name that leads somewhere else by then is no way around,
nor is a redirect.
"""

from __future__ import annotations

import socket
from collections.abc import Iterable
from ipaddress import IPv4Address, IPv4Network, IPv6Address, IPv6Network, ip_address, ip_network
from typing import Any

from msgspec import Struct

from twofold.kit.contract import Http, Response
from twofold.kit.errors import Forbidden

Address = IPv4Address | IPv6Address
Block = IPv4Network | IPv6Network

_NAT64 = IPv6Network("64:ff9b::/96")
"""An IPv4 address in the last four bytes (RFC 6052, section 2.1)."""


class Barred(OSError):
    """No connection is made: the address may not be reached."""

    def __init__(self, address: str) -> None:
        self.address = address
        super().__init__(f"{address} may not be reached")


class Network(Struct, frozen=True):
    """What may be reached: every address of the internet, and these."""

    allowed: tuple[Block, ...] = ()

    def permits(self, address: str) -> bool:
        """Whether an IP address may be connected to."""
        found = _plain(ip_address(address.partition("%")[0]))
        if any(found.version == block.version and found in block for block in self.allowed):
            return True
        return found.is_global and not found.is_multicast

    def check(self, address: str) -> None:
        """Raise Barred where an IP address may not be connected to."""
        if not self.permits(address):
            raise Barred(address)

    def socket_for(self, info: tuple[Any, ...]) -> socket.socket:
        """A socket for one address, as ``getaddrinfo`` names it, not connected yet.

        Raises:
            Barred: it may not be reached.
        """
        family, kind, protocol, _, address = info
        self.check(address[0])
        return socket.socket(family, kind, protocol)

    def connect(self, host: str, port: int, patience: float) -> socket.socket:
        """A connected socket; blocks for at most that many seconds per address of the host.

        Raises:
            Barred: the host leads to an address that may not be reached.
            OSError: no address of it answers.
        """
        error: OSError = OSError("the name has no address")
        for info in socket.getaddrinfo(host, port, type=socket.SOCK_STREAM):
            made = self.socket_for(info)
            try:
                made.settimeout(patience)
                made.connect(info[4])
                made.setsockopt(socket.SOL_SOCKET, socket.SO_KEEPALIVE, 1)
            except OSError as found:
                made.close()
                error = found
            else:
                return made
        raise error


ANYWHERE = Network((ip_network("0.0.0.0/0"), ip_network("::/0")))
"""For tests, and for programs that choose their addresses themselves."""


class Sockets(Http):
    """What a connector gets in place of `Http` when it speaks a protocol of its own.

    It connects through ``network`` and in no other way.
    """

    def __init__(self, network: Network) -> None:
        self.network = network

    async def send(self, method: str, url: str, **_: object) -> Response:
        """There is no address to ask: a request would be a fault of the connector's."""
        raise RuntimeError("this connector declares no address for HTTP")


def block(text: str) -> Block:
    """An address or a block of them, as ``192.168.1.20`` or ``192.168.1.0/24``.

    Raises:
        ValueError: it is neither.
    """
    return ip_network(text.strip(), strict=False)


def network(texts: Iterable[str]) -> Network:
    """What may be reached where these are allowed; ValueError as for `block`."""
    return Network(tuple(map(block, texts)))


def forbidden(app: str, host: str, barred: Barred) -> Forbidden:
    """The error of ours, for a person."""
    return Forbidden(app, host, barred.address)


def _plain(address: Address) -> Address:
    """The IPv4 address that an IPv6 address stands for, if it does."""
    if isinstance(address, IPv4Address):
        return address
    if address in _NAT64:
        return IPv4Address(int(address) & 0xFFFFFFFF)
    return address.ipv4_mapped or address.sixtofour or address
