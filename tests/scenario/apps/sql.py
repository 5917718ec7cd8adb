"""A person at work in a database, with SQL."""

from __future__ import annotations

import sqlite3
from collections.abc import Mapping, Sequence
from contextlib import closing
from pathlib import Path
from typing import Any

from tests.scenario.apps import PLAIN, Values
from tests.scenario.apps.alone import Alone


class SqlPlay(Alone):
    """An SQLite file with people and the firms they work at."""

    name = "sql"
    person = "person"
    company = "firm"
    association = "firm"
    company_fields: Mapping[str, str] = PLAIN
    fields: Mapping[str, str] = {"email": "email", "first": "first", "last": "last", "job": "job"}

    def __init__(self, folder: Path) -> None:
        self._path = folder / "shop.db"
        self._run("CREATE TABLE firm (id INTEGER PRIMARY KEY, name TEXT UNIQUE, domain TEXT)")
        self._run(
            "CREATE TABLE person (id INTEGER PRIMARY KEY AUTOINCREMENT, email TEXT, first TEXT,"
            " last TEXT, job TEXT, firm INTEGER REFERENCES firm)"
        )

    @property
    def answers(self) -> Mapping[str, str]:
        return {"url": f"sqlite:///{self._path}"}

    def people(self) -> Mapping[str, Values]:
        rows = self._run("SELECT id, email, first, last, job FROM person")
        return {str(row[0]): dict(zip(self.fields, row[1:], strict=True)) for row in rows}

    def create(self, values: Values) -> None:
        columns, marks = ", ".join(values), ", ".join("?" * len(values))
        self._run(f"INSERT INTO person ({columns}) VALUES ({marks})", list(values.values()))

    def edit(self, record_id: str, values: Values) -> None:
        for column, value in values.items():
            self._run(f"UPDATE person SET {column} = ? WHERE id = ?", (value, record_id))

    def delete(self, record_id: str) -> None:
        self._run("DELETE FROM person WHERE id = ?", (record_id,))

    def found(self, name: str) -> None:
        self._run("INSERT INTO firm (name, domain) VALUES (?, ?)", (name, f"{name}.example"))

    def join(self, record_id: str, company: str) -> None:
        firm = "(SELECT id FROM firm WHERE name = ?)"
        self._run(f"UPDATE person SET firm = {firm} WHERE id = ?", (company, record_id))

    def works_at(self, record_id: str) -> str | None:
        query = "SELECT f.name FROM firm f JOIN person p ON p.firm = f.id WHERE p.id = ?"
        rows = self._run(query, (record_id,))
        return str(rows[0][0]) if rows else None

    def _run(self, statement: str, values: Sequence[Any] = ()) -> list[Any]:
        with closing(sqlite3.connect(self._path)) as shop, shop:
            return shop.execute(statement, values).fetchall()
