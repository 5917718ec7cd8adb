"""The database layer on real files: transactions, migrations, several processes."""

from __future__ import annotations

import asyncio
import os
import sqlite3
import stat
import subprocess
import sys
from concurrent.futures import ThreadPoolExecutor
from contextlib import closing
from pathlib import Path
from threading import Barrier

import pytest

from twofold.database.sqlite import Database, Migration

OURS = 0x54574F46
FIRST = Migration(1, "one table", "CREATE TABLE item (id INTEGER PRIMARY KEY, name TEXT);")
SECOND = Migration(
    2,
    "a trigger, whose semicolons end no statement",
    """
    CREATE TABLE journal (line TEXT); -- a comment; with a semicolon
    CREATE TRIGGER written AFTER INSERT ON item BEGIN
        INSERT INTO journal VALUES ('got; ' || new.name);
        INSERT INTO journal VALUES ('done');
    END;
    -- the last word
    """,
)


def fill(connection: sqlite3.Connection) -> None:
    connection.executemany("INSERT INTO item (name) VALUES (?)", [("a",), ("b",)])


THIRD = Migration(3, "rows by a function", fill)


def opened(path: Path | None, *migrations: Migration) -> Database:
    return Database(path, migrations or (FIRST,), application_id=OURS)


def names(database: Database) -> list[str]:
    return [name for (name,) in database.connection.execute("SELECT name FROM item ORDER BY id")]


def add(database: Database, name: str) -> None:
    with database.transaction() as connection:
        connection.execute("INSERT INTO item (name) VALUES (?)", (name,))


def test_a_transaction_is_kept_when_it_ends_well(tmp_path: Path) -> None:
    first = opened(tmp_path / "a.db")
    add(first, "kept")
    first.close()
    first.close()
    assert names(opened(tmp_path / "a.db")) == ["kept"]


@pytest.mark.parametrize(
    "error", [ValueError("x"), KeyboardInterrupt(), asyncio.CancelledError(), GeneratorExit()]
)
def test_any_exception_takes_all_of_a_transaction_back(error: BaseException) -> None:
    database = opened(None)
    add(database, "before")

    def half(connection: sqlite3.Connection) -> None:
        connection.execute("INSERT INTO item (name) VALUES ('half')")
        raise error

    with pytest.raises(type(error)), database.transaction() as connection:
        half(connection)
    add(database, "after")
    assert names(database) == ["before", "after"]


def test_a_broken_constraint_stays_the_bug_that_it_is() -> None:
    database = opened(None)
    with pytest.raises(sqlite3.IntegrityError), database.transaction() as connection:
        connection.execute("INSERT INTO item VALUES (1, 'a'), (1, 'b')")
    assert names(database) == []


def test_a_constraint_that_fails_at_commit_takes_the_transaction_back() -> None:
    deferred = Migration(
        2,
        "a deferred key",
        "CREATE TABLE part (item REFERENCES item(id) DEFERRABLE INITIALLY DEFERRED);",
    )
    database = opened(None, FIRST, deferred)

    def orphan(connection: sqlite3.Connection) -> None:
        connection.execute("INSERT INTO item (name) VALUES ('half')")
        connection.execute("INSERT INTO part VALUES (99)")

    with pytest.raises(sqlite3.IntegrityError), database.transaction() as connection:
        orphan(connection)
    add(database, "after")
    assert names(database) == ["after"]


def test_reading_sees_one_moment_while_another_connection_writes(tmp_path: Path) -> None:
    reader, writer = opened(tmp_path / "a.db"), opened(tmp_path / "a.db")
    add(writer, "a")
    with reader.reading():
        before = names(reader)
        add(writer, "b")
        assert names(reader) == before == ["a"]
    assert names(reader) == ["a", "b"]


def test_migrations_run_once_each_and_in_order(tmp_path: Path) -> None:
    path = tmp_path / "a.db"
    opened(path, FIRST).close()
    opened(path, FIRST, SECOND).close()
    opened(path, FIRST, SECOND, THIRD).close()
    database = opened(path, FIRST, SECOND, THIRD)
    assert names(database) == ["a", "b"]
    journal = [line for (line,) in database.connection.execute("SELECT line FROM journal")]
    assert journal == ["got; a", "done", "got; b", "done"]
    assert database.connection.execute("PRAGMA user_version").fetchone() == (3,)
    assert database.connection.execute("PRAGMA application_id").fetchone() == (OURS,)


