"""Webhooks: believed only when signed, gathered however many come, answered before any reading."""

from __future__ import annotations

import asyncio
import http.client
import os
import sqlite3
from datetime import UTC, datetime, timedelta
from pathlib import Path
from urllib.parse import urlsplit

import aiohttp
from tests.interfaces.program import Program, Shop, connected, until
from tests.service.service import Service, service

from twofold.kit.hooks import SIGNATURE, signed

SECRET = "only the shop and we know"
STORM = int(os.environ.get("TWOFOLD_STORM", "2000"))


def _shop(folder: Path) -> tuple[Program, Shop]:
    """A shop that is polled once a day, and signs its calls."""
    program, shop = connected(folder, people=3)
    program("connection", "reconnect", "shop", "--set", f"hook_secret={SECRET}")
    program("connection", "poll", "shop", "--every", "86400")
    return program, shop


def _call(up: Service, label: str, headers: dict[str, str], body: bytes = b"{}") -> int:
    connection = http.client.HTTPConnection(urlsplit(up.url).netloc, timeout=60)
    try:
        connection.request("POST", f"/hooks/{label}", body, headers)
        return connection.getresponse().status
    finally:
        connection.close()


def _header(body: bytes = b"{}", secret: str = SECRET, age: float = 0) -> dict[str, str]:
    return {SIGNATURE: signed(secret, body, datetime.now(UTC) - timedelta(seconds=age))}


def _no_poll_is_near(program: Program) -> None:
    """As it is once nobody is at work any more."""
    state = sqlite3.connect(program.folder / "state.db", timeout=60)
    with state:
        state.execute("UPDATE schedule SET poll = poll + 80000, interval = 80000")
    state.close()


def _quiet(up: Service) -> None:
    """The first run is over, and the busy time after it."""
    until(lambda: up.settled("shop-contacts"))


def test_a_signed_call_brings_the_change_at_once(tmp_path: Path) -> None:
    program, shop = _shop(tmp_path)
    with service(program.folder) as up:
        _quiet(up)
        _no_poll_is_near(program)
        shop.run("UPDATE people SET phone = '+31201234567' WHERE email = 'p0@shop.example'")
        assert _call(up, "shop", _header()) == 202
        until(lambda: any(r.get("phone") == "+31201234567" for r in program.hub()))


def test_what_is_not_signed_is_not_believed(tmp_path: Path) -> None:
    program, _ = _shop(tmp_path)
    with service(program.folder) as up:
        _quiet(up)
        runs = len(up.events("run ended"))
        for headers in (
            {},
            {SIGNATURE: "t=1,v1=00"},
            _header(secret="another"),
            _header(body=b"another body"),
            _header(age=400),
            _header(age=-400),
        ):
            assert _call(up, "shop", headers) == 401, headers
        assert _call(up, "hub", _header()) == 404
        assert _call(up, "nobody", _header()) == 404
        assert _call(up, "shop", {}, b"x" * (1 << 20) + b"x") == 413
        assert (program.state("SELECT max(nudge) FROM schedule"), len(up.events("run ended"))) == (
            [(0,)],
            runs,
        )


def test_a_storm_of_calls_becomes_a_few_readings(tmp_path: Path) -> None:
    program, shop = _shop(tmp_path)
    with service(program.folder) as up:
        _quiet(up)
        runs = len(up.events("run ended"))
        began = datetime.now(UTC)
        shop.run("UPDATE people SET phone = '+31201234568' WHERE email = 'p1@shop.example'")
        assert asyncio.run(_storm(f"{up.url}/hooks/shop")) == {202: STORM}
        until(lambda: any(r.get("phone") == "+31201234568" for r in program.hub()))
        until(lambda: program.state("SELECT max(nudge) FROM schedule") == [(0,)])
        took = (datetime.now(UTC) - began).total_seconds()
        # One reading a second at most, and the polls of a busy time between them.
        assert len(up.events("run ended")) - runs <= 2 * took + 5
        print(f"{STORM} calls in {took:.1f} s: {len(up.events('run ended')) - runs} runs")
        assert not up.events("process ended")
        assert not up.events("run failed")


async def _storm(url: str) -> dict[int, int]:
    """Send the calls, many at a time; returns how often each status came."""
    counts: dict[int, int] = {}
    rest = iter(range(STORM))
    async with aiohttp.ClientSession() as session:

        async def caller() -> None:
            for _ in rest:
                async with session.post(url, data=b"{}", headers=_header()) as answer:
                    counts[answer.status] = counts.get(answer.status, 0) + 1

        await asyncio.gather(*(caller() for _ in range(50)))
    return counts
