"""Several people and processes on one hub's file, processes that are killed, files that are bad."""

from __future__ import annotations

import os
import random
import signal
import subprocess
import sys
from collections.abc import Iterator
from contextlib import closing, contextmanager
from pathlib import Path

import pytest
from tests.hub.consistency import assert_consistent

from twofold.core.schema import Op
from twofold.database.sqlite import Database
from twofold.hub.connector import HubConnector
from twofold.hub.crm import Hub
from twofold.hub.tables import APPLICATION_ID, MIGRATIONS
from twofold.kit.contract import Status, Write
from twofold.kit.errors import ConnectorError, CursorExpired, Retry, Stop

ENVIRONMENT = {**os.environ, "PYTHONPATH": os.pathsep.join(sys.path)}

EDIT = """
import sys
from pathlib import Path
from twofold.core.schema import Op
from twofold.hub.crm import Hub
from twofold.kit.contract import Status, Write
hub = Hub.open(Path(sys.argv[1]))
for _ in range(int(sys.argv[2])):
    hub.create("contact", {"firstname": sys.argv[3]})
    while True:
        record = hub.read("company", "1")
        count = record.fields["numberofemployees"] + 1
        write = Write("", Op.UPDATE, "1", {"numberofemployees": count}, if_version=record.version)
        (result,) = hub.write("company", [write])
        if result.status is Status.OK:
            break
        assert result.status is Status.CONFLICT
"""

FILL = """
import sys
from pathlib import Path
from twofold.core.records import Target
from twofold.core.schema import Op
from twofold.hub.crm import Hub
from twofold.kit.contract import Write
hub = Hub.open(Path(sys.argv[1]))
companies = [hub.create("company", {"name": str(n)}).id for n in range(5)]
batch = 0
while True:
    batch += 1
    related = (("company", Target(companies[batch % 5])),)
    writes = [
        Write(f"{batch} {n}", Op.CREATE, fields={"email": f"{n}@example.org"}, associate=related)
        for n in range(200)
    ]
    made = hub.write("contact", writes)
    hub.write("contact", [Write("", Op.UPDATE, r.id, {"firstname": str(batch)}) for r in made])
    hub.merge("contact", made[0].id, made[1].id)
    hub.delete("contact", made[2].id)
    print(batch, flush=True)
"""


def test_no_edit_of_two_processes_and_two_connections_is_lost(tmp_path: Path) -> None:
    path = tmp_path / "hub.db"
    with closing(Hub.open(path)) as first, closing(Hub.open(path)) as second:
        first.create("company", {"numberofemployees": 0})
        editors = [
            subprocess.Popen(
                [sys.executable, "-c", EDIT, str(path), "60", f"editor {n}"],
                stderr=subprocess.PIPE,
                env=ENVIRONMENT,
            )
            for n in range(2)
        ]
        for n in range(60):
            hub = (first, second)[n % 2]
            hub.create("contact", {"firstname": "here"})
        assert [editor.communicate()[1].decode() for editor in editors] == ["", ""]
        company = second.read("company", "1")
        assert company is not None
        assert company.fields["numberofemployees"] == 120
        page = first.changes("contact", 0, 1000)
        assert len(page.rows) == 180
        assert_consistent(first)


def test_a_reader_follows_what_another_process_writes(tmp_path: Path) -> None:
    """Sequences become visible in order: a reader that goes on from the newest loses nothing."""
    path = tmp_path / "hub.db"
    with closing(Hub.open(path)) as hub:
        hub.create("company", {"numberofemployees": 0})
        editor = subprocess.Popen(
            [sys.executable, "-c", EDIT, str(path), "80", "x"], env=ENVIRONMENT
        )
        seen: list[int] = []
        after = 0
        while len(seen) < 80:
            page = hub.changes("contact", after, 10)
            seen += [row[0] for row in page.rows]
            after = page.sequence
            assert editor.poll() in (None, 0)
        editor.wait()
        assert len(set(seen)) == 80


@pytest.mark.parametrize("seed", range(4))
def test_a_killed_writer_leaves_whole_transactions(tmp_path: Path, seed: int) -> None:
    path = tmp_path / "hub.db"
    chance = random.Random(seed)
    with subprocess.Popen(
        [sys.executable, "-c", FILL, str(path)], stdout=subprocess.PIPE, env=ENVIRONMENT
    ) as writer:
        assert writer.stdout is not None
        batches = chance.randrange(2, 8)
        while int(writer.stdout.readline()) < batches:
            pass
        for _ in range(chance.randrange(300_000)):
            pass  # until somewhere amid the next batch
        os.kill(writer.pid, signal.SIGKILL)
    with closing(Hub.open(path)) as hub:
        assert_consistent(hub)
        batch_sizes = hub.database.connection.execute(
            "SELECT count(*) FROM creation GROUP BY substr(ref, 1, instr(ref, ' '))"
        ).fetchall()
        assert set(batch_sizes) == {(200,)}
        assert len(batch_sizes) >= batches
        again = [Write(f"{batches} {n}", Op.CREATE, fields={}) for n in range(200)]
        before = hub.position()
        assert {result.status for result in hub.write("contact", again)} == {Status.OK}
        assert hub.position() == before


