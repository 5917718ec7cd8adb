"""A person at work in a small CRM, past its REST API."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from types import TracebackType
from typing import Any, Self

from tests.connectors.rest.crm_server import TOKEN, CrmServer
from tests.scenario.apps import Values
from tests.scenario.apps.alone import Alone


class RestPlay(Alone):
    """A server that knows companies, and a document that describes it."""

    name = "rest"
    person = "contacts"
    company = "companies"
    association = "company"
    fields: Mapping[str, str] = {"email": "email", "first": "first", "last": "last", "job": "job"}

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        self._server = CrmServer()

    def __enter__(self) -> Self:
        self._server.__enter__()
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        at: TracebackType | None,
    ) -> None:
        self._server.__exit__(kind, error, at)

    @property
    def answers(self) -> Mapping[str, str]:
        path = self._server.definition(self._folder, most=5)
        return {"definition": str(path), "token": TOKEN}

    @property
    def _contacts(self) -> dict[int, dict[str, Any]]:
        return self._server.rows["contacts"]

    def people(self) -> Mapping[str, Values]:
        return {
            str(number): {word: row.get("attributes", {}).get(word) for word in self.fields}
            for number, row in self._contacts.items()
        }

    def create(self, values: Values) -> None:
        self._server.make("contacts", {"attributes": dict(values)})

    def edit(self, record_id: str, values: Values) -> None:
        self._server.change("contacts", int(record_id), {"attributes": dict(values)})

    def delete(self, record_id: str) -> None:
        del self._contacts[int(record_id)]

    def found(self, name: str) -> None:
        self._server.make("companies", {"name": name, "domain": f"{name.lower()}.example"})

    def join(self, record_id: str, company: str) -> None:
        (number,) = (i for i, r in self._server.rows["companies"].items() if r["name"] == company)
        self._server.change("contacts", int(record_id), {"company_id": number})

    def works_at(self, record_id: str) -> str | None:
        number = self._contacts[int(record_id)].get("company_id")
        return str(self._server.rows["companies"][int(number)]["name"]) if number else None
