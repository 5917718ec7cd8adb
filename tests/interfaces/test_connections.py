"""Connections: verified before they are saved, secrets sealed and never shown."""

from __future__ import annotations

import sqlite3
from collections.abc import Iterator
from pathlib import Path

import pytest
from tests.interfaces.program import Program, Shop, connected
from tests.servers.radicale import Radicale

SECRET = "correct horse"
CARD = """BEGIN:VCARD
VERSION:3.0
UID:ada
FN:Ada Lovelace
N:Lovelace;Ada;;;
EMAIL;TYPE=home:ada@example.org
END:VCARD
"""


@pytest.fixture(scope="module")
def server() -> Iterator[Radicale]:
    with Radicale(password=SECRET) as running:
        running.put("ada.vcf", CARD.replace("\n", "\r\n").encode())
        yield running


def _told(server: Radicale) -> list[str]:
    given = {k: v for k, v in server.settings.items() if k != "password"}
    return [word for name, value in given.items() for word in ("--set", f"{name}={value}")]


def _kept(folder: Path) -> bytes:
    """Every byte that an installation has written, but for the key."""
    return b"".join(path.read_bytes() for path in sorted(folder.iterdir()) if path.name != "key")


def test_a_refused_password_saves_nothing(tmp_path: Path, server: Radicale) -> None:
    program = Program(tmp_path)
    answer = program("connect", "carddav", *_told(server), "--set", "password=wrong", code=1)
    assert answer.error == "TF-A01"
    assert [c["label"] for c in program.json("connection", "list")["connections"]] == ["hub"]
    assert b"wrong" not in _kept(program.folder)


def test_a_secret_is_sealed_and_never_shown(tmp_path: Path, server: Radicale) -> None:
    program = Program(tmp_path)
    said = [
        program("connect", "carddav", *_told(server), "--set", "password=-", stdin=f"{SECRET}\n")
    ]
    said += [
        program(*words, *flags, code=code)
        for flags in ((), ("--json",))
        for words, code in (
            (("connection", "list"), 0),
            (("connection", "show", "carddav"), 0),
            (("connection", "test", "carddav"), 0),
            (("sync", "list"), 0),
            (("connect", "carddav", *_told(server), "--set", f"password={SECRET}"), 1),
        )
    ]
    assert said[-1].error == "TF-A04"
    assert all(SECRET not in answer.out + answer.err for answer in said)
    assert SECRET.encode() not in _kept(program.folder)
    (sealed,) = program.state("SELECT secrets FROM connections WHERE app = 'carddav'")[0]
    assert len(sealed) > len(SECRET)


def test_a_secret_can_come_from_the_environment(tmp_path: Path, server: Radicale) -> None:
    program = Program(tmp_path)
    secret = {"TWOFOLD_SECRET_PASSWORD": SECRET}
    program("connect", "carddav", "--label", "book", *_told(server), env=secret)
    program("connection", "test", "book")
    answer = program("connection", "reconnect", "book", "--set", "password=wrong", code=1)
    assert answer.error == "TF-A01"
    program("connection", "test", "book")  # a refusal keeps what worked


def test_an_address_with_a_password_is_sealed_whole(tmp_path: Path) -> None:
    (tmp_path / "x:").mkdir()
    program = Program(tmp_path / "data")
    address = f"{tmp_path}/x:/" + "/me:hidden" + "@hub.db"
    program("connect", "hub", "--label", "other", "--set", f"path={address}")
    shown = program("connection", "show", "other", "--json")
    assert shown.json["connection"]["hidden"] == ["path"]
    assert "hidden@" not in shown.out
    assert b"hidden@" not in _kept(program.folder)
    program("connection", "test", "other")


def test_an_address_book_syncs_both_ways(tmp_path: Path, server: Radicale) -> None:
    program = Program(tmp_path)
    program("connect", "carddav", *_told(server), "--set", f"password={SECRET}", "--label", "book")
    program("sync", "add", "book", "contact")
    program("hub", "records", "create", "contact", "--set", "email=grace@example.org")
    program("sync", "run")
    assert {r["email"] for r in program.hub()} == {"ada@example.org", "grace@example.org"}
    report = program.json("sync", "run")["runs"][0]
    assert (report["did"], report["health"]["in_sync"]) == ({}, 2)