@contextmanager
def locked(path: Path) -> Iterator[None]:
    with closing(Hub.open(path)) as holder, holder.database.transaction():
        yield


async def refusal(path: Path) -> ConnectorError:
    """What the engine sees of a file that cannot be used."""
    connector = HubConnector({"path": str(path)})
    with pytest.raises(ConnectorError) as caught:
        await connector.push("contact", [Write("a", Op.CREATE)])
    await connector.close()
    return caught.value


async def test_a_locked_hub_is_tried_again_later(tmp_path: Path) -> None:
    path = tmp_path / "hub.db"
    impatient = Database(path, MIGRATIONS, application_id=APPLICATION_ID, wait=0.01)
    with closing(Hub(impatient)) as hub, locked(path):
        with pytest.raises(Retry) as caught:
            await HubConnector.over(hub).push("contact", [Write("a", Op.CREATE)])
        assert caught.value.code == "TF-S01"


async def test_a_file_that_is_no_hub_stops_the_sync(tmp_path: Path) -> None:
    path = tmp_path / "letter.txt"
    path.write_text("Dear Sir or Madam, " * 100)
    error = await refusal(path)
    assert isinstance(error, Stop)
    assert error.code == "TF-S04"


async def test_a_hub_of_a_newer_twofold_stops_the_sync(tmp_path: Path) -> None:
    path = tmp_path / "hub.db"
    with closing(Hub.open(path)) as hub:
        hub.database.connection.execute(f"PRAGMA user_version = {len(MIGRATIONS) + 1}")
    error = await refusal(path)
    assert isinstance(error, Stop)
    assert error.code == "TF-S03"


async def test_a_missing_folder_stops_the_sync(tmp_path: Path) -> None:
    error = await refusal(tmp_path / "nowhere" / "hub.db")
    assert isinstance(error, Stop)
    assert error.code == "TF-S07"


async def test_a_full_disk_stops_the_sync_and_nothing_is_half_written(tmp_path: Path) -> None:
    with closing(Hub.open(tmp_path / "hub.db")) as hub:
        connector = HubConnector.over(hub)
        connection = hub.database.connection
        (pages,) = connection.execute("PRAGMA page_count").fetchone()
        connection.execute(f"PRAGMA max_page_count = {pages + 2}")
        writes = [Write(str(n), Op.CREATE, fields={"address": "x" * 200}) for n in range(1000)]
        with pytest.raises(Stop) as caught:
            await connector.push("contact", writes)
        assert caught.value.code == "TF-S05"
        assert hub.changes("contact", 0, 9).rows == []
        connection.execute("PRAGMA max_page_count = 100000")
        results = await connector.push("contact", writes)
        assert {result.status for result in results} == {Status.OK}
        assert_consistent(hub)


@pytest.mark.parametrize(
    "cursor",
    [
        *("", "x", "null", "{}", "[]", "\ud800", '["other","changes",0,0]'),
        *('["{hub}","changes",99,0]', '["{hub}","changes",-1,0]', '["{hub}","listing",0,1e30]'),
        '["{hub}","listing",0,9223372036854775808]',
    ],
)
async def test_a_cursor_of_another_hub_or_of_nobody_is_expired(tmp_path: Path, cursor: str) -> None:
    with closing(Hub.open(tmp_path / "hub.db")) as hub:
        identity, _ = hub.position()
        with pytest.raises(CursorExpired):
            await HubConnector.over(hub).pull("contact", cursor.replace("{hub}", identity), [])


async def test_a_hub_is_opened_when_it_is_first_asked_and_closed_once(tmp_path: Path) -> None:
    path = tmp_path / "hub.db"
    connector = HubConnector({"path": str(path)})
    assert not path.exists()
    identity = await connector.verify()
    assert path.exists()
    await connector.close()
    await connector.close()
    assert await connector.verify() == identity
    await connector.close()
    with closing(Hub.open(path)) as given:
        over = HubConnector.over(given)
        await over.close()
        assert given.position()[0] == identity.account
