"""Alerts as a person sets them, sent to a real mail server and a real webhook."""

from __future__ import annotations

import asyncio
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
from tests.interfaces.program import Program, Shop, connected
from tests.servers.mailbox import MailServer, Webhook, certificate, serving

from twofold.app import installation
from twofold.services import alerts

PASSWORD = {"TWOFOLD_SMTP_PASSWORD": "s3cret word"}
SET = ("alerts", "set")


@pytest.fixture
def trusted(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A certificate that this program trusts, as OpenSSL is told."""
    pem = certificate(tmp_path / "server.pem")
    monkeypatch.setenv("SSL_CERT_FILE", str(pem))
    return pem


@pytest.fixture
def hook() -> Iterator[Webhook]:
    made = Webhook()
    with serving(made):
        yield made


def mail_flags(server: MailServer, *more: str) -> list[str]:
    flags = ["--smtp", f"127.0.0.1:{server.port}", "--from", "twofold@firm.example"]
    return [*flags, "--to", "ada@firm.example", *more]


def look(program: Program, logged: list[dict[str, Any]] | None = None, **later: float) -> None:
    """The worker looks at what is to be told, and sends it; maybe later."""
    with installation(program.folder) as here:
        if later:
            at = datetime.now(UTC) + timedelta(**later)
            here.world.now = lambda: at  # type: ignore[method-assign]
        alerts.watch(here)

        def log(event: str, **facts: Any) -> None:
            if logged is not None:
                logged.append({"event": event, **facts})

        asyncio.run(alerts.deliver(here, log))


def brake(program: Program, shop: Shop) -> None:
    """The app loses a mapped field: the sync waits for a person."""
    shop.run("ALTER TABLE people RENAME COLUMN last_name TO surname")
    program("sync", "run", "--full", code=1)


@pytest.mark.parametrize("security", ["starttls", "tls"])
def test_mail_is_sent_encrypted_and_signed_in(tmp_path: Path, trusted: Path, security: str) -> None:
    program = Program(tmp_path / "data")
    server = MailServer(trusted, at_once=security == "tls", user="ada:s3cret word")
    with serving(server):
        flags = mail_flags(server, "--security", security, "--user", "ada")
        shown = program(*SET, *flags, env=PASSWORD).out
        assert "s3cret" not in shown
        assert program.json("alerts", "test") == {"sent": ["mail"]}
        (mail,) = server.taken
        assert server.encrypted == [True]
        assert (mail["To"], mail["From"]) == ("ada@firm.example", "twofold@firm.example")
        assert mail["Subject"] == "[Twofold] a test"
        assert "alerts arrive here" in mail.get_content()
        program(*SET, "--failing-share", "9")
        program("alerts", "test")
        assert len(server.taken) == 2, "the password is still there"
    state = (program.folder / "state.db").read_bytes()
    wal = program.folder / "state.db-wal"
    assert b"s3cret" not in state + (wal.read_bytes() if wal.exists() else b"")


def test_a_server_that_is_not_trusted_gets_nothing(tmp_path: Path) -> None:
    program = Program(tmp_path / "data")
    server = MailServer(certificate(tmp_path / "stranger.pem"), user="ada:s3cret word")
    with serving(server):
        program(*SET, *mail_flags(server, "--user", "ada"), env=PASSWORD)
        refused = program("alerts", "test", code=None)
        assert refused.error == "TF-N03"
        assert "certificate is not trusted" in refused.err
    assert server.taken == []


def test_a_password_goes_to_no_other_server(tmp_path: Path, trusted: Path) -> None:
    program = Program(tmp_path / "data")
    server = MailServer(trusted, user="ada:s3cret word")
    with serving(server):
        program(*SET, *mail_flags(server, "--user", "ada"), env=PASSWORD)
        refused = program(*SET, "--smtp", "127.0.0.1:1", code=1)
        assert refused.error == "TF-N01"
        assert "come together" in refused.err


def test_an_address_of_the_own_network_is_not_reached_unless_allowed(
    tmp_path: Path, hook: Webhook, monkeypatch: pytest.MonkeyPatch
) -> None:
    program = Program(tmp_path / "data")
    program(*SET, "--webhook", hook.url)
    monkeypatch.delenv("TWOFOLD_ALLOW_ADDRESSES")
    assert program("alerts", "test", code=None).error == "TF-N03"
    assert hook.taken == []


def test_people_are_told_of_a_brake_and_when_it_is_over(tmp_path: Path, hook: Webhook) -> None:
    program, shop = connected(tmp_path)
    program("sync", "run")
    program(*SET, "--webhook", hook.url)
    look(program)
    assert hook.texts == []
    brake(program, shop)
    for _ in range(3):
        look(program)
    (text,) = hook.texts
    assert text.startswith("*shop-contacts: action required*\nIt waits for a person: ")
    assert "last_name" in text
    shop.run("ALTER TABLE people RENAME COLUMN surname TO last_name")
    program("sync", "run", "--full")
    look(program)
    assert hook.texts[1].startswith("*shop-contacts: action required: over*")
    assert len(hook.texts) == 2


def test_what_is_not_taken_is_sent_later_and_once(tmp_path: Path, hook: Webhook) -> None:
    program, shop = connected(tmp_path)
    program("sync", "run")
    program(*SET, "--webhook", hook.url)
    brake(program, shop)
    hook.status = 404
    logged: list[dict[str, Any]] = []
    look(program, logged)
    assert [one["code"] for one in logged] == ["TF-N03"]
    assert "secret" not in str(logged)
    found = program.json("alerts", "show")["alerts"]
    assert found["undelivered"] == 1
    assert "404" in found["trouble"]
    hook.status = 200
    look(program)
    assert hook.texts == [], "its time has not come"
    look(program, minutes=5)
    look(program, minutes=10)
    assert len(hook.texts) == 1
    assert program.json("alerts", "show")["alerts"]["undelivered"] == 0


def test_a_digest_comes_once_a_day(tmp_path: Path, hook: Webhook) -> None:
    program, _ = connected(tmp_path)
    program("sync", "run")
    at = (datetime.now(UTC) + timedelta(hours=2)).strftime("%H:%M")
    program(*SET, "--webhook", hook.url, "--digest", at, "--silent-hours", "0")
    for hours in (0, 2.5, 3, 20, 26.5, 27):
        look(program, hours=hours)
    assert len(hook.texts) == 2
    assert "shop-contacts (on): 3 in sync, 0 failing" in hook.texts[0]


@pytest.mark.parametrize(
    "flags",
    [
        ["--smtp", "nowhere", "--from", "a@b.example", "--to", "a@b.example"],
        ["--smtp", "h:25", "--from", "a@b.example"],
        ["--smtp", "h:25", "--from", "a@b.example\nBcc: x@y.example", "--to", "a@b.example"],
        ["--smtp", "h:25", "--from", "a", "--to", "a@b.example"],
        ["--smtp", "h:25", "--from", "a@b.example", "--to", "a@b.example", "--user", "ada"],
        ["--webhook", "ftp://x.example/"],
        ["--webhook", "https://a:b@x.example/"],
        ["--digest", "25:00"],
        ["--failing-share", "-1"],
        ["--failing-share", "nan"],
    ],
)
def test_what_cannot_be_is_refused(tmp_path: Path, flags: list[str]) -> None:
    program = Program(tmp_path / "data")
    assert program(*SET, *flags, code=1).error == "TF-N01"
    assert program("alerts", "test", code=1).error == "TF-N02"


def test_a_password_is_not_sent_in_clear(tmp_path: Path) -> None:
    program = Program(tmp_path / "data")
    server = MailServer(None)
    with serving(server):
        flags = mail_flags(server, "--security", "none")
        assert program(*SET, *flags, "--user", "ada", code=1, env=PASSWORD).error == "TF-N01"
        program(*SET, *flags)
        program("alerts", "test")
        assert server.encrypted == [False]
