"""What tables look like to us: kinds, keys, names and values, however odd."""

from __future__ import annotations

import sqlite3
from datetime import UTC, date, datetime
from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest
from tests.servers.mariadb import MariaDb
from tests.servers.postgres import Postgres

from twofold.connectors.sql import Sql
from twofold.core.records import Target
from twofold.core.schema import Feed, ObjectType, Op
from twofold.core.values import Kind, Value
from twofold.kit.contract import Status, Write
from twofold.kit.errors import SchemaChanged


def make(path: Path, *statements: str) -> Sql:
    connection = sqlite3.connect(path)
    for statement in statements:
        connection.execute(statement)
    connection.commit()
    connection.close()
    return Sql({"url": f"sqlite:///{path}"})


async def described(connector: Sql, name: str) -> ObjectType:
    return next(kind for kind in await connector.describe() if kind.name == name)


async def test_a_table_without_a_key_says_what_to_do(tmp_path: Path) -> None:
    path = tmp_path / "shop.db"
    connector = make(
        path, "CREATE TABLE note (a TEXT, b TEXT)", "INSERT INTO note VALUES ('x','y')"
    )
    kind = await described(connector, "note")
    assert not kind.ops
    assert kind.keys == ()
    assert all(field.unmappable.startswith("TF-F31: ") for field in kind.fields)
    with pytest.raises(SchemaChanged) as caught:
        await connector.pull("note", None, ["a"])
    assert caught.value.code == "TF-F31"
    told = Sql({"url": f"sqlite:///{path}", "keys": "note=a+b"})
    assert (await told.pull("note", None, ["b"])).ids == ["x,y"]
    wrong = Sql({"url": f"sqlite:///{path}", "keys": "note=z"})
    with pytest.raises(SchemaChanged) as caught:
        await wrong.describe()
    assert caught.value.code == "TF-F32"


async def test_a_unique_column_without_nulls_is_a_key(tmp_path: Path) -> None:
    connector = make(
        tmp_path / "shop.db", "CREATE TABLE t (code VARCHAR(9) NOT NULL UNIQUE, n INT)"
    )
    write = Write("1", Op.CREATE, fields={"code": "a", "n": 1})
    (result,) = await connector.push("t", [write])
    assert result.id == "a"
    (again,) = await connector.push("t", [write])
    assert again.status is Status.DUPLICATE
    assert again.issue is not None
    assert again.issue.other_id == "a"


async def test_a_view_is_read_only(tmp_path: Path) -> None:
    path = tmp_path / "shop.db"
    table = "CREATE TABLE t (id INTEGER PRIMARY KEY, name TEXT)"
    make(path, table, "INSERT INTO t VALUES (7, 'x')", "CREATE VIEW v AS SELECT * FROM t")
    assert (await described(Sql({"url": f"sqlite:///{path}"}), "v")).fields[0].unmappable
    told = Sql({"url": f"sqlite:///{path}", "keys": "v=id"})
    kind = await described(told, "v")
    assert not kind.ops
    assert all(field.read_only for field in kind.fields)
    assert (await told.pull("v", None, ["name"])).ids == ["7"]
    (result,) = await told.push("v", [Write("1", Op.UPDATE, "7", {"name": "y"})])
    assert result.status is Status.DENIED


