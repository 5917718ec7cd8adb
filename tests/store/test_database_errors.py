"""Every way a database file can be unusable gives its own code, and the file stays as it was."""

from __future__ import annotations

import errno
import os
import sqlite3
import subprocess
import sys
from collections.abc import Iterator
from contextlib import closing, contextmanager
from pathlib import Path

import pytest

from twofold.database.errors import coded_os
from twofold.database.sqlite import Database, DatabaseError, Migration

OURS = 0x54574F46
TABLE = Migration(1, "a table", "CREATE TABLE item (id INTEGER PRIMARY KEY, body TEXT);")
MORE = Migration(2, "another", "CREATE TABLE other (x);")

HOLD = """
import sqlite3, sys
connection = sqlite3.connect(sys.argv[1], isolation_level=None)
connection.execute(sys.argv[2])
print("held", flush=True)
sys.stdin.read()
"""


@pytest.fixture
def path(tmp_path: Path) -> Path:
    """A database of ours with some pages in it."""
    path = tmp_path / "ours.db"
    database = opened(path)
    with database.transaction() as connection:
        connection.executemany(
            "INSERT INTO item (body) VALUES (?)", [("x" * 900,) for _ in range(200)]
        )
    database.close()
    return path


def opened(path: Path, *, read_only: bool = False) -> Database:
    return Database(path, [TABLE], application_id=OURS, read_only=read_only, wait=0.05)


@contextmanager
def held(path: Path, statement: str) -> Iterator[None]:
    """Another process that holds a lock."""
    with subprocess.Popen(
        [sys.executable, "-c", HOLD, str(path), statement],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
    ) as holder:
        assert holder.stdout is not None
        assert holder.stdout.readline() == b"held\n"
        yield
        holder.communicate()


def refused(path: Path, code: str) -> DatabaseError:
    """Opening fails with the code, names the file, and does not change it."""
    before = path.read_bytes() if path.is_file() else None
    with pytest.raises(DatabaseError) as caught:
        opened(path)
    assert caught.value.code == code
    assert str(path) in caught.value.sentence
    assert caught.value.advice
    assert (path.read_bytes() if path.is_file() else None) == before
    return caught.value


def test_a_file_whose_writer_is_another_process_is_locked_until_that_ends(path: Path) -> None:
    database = opened(path)
    with held(path, "BEGIN IMMEDIATE"):
        with pytest.raises(DatabaseError) as caught, database.transaction():
            pytest.fail("the transaction must not begin")
        assert caught.value.code == "TF-S01"
        assert caught.value.entry.retryable
        assert database.connection.execute("SELECT count(*) FROM item").fetchone() == (200,)
    with database.transaction() as connection:
        connection.execute("DELETE FROM item")


def test_a_read_that_turns_into_a_write_after_somebody_wrote_is_told_so(path: Path) -> None:
    database = opened(path)
    with pytest.raises(DatabaseError) as caught, database.reading() as connection:
        read_then_write(connection, opened(path))
    assert caught.value.code == "TF-S01"
    with database.transaction() as connection:
        connection.execute("DELETE FROM item")


def read_then_write(connection: sqlite3.Connection, other: Database) -> None:
    connection.execute("SELECT count(*) FROM item").fetchone()
    with other.transaction() as writer:
        writer.execute("INSERT INTO item (body) VALUES ('meanwhile')")
    connection.execute("DELETE FROM item")


def test_a_file_that_another_process_has_for_itself_cannot_be_opened(tmp_path: Path) -> None:
    path = tmp_path / "rollback.db"
    sqlite3.connect(path).execute("CREATE TABLE t (x)").connection.close()
    with held(path, "BEGIN EXCLUSIVE"):
        refused(path, "TF-S01")


