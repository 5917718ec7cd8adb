"""Wrong addresses, refused sign-ins, locked and damaged files: one coded error, nothing written."""

from __future__ import annotations

import signal
import sqlite3
from contextlib import suppress
from pathlib import Path

import pytest
import sqlalchemy as sa
from tests.servers.mariadb import MariaDb
from tests.servers.postgres import Postgres
from tests.servers.unprivileged import free_port

from twofold.connectors.sql import Sql
from twofold.connectors.sql.engines import BadAddress, Database
from twofold.core.schema import Op
from twofold.kit.contract import Status, Write
from twofold.kit.errors import (
    AccessDenied,
    ConnectorError,
    CursorExpired,
    Misunderstood,
    OutcomeUnknown,
    SchemaChanged,
    Unavailable,
)

_TABLE = "CREATE TABLE contact (id INTEGER PRIMARY KEY, name TEXT)"


def make(path: Path, *statements: str) -> Sql:
    connection = sqlite3.connect(path)
    for statement in statements:
        connection.execute(statement)
    connection.commit()
    connection.close()
    return Sql({"url": f"sqlite:///{path}"}, patience=0)


@pytest.mark.parametrize(
    "address",
    ["", "shop.db", "oracle://ada:secret@host/db", "sqlite://", "sqlite:///:memory:", "http://x/y"],
)
def test_an_address_that_is_none_is_refused(address: str) -> None:
    with pytest.raises(BadAddress) as caught:
        Sql({"url": address})
    assert caught.value.code == "TF-A30"
    assert "secret" not in caught.value.sentence


async def test_a_missing_file_is_named_and_not_made(tmp_path: Path) -> None:
    path = tmp_path / "shop.db"
    with pytest.raises(Unavailable, match=r"there is no file .*shop\.db"):
        await Sql({"url": f"sqlite:///{path}"}).verify()
    assert not path.exists()


async def test_a_file_that_is_no_database(tmp_path: Path) -> None:
    path = tmp_path / "shop.db"
    path.write_bytes(b"Name;Email\nAda;ada@example.org\n" * 100)
    with pytest.raises(Misunderstood, match="not a database"):
        await Sql({"url": f"sqlite:///{path}"}).verify()


async def test_a_damaged_file(tmp_path: Path) -> None:
    path = tmp_path / "shop.db"
    rows = (f"INSERT INTO contact (name) VALUES ('{'x' * 500}')" for _ in range(200))
    connector = make(path, _TABLE, *rows)
    await connector.describe()
    content = bytearray(path.read_bytes())
    content[8192:] = b"\xff" * len(content[8192:])
    path.write_bytes(bytes(content))
    with pytest.raises(Misunderstood, match="damaged"):
        await connector.pull("contact", None, ["name"])


async def test_a_locked_file_is_out_of_reach_and_nothing_is_written(tmp_path: Path) -> None:
    path = tmp_path / "shop.db"
    connector = make(path, _TABLE)
    other = sqlite3.connect(path, isolation_level=None)
    other.execute("BEGIN EXCLUSIVE")
    with pytest.raises(Unavailable, match="another program holds a lock"):
        await connector.push("contact", [Write("1", Op.CREATE, fields={"name": "Ada"})])
    other.execute("ROLLBACK")
    other.close()
    assert (await connector.pull("contact", None, ())).ids == []


async def test_a_reader_that_holds_the_commit_back(tmp_path: Path) -> None:
    path = tmp_path / "shop.db"
    connector = make(path, _TABLE, "INSERT INTO contact (name) VALUES ('Bob')")
    other = sqlite3.connect(path, isolation_level=None)
    other.execute("BEGIN")
    other.execute("SELECT * FROM contact").fetchall()
    with pytest.raises(Unavailable, match="another program holds a lock"):
        await connector.push("contact", [Write("1", Op.CREATE, fields={"name": "Ada"})])
    other.execute("ROLLBACK")
    other.close()
    assert (await connector.pull("contact", None, ())).ids == ["1"]


async def test_a_full_disk(tmp_path: Path) -> None:
    path = tmp_path / "shop.db"
    connector = make(path, _TABLE)
    limit = sqlite3.connect(path)
    pages = limit.execute("PRAGMA page_count").fetchone()[0]
    limit.close()
    engine = connector._database.engine
    from sqlalchemy import event

    @event.listens_for(engine, "connect")
    def full(connection: sqlite3.Connection, _: object) -> None:
        connection.execute(f"PRAGMA max_page_count = {pages}")

    writes = [Write(str(n), Op.CREATE, fields={"name": "x" * 3000}) for n in range(10)]
    with pytest.raises(Unavailable, match="full"):
        await connector.push("contact", writes)
    assert (await connector.pull("contact", None, ())).ids == []


async def test_a_dropped_table_or_column_stops_the_sync(tmp_path: Path) -> None:
    path = tmp_path / "shop.db"
    connector = make(path, _TABLE)
    await connector.describe()
    make(path, "ALTER TABLE contact RENAME COLUMN name TO title")
    with pytest.raises((SchemaChanged, Misunderstood)):
        await connector.pull("contact", None, ["name"])
    await connector.describe()
    with pytest.raises(SchemaChanged, match="no field name"):
        await connector.pull("contact", None, ["name"])