def test_the_use_of_a_connection_is_told(tmp_path: Path, server: Radicale) -> None:
    program = Program(tmp_path)
    program("connect", "carddav", *_told(server), "--set", f"password={SECRET}", "--label", "book")
    program("sync", "add", "book", "contact")
    server.forget()
    program("sync", "run")
    calls = len(server.calls())
    assert calls > 0
    before = program.json("connection", "list")["connections"][1]["requests"]
    server.forget()
    program("sync", "run")
    after = program.json("connection", "list")["connections"][1]["requests"]
    assert after - before == len(server.calls()), "each request is counted, once"
    made = program.json("connection", "reserve", "book", "--share", "35")["connection"]
    assert (made["reserve"], made["per_day"]) == (0.35, None)


def test_another_account_is_another_connection(tmp_path: Path) -> None:
    program, shop = connected(tmp_path)
    other = Shop(tmp_path / "other.db")
    answer = program("connection", "reconnect", "shop", "--set", f"url={other.url}", code=1)
    assert answer.error == "TF-U15"
    assert program("connect", "sql", "--set", f"url={shop.url}", code=1).error == "TF-A04"
    program("connect", "sql", "--set", f"url={other.url}")
    labels = [c["label"] for c in program.json("connection", "list")["connections"]]
    assert labels == ["hub", "shop", "sql"]
    third = Shop(tmp_path / "third.db")
    taken = program("connect", "sql", "--label", "shop", "--set", f"url={third.url}", code=1)
    assert taken.error == "TF-A05"


def test_what_is_missing_is_asked_nowhere_without_a_terminal(tmp_path: Path) -> None:
    answer = Program(tmp_path)("connect", "carddav", "--set", "url=localhost", code=1)
    assert answer.error == "TF-U02"
    assert "user, password" in answer.err


def test_a_server_that_is_not_there_can_be_tried_later(tmp_path: Path, server: Radicale) -> None:
    program = Program(tmp_path)
    closed = ["--set", "url=http://127.0.0.1:9", "--set", "user=a", "--set", "password=b"]
    assert program("connect", "carddav", *closed, code=3).error == "TF-C01"
    assert len(program.json("connection", "list")["connections"]) == 1


def test_removing_says_what_goes_with_it(tmp_path: Path) -> None:
    program, shop = connected(tmp_path)
    program("sync", "run")
    asked = program("connection", "remove", "shop", "--with-syncs", code=1)
    assert asked.error == "TF-U20"
    assert "forget shop, 3 remembered record(s) and the sync(s) shop-contacts" in asked.err
    gone = program.json("connection", "remove", "shop", "--with-syncs", "--yes")["removed"]
    assert gone == {"label": "shop", "syncs": ["shop-contacts"], "records": 3}
    assert program.json("sync", "list")["syncs"] == []
    assert shop.run("SELECT count(*) FROM people") == [(3,)]
    assert len(program.hub()) == 3

    program("connect", "sql", "--label", "shop", "--set", f"url={shop.url}")
    program("sync", "add", "shop", "contact", "people", "--map-by-name")
    assert program.json("sync", "run")["runs"][0]["health"]["in_sync"] == 3
    assert len(program.hub()) == 3


def test_a_connector_that_is_gone_does_not_hide_the_others(tmp_path: Path) -> None:
    program, _ = connected(tmp_path)
    connection = sqlite3.connect(program.folder / "state.db")
    connection.execute("UPDATE connections SET app = 'gone' WHERE label = 'shop'")
    connection.commit()
    connection.close()
    labels = [c["label"] for c in program.json("connection", "list")["connections"]]
    assert labels == ["hub", "shop"]
    report = program("sync", "run", "--json", code=1).json["runs"][0]
    assert report["code"] == "TF-A10"


def test_credentials_open_only_for_the_settings_they_were_given_for(tmp_path: Path) -> None:
    """Who can write to the state cannot have a password sent to another address."""
    program, _ = connected(tmp_path)
    connection = sqlite3.connect(program.folder / "state.db")
    connection.execute(
        "UPDATE connections SET settings = '{\"schema\": \"x\"}' WHERE label = 'shop'"
    )
    connection.commit()
    connection.close()
    assert program("connection", "test", "shop", code=1).error == "TF-S22"


def test_a_path_is_kept_whole(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    program, shop = Program(tmp_path / "data"), Shop(tmp_path / "shop.db")
    monkeypatch.chdir(tmp_path)
    program("connect", "sql", "--set", "url=sqlite:///shop.db")
    program("connect", "hub", "--label", "other", "--set", "path=other.db")
    monkeypatch.chdir("/")
    for label in ("sql", "other"):
        program("connection", "test", label)
    program("connection", "reconnect", "sql", "--set", f"url={shop.url}")
