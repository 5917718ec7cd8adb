"""What a feed of changes must not lose: equal instants, late commits, rows without a time."""

from __future__ import annotations

import sqlite3
from collections.abc import Sequence
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from tests.servers.mariadb import MariaDb
from tests.servers.postgres import Postgres

from twofold.connectors.sql import Sql
from twofold.core.schema import Feed

NOON = datetime(2026, 3, 1, 12, 0, 0, tzinfo=UTC)


class Hands:
    """A clock whose hands a test moves."""

    def __init__(self, time: datetime = NOON) -> None:
        self.time = time

    def now(self) -> datetime:
        return self.time

    def move(self, seconds: float) -> None:
        self.time += timedelta(seconds=seconds)


def execute(path: Path, *statements: str) -> None:
    connection = sqlite3.connect(path)
    for statement in statements:
        connection.execute(statement)
    connection.commit()
    connection.close()


async def drain(
    connector: Sql, cursor: str | None, fields: Sequence[str] = ("name",), obj: str = "contact"
) -> tuple[list[str], str, int]:
    """All ids up to the end, the cursor there, and the number of pages."""
    ids: list[str] = []
    pages = 0
    while True:
        page = await connector.pull(obj, cursor, fields)
        ids += page.ids
        pages += 1
        cursor = page.cursor
        if not page.more:
            return ids, cursor, pages


def clocked(path: Path, declared: str = "DATETIME NOT NULL") -> None:
    execute(
        path, f"CREATE TABLE contact (id INTEGER PRIMARY KEY, name TEXT, updated_at {declared})"
    )


async def test_many_rows_of_one_instant_come_once_each(tmp_path: Path) -> None:
    """Paging by time alone loses some, or never ends, when an instant fills more than a page."""
    path, hands = tmp_path / "shop.db", Hands()
    clocked(path)
    connector = Sql({"url": f"sqlite:///{path}"}, page_size=10, now=hands.now)
    _, cursor, _ = await drain(connector, None)
    instant = "'2026-03-01 12:00:00'"
    execute(path, *(f"INSERT INTO contact VALUES ({n}, 'x', {instant})" for n in range(1, 96)))
    ids, _, pages = await drain(connector, cursor)
    assert ids == [str(n) for n in range(1, 96)]
    assert pages == 10


async def test_a_settled_instant_is_not_read_again(tmp_path: Path) -> None:
    path, hands = tmp_path / "shop.db", Hands()
    clocked(path)
    rows = (f"INSERT INTO contact VALUES ({n}, 'x', '2026-03-01 11:59:59')" for n in range(1, 9))
    execute(path, *rows)
    connector = Sql({"url": f"sqlite:///{path}"}, now=hands.now)
    ids, cursor, _ = await drain(connector, None)
    assert len(ids) == 8
    hands.move(5)
    _, cursor, _ = await drain(connector, cursor)
    ids, cursor, _ = await drain(connector, cursor)
    assert ids == []
    execute(path, "UPDATE contact SET name = 'y', updated_at = '2026-03-01 12:00:07' WHERE id = 3")
    ids, _, _ = await drain(connector, cursor)
    assert ids == ["3"]


@pytest.mark.parametrize("hours", [-8, 0, 9])
async def test_a_table_with_local_times_loses_nothing(tmp_path: Path, hours: int) -> None:
    """Without a zone they count as UTC, but no edit may fall between two rounds."""
    path, hands = tmp_path / "shop.db", Hands()
    clocked(path)
    connector = Sql({"url": f"sqlite:///{path}"}, now=hands.now)

    def local() -> str:
        return (hands.time + timedelta(hours=hours)).strftime("'%Y-%m-%d %H:%M:%S'")

    execute(path, f"INSERT INTO contact VALUES (1, 'x', {local()})")
    _, cursor, _ = await drain(connector, None)
    for n in range(2, 30):
        hands.move(40)
        execute(path, f"INSERT INTO contact VALUES ({n}, 'x', {local()})")
        ids, cursor, _ = await drain(connector, cursor)
        assert str(n) in ids


async def test_a_time_far_in_the_future_hides_no_change(tmp_path: Path) -> None:
    path, hands = tmp_path / "shop.db", Hands()
    clocked(path)
    execute(path, "INSERT INTO contact VALUES (1, 'x', '2999-01-01 00:00:00')")
    connector = Sql({"url": f"sqlite:///{path}"}, now=hands.now)
    _, cursor, _ = await drain(connector, None)
    for n in range(2, 6):
        hands.move(100)
        execute(path, f"INSERT INTO contact VALUES ({n}, 'x', '{hands.time:%Y-%m-%d %H:%M:%S}')")
        ids, cursor, _ = await drain(connector, cursor)
        assert str(n) in ids


