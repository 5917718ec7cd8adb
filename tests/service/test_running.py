"""It runs by itself: real processes, real files, no command in between."""

from __future__ import annotations

import os
import signal
from pathlib import Path

from tests.interfaces.program import PATIENCE, Program, Shop, connected, until
from tests.service.service import service, service_when_free

_MANY = 16_000
"""People in a shop whose first sync is still under way when it is interrupted."""


def _emails(shop: Shop) -> list[str]:
    return [email for (email,) in shop.run("SELECT email FROM people ORDER BY id")]


def _hub_emails(program: Program) -> list[str]:
    return [record.get("email", "") for record in program.hub()]


def _endings(program: Program) -> list[str]:
    """How each run ended, the latest first."""
    return [run["ending"] for run in program.json("run", "list")["runs"]]


def test_changes_of_both_sides_arrive_without_a_command(tmp_path: Path) -> None:
    program, shop = connected(tmp_path, people=3, firms=2)
    program("connection", "poll", "shop", "--every", "5")
    with service(program.folder) as up:
        until(lambda: len(program.hub()) == 5)
        program("hub", "records", "create", "contact", "--set", "email=zoe@hub.example")
        until(lambda: "zoe@hub.example" in _emails(shop))
        shop.run("UPDATE people SET phone = '+31201234567' WHERE email = 'p0@shop.example'")
        until(lambda: any(r.get("phone") == "+31201234567" for r in program.hub()))
        assert up.stop() == 0
        assert not up.events("process killed")
        assert not up.events("run failed")


def test_a_killed_worker_is_replaced_and_goes_on(tmp_path: Path) -> None:
    program, shop = connected(tmp_path, people=_MANY)
    with service(program.folder) as up:
        until(lambda: len(program.hub()) > 100)
        os.kill(up.pid("worker"), signal.SIGKILL)
        until(lambda: len(program.hub()) >= _MANY and up.settled("shop-contacts"))
        assert len(up.events("process started", name="worker")) == 2
        assert sorted(_hub_emails(program)) == sorted(_emails(shop))
        assert len(set(_emails(shop))) == _MANY
        until(lambda: _endings(program)[0] == "done")
        assert "killed" in _endings(program)


def test_everything_killed_and_started_again(tmp_path: Path) -> None:
    program, shop = connected(tmp_path, people=_MANY)
    with service(program.folder) as up:
        until(lambda: len(program.hub()) > 100)
        up.kill()
    with service(program.folder) as up:
        until(lambda: len(program.hub()) >= _MANY and up.settled("shop-contacts"))
        assert sorted(_hub_emails(program)) == sorted(_emails(shop))


def test_children_leave_with_a_killed_parent_and_free_the_folder(tmp_path: Path) -> None:
    program, _ = connected(tmp_path)
    with service(program.folder) as up:
        up.process.kill()
        up.process.wait(PATIENCE)
        with service_when_free(program.folder) as second:
            assert second.url


def test_a_second_server_on_the_same_file_is_refused(tmp_path: Path) -> None:
    program, _ = connected(tmp_path)
    with service(program.folder):
        refused = program.process("up", "--port", "0")
        assert refused.error == "TF-U11"
        assert program("sync", "run", code=3).error == "TF-U11"


def test_a_taken_port_is_refused(tmp_path: Path) -> None:
    program, _ = connected(tmp_path)
    with service(program.folder) as up:
        port = up.url.rpartition(":")[2]
        other = tmp_path / "other"
        refused = program.process("up", "--port", port, "--data", str(other))
        assert refused.error == "TF-U40"


def test_a_stop_in_the_middle_goes_on_where_it_was(tmp_path: Path) -> None:
    program, shop = connected(tmp_path, people=4_000)
    with service(program.folder) as up:
        until(lambda: len(program.hub()) > 100)
        assert up.stop() == 0
        assert not up.events("process killed")
    made = len(program.hub())
    with service(program.folder) as up:
        until(lambda: len(program.hub()) >= 4_000 and up.settled("shop-contacts"))
    did = program.json("run", "list")["runs"][-1]["did"]
    assert did["hub created"] <= made, "the first run was counted to its pause"
    assert sorted(_hub_emails(program)) == sorted(_emails(shop))


def test_an_app_that_is_out_of_reach_is_waited_for(tmp_path: Path) -> None:
    program, shop = connected(tmp_path)
    with service(program.folder) as up:
        until(lambda: up.settled("shop-contacts"))
        away = shop.path.with_suffix(".away")
        shop.path.rename(away)
        shop.path.mkdir()
        program("hub", "records", "create", "contact", "--set", "email=zoe@hub.example")
        until(lambda: up.events("run ended", sync="shop-contacts", ending="waiting"))
        shop.path.rmdir()
        away.rename(shop.path)
        until(lambda: "zoe@hub.example" in _emails(shop))


def test_turned_off_and_on_again_it_catches_up(tmp_path: Path) -> None:
    program, shop = connected(tmp_path)
    with service(program.folder) as up:
        until(lambda: up.settled("shop-contacts"))
        program("sync", "off", "shop-contacts")
        program("hub", "records", "create", "contact", "--set", "email=zoe@hub.example")
        runs = len(up.events("run ended"))
        program("sync", "on", "shop-contacts")
        until(lambda: any("app created" in e["did"] for e in up.events("run ended")[runs:]))
        assert "zoe@hub.example" in _emails(shop)
        done = up.events("run ended")[runs:]
        assert sum(line["did"].get("app created", 0) for line in done) == 1
        assert sum(line["did"].get("hub created", 0) for line in done) == 0
