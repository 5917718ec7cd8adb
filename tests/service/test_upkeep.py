"""Backups restore, the doctor finds what is wrong, and an invitation works."""

from __future__ import annotations

import shutil
from pathlib import Path

from tests.interfaces.program import connected, rows
from tests.service.service import service


def test_a_backup_taken_while_the_service_runs_restores_everything(tmp_path: Path) -> None:
    program, _ = connected(tmp_path, people=20)
    backup = tmp_path / "backup"
    with service(program.folder) as up:
        program("sync", "run", code=3)
        while not up.settled("shop-contacts"):
            pass
        made = program.json("backup", str(backup), "--with-key")
        assert made["files"] == ["hub.db", "state.db", "key"]
        assert program("restore", str(backup), "--yes", code=3).error == "TF-U11"
    program("hub", "records", "create", "contact", "--set", "email=later@x.example")
    restored = program.json("restore", str(backup), "--yes")
    assert len(program.hub()) == 20
    assert Path(restored["aside"], "hub.db").exists()
    report = program.json("sync", "run", "--full")["runs"][0]
    assert report["health"]["in_sync"] == 20
    for path in (program.folder / "state.db", backup / "state.db", backup / "key"):
        assert path.stat().st_mode & 0o077 == 0


def test_what_is_no_backup_changes_nothing(tmp_path: Path) -> None:
    program, _ = connected(tmp_path)
    assert program("restore", str(tmp_path / "none"), "--yes", code=1).error == "TF-S42"
    bad = tmp_path / "bad"
    program("backup", str(bad))
    assert program("backup", str(bad), code=1).error == "TF-S41"
    content = bytearray((bad / "state.db").read_bytes())
    content[4096:20480] = b"\xff" * 16384
    (bad / "state.db").write_bytes(content)
    assert program("restore", str(bad), "--yes", code=1).error in {"TF-S02", "TF-S04"}
    assert program.json("status")["syncs"]
    assert not list(program.folder.glob("before-restore-*"))


def test_the_doctor_finds_a_wrong_key_and_open_permissions(tmp_path: Path) -> None:
    program, _ = connected(tmp_path)
    found = {one["what"]: one["verdict"] for one in program.json("doctor")["findings"]}
    assert set(found.values()) <= {"ok", "warning"}
    assert found["worker"] == "warning"
    (program.folder / "key").write_bytes(b"x" * 32)
    (program.folder / "hub.db").chmod(0o644)
    found = {one["what"]: one["verdict"] for one in program.json("doctor", code=1)["findings"]}
    assert (found["key"], found["permissions"]) == ("wrong", "warning")


def test_a_backup_without_its_key_keeps_the_one_that_is_there(tmp_path: Path) -> None:
    program, _ = connected(tmp_path)
    backup = tmp_path / "backup"
    assert program.json("backup", str(backup))["files"] == ["hub.db", "state.db"]
    key = (program.folder / "key").read_bytes()
    program("restore", str(backup), "--yes")
    assert (program.folder / "key").read_bytes() == key
    program("connection", "test", "shop")
    shutil.rmtree(program.folder)
    program("restore", str(backup), "--yes")
    assert rows(program.folder / "state.db", "SELECT count(*) FROM syncs") == [(1,)]
