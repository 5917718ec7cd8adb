"""Bad input through the whole program: one coded error with advice, and once its cause is gone the
next run completes, with nothing lost and nobody multiplied."""

from __future__ import annotations

import shutil
import signal
import sqlite3
import subprocess
from collections.abc import Callable, Iterator
from contextlib import closing, contextmanager
from pathlib import Path
from typing import Any

import pytest
import sqlalchemy as sa
from tests.interfaces.program import Program, Shop, connected, finished, rows, until

from twofold.database import sqlite as database

MAPS = ("--map", "email=email", "--map", "firstname=first_name", "--map", "lastname=last_name")


def _plain(tmp_path: Path, people: int = 3) -> tuple[Program, Shop]:
    """A shop that is connected, without a sync."""
    program, shop = Program(tmp_path / "data"), Shop(tmp_path / "shop.db", people)
    program("connect", "sql", "--label", "shop", "--set", f"url={shop.url}")
    return program, shop


def _add(program: Program, *options: str, code: int = 0) -> Any:
    return program.json(
        "sync", "add", "shop", "contact", "people", "--no-default-mappings", *options, code=code
    )


def _problems(answer: Any) -> list[str]:
    for problem in answer["error"]["problems"]:
        assert problem["sentence"]
        assert problem["advice"]
    return [problem["code"] for problem in answer["error"]["problems"]]


def _causes(program: Program) -> list[tuple[int, str]]:
    (health,) = program.json("health")["syncs"]
    assert all(cause["advice"] and cause["sentence"] for cause in health["failing_causes"])
    return [(cause["count"], cause["code"]) for cause in health["failing_causes"]]


def _everybody(program: Program, shop: Shop, people: int) -> None:
    """All are on both sides, each once, and linked."""
    found = [record["email"] for record in program.hub()]
    assert len(found) == len(set(found)) == people
    emails = [email for (email,) in shop.run("SELECT email FROM people")]
    assert sorted(emails) == sorted(found)
    (health,) = program.json("health")["syncs"]
    assert (health["in_sync"], health["total"]) == (people, people)


def _create(program: Program, **values: str) -> None:
    given = [part for name, value in values.items() for part in ("--set", f"{name}={value}")]
    program("hub", "records", "create", "contact", *given)


# --- what the app cannot take -------------------------------------------------------------------


def test_a_table_without_a_key(tmp_path: Path) -> None:
    program, shop = _plain(tmp_path)
    shop.run("ALTER TABLE people RENAME TO keyed")
    shop.run("CREATE TABLE people AS SELECT email, first_name, last_name FROM keyed")
    answer = _add(program, *MAPS, code=1)
    assert answer["error"]["code"] == "TF-F31"
    assert "primary key" in answer["error"]["advice"]
    assert program.json("sync", "list")["syncs"] == []

    shop.run("DROP TABLE people")
    shop.run("ALTER TABLE keyed RENAME TO people")
    _add(program, *MAPS)
    program("sync", "run")
    _everybody(program, shop, 3)


def test_a_required_column_without_a_mapping(tmp_path: Path) -> None:
    program, shop = _plain(tmp_path)
    shop.run("ALTER TABLE people ADD COLUMN rank INTEGER NOT NULL DEFAULT 1")
    shop.run("CREATE TABLE strict AS SELECT * FROM people")
    shop.run("DROP TABLE people")
    shop.run(
        "CREATE TABLE people (id INTEGER PRIMARY KEY, email TEXT, first_name TEXT,"
        " last_name TEXT NOT NULL)"
    )
    shop.run("INSERT INTO people SELECT id, email, first_name, last_name FROM strict")
    answer = _add(program, *MAPS[:4], code=1)
    assert answer["error"]["code"] == "TF-U07"
    assert _problems(answer) == ["TF-F08"]
    assert "last_name" in answer["error"]["problems"][0]["sentence"]
    assert program.json("sync", "list")["syncs"] == []

    _add(program, *MAPS)
    program("sync", "run")
    _everybody(program, shop, 3)


