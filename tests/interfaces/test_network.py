"""What a person meets whose app is within the own network, and how it is allowed."""

from __future__ import annotations

import sqlite3
from collections.abc import Iterator
from pathlib import Path

import pytest
from tests.interfaces.program import Program
from tests.servers.mariadb import MariaDb
from tests.servers.postgres import Postgres
from tests.servers.radicale import Radicale

CLOSED = {"TWOFOLD_ALLOW_ADDRESSES": ""}


@pytest.fixture(scope="module")
def book() -> Iterator[list[str]]:
    with Radicale(password="correct horse") as server:
        given = server.settings.items()
        yield ["carddav", *(word for item in given for word in ("--set", "=".join(item)))]


@pytest.fixture(scope="module")
def shop() -> Iterator[list[str]]:
    with Postgres() as server:
        server.make_database("shop")
        yield ["sql", "--set", f"url={server.url('shop')}"]


@pytest.fixture(scope="module")
def market() -> Iterator[list[str]]:
    with MariaDb() as server:
        server.make_database("shop")
        yield ["sql", "--set", f"url={server.url('shop')}"]


@pytest.mark.parametrize("app", ["book", "shop", "market"])
def test_an_app_within_the_own_network_must_be_allowed(
    app: str, tmp_path: Path, request: pytest.FixtureRequest
) -> None:
    program, words = Program(tmp_path), request.getfixturevalue(app)
    answer = program("connect", *words, "--label", "it", code=1, env=CLOSED)
    assert answer.error == "TF-A40"
    assert "127.0.0.1" in answer.err
    assert "twofold network allow" in answer.err
    assert [c["label"] for c in program.json("connection", "list")["connections"]] == ["hub"]

    program("network", "allow", "127.0.0.1", env=CLOSED)
    program("connect", *words, "--label", "it", env=CLOSED)
    assert program.json("network", "list")["allowed"] == ["127.0.0.1/32"]

    program("network", "forbid", "127.0.0.1/32", env=CLOSED)
    assert program("connection", "test", "it", code=1, env=CLOSED).error == "TF-A40"


def test_a_socket_file_counts_as_this_machine(tmp_path: Path) -> None:
    url = f"postgresql://ada:x@example.org/shop?unix_sock={tmp_path}/none"
    answer = Program(tmp_path)("connect", "sql", "--set", f"url={url}", code=1, env=CLOSED)
    assert answer.error == "TF-A40"


def test_what_is_no_address_is_refused(tmp_path: Path) -> None:
    program = Program(tmp_path)
    assert program("network", "allow", "localhost", code=1).error == "TF-A41"
    assert program("network", "forbid", "10.0.0.0/8", code=1).error == "TF-A42"
    wrong = {"TWOFOLD_ALLOW_ADDRESSES": "10.0.0.0/99"}
    sqlite3.connect(tmp_path / "shop.db").close()
    words = ("connect", "sql", "--set", f"url=sqlite:///{tmp_path}/shop.db")
    assert program(*words, code=1, env=wrong).error == "TF-A41"
    changes = program.state("SELECT what FROM audit")
    assert changes == []
