"""The program ``twofold`` in the hands of a test: in this process, or as one of its own."""

from __future__ import annotations

import json
import os
import sqlite3
import subprocess
import sys
import time
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path
from typing import Any, NamedTuple

import click
from click.testing import CliRunner

from twofold.cli.root import twofold

PATIENCE = 60.0


class Answer(NamedTuple):
    """What a command said."""

    code: int
    out: str
    err: str

    @property
    def json(self) -> Any:
        return json.loads(self.out)

    @property
    def error(self) -> str:
        """The error's code, from either form of output."""
        if self.out.startswith("{"):
            return str(self.json["error"]["code"])
        return self.err.split(maxsplit=1)[0]


class Program:
    """Commands over one data folder."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder

    def __call__(
        self, *args: str, code: int | None = 0, stdin: str = "", env: dict[str, str] | None = None
    ) -> Answer:
        """Run a command in this process and expect its exit code; None: any."""
        given = [*args, "--data", str(self.folder)]
        result = CliRunner().invoke(twofold, given, input=stdin, env=env, catch_exceptions=False)
        answer = Answer(result.exit_code, result.stdout, result.stderr)
        assert code is None or answer.code == code, answer
        assert "Traceback" not in answer.out + answer.err
        return answer

    def json(self, *args: str, code: int = 0) -> Any:
        """Run a command and read its JSON document."""
        return self(*args, "--json", code=code).json

    def start(self, *args: str, stdout: int = subprocess.PIPE) -> subprocess.Popen[str]:
        """Start a command as a process of its own."""
        return subprocess.Popen(
            [sys.executable, "-m", "twofold.cli.main", *args],
            env={**os.environ, "TWOFOLD_DATA": str(self.folder)},
            stdin=subprocess.DEVNULL,
            stdout=stdout,
            stderr=subprocess.PIPE,
            text=True,
        )

    def process(self, *args: str) -> Answer:
        """Run a command as a process of its own, to its end."""
        return finished(self.start(*args))

    def state(self, query: str) -> list[Any]:
        """Rows of the state, read past the program."""
        return rows(self.folder / "state.db", query)

    def hub(self) -> list[dict[str, Any]]:
        """The living records of the hub, read past the program."""
        found = rows(self.folder / "hub.db", "SELECT body FROM record WHERE gone = 0 ORDER BY id")
        return [json.loads(body) for (body,) in found]


def finished(process: subprocess.Popen[str]) -> Answer:
    """Wait for a process that was started."""
    out, err = process.communicate(timeout=PATIENCE)
    return Answer(process.returncode, out, err)


def rows(path: Path, query: str, values: Sequence[Any] = ()) -> list[Any]:
    """Rows of a database file."""
    connection = sqlite3.connect(path, timeout=PATIENCE)
    try:
        return connection.execute(query, values).fetchall()
    finally:
        connection.close()


def until(holds: Callable[[], object], patience: float = PATIENCE) -> None:
    """Wait until something that another process does has happened; ``patience`` in seconds."""
    deadline = time.monotonic() + patience
    while not holds():
        assert time.monotonic() < deadline, "it never happened"
        time.sleep(0.005)


def leaves(
    command: click.Command = twofold, path: tuple[str, ...] = ()
) -> Iterator[tuple[tuple[str, ...], click.Command]]:
    """All commands that do something, with their words."""
    if isinstance(command, click.Group):
        for name, inner in command.commands.items():
            yield from leaves(inner, (*path, name))
    else:
        yield path, command


class Shop:
    """An app: an SQLite file with firms and the people who work there."""

    def __init__(self, path: Path, people: int = 3, firms: int = 0) -> None:
        self.path = path
        self.url = f"sqlite:///{path}"
        self.run(
            "CREATE TABLE firms (id INTEGER PRIMARY KEY, name TEXT NOT NULL, domain TEXT)",
        )
        self.run(
            "CREATE TABLE people (id INTEGER PRIMARY KEY, email TEXT, first_name TEXT,"
            " last_name TEXT, phone TEXT, firm INTEGER REFERENCES firms)"
        )
        for n in range(1, firms + 1):
            self.run("INSERT INTO firms VALUES (?, ?, ?)", (n, f"Firm {n}", f"firm{n}.example"))
        self.add(people, firms)

    def add(self, people: int, firms: int = 0) -> None:
        """Add people with e-mail addresses of their own."""
        with sqlite3.connect(self.path) as connection:
            connection.executemany(
                "INSERT INTO people (email, first_name, last_name, firm) VALUES (?, ?, ?, ?)",
                [
                    (
                        f"p{n}@shop.example",
                        f"First{n}",
                        f"Last{n}",
                        n % firms + 1 if firms else None,
                    )
                    for n in range(people)
                ],
            )
        connection.close()

    def run(self, statement: str, values: Sequence[Any] = ()) -> list[Any]:
        """Act on the file as another program would."""
        connection = sqlite3.connect(self.path)
        try:
            found = connection.execute(statement, values).fetchall()
            connection.commit()
        finally:
            connection.close()
        return found

    def lock(self) -> sqlite3.Connection:
        """Keep everybody else out until the connection is closed."""
        connection = sqlite3.connect(self.path, isolation_level=None)
        connection.execute("BEGIN EXCLUSIVE")
        return connection


def connected(tmp_path: Path, people: int = 3, firms: int = 0) -> tuple[Program, Shop]:
    """A shop that is connected, with a sync of its people."""
    program, shop = Program(tmp_path / "data"), Shop(tmp_path / "shop.db", people, firms)
    program("connect", "sql", "--label", "shop", "--set", f"url={shop.url}")
    if firms:
        program("sync", "add", "shop", "company", "firms", "--map-by-name")
    program("sync", "add", "shop", "contact", "people", "--map-by-name")
    return program, shop
