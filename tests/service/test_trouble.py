"""What goes wrong while it runs by itself: it waits, says so, and loses nothing."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
from tests.interfaces.program import Program, Shop, until
from tests.servers.radicale import Radicale
from tests.service.service import Service, service


def status(up: Service, sync: str) -> dict[str, Any]:
    (found,) = [s for s in up.program.json("status")["syncs"] if s["sync"] == sync]
    return dict(found)


def connected(program: Program, book: Radicale, sync: bool = True) -> None:
    given = [f"{name}={value}" for name, value in book.settings.items()]
    sets = [part for one in given for part in ("--set", one)]
    program("connect", "carddav", "--label", "book", *sets)
    if sync:
        program("sync", "add", "book", "contact")


def _in_sync(program: Program) -> int:
    (found,) = program.json("health", "book-contacts")["syncs"]
    return int(found["in_sync"])


@pytest.mark.slow
def test_revoked_access_in_the_middle_of_a_run(tmp_path: Path) -> None:
    program = Program(tmp_path / "data")
    with Radicale() as book:
        connected(program, book)
        people = tmp_path / "people.csv"
        people.write_text("email\n" + "".join(f"p{n}@x.example\n" for n in range(600)))
        program("hub", "records", "import", "contact", str(people))
        with service(program.folder) as up:
            until(lambda: any(method == "PUT" for method, _ in book.calls()))
            book.password = "another one"
            book.stop()
            book.start()
            until(lambda: status(up, "book-contacts")["word"] == "Action required")
            found = status(up, "book-contacts")
            assert (found["code"], found["queue"]) == ("TF-A01", None)
            program("hub", "records", "create", "contact", "--set", "email=late@x.example")
            assert status(up, "book-contacts")["word"] == "Action required"
            program("connection", "reconnect", "book", "--set", f"password={book.password}")
            # What was put off in mid-run is tried again by itself, after a minute or so; until then
            # nobody says that all is up to date.
            until(lambda: up.settled("book-contacts"), patience=180)
            assert _in_sync(program) == 601


@pytest.mark.slow
def test_an_app_that_hangs_holds_up_no_other(tmp_path: Path) -> None:
    program, shop = Program(tmp_path / "data"), Shop(tmp_path / "shop.db")
    with Radicale() as book:
        connected(program, book)
        program("connect", "sql", "--label", "shop", "--set", f"url={shop.url}")
        program("sync", "add", "shop", "company", "firms", "--map-by-name")
        with service(program.folder) as up:
            until(lambda: up.settled("book-contacts", "shop-companies"))
            book.stop()
            program("hub", "records", "create", "contact", "--set", "email=a@x.example")
            program("hub", "records", "create", "company", "--set", "name=Acme")
            until(lambda: shop.run("SELECT 1 FROM firms WHERE name = 'Acme'"))
            until(lambda: status(up, "book-contacts")["queue"] == "reach")
            book.start()
            until(lambda: up.settled("book-contacts"))
