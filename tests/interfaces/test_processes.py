"""Real processes: killed, interrupted, in each other's way, over files that cannot be used."""

from __future__ import annotations

import os
import signal
import sqlite3
from collections.abc import Callable
from pathlib import Path

import pytest
from tests.interfaces.program import Program, connected, finished, rows, until


def _begun(program: Program) -> Callable[[], bool]:
    """Whether a run has begun and has not ended."""
    return lambda: bool(program.state("SELECT 1 FROM runs WHERE ended IS NULL"))


def _in_hub(program: Program) -> int:
    try:
        found = rows(program.folder / "hub.db", "SELECT count(*) FROM record")
    except sqlite3.OperationalError:
        return 0
    return int(found[0][0])


def _kill_once(program: Program, holds: Callable[[], object]) -> None:
    """Start a run, and kill it as soon as something holds."""
    process = program.start("sync", "run")
    until(lambda: holds() or process.poll() is not None)
    process.kill()
    process.communicate()


def test_a_killed_run_is_taken_up_by_the_next(tmp_path: Path) -> None:
    program, shop = connected(tmp_path, people=4000)
    for wanted in (1, 1500, 3000):
        _kill_once(program, lambda n=wanted: _in_hub(program) >= n)  # type: ignore[misc]
    report = program.json("sync", "run")["runs"][0]
    assert (report["ending"], report["health"]["in_sync"]) == ("done", 4000)
    emails = [record["email"] for record in program.hub()]
    assert len(emails) == len(set(emails)) == 4000
    assert shop.run("SELECT count(*) FROM people") == [(4000,)]
    endings = [run["ending"] for run in program.json("run", "list")["runs"]]
    assert "killed" in endings


def test_what_a_killed_first_run_left_is_said_in_the_status(tmp_path: Path) -> None:
    program, _ = connected(tmp_path, people=4000)
    _kill_once(program, lambda: program.state("SELECT 1 FROM syncs WHERE indexed"))
    status = program.json("status")["syncs"][0]
    assert (status["text"], status["last_ending"]) == ("In progress", "unfinished")
    assert status["due"] > 0
    (health,) = program.json("health")["syncs"]
    assert health["waiting"] >= status["due"] - health["in_sync"]


def test_while_both_sides_are_read_the_status_counts(tmp_path: Path) -> None:
    program, shop = connected(tmp_path, people=5)
    program("hub", "records", "create", "contact", "--set", "email=ada@example.org")
    lock = shop.lock()
    process = program.start("sync", "run")
    try:
        until(lambda: program.state("SELECT 1 FROM readers WHERE live > 0") or process.poll())
        assert program.json("status")["syncs"][0]["text"] == "1 contacts scanned"
    finally:
        lock.close()
        assert finished(process).code == 0


def test_ctrl_c_ends_a_run_with_a_sentence(tmp_path: Path) -> None:
    program, shop = connected(tmp_path)
    lock = shop.lock()
    process = program.start("sync", "run")
    until(_begun(program))
    process.send_signal(signal.SIGINT)
    lock.close()
    answer = finished(process)
    assert answer.code == 130
    assert answer.out == ""
    sentence, advice = answer.err.strip().splitlines()
    assert sentence == "TF-U16 Interrupted; what was done so far is kept."
    assert advice.strip() == "Give the same command again: it goes on from there."
    assert program.json("run", "list")["runs"][0]["ending"] == "interrupted"
    program("sync", "run")
    assert len(program.hub()) == 3


def test_there_is_one_writer_and_readers_go_on(tmp_path: Path) -> None:
    program, shop = connected(tmp_path)
    lock = shop.lock()
    process = program.start("sync", "run")
    try:
        until(_begun(program))
        refused = program("sync", "run", code=3)
        assert refused.error == "TF-U11"
        assert f"process {process.pid}." in refused.err
        for command in (["sync", "off", "shop-contacts"], ["connection", "rename", "shop", "x"]):
            assert program(*command, code=3).error == "TF-U11"
        for command in (["status"], ["health"], ["records", "waiting"], ["run", "list"]):
            program(*command)
        assert program.json("run", "list")["runs"][0]["ending"] == "running"
        program("hub", "records", "create", "contact", "--set", "email=ada@example.org")
    finally:
        lock.close()
        assert finished(process).code == 0
    program("sync", "run")
    assert len(program.hub()) == 4


