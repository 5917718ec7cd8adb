"""Real processes whose clock is set, whose server restarts, or whose line is cut in mid-run.

Each is followed by a run to the end, and by the same checks from outside as after the kills.
"""

from __future__ import annotations

import random
from contextlib import closing
from pathlib import Path

import pytest
from tests.chaos.__main__ import app, installed, prepared
from tests.chaos.book import BookApp
from tests.chaos.checks import verdict
from tests.chaos.companies import Expected, busy_people
from tests.chaos.sides import PostgresApp
from tests.chaos.subject import Subject
from tests.chaos.test_faults import _assert_kept, _error, _when
from tests.servers.cut_proxy import CutProxy
from tests.servers.postgres import Postgres

DAY = 86_400


def _people_work(subject: Subject, known: Expected, round_: int) -> None:
    changes = busy_people(known, random.Random(round_), round_, 30)
    subject.hub.change(c for c in changes if c.side == "hub")
    subject.app.change(c for c in changes if c.side == "app")


@pytest.mark.parametrize("name", ["sqlite", "postgres"])
@pytest.mark.parametrize("jump", [-DAY, DAY])
def test_a_clock_set_in_mid_run(name: str, jump: int) -> None:
    """As an administrator or a time server sets it; back again before the next edits."""
    with prepared(name, 400) as (subject, known):
        subject.clock = subject.folder.parent / "clock"
        subject.clock.write_text("0")
        process = subject.start_run()
        _when(process, subject.app.in_flight)
        subject.clock.write_text(str(jump))
        assert subject.ended(process).code == 0
        for round_, shift in enumerate((jump, 0, -jump), 1):
            subject.clock.write_text(str(shift))
            _people_work(subject, known, round_)
            assert subject.run().code == 0
        _assert_kept(subject, known)


def test_a_server_restarted_in_mid_run(tmp_path: Path) -> None:
    with Postgres() as server, closing(PostgresApp(server)) as shop:
        subject, known = installed(shop, tmp_path / "data", 600)
        process = subject.start_run()
        _when(process, shop.in_flight)
        shop.restart()
        ended = subject.ended(process)
        if ended.code != 0:
            assert ended.code == 3
            assert _error(ended)["code"] in {"TF-C01", "TF-C03"}
        assert subject.run().code == 0
        _people_work(subject, known, 1)
        _assert_kept(subject, known)


@pytest.mark.parametrize("name", ["postgres", "carddav"])
def test_a_line_cut_in_mid_run(name: str, tmp_path: Path) -> None:
    with app(name, tmp_path) as there:
        assert isinstance(there, PostgresApp | BookApp)
        port = there.server.port if isinstance(there, PostgresApp) else there.proxy.port
        with CutProxy(port) as line:
            there.through = line.port
            subject, known = installed(there, tmp_path / "data", 80 if name == "carddav" else 600)
            for _ in range(2):
                process = subject.start_run()
                _when(process, there.in_flight)
                line.cut()
                ended = subject.ended(process)
                assert ended.code == 3, ended
                assert _error(ended)["code"] in {"TF-C01", "TF-C03"}
                line.mend()
            found = verdict(subject, known, subject.run())
            assert found.broken == []