async def test_names_that_are_no_names(tmp_path: Path) -> None:
    """Quotes, colons, percent signs and words of SQL: nothing is put into statements as text."""
    names = [
        'we"ird',
        "per%cent",
        "co:lon",
        "select",
        "a b",
        "ümlaut",
        "it's",
        "x);DROP TABLE t;--",
    ]
    quoted = ['"' + name.replace('"', '""') + '"' for name in names]
    columns = ", ".join(f"{q} TEXT" for q in quoted)
    table = '"' + names[0].replace('"', '""') + ' table"'
    key, stamp = '"key id" INTEGER PRIMARY KEY', '"updated at" TEXT'
    path = tmp_path / "shop.db"
    make(path, f"CREATE TABLE {table} ({key}, {stamp}, {columns})")
    obj = f"{names[0]} table"
    connector = Sql({"url": f"sqlite:///{path}", "changes": f"{obj}=updated at"})
    fields: dict[str, Value] = {name: f"value of {name}" for name in names}
    made, other = await connector.push(
        obj,
        [Write("1", Op.CREATE, fields=fields), Write("2", Op.CREATE, fields={"select": "?"})],
    )
    assert made.status is Status.OK, made
    (changed,) = await connector.push(
        obj,
        [Write("3", Op.UPDATE, made.id, {"co:lon": ":x"}, expected={"co:lon": fields["co:lon"]})],
    )
    assert changed.status is Status.OK, changed
    found = await connector.get(obj, [str(made.id), str(other.id)], names)
    assert found[str(made.id)][0].fields == {**fields, "co:lon": ":x"}
    page = await connector.pull(obj, None, names)
    assert len((await connector.pull(obj, page.cursor, names)).ids) == 2


@pytest.mark.parametrize(
    ("declared", "stored", "shown"),
    [
        ("NVARCHAR(9)", 12, "12"),
        ("INTEGER", "abc", "abc"),
        ("INTEGER", 7.0, 7),
        ("BLOB_ID INT", "12", 12),
        ("NUMERIC(10,2)", "12.50", Decimal("12.5")),
        ("NUMERIC(10,2)", "1.99", Decimal("1.99")),
        ("REAL", 0.1, Decimal("0.1")),
        ("DECIMAL(30,10)", "n/a", "n/a"),
        ("BOOLEAN", 1, True),
        ("BOOLEAN", "false", False),
        ("BOOLEAN", "maybe", "maybe"),
        ("DATE", "2024-02-29", date(2024, 2, 29)),
        ("DATE", "2024/02/29", date(2024, 2, 29)),
        ("DATE", "29.02.2024", "29.02.2024"),
        ("DATETIME", "2009-01-02 00:00:00", datetime(2009, 1, 2, tzinfo=UTC)),
        ("DATETIME", "2009-01-02T03:04:05+01:00", datetime(2009, 1, 2, 2, 4, 5, tzinfo=UTC)),
        ("DATETIME", 1230854400, datetime(2009, 1, 2, tzinfo=UTC)),
        ("DATETIME", 1230854400000, datetime(2009, 1, 2, tzinfo=UTC)),
        ("DATETIME", 2454833.5, datetime(2009, 1, 2, tzinfo=UTC)),
        ("DATETIME", 10**17, str(10**17)),
        ("DATETIME", "yesterday", "yesterday"),
        ("UUID", "6a1c", "6a1c"),
        ("", "any", "any"),
    ],
)
async def test_sqlite_holds_anything_anywhere(
    tmp_path: Path, declared: str, stored: Any, shown: Value
) -> None:
    """Read as the declared kind; what cannot be is shown as text, never as blank."""
    path = tmp_path / "shop.db"
    connector = make(path, f"CREATE TABLE t (id INTEGER PRIMARY KEY, v {declared})")
    connection = sqlite3.connect(path)
    connection.execute("INSERT INTO t (v) VALUES (?)", [stored])
    connection.commit()
    connection.close()
    page = await connector.pull("t", None, ["v"])
    value = page.decode([0])[0].fields["v"]
    assert (type(value), value) == (type(shown), shown)


async def test_text_that_is_not_utf_8(tmp_path: Path) -> None:
    path = tmp_path / "shop.db"
    connector = make(
        path,
        "CREATE TABLE t (id INTEGER PRIMARY KEY, name TEXT, other TEXT)",
        "INSERT INTO t VALUES (1, 'good', 'x'), (2, CAST(x'4A6FFF6E' AS TEXT), 'x')",
    )
    page = await connector.pull("t", None, ["name", "other"])
    again = await connector.pull("t", None, ["name", "other"])
    assert [r.fields["name"] for r in page.decode([0, 1])] == ["good", "Jo\ufffdn"]
    assert page.digests == again.digests
    (result,) = await connector.push("t", [Write("1", Op.UPDATE, "2", {"other": "y"})])
    assert result.status is Status.OK
    rows = sqlite3.connect(path).execute("SELECT CAST(name AS BLOB), other FROM t WHERE id = 2")
    assert rows.fetchall() == [(b"Jo\xffn", "y")]