def test_a_reader_that_stops_listening_is_no_error(tmp_path: Path) -> None:
    program, _ = connected(tmp_path, people=3000)
    program("sync", "run")
    reading, writing = os.pipe()
    os.close(reading)
    process = program.start("records", "in-sync", "--limit", "3000", stdout=writing)
    os.close(writing)
    assert finished(process).err == ""
    assert list(program.folder.glob("error-*")) == []


def _damage(path: Path) -> None:
    with path.open("r+b") as file:
        file.seek(4096)
        file.write(b"\xff" * 8192)


def _of_a_newer_version(path: Path) -> None:
    connection = sqlite3.connect(path)
    connection.execute("PRAGMA user_version = 999")
    connection.close()


def _of_another_program(path: Path) -> None:
    path.write_bytes(b"not a database at all" * 100)


@pytest.mark.parametrize("name", ["state.db", "hub.db"])
@pytest.mark.parametrize(
    ("spoil", "code"),
    [(_damage, "TF-S02"), (_of_a_newer_version, "TF-S03"), (_of_another_program, "TF-S04")],
)
def test_a_spoiled_database_is_named_and_left_alone(
    tmp_path: Path, spoil: Callable[[Path], None], code: str, name: str
) -> None:
    program, _ = connected(tmp_path, people=300)
    program("sync", "run")
    path = program.folder / name
    spoil(path)
    before = path.read_bytes()
    answer = program("sync", "run", "--json", code=1).json
    found = answer["error"]["code"] if "error" in answer else answer["runs"][0]["code"]
    assert found == code
    if code != "TF-S02":
        assert path.read_bytes() == before


def test_a_locked_database_is_named(tmp_path: Path) -> None:
    program, _ = connected(tmp_path)
    lock = sqlite3.connect(program.folder / "state.db", isolation_level=None)
    lock.execute("BEGIN IMMEDIATE")
    try:
        assert program("sync", "off", "shop-contacts", code=3).error == "TF-S01"
    finally:
        lock.close()


def test_a_data_folder_that_cannot_be_one_is_named(tmp_path: Path) -> None:
    blocked = tmp_path / "file"
    blocked.write_text("not a folder")
    for folder in (blocked, blocked / "below"):
        assert Program(folder)("status", code=1).error == "TF-U13"
        assert Program(folder)("sync", "run", code=1).error == "TF-U13"


def test_a_lost_key_is_named_and_the_way_back_works(tmp_path: Path) -> None:
    program, shop = connected(tmp_path)
    program("sync", "run")
    (program.folder / "key").write_bytes(b"x" * 32)
    report = program("sync", "run", "--json", code=1).json["runs"][0]
    assert (report["ending"], report["code"]) == ("stopped", "TF-S22")
    assert program.json("status")["syncs"][0]["text"] == "Action required"
    program("connection", "reconnect", "shop", "--set", f"url={shop.url}")
    program("sync", "run")
    (program.folder / "key").write_bytes(b"short")
    assert program("status", code=1).error == "TF-S21"


def test_what_nobody_expected_is_one_coded_error_and_a_report(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    program, _ = connected(tmp_path)

    def broken(*_: object) -> None:
        raise ZeroDivisionError("a fault of ours")

    monkeypatch.setattr("twofold.services.health.statuses", broken)
    answer = program("status", "--json", code=1)
    assert answer.error == "TF-U17"
    (report,) = program.folder.glob("error-*.txt")
    assert f"details are in {report}." in answer.json["error"]["sentence"]
    assert "ZeroDivisionError: a fault of ours" in report.read_text()
    assert report.stat().st_mode & 0o077 == 0
    words = program("status", code=1)
    assert "ZeroDivisionError" in words.err
    assert "a fault of ours" not in words.err
