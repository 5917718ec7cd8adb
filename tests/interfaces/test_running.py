"""Syncs end to end through the command line: the hub inside and an SQLite file."""

from __future__ import annotations

import asyncio
from pathlib import Path
from typing import Any

from tests.interfaces.program import Program, Shop, connected, rows

from twofold.app import installation
from twofold.services import runs

WATCHED = ("links", "singles", "records", "match_keys", "counters", "creations", "due", "waits")
"""Tables of which no row may be touched where nothing has changed."""


def _emails(program: Program) -> dict[str, str]:
    return {record["email"]: record.get("lastname", "") for record in program.hub()}


def test_edits_travel_both_ways(tmp_path: Path) -> None:
    program, shop = connected(tmp_path)
    report = program.json("sync", "run")["runs"][0]
    assert (report["ending"], report["did"]["hub created"]) == ("done", 3)
    assert _emails(program) == {f"p{n}@shop.example": f"Last{n}" for n in range(3)}

    shop.run("UPDATE people SET last_name = 'Lovelace' WHERE email = 'p0@shop.example'")
    found = program.json("hub", "records", "list", "contact")["records"]
    other = next(r["id"] for r in found if r["fields"]["email"] == "p1@shop.example")
    program("hub", "records", "edit", "contact", other, "--set", "lastname=Hopper")
    program("hub", "records", "create", "contact", "--set", "email=new@hub.example")
    program("sync", "run", "shop-contacts")

    assert _emails(program)["p0@shop.example"] == "Lovelace"
    names = dict(shop.run("SELECT email, last_name FROM people"))
    assert names["p1@shop.example"] == "Hopper"
    assert "new@hub.example" in names
    health = program.json("health", "shop-contacts")["syncs"][0]
    assert (health["in_sync"], health["total"]) == (4, 4)
    assert health["status"]["text"] == "Active and listening"


def _run_watched(folder: Path, options: runs.Options) -> list[Any]:
    """Run all syncs and return the rows of the watched tables that were written at all."""
    with installation(folder) as here:
        db = here.state.database.connection
        db.execute("CREATE TEMP TABLE touched (what TEXT)")
        for table in WATCHED:
            for op in ("INSERT", "UPDATE", "DELETE"):
                db.execute(
                    f"CREATE TEMP TRIGGER {op}_{table} AFTER {op} ON main.{table}"
                    f" BEGIN INSERT INTO touched VALUES ('{op} {table}'); END"
                )
        for sync in runs.chosen(here, ()):
            asyncio.run(runs.run(here, sync, options))
        return db.execute("SELECT what FROM touched").fetchall()


def test_a_second_run_writes_nothing(tmp_path: Path) -> None:
    program, shop = connected(tmp_path, people=30, firms=4)
    program("sync", "run")
    assert _run_watched(program.folder, runs.Options()) == []
    before = (shop.path.read_bytes(), rows(program.folder / "hub.db", "SELECT * FROM record"))
    assert _run_watched(program.folder, runs.Options()) == []
    shop.run("UPDATE people SET last_name = last_name")  # touched, and not changed
    assert _run_watched(program.folder, runs.Options(full=True)) == []
    program("sync", "run", "--full")
    after = (shop.path.read_bytes(), rows(program.folder / "hub.db", "SELECT * FROM record"))
    assert after[1] == before[1]
    assert shop.run("SELECT count(*), max(id) FROM people") == [(30, 30)]

    shop.run("UPDATE people SET last_name = 'Lovelace' WHERE id = 1")
    assert _run_watched(program.folder, runs.Options()) != []  # the watch sees what happens