async def test_keys_and_references_of_several_columns(tmp_path: Path) -> None:
    connector = make(
        tmp_path / "shop.db",
        "CREATE TABLE place (country TEXT, city TEXT, PRIMARY KEY (country, city))",
        "CREATE TABLE person (id INTEGER PRIMARY KEY, city TEXT, land TEXT, boss_id INTEGER "
        "REFERENCES person (id), FOREIGN KEY (city, land) REFERENCES place (city, country))",
        "INSERT INTO place VALUES ('de', 'Köln'), ('us', 'A, B')",
    )
    kind = await described(connector, "person")
    assert [(a.name, a.target) for a in kind.associations] == [
        ("boss", "person"),
        ("place", "place"),
    ]
    assert all(kind.field(name).read_only for name in ("city", "land", "boss_id"))  # type: ignore[union-attr]
    places = (await connector.pull("place", None, ())).ids
    writes = [
        Write(str(n), Op.CREATE, associate=(("place", Target(place)),))
        for n, place in enumerate(places)
    ]
    results = await connector.push("person", writes)
    assert [r.stored and r.stored.associations["place"] for r in results] == [
        (Target(place),) for place in places
    ]
    (broken,) = await connector.push(
        "person", [Write("x", Op.CREATE, associate=(("place", Target("no,where,at,all")),))]
    )
    assert broken.status is Status.INVALID


async def test_postgres_types(postgres: Postgres) -> None:
    postgres.make_database("types")
    postgres.execute(
        "types",
        "CREATE SCHEMA crm",
        "CREATE DOMAIN short AS VARCHAR(5)",
        """CREATE TABLE crm.thing (
            id UUID PRIMARY KEY DEFAULT gen_random_uuid(), tags TEXT[], body JSONB, raw BYTEA,
            span INTERVAL, at TIMESTAMP, zoned TIMESTAMPTZ, small SMALLINT, code short,
            twice INTEGER GENERATED ALWAYS AS (small * 2) STORED, rate DOUBLE PRECISION,
            place POINT)""",
    )
    connector = Sql({"url": postgres.url("types"), "schema": "crm"})
    kind = await described(connector, "crm.thing")
    unmappable = {f.name for f in kind.fields if f.unmappable}
    assert unmappable == {"tags", "body", "raw", "span", "place"}
    assert kind.idempotent
    twice = kind.field("twice")
    assert twice is not None
    assert (twice.computed, twice.read_only) == ("calculation", True)
    moment = datetime(2024, 2, 29, 12, 30, 15, tzinfo=UTC)
    fields: dict[str, Value] = {
        "at": moment,
        "zoned": moment,
        "small": 21,
        "code": "abc",
        "rate": Decimal("0.1"),
    }
    write = Write("ref-1", Op.CREATE, fields=fields)
    (first,) = await connector.push("crm.thing", [write])
    (again,) = await connector.push("crm.thing", [write])
    assert first.status is again.status is Status.OK
    assert first.id == again.id
    assert first.stored is not None
    assert {n: first.stored.fields[n] for n in fields} == fields
    assert first.stored.fields["twice"] == 42
    (wide,) = await connector.push("crm.thing", [Write("2", Op.CREATE, fields={"small": 40000})])
    assert wide.status is Status.INVALID
    assert wide.issue is not None
    assert wide.issue.field == "small"
    await connector.close()