def test_the_switch_to_write_ahead_logging_waits_for_whoever_makes_the_file(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    path = tmp_path / "half_made.db"
    with closing(sqlite3.connect(path, isolation_level=None)) as maker:
        maker.execute(f"PRAGMA application_id = {OURS}")
        maker.execute("BEGIN IMMEDIATE")
        refused(path, "TF-S01")
        monkeypatch.setattr("twofold.database.sqlite.time.sleep", lambda _: maker.execute("END"))
        database = opened(path)
    assert database.connection.execute("PRAGMA journal_mode").fetchone() == ("wal",)


def test_a_file_of_a_newer_version_is_left_alone(path: Path) -> None:
    Database(path, [TABLE, MORE], application_id=OURS).close()
    error = refused(path, "TF-S03")
    assert "version 2" in error.sentence


def test_another_programs_database_is_left_alone(tmp_path: Path) -> None:
    named, nameless = tmp_path / "named.db", tmp_path / "nameless.db"
    with sqlite3.connect(named) as connection:
        connection.execute("PRAGMA application_id = 42")
    with sqlite3.connect(nameless) as connection:
        connection.execute("CREATE TABLE shop (x)")
    refused(named, "TF-S04")
    refused(nameless, "TF-S04")


def test_a_file_that_is_no_database_is_left_alone(tmp_path: Path) -> None:
    letter = tmp_path / "letter.txt"
    letter.write_text("Dear Sir or Madam, " * 200)
    refused(letter, "TF-S04")


def test_flipped_bytes_in_the_first_page_are_told_at_opening(path: Path) -> None:
    content = bytearray(path.read_bytes())
    content[100:110] = bytes(byte ^ 0xFF for byte in content[100:110])  # header of the schema page
    path.write_bytes(content)
    refused(path, "TF-S02")


def test_flipped_bytes_in_a_later_page_are_told_when_they_are_met(path: Path) -> None:
    content = bytearray(path.read_bytes())
    start = len(content) // 2 // 4096 * 4096
    content[start : start + 64] = bytes(byte ^ 0xFF for byte in content[start : start + 64])
    path.write_bytes(content)
    database = opened(path)
    with pytest.raises(DatabaseError) as found:
        database.check()
    assert found.value.code == "TF-S02"
    for context in (database.transaction, database.reading):
        with pytest.raises(DatabaseError) as met, context() as connection:
            connection.execute("SELECT sum(length(body)) FROM item").fetchone()
        assert met.value.code == "TF-S02"


def test_a_whole_file_passes_the_check(path: Path) -> None:
    opened(path).check()


def test_a_full_disk_takes_the_transaction_back_and_later_ones_work(path: Path) -> None:
    database = opened(path)
    (pages,) = database.connection.execute("PRAGMA page_count").fetchone()
    database.connection.execute(f"PRAGMA max_page_count = {pages + 4}")
    with pytest.raises(DatabaseError) as caught, database.transaction() as connection:
        connection.executemany(
            "INSERT INTO item (body) VALUES (?)", [("x" * 900,) for _ in range(1000)]
        )
    assert caught.value.code == "TF-S05"
    with database.transaction() as connection:
        connection.execute("INSERT INTO item (body) VALUES ('small')")
    assert database.connection.execute("SELECT count(*) FROM item").fetchone() == (201,)
    database.check()


@pytest.mark.parametrize(
    ("number", "code"),
    [
        (errno.ENOSPC, "TF-S05"),
        (errno.EDQUOT, "TF-S05"),
        (errno.EROFS, "TF-S06"),
        (errno.EACCES, "TF-S08"),
    ],
)
def test_a_file_that_the_system_does_not_let_us_make(number: int, code: str) -> None:
    error = coded_os(OSError(number, os.strerror(number)), Path("/data/a.db"))
    assert error.code == code


def test_writing_to_a_file_opened_for_reading_is_refused(path: Path) -> None:
    database = opened(path, read_only=True)
    with pytest.raises(DatabaseError) as caught, database.transaction() as connection:
        connection.execute("DELETE FROM item")
    assert caught.value.code == "TF-S06"
    assert database.connection.execute("SELECT count(*) FROM item").fetchone() == (200,)


def test_an_older_file_opened_for_reading_is_not_migrated(path: Path) -> None:
    with pytest.raises(DatabaseError) as caught:
        Database(path, [TABLE, MORE], application_id=OURS, read_only=True)
    assert caught.value.code == "TF-S06"


def test_a_missing_folder_is_named(tmp_path: Path) -> None:
    error = refused(tmp_path / "nowhere" / "a.db", "TF-S07")
    assert error.facts["folder"] == str(tmp_path / "nowhere")


def test_reading_what_is_not_there_makes_no_file(tmp_path: Path) -> None:
    for missing, code in ((tmp_path / "a.db", "TF-S08"), (tmp_path / "x" / "a.db", "TF-S07")):
        with pytest.raises(DatabaseError) as caught:
            opened(missing, read_only=True)
        assert caught.value.code == code
        assert not missing.exists()


def test_a_folder_is_no_database(tmp_path: Path) -> None:
    refused(tmp_path, "TF-S08")
