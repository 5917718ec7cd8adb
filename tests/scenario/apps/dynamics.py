"""A person at work in a Dynamics 365 environment, past its API."""

from __future__ import annotations

from collections.abc import Mapping
from contextlib import AbstractContextManager
from types import TracebackType
from typing import Self

from tests.connectors.dynamics.serving import serving
from tests.scenario.apps import Values

from twofold.simulators.dynamics import Environment, Server


class DynamicsPlay:
    """The simulated environment, of whose records the story changes."""

    name = "dynamics"
    person = "contact"
    company = "account"
    association = "parentcustomerid"
    company_fields: Mapping[str, str] = {"name": "name", "domain": "websiteurl"}
    fields: Mapping[str, str] = {
        "email": "emailaddress1",
        "first": "firstname",
        "last": "lastname",
        "job": "jobtitle",
    }

    def __init__(self) -> None:
        self.environment = Environment()
        self._server = Server(self.environment)
        self._serving: AbstractContextManager[str] = serving(self._server)
        self._url = ""

    def __enter__(self) -> Self:
        self._url = self._serving.__enter__()
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        at: TracebackType | None,
    ) -> None:
        self._serving.__exit__(kind, error, at)

    @property
    def answers(self) -> Mapping[str, str]:
        client, secret = self._server.client
        sign_in = {"client_id": client, "client_secret": secret, "login": self._url}
        return {"url": self._url, "tenant": "rehearsal", **sign_in}

    def people(self) -> Mapping[str, Values]:
        return {
            number: {word: row.get(name) for word, name in self.fields.items()}
            for number, row in self.environment.tables["contact"].rows.items()
            if not row.get("merged")
        }

    def create(self, values: Values) -> None:
        self.environment.create("contact", self._named(values))

    def edit(self, record_id: str, values: Values) -> None:
        self.environment.update("contact", record_id, self._named(values))

    def delete(self, record_id: str) -> None:
        self.environment.delete("contact", record_id)

    def merge(self, loser: str, survivor: str) -> None:
        self.environment.merge("contact", survivor, loser)

    def found(self, name: str) -> None:
        self.environment.create("account", {"name": name})

    def join(self, record_id: str, company: str) -> None:
        rows = self.environment.tables["account"].rows.items()
        (number,) = (i for i, row in rows if row["name"] == company)
        bound = {"parentcustomerid_account@odata.bind": f"/accounts({number})"}
        self.environment.update("contact", record_id, bound)

    def works_at(self, record_id: str) -> str | None:
        row = self.environment.tables["contact"].rows[record_id]
        number = row.get("_parentcustomerid_value")
        return str(self.environment.tables["account"].rows[number]["name"]) if number else None

    def _named(self, values: Values) -> dict[str, str | None]:
        return {self.fields[word]: value for word, value in values.items()}
