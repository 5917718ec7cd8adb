"""A person at work in a CSV file, with another program that writes all of it anew."""

from __future__ import annotations

import csv
from collections.abc import Mapping
from pathlib import Path

from tests.scenario.apps import Values
from tests.scenario.apps.alone import Alone


class FilesPlay(Alone):
    """One file, whose new rows are numbered on."""

    name = "files"
    person = "people.csv"
    fields: Mapping[str, str] = {"email": "email", "first": "first", "last": "last", "job": "job"}

    def __init__(self, folder: Path) -> None:
        self._path = folder / self.person
        self._path.write_text("id;email;first;last;job;internal\r\n", newline="")

    @property
    def answers(self) -> Mapping[str, str]:
        return {"path": str(self._path)}

    def people(self) -> Mapping[str, Values]:
        return {
            row["id"]: {word: _unquoted(row[word]) for word in self.fields} for row in self._rows()
        }

    def create(self, values: Values) -> None:
        rows = self._rows()
        number = 1 + max((int(row["id"]) for row in rows if len(row["id"]) < 9), default=0)
        blank = dict.fromkeys(("id", *self.fields, "internal"), "")
        plain = {word: value or "" for word, value in values.items()}
        self._write([*rows, {**blank, **plain, "id": str(number), "internal": "kept"}])

    def edit(self, record_id: str, values: Values) -> None:
        rows = self._rows()
        for row in rows:
            if row["id"] == record_id:
                row.update({word: value or "" for word, value in values.items()})
        self._write(rows)

    def delete(self, record_id: str) -> None:
        self._write([row for row in self._rows() if row["id"] != record_id])

    def _rows(self) -> list[dict[str, str]]:
        with self._path.open(newline="") as file:
            return list(csv.DictReader(file, delimiter=";"))

    def _write(self, rows: list[dict[str, str]]) -> None:
        with self._path.open("w", newline="") as file:
            columns = ["id", *self.fields, "internal"]
            writer = csv.DictWriter(file, columns, delimiter=";")
            writer.writeheader()
            writer.writerows(rows)


def _unquoted(cell: str) -> str | None:
    """As a spreadsheet shows it: an apostrophe only says that what follows is a text."""
    return cell.removeprefix("'") or None