def test_companies_come_first_and_contacts_keep_their_company(tmp_path: Path) -> None:
    program, _ = connected(tmp_path, people=6, firms=2)
    shown = program.json("sync", "show", "shop-contacts")["sync"]
    assert [(a["hub"], a["app_target"]) for a in shown["associations"]] == [("company", "firms")]

    waiting = program("sync", "run", "shop-contacts", "--json", code=3).json["runs"][0]
    assert (waiting["ending"], waiting["code"]) == ("waiting", "TF-U22")
    status = {s["sync"]: s["text"] for s in program.json("status")["syncs"]}
    assert status == {"shop-companies": "No active syncs", "shop-contacts": "Contact sync queued"}

    order = [run["sync"] for run in program.json("sync", "run", "--all")["runs"]]
    assert order == ["shop-companies", "shop-contacts"]
    contacts = program.json("hub", "records", "list", "contact")["records"]
    names = {r["id"]: r["fields"]["name"] for r in _companies(program)}
    held = {r["fields"]["email"]: r["associations"]["company"] for r in contacts}
    assert {
        email: [(names[t["id"]], t["primary"]) for t in targets] for email, targets in held.items()
    } == {f"p{n}@shop.example": [(f"Firm {n % 2 + 1}", True)] for n in range(6)}


def _companies(program: Program) -> list[Any]:
    found: list[Any] = program.json("hub", "records", "list", "company")["records"]
    return found


def test_contacts_go_on_without_a_sync_of_companies_that_is_off(tmp_path: Path) -> None:
    program, _ = connected(tmp_path, people=6, firms=2)
    program("sync", "off", "shop-companies")
    program("sync", "run")
    (contacts,) = program.json("health", "shop-contacts")["syncs"]
    assert contacts["in_sync"] == 6
    (waiting,) = contacts["waiting_associations"]
    assert (waiting["target"], waiting["count"]) == ("company", 6)
    assert "shop-companies, which is off" in waiting["sentence"]

    program("sync", "on", "shop-companies")
    program("sync", "run")
    (contacts,) = program.json("health", "shop-contacts")["syncs"]
    assert contacts["waiting_associations"] == []
    records = program.json("hub", "records", "list", "contact")["records"]
    assert all(record["associations"]["company"] for record in records)


def test_two_apps_and_a_sync_made_anew_multiply_nobody(tmp_path: Path) -> None:
    """More records than one chunk: matching must know those of the hub that are not due yet."""
    program, _ = connected(tmp_path, people=1200)
    program("sync", "run")
    twin = Shop(tmp_path / "twin.db", people=1200)
    program("connect", "sql", "--label", "twin", "--set", f"url={twin.url}")
    program("sync", "add", "twin", "contact", "people", "--map-by-name")
    program("sync", "run")
    program("sync", "delete", "shop-contacts", "--yes")
    program("sync", "add", "shop", "contact", "people", "--map-by-name")
    program("sync", "run")
    assert len(program.hub()) == 1200
    assert twin.run("SELECT count(*) FROM people") == [(1200,)]
    assert [s["in_sync"] for s in program.json("health")["syncs"]] == [1200, 1200]


def test_statuses_have_the_words_of_the_product(tmp_path: Path) -> None:
    program, shop = connected(tmp_path, people=12)

    def text() -> str:
        return str(program.json("status")["syncs"][0]["text"])

    assert Program(tmp_path / "empty").json("status") == {
        "status": "No active syncs",
        "syncs": [],
    }
    assert text() == "No active syncs"
    program("sync", "run")
    assert text() == "Active and listening"
    program("sync", "off", "shop-contacts")
    assert text() == "Turned off"
    assert program("sync", "run", "shop-contacts", code=1).error == "TF-U10"
    program("sync", "on", "shop-contacts")

    shop.run("DELETE FROM people")
    answer = program("sync", "run", code=1)
    assert "TF-B01" in answer.out
    status = program.json("status")["syncs"][0]
    assert (status["text"], status["code"]) == ("Action required", "TF-B01")
    program("sync", "run", "--allow-empty")
    (override,) = program.json("sync", "brakes", "shop-contacts")["overrides"]
    assert override["brake"] == "side-empty"
    assert text() == "Active and listening"
    excluded = program.json("records", "excluded")["records"]
    assert {r["issues"][0]["code"] for r in excluded} == {"TF-X10"}
    assert len(excluded) == 12

    shop.path.rename(tmp_path / "away.db")
    assert program("sync", "run", "--json", code=3).json["runs"][0]["code"] == "TF-C01"
    assert text() == "Contact sync queued"


