"""The two apps of a benchmark: made, put back to the beginning, and asked what was done to them."""

from __future__ import annotations

import shutil
import sqlite3
import tempfile
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import Protocol

from benchmarks import children
from benchmarks.people import FIELDS, cards_of, numbers, person
from tests.servers.radicale import Radicale

Counts = Mapping[str, float]


class World(Protocol):
    """Two apps of one kind."""

    kind: str
    addresses: tuple[str, str]

    def reset(self) -> None:
        """Both as they were at the beginning."""
        ...

    def counts(self) -> Counts:
        """What was asked of both since the last time: calls by kind, and records ``written``."""
        ...


class JsonServers:
    """Two of our own servers."""

    kind = "json"

    def __init__(self, addresses: tuple[str, str]) -> None:
        self.addresses = addresses

    def reset(self) -> None:
        children.reset(self.addresses)

    def counts(self) -> Counts:
        seen = children.calls(self.addresses)
        counts = {
            what: float(seen.get(what, 0)) for what in ("list", "changes", "create", "update")
        }
        return counts | {"written": float(seen.get("created", 0) + seen.get("updated", 0))}


class Tables:
    """Two SQLite databases with a table of people each. Their statements are counted by whom runs
    them, so that nothing stands between: see `product`.
    """

    kind = "sql"

    def __init__(self, folder: Path, size: int) -> None:
        self._folder = folder
        for side in ("hub", "app"):
            _make_table(folder / f"{side}.base", side, size)
        self.addresses = (str(folder / "hub.db"), str(folder / "app.db"))
        self.reset()

    def reset(self) -> None:
        for side in ("hub", "app"):
            shutil.copyfile(self._folder / f"{side}.base", self._folder / f"{side}.db")

    def counts(self) -> Counts:
        return {}


class AddressBooks:
    """Two address books on one Radicale, which logs every request."""

    kind = "carddav"

    def __init__(self, server: Radicale, size: int) -> None:
        self._server = server
        self._size = size
        self.addresses = (f"{server.url}|hub", f"{server.url}|app")
        self.reset()

    def reset(self) -> None:
        for side in ("hub", "app"):
            self._server.request("DELETE", f"/{self._server.user}/{side}/")
            self._server.make_book(side)
            book = self._server.folder / "data" / "collection-root" / self._server.user / side
            for name, card in cards_of(side, self._size):
                (book / name).write_bytes(card)
        self._server.forget()

    def counts(self) -> Counts:
        counts: dict[str, float] = {}
        for method, _ in self._server.calls():
            counts[method] = counts.get(method, 0) + 1
        self._server.forget()
        return counts | {"written": counts.get("PUT", 0)}


@contextmanager
def json_servers(size: int) -> Iterator[World]:
    """Started for as long as the context lasts."""
    with children.servers(size) as addresses:
        yield JsonServers(addresses)


@contextmanager
def tables(size: int) -> Iterator[World]:
    """In a folder that lasts as long as the context."""
    with tempfile.TemporaryDirectory() as folder:
        yield Tables(Path(folder), size)


@contextmanager
def address_books(size: int) -> Iterator[World]:
    """On a server that runs as long as the context lasts."""
    with Radicale(book=None) as server:
        yield AddressBooks(server, size)


def _make_table(path: Path, side: str, size: int) -> None:
    columns = ", ".join(f"{name} TEXT" for name in FIELDS)
    marks = ", ".join("?" * len(FIELDS))
    with sqlite3.connect(path) as db:
        db.execute(f"CREATE TABLE people (id INTEGER PRIMARY KEY, {columns})")
        db.executemany(
            f"INSERT INTO people ({', '.join(FIELDS)}) VALUES ({marks})",
            (tuple(person(n, side).values()) for n in numbers(side, size)),
        )
    db.close()