def test_a_column_that_becomes_required_later(tmp_path: Path) -> None:
    program, shop = connected(tmp_path)
    program("sync", "run")
    shop.run("ALTER TABLE people RENAME TO before")
    shop.run(
        "CREATE TABLE people (id INTEGER PRIMARY KEY, email TEXT, first_name TEXT, last_name TEXT,"
        " phone TEXT, firm INTEGER, branch TEXT NOT NULL)"
    )
    shop.run("INSERT INTO people SELECT *, 'main' FROM before")
    _create(program, email="new@hub.example")
    report = program.json("sync", "run", code=4)["runs"][0]
    assert (report["ending"], report["health"]["failing"]) == ("done", 1)
    assert _causes(program) == [(1, "TF-R04")]

    shop.run("ALTER TABLE people RENAME TO strict")
    shop.run(
        "CREATE TABLE people (id INTEGER PRIMARY KEY, email TEXT, first_name TEXT, last_name TEXT,"
        " phone TEXT, firm INTEGER, branch TEXT NOT NULL DEFAULT 'main')"
    )
    shop.run("INSERT INTO people SELECT * FROM strict")
    program("sync", "run", "--full")  # the cause is gone, and the record did not change
    _everybody(program, shop, 4)


def test_a_value_that_does_not_fit_the_column(tmp_path: Path) -> None:
    program, shop = _plain(tmp_path)
    shop.run("DROP TABLE people")
    shop.run(
        "CREATE TABLE people (id INTEGER PRIMARY KEY, email TEXT, first_name VARCHAR(10),"
        " last_name TEXT)"
    )
    _add(program, *MAPS)
    _create(program, email="ada@hub.example", firstname="Augusta Ada King-Noel", lastname="Byron")
    program("sync", "run", code=4)
    assert _causes(program) == [(1, "TF-R01")]
    assert shop.run("SELECT email, first_name, last_name FROM people") == [
        ("ada@hub.example", None, "Byron")
    ], "its other fields still travel"

    (record,) = program.json("hub", "records", "list", "contact")["records"]
    program("hub", "records", "edit", "contact", record["id"], "--set", "firstname=Ada")
    program("sync", "run")
    assert shop.run("SELECT first_name FROM people") == [("Ada",)]
    _everybody(program, shop, 1)


def test_a_new_record_with_a_value_that_another_row_has(tmp_path: Path) -> None:
    program, shop = connected(tmp_path)
    shop.run("CREATE UNIQUE INDEX one_phone ON people (phone)")
    shop.run("UPDATE people SET phone = '+31 20 555 0100' WHERE id = 1")
    program("sync", "run")
    _create(program, email="new@hub.example", phone="+31 20 555 0100")
    program("sync", "run")
    (line,) = program.json("records", "excluded")["records"]
    assert (line["issues"][0]["code"], line["candidates"]) == ("TF-X12", ["1"])
    assert line["issues"][0]["advice"]
    assert len(shop.run("SELECT id FROM people")) == 3

    program("hub", "records", "edit", "contact", line["hub_id"], "--set", "phone=+31 20 555 0199")
    program("sync", "run")
    _everybody(program, shop, 4)


def test_an_edit_to_a_value_that_another_row_has(tmp_path: Path) -> None:
    program, shop = connected(tmp_path)
    shop.run("CREATE UNIQUE INDEX one_phone ON people (phone)")
    shop.run("UPDATE people SET phone = '+31 20 555 0100' WHERE id = 1")
    program("sync", "run")
    found = program.json("hub", "records", "list", "contact")["records"]
    other = next(r["id"] for r in found if r["fields"]["email"] == "p1@shop.example")
    edit = ("hub", "records", "edit", "contact", other)
    program(*edit, "--set", "phone=+31 20 555 0100", "--set", "lastname=Hopper")
    program("sync", "run", code=4)
    assert _causes(program) == [(1, "TF-R02")]
    assert shop.run("SELECT phone, last_name FROM people WHERE id = 2") == [(None, "Hopper")]

    shop.run("UPDATE people SET phone = NULL WHERE id = 1")  # the cause goes away in the shop
    program("hub", "records", "edit", "contact", found[0]["id"], "--set", "phone=")
    program("sync", "run", "--full")
    _everybody(program, shop, 3)
    assert shop.run("SELECT phone FROM people ORDER BY id") == [
        (None,),
        ("+31 20 555 0100",),
        (None,),
    ]


