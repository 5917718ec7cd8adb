"""A person at work in the memory app."""

from __future__ import annotations

from collections.abc import Mapping
from types import TracebackType

from tests.scenario.apps import PLAIN, Values
from tests.scenario.apps.alone import Alone

from twofold.core.records import Target
from twofold.kit.memory import MemoryApp, company, contact
from twofold.kit.memory.connector import APPS


class MemoryPlay(Alone):
    """An app with a log, merges and companies."""

    name = "memory"
    person = "contact"
    company = "company"
    association = "company"
    company_fields: Mapping[str, str] = PLAIN
    fields: Mapping[str, str] = {
        "email": "email",
        "first": "firstname",
        "last": "lastname",
        "job": "notes",
    }

    def __init__(self) -> None:
        self._app = MemoryApp([contact(merges=True), company()], name="scenario")
        APPS["scenario"] = self._app

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        at: TracebackType | None,
    ) -> None:
        del APPS["scenario"]

    @property
    def answers(self) -> Mapping[str, str]:
        return {"app": "scenario"}

    def people(self) -> Mapping[str, Values]:
        return {
            record.id: {
                word: None if record.fields.get(name) is None else str(record.fields[name])
                for word, name in self.fields.items()
            }
            for record in self._app.all("contact")
        }

    def create(self, values: Values) -> None:
        self._app.create("contact", {self.fields[word]: v for word, v in values.items()})

    def edit(self, record_id: str, values: Values) -> None:
        self._app.edit("contact", record_id, {self.fields[w]: v for w, v in values.items()})

    def delete(self, record_id: str) -> None:
        self._app.delete("contact", record_id)

    def merge(self, loser: str, survivor: str) -> None:
        self._app.merge("contact", loser, survivor)

    def found(self, name: str) -> None:
        self._app.create("company", {"name": name, "domain": f"{name.lower()}.example"})

    def join(self, record_id: str, company: str) -> None:
        (target,) = (r.id for r in self._app.all("company") if r.fields["name"] == company)
        (record,) = (r for r in self._app.all("contact") if r.id == record_id)
        for old in record.associations.get("company", ()):
            self._app.dissociate("contact", record_id, "company", old.id)
        self._app.associate("contact", record_id, "company", Target(target, primary=True))

    def works_at(self, record_id: str) -> str | None:
        names = {record.id: str(record.fields["name"]) for record in self._app.all("company")}
        (record,) = (r for r in self._app.all("contact") if r.id == record_id)
        found = [names[target.id] for target in record.associations["company"] if target.primary]
        return found[0] if found else None
