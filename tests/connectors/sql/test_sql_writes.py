"""Batches: each write has its own result, whatever happens to its neighbors."""

from __future__ import annotations

import sqlite3
from collections import Counter
from decimal import Decimal
from pathlib import Path

import pytest
from sqlalchemy import event
from tests.servers.mariadb import MariaDb
from tests.servers.postgres import Postgres

from twofold.connectors.sql import Sql
from twofold.core.records import Target
from twofold.core.schema import Op
from twofold.core.values import Value
from twofold.kit.contract import Result, Status, Write

_TABLES = (
    "CREATE TABLE company (id INTEGER PRIMARY KEY, name VARCHAR(20))",
    """CREATE TABLE contact (id {key}, email VARCHAR(40) UNIQUE, name VARCHAR(20) NOT NULL,
    age INTEGER CHECK (age >= 0), company_id INTEGER,
    FOREIGN KEY (company_id) REFERENCES company (id))""",
)
_KEYS = {
    "sqlite": "INTEGER PRIMARY KEY",
    "postgres": "SERIAL PRIMARY KEY",
    "mariadb": "INTEGER AUTO_INCREMENT PRIMARY KEY",
}


@pytest.fixture(params=["sqlite", "postgres", "mariadb"])
def address(request: pytest.FixtureRequest, tmp_path: Path) -> str:
    tables = [part.format(key=_KEYS[request.param]) for part in _TABLES]
    if request.param == "sqlite":
        connection = sqlite3.connect(tmp_path / "shop.db")
        for table in tables:
            connection.execute(table)
        connection.close()
        return f"sqlite:///{tmp_path / 'shop.db'}"
    server: Postgres | MariaDb = request.getfixturevalue(request.param)
    server.make_database("writes")
    server.execute("writes", *tables)
    return server.url("writes")


def create(n: int, **fields: str | int | None) -> Write:
    values = {"email": f"n{n}@example.org", "name": f"Name {n}", **fields}
    return Write(f"c{n}", Op.CREATE, fields=values)


def statuses(results: list[Result]) -> Counter[Status]:
    return Counter(result.status for result in results)