async def test_mariadb_types(mariadb: MariaDb) -> None:
    mariadb.make_database("types")
    mariadb.execute(
        "types",
        """CREATE TABLE thing (id INTEGER AUTO_INCREMENT PRIMARY KEY, yes BOOLEAN, tiny TINYINT,
            color ENUM('red', 'green'), tags SET('a', 'b'), made YEAR, raw BLOB, at TIMESTAMP NULL,
            big BIGINT UNSIGNED, name VARCHAR(20) UNIQUE, d DATE, n DECIMAL(30, 10))""",
        "SET sql_mode = ''",
    )
    connector = Sql({"url": mariadb.url("types")})
    kind = await described(connector, "thing")
    kinds = {f.name: f.kind for f in kind.fields if not f.unmappable}
    assert {f.name for f in kind.fields if f.unmappable} == {"tags", "raw"}
    assert kinds["yes"] is Kind.BOOL
    assert kinds["color"] is Kind.CHOICE
    fields: dict[str, Value] = {
        "yes": True,
        "tiny": -3,
        "color": "green",
        "made": 2024,
        "big": 2**64 - 1,
        "name": "Ada \U0001f469",
        "d": date(2024, 2, 29),
        "n": Decimal("0.1"),
        "at": datetime(2024, 2, 29, 12, tzinfo=UTC),
    }
    (made,) = await connector.push("thing", [Write("1", Op.CREATE, fields=fields)])
    assert made.stored is not None, made
    assert {n: made.stored.fields[n] for n in fields} == fields
    found = await connector.get("thing", ["ADA \U0001f469"], ["yes"], key="name")
    assert [r.id for r in found["ADA \U0001f469"]] == [made.id], "its collation ignores case"
    mariadb.execute("types", "SET sql_mode = ''", "UPDATE thing SET d = '0000-00-00'")
    (record,) = (await connector.get("thing", [str(made.id)], ["d"]))[str(made.id)]
    assert record.fields["d"] in (None, "0000-00-00")
    await connector.close()


async def test_generated_and_default_columns(tmp_path: Path) -> None:
    connector = make(
        tmp_path / "shop.db",
        "CREATE TABLE t (id INTEGER PRIMARY KEY, a INT NOT NULL, b INT NOT NULL DEFAULT 5, "
        "c INT GENERATED ALWAYS AS (a * 2), version INT NOT NULL)",
    )
    kind = await described(connector, "t")
    assert [f.name for f in kind.fields if f.required] == ["a"]
    assert [f.name for f in kind.fields if f.read_only] == ["id", "c", "version"]
    assert kind.feed is Feed.SNAPSHOT, "a counter of each row says nothing about which rows moved"
    (made,) = await connector.push("t", [Write("1", Op.CREATE, fields={"a": 4, "b": None})])
    assert made.stored is not None, made
    assert made.stored.fields == {"id": 1, "a": 4, "b": 5, "c": 8, "version": 1}
    assert made.version == "1"
    (changed,) = await connector.push("t", [Write("2", Op.UPDATE, "1", {"a": 5}, if_version="1")])
    assert changed.version == "2"
    (stale,) = await connector.push("t", [Write("3", Op.UPDATE, "1", {"a": 6}, if_version="1")])
    assert stale.status is Status.CONFLICT


async def test_odd_tables_of_sqlite(tmp_path: Path) -> None:
    """A broken view is left out; keys that are no row ids are needed from us."""
    connector = make(
        tmp_path / "shop.db",
        "CREATE TABLE bare (code TEXT PRIMARY KEY, n INT) WITHOUT ROWID",
        "CREATE TABLE almost (id INT PRIMARY KEY, v TEXT)",
        "CREATE TABLE odd (id INTEGER PRIMARY KEY AUTOINCREMENT, j JSON, u UUID, m MONEY)",
        "CREATE VIEW broken AS SELECT nope FROM bare",
        "CREATE VIEW good AS SELECT n FROM bare",
    )
    kinds = {kind.name: kind for kind in await connector.describe()}
    assert set(kinds) == {"bare", "almost", "odd", "good"}
    assert [f.name for f in kinds["almost"].fields if f.required] == ["id"]
    assert {f.name: f.kind for f in kinds["odd"].fields if not f.unmappable} == {
        "id": Kind.INT,
        "u": Kind.TEXT,
        "m": Kind.DECIMAL,
    }
    missing, made = await connector.push(
        "almost",
        [
            Write("1", Op.CREATE, fields={"v": "x"}),
            Write("2", Op.CREATE, fields={"id": 5, "v": "y"}),
        ],
    )
    assert missing.issue is not None
    assert (missing.issue.code, missing.issue.field) == ("TF-R04", "id")
    assert (made.status, made.id) == (Status.OK, "5")