@pytest.mark.parametrize("cursor", ["", "{}", '["changes","x"]', "[1,2,3]", '["nowhere",""]'])
async def test_a_cursor_of_something_else_is_expired(tmp_path: Path, cursor: str) -> None:
    connector = make(tmp_path / "shop.db", _TABLE)
    with pytest.raises(CursorExpired):
        await connector.pull("contact", cursor, ["name"])


Server = Postgres | MariaDb


@pytest.fixture(params=["postgres", "mariadb"])
def server(request: pytest.FixtureRequest) -> Server:
    found: Server = request.getfixturevalue(request.param)
    return found


async def refusal(url: str) -> Exception:
    connector = Sql({"url": url}, patience=5)
    try:
        await connector.verify()
    except ConnectorError as error:
        return error
    finally:
        await connector.close()
    raise AssertionError("nothing was refused")


async def test_a_wrong_password(server: Server) -> None:
    server.make_database("wrong")
    error = await refusal(server.url("wrong").replace("correct", "guessed"))
    assert isinstance(error, AccessDenied)
    assert "guessed" not in f"{error} {error.__dict__} {error.__cause__}"


async def test_an_unknown_database(server: Server) -> None:
    assert isinstance(await refusal(server.url("nowhere")), AccessDenied)


async def test_nobody_listens(server: Server) -> None:
    url = server.url("shop").replace(f":{server.port}/", f":{free_port()}/")
    error = await refusal(url)
    assert isinstance(error, Unavailable)
    assert "correct" not in str(error)


async def test_an_unknown_host(server: Server) -> None:
    error = await refusal(server.url("shop").replace("127.0.0.1", "host.invalid"))
    assert isinstance(error, Unavailable)


async def test_an_account_that_may_only_read(server: Server) -> None:
    server.make_database("museum")
    server.execute(
        "museum",
        "CREATE TABLE contact (id INTEGER PRIMARY KEY, name VARCHAR(20))",
        "INSERT INTO contact VALUES (1, 'Ada')",
        *(
            ("CREATE USER visitor PASSWORD 'look'", "GRANT SELECT ON contact TO visitor")
            if isinstance(server, Postgres)
            else ("GRANT SELECT ON museum.* TO visitor@127.0.0.1 IDENTIFIED BY 'look'",)
        ),
    )
    url = server.url("museum").replace(f"{server.user}:correct%20horse", "visitor:look")
    connector = Sql({"url": url})
    assert (await connector.pull("contact", None, ["name"])).ids == ["1"]
    (result,) = await connector.push("contact", [Write("1", Op.CREATE, fields={"id": 2})])
    assert result.status is Status.DENIED
    assert result.issue is not None
    assert result.issue.code == "TF-A03"
    await connector.close()


def test_a_server_that_dies_between_two_statements_is_out_of_reach(server: Server) -> None:
    """Whoever goes on after the first failure is told the same, and not of a rollback."""
    database = Database(server.url("postgres" if isinstance(server, Postgres) else "mysql"))
    try:
        with (  # noqa: PT012 (what is told is that of the last statement)
            pytest.raises(Unavailable),
            database.writing() as connection,
        ):
            connection.exec_driver_sql("SELECT 1")
            server.stop(signal.SIGKILL if isinstance(server, MariaDb) else signal.SIGQUIT)
            with suppress(sa.exc.SQLAlchemyError):
                connection.exec_driver_sql("SELECT 1")
            connection.exec_driver_sql("SELECT 1")
    finally:
        server.start()
        database.close()


async def test_a_server_that_dies_while_committing_leaves_the_outcome_open(
    server: Server, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Killed after the last statement and before the answer to COMMIT."""
    server.make_database("dying")
    server.execute("dying", "CREATE TABLE contact (id INTEGER PRIMARY KEY, name VARCHAR(20))")
    connector = Sql({"url": server.url("dying")})
    await connector.describe()
    database = connector._database
    commit = database._commit

    def crash(connection: object) -> None:
        assert server.process is not None
        server.stop(signal.SIGKILL if isinstance(server, MariaDb) else signal.SIGQUIT)
        commit(connection)  # type: ignore[arg-type]

    monkeypatch.setattr(database, "_commit", crash)
    try:
        with pytest.raises(OutcomeUnknown) as caught:
            await connector.push("contact", [Write("1", Op.CREATE, fields={"id": 1, "name": "A"})])
        assert caught.value.code == "TF-C03"
        monkeypatch.undo()
        with pytest.raises(Unavailable):
            await connector.push("contact", [Write("2", Op.CREATE, fields={"id": 2, "name": "B"})])
    finally:
        server.start()
    (result,) = await connector.push("contact", [Write("1", Op.CREATE, fields={"id": 3})])
    assert result.status is Status.OK
    await connector.close()