async def test_rows_without_a_time_come_in_each_round(tmp_path: Path) -> None:
    path, hands = tmp_path / "shop.db", Hands()
    clocked(path, "DATETIME")
    execute(path, "INSERT INTO contact VALUES (1, 'x', '2026-03-01 11:00:00')")
    connector = Sql({"url": f"sqlite:///{path}"}, page_size=2, now=hands.now)
    _, cursor, _ = await drain(connector, None)
    execute(path, *(f"INSERT INTO contact VALUES ({n}, 'x', NULL)" for n in range(2, 7)))
    for _ in range(2):
        hands.move(60)
        ids, cursor, _ = await drain(connector, cursor)
        assert [i for i in ids if i != "1"] == ["2", "3", "4", "5", "6"]


@pytest.mark.parametrize(
    ("declared", "written"),
    [
        ("DATETIME NOT NULL", "2026-03-01T{:%H:%M:%S}"),
        ("TEXT NOT NULL", "2026-03-01T{:%H:%M:%S.%f}Z"),
        ("INTEGER NOT NULL", "{0:epoch}"),
        ("REAL NOT NULL", "{0:julian}"),
    ],
)
async def test_each_way_to_write_a_time(tmp_path: Path, declared: str, written: str) -> None:
    path, hands = tmp_path / "shop.db", Hands()
    clocked(path, declared)
    connector = Sql({"url": f"sqlite:///{path}"}, now=hands.now)

    def moment() -> str:
        if "epoch" in written:
            return str(int(hands.time.timestamp()))
        if "julian" in written:
            return str(hands.time.timestamp() / 86400 + 2440587.5)
        return "'" + written.format(hands.time) + "'"

    kind = next(k for k in await connector.describe() if k.name == "contact")
    assert (kind.feed, kind.label) == (Feed.WATERMARK, "contact (changes by updated_at)")
    cursor = None
    for n in range(1, 20):
        execute(path, f"INSERT INTO contact VALUES ({n}, 'x', {moment()})")
        ids, cursor, _ = await drain(connector, cursor)
        assert str(n) in ids
        assert len(ids) <= 3, "old rows come again and again"
        hands.move(30)


async def test_a_choice_of_another_column_expires_the_cursor(tmp_path: Path) -> None:
    from twofold.kit.errors import CursorExpired

    path = tmp_path / "shop.db"
    clocked(path)
    _, cursor, _ = await drain(Sql({"url": f"sqlite:///{path}"}), None)
    snapshot = Sql({"url": f"sqlite:///{path}", "changes": "contact=-"})
    assert (await snapshot.describe())[0].feed is Feed.SNAPSHOT
    with pytest.raises(CursorExpired):
        await snapshot.pull("contact", cursor, ["name"])


@pytest.mark.parametrize("name", ["postgres", "mariadb"])
async def test_a_transaction_that_commits_late_is_seen(
    name: str, request: pytest.FixtureRequest
) -> None:
    """It took its time before a row that we have read already, and commits afterwards."""
    server: Postgres | MariaDb = request.getfixturevalue(name)
    server.make_database("late")
    zoned = "TIMESTAMPTZ" if isinstance(server, Postgres) else "DATETIME(6)"
    server.execute(
        "late",
        f"CREATE TABLE contact (id INTEGER PRIMARY KEY, name VARCHAR(9), updated_at {zoned} "
        "NOT NULL DEFAULT CURRENT_TIMESTAMP)",
        "INSERT INTO contact (id, name) VALUES (1, 'first')",
    )
    connector = Sql({"url": server.url("late")})
    _, cursor, _ = await drain(connector, None)
    slow = server.connection("late")
    cursor_of_slow = slow.cursor()
    cursor_of_slow.execute("BEGIN")
    cursor_of_slow.execute("INSERT INTO contact (id, name) VALUES (2, 'slow')")
    server.execute("late", "INSERT INTO contact (id, name) VALUES (3, 'quick')")
    ids, cursor, _ = await drain(connector, cursor)
    assert "3" in ids
    assert "2" not in ids
    ids, cursor, _ = await drain(connector, cursor)
    cursor_of_slow.execute("COMMIT")
    slow.close()
    ids, cursor, _ = await drain(connector, cursor)
    assert "2" in ids
    await connector.close()


async def test_composite_keys_page_through_all_rows(tmp_path: Path) -> None:
    path = tmp_path / "shop.db"
    execute(path, "CREATE TABLE price (sku TEXT, country TEXT, PRIMARY KEY (sku, country))")
    pairs = [(sku, country) for sku in ("a,b", "a", "%2C", "é") for country in ("de", "a,", ",")]
    connection = sqlite3.connect(path)
    connection.executemany("INSERT INTO price VALUES (?, ?)", pairs)
    connection.commit()
    connection.close()
    connector = Sql({"url": f"sqlite:///{path}"}, page_size=5)
    ids, _, pages = await drain(connector, None, ["country"], "price")
    assert pages == 3
    assert len(set(ids)) == len(pairs)
    found = await connector.get("price", ids, ["sku", "country"])
    shown = {(r.fields["sku"], r.fields["country"]) for rs in found.values() for r in rs}
    assert shown == set(pairs)