def test_a_mapping_of_incompatible_types(tmp_path: Path) -> None:
    program, shop = _plain(tmp_path)
    shop.run("ALTER TABLE people ADD COLUMN born DATE")
    shop.run("ALTER TABLE people ADD COLUMN score DECIMAL(8, 2)")
    wrong = ("--map", "lifecyclestage=born", "--map", "date_of_birth=score")
    answer = _add(program, *MAPS, *wrong, code=1)
    assert _problems(answer) == ["TF-F04", "TF-F04"]
    assert program.json("sync", "list")["syncs"] == []

    _add(program, *MAPS, "--map", "date_of_birth=born")
    program("sync", "run")
    _everybody(program, shop, 3)


def test_a_column_that_vanishes(tmp_path: Path) -> None:
    program, shop = connected(tmp_path)
    program("sync", "run")
    shop.run("ALTER TABLE people RENAME COLUMN phone TO telephone")
    shop.run("UPDATE people SET last_name = 'Lovelace' WHERE id = 1")
    report = program.json("sync", "run", code=1)["runs"][0]
    assert (report["ending"], report["code"]) == ("stopped", "TF-B05")
    assert report["advice"]

    shop.run("ALTER TABLE people RENAME COLUMN telephone TO phone")
    program("sync", "run")
    _everybody(program, shop, 3)
    assert "Lovelace" in [record["lastname"] for record in program.hub()]


# --- full disks ---------------------------------------------------------------------------------


@contextmanager
def _full(name: str, pages: int) -> Iterator[None]:
    """SQLite's own limit plays the full disk: a file may grow by so many pages (SQLITE_FULL)."""
    open_ = database._connect
    with pytest.MonkeyPatch.context() as patch:

        def limited(path: Path | None, read_only: bool, wait: float) -> sqlite3.Connection:
            connection = open_(path, read_only, wait)
            if path is not None and path.name == name:
                (now,) = connection.execute("PRAGMA page_count").fetchone()
                connection.execute(f"PRAGMA max_page_count = {now + pages}")
            return connection

        patch.setattr(database, "_connect", limited)
        yield


@pytest.mark.parametrize("pages", [0, 3, 20, 60])
@pytest.mark.parametrize("name", ["state.db", "hub.db"])
def test_a_full_disk_of_ours(tmp_path: Path, name: str, pages: int) -> None:
    program, shop = connected(tmp_path, people=1500)
    with _full(name, pages):
        answer = program("sync", "run", "--json", code=1).json
    told = answer["error"] if "error" in answer else answer["runs"][0]
    assert told["code"] == "TF-S05"
    assert name in told["sentence"]
    assert "Free some space" in told["advice"]

    program("sync", "run")
    _everybody(program, shop, 1500)


def test_a_full_disk_of_the_shop(tmp_path: Path) -> None:
    program, shop = connected(tmp_path, people=3)
    program("sync", "run")
    for number in range(150):
        _create(program, email=f"h{number}@hub.example", firstname="x" * 500)
    program("sync", "run", code=1)  # a brake: so many are meant
    program("sync", "resume", "shop-contacts", "--override", "creates")
    pages = shop.run("PRAGMA page_count")[0][0]

    def limit(connection: sqlite3.Connection, _: object) -> None:
        connection.execute(f"PRAGMA max_page_count = {pages + 4}")

    sa.event.listen(sa.Engine, "connect", limit)
    try:
        report = program.json("sync", "run", code=3)["runs"][0]
    finally:
        sa.event.remove(sa.Engine, "connect", limit)
    assert (report["ending"], report["code"]) == ("waiting", "TF-C01")
    assert "full" in report["sentence"]

    program("sync", "run")
    _everybody(program, shop, 153)