def test_a_migration_that_fails_changes_nothing_and_can_be_run_again(tmp_path: Path) -> None:
    path = tmp_path / "a.db"
    broken = Migration(2, "broken", "CREATE TABLE extra (x); CREATE TABLE item (x);")
    with pytest.raises(sqlite3.OperationalError):
        opened(path, FIRST, broken)
    database = opened(path, FIRST, SECOND)
    tables = {name for (name,) in database.connection.execute("SELECT name FROM sqlite_schema")}
    assert "extra" not in tables
    assert "journal" in tables


@pytest.mark.parametrize("numbers", [(2,), (1, 3), (2, 1), (1, 1)])
def test_migrations_are_numbered_without_gaps(numbers: tuple[int, ...]) -> None:
    with pytest.raises(ValueError, match="numbered"):
        opened(None, *(Migration(number, "x", "SELECT 1;") for number in numbers))


def test_the_settings_that_keep_data_safe(tmp_path: Path) -> None:
    connection = opened(tmp_path / "a.db").connection

    def setting(name: str) -> object:
        return connection.execute(f"PRAGMA {name}").fetchone()[0]

    assert (setting("journal_mode"), setting("synchronous")) == ("wal", 1)
    assert setting("foreign_keys") == 1
    assert connection.isolation_level is None


def test_a_new_file_is_for_its_owner_only(tmp_path: Path) -> None:
    database = opened(tmp_path / "a.db")
    add(database, "private")
    modes = {stat.S_IMODE(path.stat().st_mode) for path in tmp_path.iterdir()}
    assert modes == {0o600}
    assert len(list(tmp_path.iterdir())) == 3  # the file, its journal and its shared memory


def test_a_copy_of_a_template_is_a_database_of_its_own() -> None:
    template = opened(None, FIRST, SECOND)
    add(template, "first")
    image = template.image()
    one, two = Database.from_template(image), Database.from_template(image)
    add(one, "one")
    assert (names(one), names(two), names(template)) == (["first", "one"], ["first"], ["first"])
    assert one.connection.execute("PRAGMA foreign_keys").fetchone() == (1,)


def test_a_database_may_move_between_threads() -> None:
    database = opened(None)
    with ThreadPoolExecutor(1) as pool:
        pool.submit(add, database, "elsewhere").result()
    assert names(database) == ["elsewhere"]


def test_a_second_connection_of_this_process_leaves_the_locks_of_the_first(tmp_path: Path) -> None:
    path = tmp_path / "a.db"
    holder = opened(path)
    with holder.transaction() as connection:
        connection.execute("INSERT INTO item (name) VALUES ('held')")
        opened(path).close()
        probe = (
            "import sqlite3,sys; c=sqlite3.connect(sys.argv[1], timeout=0, isolation_level=None)\n"
            "try: c.execute('BEGIN IMMEDIATE')\n"
            "except sqlite3.OperationalError as e: print(e)"
        )
        answer = subprocess.run(
            [sys.executable, "-c", probe, str(path)], capture_output=True, text=True, check=True
        )
    assert "locked" in answer.stdout


def test_connections_that_make_a_new_file_at_the_same_instant_agree(tmp_path: Path) -> None:
    together = Barrier(6)

    def make(path: Path) -> list[str]:
        together.wait()
        with closing(opened(path, FIRST, SECOND, THIRD)) as database:
            return names(database)

    with ThreadPoolExecutor(6) as pool:
        for n in range(20):
            assert list(pool.map(make, [tmp_path / f"{n}.db"] * 6)) == [["a", "b"]] * 6


COUNT = """
import sys
from pathlib import Path
from twofold.database.sqlite import Database
from tests.store.test_database import FIRST, SECOND, THIRD, OURS
database = Database(Path(sys.argv[1]), [FIRST, SECOND, THIRD], application_id=OURS, wait=60)
for _ in range(40):
    with database.transaction() as connection:
        (count,) = connection.execute("SELECT count(*) FROM item").fetchone()
        connection.execute("INSERT INTO item VALUES (?, 'n')", (count + 1,))
"""


def test_processes_that_open_a_new_file_together_make_it_once_and_take_turns(
    tmp_path: Path,
) -> None:
    path = tmp_path / "a.db"
    environment = {**os.environ, "PYTHONPATH": os.pathsep.join(sys.path)}
    workers = [
        subprocess.Popen(
            [sys.executable, "-c", COUNT, str(path)], stderr=subprocess.PIPE, env=environment
        )
        for _ in range(4)
    ]
    complaints = [worker.communicate()[1].decode() for worker in workers]
    assert complaints == [""] * 4
    # Each row took the number after the count it saw: a lost or doubled turn breaks the sequence.
    assert len(names(opened(path, FIRST, SECOND, THIRD))) == 2 + 4 * 40
