"""The guard in tests/conftest.py that keeps every test on this machine."""

from __future__ import annotations

import socket

import pytest


def test_a_connection_to_another_machine_is_refused() -> None:
    with socket.socket() as sock, pytest.raises(AssertionError, match="this machine only"):
        sock.connect(("192.0.2.1", 80))


def test_a_connection_to_this_machine_is_let_through() -> None:
    with (
        socket.create_server(("127.0.0.1", 0)) as server,
        socket.create_connection(server.getsockname()) as client,
    ):
        assert client.getpeername() == server.getsockname()