def test_failing_records_have_their_cause_and_their_exit_code(tmp_path: Path) -> None:
    program, shop = connected(tmp_path)
    shop.run("CREATE UNIQUE INDEX one_phone ON people (phone)")
    program("sync", "run")
    for record in program.json("hub", "records", "list", "contact")["records"]:
        program("hub", "records", "edit", "contact", record["id"], "--set", "phone=+31201234567")
    assert program.json("sync", "run", code=4)["runs"][0]["health"]["failing"] == 2
    (health,) = program.json("health")["syncs"]
    assert [(g["count"], g["code"]) for g in health["failing_causes"]] == [(2, "TF-R02")]
    assert health["failing_causes"][0]["advice"]
    lines = program.json("records", "failing", "--sync", "shop-contacts")["records"]
    assert [line["issues"][0]["field"] for line in lines] == ["phone", "phone"]
    words = program("health")
    assert "2 × TF-R02" in words.out


def test_lists_are_paged_without_gaps_or_repeats(tmp_path: Path) -> None:
    program, _ = connected(tmp_path, people=7)
    for n in range(3):  # no valid e-mail: excluded, and unlinked
        program("hub", "records", "create", "contact", "--set", f"firstname=Nobody{n}")
    program("sync", "run")
    assert {s["excluded"] for s in program.json("health")["syncs"]} == {3}
    for state, expected in (("in-sync", 7), ("excluded", 3), ("failing", 0), ("waiting", 0)):
        seen: list[tuple[str, str]] = []
        after: list[str] = []
        while True:
            page = program.json("records", state, "--limit", "2", *after)
            assert len(page["records"]) <= 2
            seen += [(line["hub_id"], line["app_id"]) for line in page["records"]]
            if page["next"] is None:
                break
            after = ["--after", page["next"]]
        assert len(seen) == len(set(seen)) == expected


def test_the_counts_of_lists_and_of_health_agree(tmp_path: Path) -> None:
    program, shop = connected(tmp_path, people=5)
    (health,) = program.json("health")["syncs"]
    assert health["total"] == health["waiting"] == 0
    program("sync", "run")
    program("hub", "records", "create", "contact", "--set", "firstname=Nobody")
    shop.run("DELETE FROM people WHERE id <= 2")  # of these two pairs, one loses both ends
    program("hub", "records", "delete", "contact", "1", "--yes")
    program("sync", "run")
    (health,) = program.json("health")["syncs"]
    for state in ("in-sync", "failing", "excluded", "waiting"):
        listed = program.json("records", state)["records"]
        assert len(listed) == health[state.replace("-", "_")]
    assert (health["in_sync"], health["excluded"], health["total"]) == (3, 2, 5)


def test_runs_are_listed(tmp_path: Path) -> None:
    program, _ = connected(tmp_path)
    program("sync", "run")
    program("sync", "run")
    latest, first = program.json("run", "list", "shop-contacts")["runs"]
    assert (first["ending"], first["did"]["hub created"]) == ("done", 3)
    assert (latest["ending"], latest["did"]) == ("done", {})
    assert latest["started"] <= latest["ended"]


def test_what_can_only_be_read_is_said_before_it_is_saved(tmp_path: Path) -> None:
    program, shop = connected(tmp_path)
    shop.run("CREATE VIEW members AS SELECT * FROM people WHERE id < 3")
    told = ("--set", f"url={shop.url}", "--set", "keys=members=id")
    program("connection", "reconnect", "shop", *told)
    wanted = ("sync", "add", "shop", "contact", "members", "--map-by-name", "--json")
    problems = program(*wanted, code=1).json["error"]["problems"]
    assert [problem["code"] for problem in problems] == ["TF-F14"]
    program(*wanted, "--direction", "to-hub", "--name", "members")
    program("hub", "records", "create", "contact", "--set", "email=ada@example.org")
    report = program.json("sync", "run", "members")["runs"][0]
    assert (report["health"]["in_sync"], report["health"]["excluded"]) == (2, 1)


def test_a_table_without_a_key_is_said_before_it_is_saved(tmp_path: Path) -> None:
    program, shop = connected(tmp_path)
    shop.run("CREATE TABLE visitors (email TEXT, first_name TEXT)")
    wanted = ("sync", "add", "shop", "contact", "visitors", "--map-by-name")
    for direction in ("both", "to-hub"):
        assert program(*wanted, "--direction", direction, code=1).error == "TF-F31"
    assert len(program.json("sync", "list")["syncs"]) == 1