# --- files of ours that cannot be used ----------------------------------------------------------


def _damaged(path: Path) -> None:
    with path.open("r+b") as file:
        file.seek(4096)
        file.write(b"\xff" * 8192)


def _newer(path: Path) -> None:
    with closing(sqlite3.connect(path)) as connection:
        connection.execute("PRAGMA user_version = 999")


@pytest.mark.parametrize(
    ("spoil", "code"), [(_damaged, "TF-S02"), (_newer, "TF-S03")], ids=["damaged", "newer"]
)
@pytest.mark.parametrize("name", ["state.db", "hub.db"])
def test_a_spoiled_file_and_its_backup(
    tmp_path: Path, name: str, spoil: Callable[[Path], None], code: str
) -> None:
    program, shop = connected(tmp_path, people=200)
    program("sync", "run")
    path, backup = program.folder / name, tmp_path / "backup"
    with closing(sqlite3.connect(path)) as connection:
        connection.execute("PRAGMA wal_checkpoint(TRUNCATE)")
    shutil.copyfile(path, backup)
    shop.add(1)
    shop.run("UPDATE people SET email = 'late@shop.example' WHERE id = 201")
    spoil(path)
    answer = program("sync", "run", "--json", code=1).json
    told = answer["error"] if "error" in answer else answer["runs"][0]
    assert told["code"] == code
    assert told["advice"]
    assert len(shop.run("SELECT id FROM people")) == 201

    for left in (path, path.with_name(f"{name}-wal"), path.with_name(f"{name}-shm")):
        left.unlink(missing_ok=True)
    shutil.copyfile(backup, path)
    program("sync", "run")
    _everybody(program, shop, 201)


def test_a_file_that_another_program_locks_amid_a_run(tmp_path: Path) -> None:
    program, shop = connected(tmp_path, people=2000)
    lock = sqlite3.connect(program.folder / "state.db", check_same_thread=False)
    lock.isolation_level = None

    def on_reading(*event: Any) -> None:
        if "FROM people" in event[2] and not lock.in_transaction:
            lock.execute("BEGIN IMMEDIATE")

    open_ = database._connect
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(database, "_connect", lambda path, mode, _: open_(path, mode, 0.01))
        sa.event.listen(sa.Engine, "before_cursor_execute", on_reading)
        try:
            answer = program("sync", "run", "--json", code=3)
        finally:
            sa.event.remove(sa.Engine, "before_cursor_execute", on_reading)
            lock.close()
    assert answer.error == "TF-S01"
    assert answer.json["error"]["advice"]
    program("sync", "run")
    _everybody(program, shop, 2000)


# --- Ctrl-C -------------------------------------------------------------------------------------


def _until_arrived(program: Program, wanted: int, process: subprocess.Popen[str]) -> None:
    """Wait until so many contacts are in the hub, or the process has ended."""
    path = program.folder / "hub.db"
    count = "SELECT count(*) FROM record"
    until(lambda: process.poll() is not None or rows(path, count)[0][0] >= wanted)


def test_ctrl_c_again_and_again(tmp_path: Path) -> None:
    program, shop = connected(tmp_path, people=2500)
    program("hub", "records", "list", "contact")  # so that the hub's file is there
    interrupted = 0
    for wanted in (1, 900, 1900):
        process = program.start("sync", "run", "--json")
        begun = "SELECT 1 FROM runs WHERE ended IS NULL"
        until(lambda: program.state(begun) or process.poll() is not None)  # noqa: B023 (at once)
        _until_arrived(program, wanted, process)
        process.send_signal(signal.SIGINT)
        answer = finished(process)
        assert answer.err.strip() == ""
        if answer.code == 130:
            interrupted += 1
            assert answer.json["error"]["code"] == "TF-U16"
    assert interrupted >= 2
    program("sync", "run")
    _everybody(program, shop, 2500)