async def test_one_in_ten_is_refused_and_the_others_stay(address: str) -> None:
    """Of every sort that only the database can see."""
    connector = Sql({"url": address})
    writes = [create(n) for n in range(300)]
    for n in range(5, 300, 10):
        sorts: dict[int, dict[str, str | int | None]] = {
            0: {"email": f"n{n - 1}@example.org"},
            1: {"age": -1},
            2: {"name": None},
        }
        writes[n] = create(n, **sorts[n // 10 % 3])
    writes[9] = Write("c9", Op.CREATE, fields={"name": "x"}, associate=(("company", Target("77")),))
    results = list(await connector.push("contact", writes))
    assert [r.ref for r in results] == [w.ref for w in writes]
    assert statuses(results) == {Status.OK: 269, Status.DUPLICATE: 10, Status.INVALID: 21}
    for n, (write, result) in enumerate(zip(writes, results, strict=True)):
        if result.status is Status.OK:
            assert result.stored is not None
            assert result.stored.fields["name"] == write.fields["name"]
        elif result.status is Status.DUPLICATE:
            assert result.issue is not None
            assert result.issue.other_id == results[n - 1].id
            assert result.issue.field == "email"
    assert results[25].issue is not None
    assert (results[25].issue.code, results[25].issue.field) == ("TF-R04", "name")
    ids = [r.id for r in results if r.status is Status.OK]
    listed = await connector.pull("contact", None, ["name"])
    assert sorted(listed.ids) == sorted(map(str, ids))
    await connector.close()


async def test_updates_and_deletes_of_a_batch_are_told_apart(address: str) -> None:
    connector = Sql({"url": address})
    made = list(await connector.push("contact", [create(n) for n in range(6)]))
    ids = [str(r.id) for r in made]
    results = list(
        await connector.push(
            "contact",
            [
                Write("0", Op.UPDATE, ids[0], {"email": "n1@example.org"}),
                Write("1", Op.UPDATE, ids[1], {"email": "new@example.org"}),
                Write("2", Op.UPDATE, ids[2], {"age": 3}, if_version="1:1"),
                Write("3", Op.UPDATE, "99999", {"age": 3}),
                Write("4", Op.UPDATE, ids[4], {"name": None}),
                Write("5", Op.UPDATE, ids[5], {"age": 3}, expected={"name": "Name 5"}),
                Write("6", Op.UPDATE, ids[5], {"age": 4}, expected={"age": 3}),
            ],
        )
    )
    assert [r.status for r in results] == [
        *(Status.DUPLICATE, Status.OK, Status.CONFLICT, Status.MISSING, Status.INVALID),
        *(Status.OK, Status.OK),
    ]
    assert results[0].issue is not None
    assert results[0].issue.other_id == ids[1]
    record = (await connector.get("contact", [ids[5]], ["age"]))[ids[5]][0]
    assert record.fields["age"] == 4
    gone = await connector.push(
        "contact",
        [
            Write("d0", Op.DELETE, ids[0], if_version=made[0].version),
            Write("d1", Op.DELETE, ids[1], if_version=made[1].version),
            Write("d2", Op.DELETE, "no number"),
        ],
    )
    assert [r.status for r in gone] == [Status.OK, Status.CONFLICT, Status.MISSING]
    await connector.close()


async def test_a_batch_takes_few_statements(address: str) -> None:
    """Begin, savepoint, insert, release, read back, commit: no round trip for each row."""
    connector = Sql({"url": address})
    await connector.describe()
    seen: list[str] = []

    @event.listens_for(connector._database.engine, "before_cursor_execute")
    def note(*facts: object) -> None:
        seen.append(str(facts[2]))

    await connector.push("contact", [create(n) for n in range(1000)])
    assert len(seen) <= 10, [text[:80] for text in seen]
    seen.clear()
    page = await connector.pull("contact", None, ["name"])
    changes = [Write(i, Op.UPDATE, i, {"name": "x"}) for i in page.ids]
    await connector.push("contact", changes)
    assert len(seen) <= 10, [text[:80] for text in seen]
    await connector.close()


async def test_mariadb_gets_the_updates_of_a_batch_together(mariadb: MariaDb) -> None:
    """Counted by the server: its driver sends a statement with many rows one by one.

    Keys compare as their column does, also where the connection's own collation differs.
    """
    mariadb.make_database("together")
    mariadb.execute(
        "together",
        """CREATE TABLE part (code VARCHAR(20) COLLATE utf8mb4_bin PRIMARY KEY, name VARCHAR(20)
        CHARACTER SET latin1, price DECIMAL(8, 2), sold DATETIME, kind ENUM('a', 'b'))""",
        "INSERT INTO part (code, name) SELECT CONCAT(IF(seq % 2, 'é', 'E'), seq), 'old'"
        " FROM seq_1_to_1000",
    )
    connector = Sql({"url": mariadb.url("together")})
    await connector.describe()
    ids = list((await connector.pull("part", None, ["name"])).ids)
    before = _updates(mariadb)
    fields: dict[str, Value] = {"price": Decimal("1.25"), "sold": None, "kind": "b"}
    changes = [Write(i, Op.UPDATE, i, {**fields, "name": f"ñ {i[1:]}"}) for i in ids]
    assert statuses(list(await connector.push("part", changes))) == {Status.OK: 1000}
    assert _updates(mariadb) - before == 1
    wrong = "SELECT count(*) FROM part WHERE name <> CONCAT('ñ ', SUBSTR(code, 2)) OR price <> 1.25"
    assert mariadb.execute("together", wrong) == [(0,)]
    changes = [Write(i, Op.UPDATE, i, {"name": "日本" if i == ids[7] else "new"}) for i in ids]
    results = list(await connector.push("part", changes))
    assert statuses(results) == {Status.OK: 999, Status.INVALID: 1}
    issue = results[7].issue
    assert issue is not None
    assert issue.field == "name"
    await connector.close()


def _updates(server: MariaDb) -> int:
    rows = server.execute("together", "SHOW GLOBAL STATUS LIKE 'Com_update%'")
    return sum(int(count) for _, count in rows)


async def test_long_values_do_not_make_a_statement_too_long(mariadb: MariaDb) -> None:
    """MariaDB hangs up on one of more than 16 MB."""
    mariadb.make_database("long")
    mariadb.execute(
        "long",
        "CREATE TABLE page (id INTEGER PRIMARY KEY, body TEXT)",
        "INSERT INTO page (id) SELECT seq FROM seq_1_to_400",
    )
    connector = Sql({"url": mariadb.url("long")})
    writes = [Write(str(n), Op.UPDATE, str(n), {"body": "x" * 60_000}) for n in range(1, 401)]
    assert statuses(list(await connector.push("page", writes))) == {Status.OK: 400}
    await connector.close()


async def test_a_constraint_that_waits_for_the_commit(tmp_path: Path) -> None:
    connection = sqlite3.connect(tmp_path / "shop.db")
    connection.execute("CREATE TABLE company (id INTEGER PRIMARY KEY)")
    connection.execute(
        "CREATE TABLE contact (id INTEGER PRIMARY KEY, company_id INTEGER "
        "REFERENCES company (id) DEFERRABLE INITIALLY DEFERRED)"
    )
    connection.close()
    connector = Sql({"url": f"sqlite:///{tmp_path / 'shop.db'}"})
    writes = [
        Write(str(n), Op.CREATE, associate=(("company", Target("1")),) if n == 3 else ())
        for n in range(8)
    ]
    results = list(await connector.push("contact", writes))
    assert [r.status for r in results] == [
        Status.INVALID if n == 3 else Status.OK for n in range(8)
    ]
    assert len((await connector.pull("contact", None, ())).ids) == 7


async def test_what_a_trigger_makes_of_a_row_is_reported(tmp_path: Path) -> None:
    connection = sqlite3.connect(tmp_path / "shop.db")
    connection.execute("CREATE TABLE contact (id INTEGER PRIMARY KEY, name TEXT, slug TEXT)")
    connection.execute(
        "CREATE TRIGGER t AFTER INSERT ON contact BEGIN "
        "UPDATE contact SET slug = lower(NEW.name) WHERE id = NEW.id; "
        "SELECT RAISE(ABORT, 'no Bobs here') WHERE NEW.name = 'Bob'; END"
    )
    connection.close()
    connector = Sql({"url": f"sqlite:///{tmp_path / 'shop.db'}"})
    ada, bob = await connector.push(
        "contact", [Write(n, Op.CREATE, fields={"name": n}) for n in ("Ada", "Bob")]
    )
    assert ada.stored is not None
    assert ada.stored.fields["slug"] == "ada"
    assert bob.status is Status.INVALID
    assert bob.issue is not None
    assert "no Bobs here" in bob.issue.sentence


@pytest.mark.parametrize("word", ["", "AUTOINCREMENT"])
@pytest.mark.parametrize("highest", [1, 41, (1 << 63) - 5])
async def test_keys_are_those_that_sqlite_would_make(
    tmp_path: Path, word: str, highest: int
) -> None:
    """Also where the newest row was deleted."""
    path = tmp_path / "shop.db"
    with sqlite3.connect(path) as db:
        db.execute(f"CREATE TABLE people (id INTEGER PRIMARY KEY {word}, name TEXT)")
        db.execute("INSERT INTO people VALUES (?, 'there')", (highest,))
        db.execute("INSERT INTO people (name) VALUES ('gone')")
        db.execute("DELETE FROM people WHERE name = 'gone'")
    db.close()
    (tmp_path / "copy.db").write_bytes(path.read_bytes())
    connector = Sql({"url": f"sqlite:///{path}"})
    writes = [Write(f"r{n}", Op.CREATE, fields={"name": f"n{n}"}) for n in range(3)]
    results = await connector.push("people", writes)
    await connector.close()
    with sqlite3.connect(tmp_path / "copy.db") as db:
        db.executemany("INSERT INTO people (name) VALUES (?)", [(f"n{n}",) for n in range(3)])
        made = {str(i): name for i, name in db.execute("SELECT id, name FROM people")}
    db.close()
    assert [made[result.id or ""] for result in results] == ["n0", "n1", "n2"]


async def test_where_no_higher_key_is_left_sqlite_finds_free_ones(tmp_path: Path) -> None:
    with sqlite3.connect(tmp_path / "shop.db") as db:
        db.execute("CREATE TABLE people (id INTEGER PRIMARY KEY, name TEXT)")
        db.execute("INSERT INTO people VALUES (?, 'there')", ((1 << 63) - 2,))
    db.close()
    connector = Sql({"url": f"sqlite:///{tmp_path / 'shop.db'}"})
    writes = [Write(f"r{n}", Op.CREATE, fields={"name": f"n{n}"}) for n in range(3)]
    results = await connector.push("people", writes)
    await connector.close()
    assert statuses(list(results)) == {Status.OK: 3}
    stored = [result.stored for result in results if result.stored is not None]
    assert [record.fields["name"] for record in stored] == ["n0", "n1", "n2"]


async def test_a_row_that_a_trigger_drops_was_not_made(tmp_path: Path) -> None:
    with sqlite3.connect(tmp_path / "shop.db") as db:
        db.execute("CREATE TABLE people (id INTEGER PRIMARY KEY, name TEXT)")
        db.execute(
            "CREATE TRIGGER t BEFORE INSERT ON people WHEN NEW.name = 'Bob' "
            "BEGIN SELECT RAISE(IGNORE); END"
        )
        db.execute(
            "CREATE TRIGGER u AFTER INSERT ON people WHEN NEW.name NOT LIKE '% too' "
            "BEGIN INSERT INTO people (name) VALUES (NEW.name || ' too'); END"
        )
    db.close()
    connector = Sql({"url": f"sqlite:///{tmp_path / 'shop.db'}"})
    names = ("Ada", "Bob", "Eve")
    results = await connector.push(
        "people", [Write(n, Op.CREATE, fields={"name": n}) for n in names]
    )
    await connector.close()
    assert [r.status for r in results] == [Status.OK, Status.DENIED, Status.OK]
    with sqlite3.connect(tmp_path / "shop.db") as db:
        rows = {str(i): name for i, name in db.execute("SELECT id, name FROM people")}
    db.close()
    assert [rows.get(r.id or "") for r in results] == ["Ada", None, "Eve"]
    assert sorted(rows.values()) == ["Ada", "Ada too", "Eve", "Eve too"]


async def test_tables_without_transactions(mariadb: MariaDb) -> None:
    """A refused row must not leave a part of its batch behind twice."""
    mariadb.make_database("old")
    mariadb.execute(
        "old",
        "CREATE TABLE contact (id INTEGER AUTO_INCREMENT PRIMARY KEY, name VARCHAR(9) UNIQUE) "
        "ENGINE=MyISAM",
    )
    connector = Sql({"url": mariadb.url("old")})
    writes = [Write(str(n), Op.CREATE, fields={"name": f"n{n % 7}"}) for n in range(10)]
    results = list(await connector.push("contact", writes))
    assert statuses(results) == {Status.OK: 7, Status.DUPLICATE: 3}
    assert len((await connector.pull("contact", None, ())).ids) == 7
    await connector.close()


async def test_a_clock_that_writers_keep_is_kept_by_us(tmp_path: Path) -> None:
    """No trigger moves it, so other readers of the table must still see our changes."""
    path = tmp_path / "shop.db"
    connection = sqlite3.connect(path)
    connection.execute("CREATE TABLE t (id INTEGER PRIMARY KEY, n INT, updated_at TEXT NOT NULL)")
    connection.execute("INSERT INTO t VALUES (1, 1, '2020-01-01T00:00:00')")
    connection.commit()
    connector = Sql({"url": f"sqlite:///{path}"})
    (changed,) = await connector.push("t", [Write("1", Op.UPDATE, "1", {"n": 2})])
    (made,) = await connector.push("t", [Write("2", Op.CREATE, fields={"n": 3})])
    assert changed.version is not None
    assert changed.version > "2026-01-01T"
    assert "T" in changed.version
    assert made.version is not None
    assert made.version > "2026-01-01 "
    connection.close()


async def test_null_and_values_in_one_batch(address: str) -> None:
    connector = Sql({"url": address})
    made = list(await connector.push("contact", [create(n, age=n) for n in range(4)]))
    changes = [
        Write(str(n), Op.UPDATE, str(result.id), {"age": None if n % 2 else n + 10})
        for n, result in enumerate(made)
    ]
    assert statuses(list(await connector.push("contact", changes))) == {Status.OK: 4}
    cleared = [Write(f"x{n}", Op.UPDATE, str(r.id), {"age": None}) for n, r in enumerate(made[:3])]
    assert statuses(list(await connector.push("contact", cleared))) == {Status.OK: 3}
    await connector.close()


async def test_a_server_that_would_cut_values_off(mariadb: MariaDb) -> None:
    """A session that is not strict stores the nearest value and only warns."""
    mariadb.make_database("lax")
    mariadb.execute("lax", "CREATE TABLE t (id INTEGER PRIMARY KEY, price DECIMAL(4, 2))")
    ((strict,),) = mariadb.execute("lax", "SELECT @@GLOBAL.sql_mode")
    mariadb.execute("lax", "SET GLOBAL sql_mode = ''")
    connector = Sql({"url": mariadb.url("lax")})
    try:
        (result,) = await connector.push(
            "t", [Write("1", Op.CREATE, fields={"id": 1, "price": 12345})]
        )
    finally:
        mariadb.execute("lax", f"SET GLOBAL sql_mode = '{strict}'")
        await connector.close()
    assert result.status is Status.INVALID
    assert result.issue is not None
    assert result.issue.field == "price"
