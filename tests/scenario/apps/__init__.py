"""How a person of each app works there: one adapter per app, which the story is played with.

To join, an app adds a class that satisfies ``App`` and its name to ``APPS``; nothing else. Its own
quality file then says ``scenario: done``, which a test compares with this list.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from contextlib import AbstractContextManager
from pathlib import Path
from typing import Protocol

Values = Mapping[str, str | None]
"""By the words of the story: email, first, last, job."""


PLAIN: Mapping[str, str] = {"name": "name", "domain": "domain"}
"""Companies whose fields have the hub's names."""


class App(Protocol):
    """One app with an empty account, and a person who works in it, past our connector."""

    name: str
    """Of the connector."""
    person: str
    """The object type of people."""
    fields: Mapping[str, str]
    """The app's field for each word of the story."""
    company: str
    """The object type of companies; empty where the app has no association to one."""
    association: str
    """From a person to a company."""
    company_fields: Mapping[str, str]
    """The app's field for the name and the domain of a company."""

    @property
    def answers(self) -> Mapping[str, str]:
        """What the connector asks, answered."""
        ...

    def people(self) -> Mapping[str, Values]:
        """Everybody who is there, by id; blank is None."""
        ...

    def create(self, values: Values) -> None:
        """A new person."""
        ...

    def edit(self, record_id: str, values: Values) -> None:
        """Some values of a person change; the others stay."""
        ...

    def delete(self, record_id: str) -> None:
        """A person goes."""
        ...

    def merge(self, loser: str, survivor: str) -> None:
        """One person becomes another; only asked where the connector declares merges."""
        ...

    def found(self, name: str) -> None:
        """A new company; only asked where the connector declares associations."""
        ...

    def join(self, record_id: str, company: str) -> None:
        """A person belongs to this company and to no other."""
        ...

    def works_at(self, record_id: str) -> str | None:
        """The name of the company that a person belongs to."""
        ...


Opened = AbstractContextManager[App]


def _memory(folder: Path) -> Opened:
    from tests.scenario.apps.memory import MemoryPlay

    return MemoryPlay()


def _sql(folder: Path) -> Opened:
    from tests.scenario.apps.sql import SqlPlay

    return SqlPlay(folder)


def _carddav(folder: Path) -> Opened:
    from tests.scenario.apps.carddav import CardDavPlay

    return CardDavPlay(folder)


def _files(folder: Path) -> Opened:
    from tests.scenario.apps.files import FilesPlay

    return FilesPlay(folder)


def _rest(folder: Path) -> Opened:
    from tests.scenario.apps.rest import RestPlay

    return RestPlay(folder)


def _salesforce(folder: Path) -> Opened:
    from tests.scenario.apps.salesforce import SalesforcePlay

    return SalesforcePlay()


def _dynamics(folder: Path) -> Opened:
    from tests.scenario.apps.dynamics import DynamicsPlay

    return DynamicsPlay()


APPS: Mapping[str, Callable[[Path], Opened]] = {
    "memory": _memory,
    "sql": _sql,
    "carddav": _carddav,
    "files": _files,
    "rest": _rest,
    "salesforce": _salesforce,
    "dynamics": _dynamics,
}
"""Connector → its account, begun in an empty folder and ended with the block."""
