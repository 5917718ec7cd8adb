"""A person at work in a Salesforce org, past its API."""

from __future__ import annotations

from collections.abc import Mapping
from contextlib import AbstractContextManager
from types import TracebackType
from typing import Self

from tests.connectors.salesforce.serving import serving
from tests.scenario.apps import Values

from twofold.simulators.salesforce import Org, Server


class SalesforcePlay:
    """The simulated org, of whose records the story changes."""

    name = "salesforce"
    person = "Contact"
    company = "Account"
    association = "AccountId"
    company_fields: Mapping[str, str] = {"name": "Name", "domain": "Website"}
    fields: Mapping[str, str] = {
        "email": "Email",
        "first": "LastName",  # the one name that a contact must have, and the story always gives
        "last": "FirstName",
        "job": "Title",
    }

    def __init__(self) -> None:
        self._org = Org()
        self._server = Server(self._org)
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
        return {"url": self._url, "client_id": client, "client_secret": secret}

    def people(self) -> Mapping[str, Values]:
        return {
            number: {word: row.get(name) for word, name in self.fields.items()}
            for number, row in self._org.objects["Contact"].rows.items()
            if not row["IsDeleted"]
        }

    def create(self, values: Values) -> None:
        named = self._named(values)
        called = str(values.get("email")).split("@")[0].capitalize()
        self._org.create("Contact", {"LastName": called, **named})

    def edit(self, record_id: str, values: Values) -> None:
        self._org.update("Contact", record_id, self._named(values))

    def delete(self, record_id: str) -> None:
        self._org.delete("Contact", record_id)

    def merge(self, loser: str, survivor: str) -> None:
        self._org.merge("Contact", survivor, loser)

    def found(self, name: str) -> None:
        self._org.create("Account", {"Name": name})

    def join(self, record_id: str, company: str) -> None:
        rows = self._org.objects["Account"].rows.items()
        (number,) = (i for i, row in rows if row["Name"] == company)
        self._org.update("Contact", record_id, {"AccountId": number})

    def works_at(self, record_id: str) -> str | None:
        number = self._org.objects["Contact"].rows[record_id].get("AccountId")
        return str(self._org.objects["Account"].rows[number]["Name"]) if number else None

    def _named(self, values: Values) -> dict[str, str | None]:
        return {self.fields[word]: value for word, value in values.items()}
