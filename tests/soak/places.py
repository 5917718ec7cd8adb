"""The three places that are kept in step, as the people who work in them see them."""

from __future__ import annotations

import json
import re
from collections import Counter
from collections.abc import Iterable
from pathlib import Path
from typing import ClassVar, Protocol

from tests.chaos.sides import rows
from tests.servers.postgres import Postgres
from tests.servers.radicale import Radicale

from twofold.hub.crm import Hub

_CARD = """BEGIN:VCARD\r
VERSION:3.0\r
UID:{email}\r
FN:{email}\r
EMAIL:{email}\r
TITLE:{title}\r
END:VCARD\r
"""
_TABLE = (
    (
        "CREATE TABLE people (id BIGINT GENERATED ALWAYS AS IDENTITY PRIMARY KEY, email TEXT,"
        " jobtitle TEXT, updated_at TIMESTAMPTZ NOT NULL DEFAULT clock_timestamp())"
    ),
    (
        "CREATE FUNCTION told() RETURNS trigger LANGUAGE plpgsql AS"
        " $$ BEGIN NEW.updated_at = clock_timestamp(); RETURN NEW; END $$"
    ),
    "CREATE TRIGGER told BEFORE INSERT OR UPDATE ON people FOR EACH ROW EXECUTE FUNCTION told()",
)


class Place(Protocol):
    """Where somebody edits contacts; each is known by e-mail address, and its job title changes."""

    name: ClassVar[str]

    def titles(self) -> dict[str, str]:
        """Job titles by e-mail address."""
        ...

    def doubled(self) -> list[str]:
        """Addresses that are there more than once."""
        ...

    def create(self, email: str, title: str) -> None:
        """Somebody enters a contact."""
        ...

    def edit(self, email: str, title: str) -> None:
        """Somebody changes a job title."""
        ...

    def state(self) -> object:
        """Equal later means that nothing was written here meanwhile."""
        ...


class HubPlace:
    """The hub inside, in its own file."""

    name: ClassVar[str] = "hub"

    def __init__(self, path: Path) -> None:
        self.path = path

    def titles(self) -> dict[str, str]:
        return {email: title for _, email, title in self._contacts()}

    def doubled(self) -> list[str]:
        return _twice(email for _, email, _ in self._contacts())

    def create(self, email: str, title: str) -> None:
        hub = Hub.open(self.path)
        hub.create("contact", {"email": email, "jobtitle": title})
        hub.close()

    def edit(self, email: str, title: str) -> None:
        (found,) = [row for row, known, _ in self._contacts() if known == email]
        hub = Hub.open(self.path)
        hub.update("contact", found, {"jobtitle": title})
        hub.close()

    def state(self) -> object:
        return rows(self.path, "SELECT sequence FROM hub")

    def _contacts(self) -> list[tuple[str, str, str]]:
        query = "SELECT id, body FROM record WHERE type = 1 AND gone = 0"
        found = [(str(row), json.loads(body)) for row, body in rows(self.path, query)]
        return [(row, body.get("email", ""), body.get("jobtitle", "")) for row, body in found]


class ShopPlace:
    """A table of a PostgreSQL server."""

    name: ClassVar[str] = "shop"

    def __init__(self, server: Postgres) -> None:
        self.server = server
        server.make_database("shop")
        server.execute("shop", *_TABLE)

    def titles(self) -> dict[str, str]:
        return {email: title or "" for email, title in self._people()}

    def doubled(self) -> list[str]:
        return _twice(email for email, _ in self._people())

    def create(self, email: str, title: str) -> None:
        self.server.execute(
            "shop", f"INSERT INTO people (email, jobtitle) VALUES ('{email}', '{title}')"
        )

    def edit(self, email: str, title: str) -> None:
        self.server.execute(
            "shop", f"UPDATE people SET jobtitle = '{title}' WHERE email = '{email}'"
        )

    def state(self) -> object:
        return self.server.execute("shop", "SELECT id, updated_at FROM people ORDER BY id")

    def _people(self) -> list[tuple[str, str | None]]:
        return [
            tuple(row) for row in self.server.execute("shop", "SELECT email, jobtitle FROM people")
        ]


class BookPlace:
    """An address book of Radicale."""

    name: ClassVar[str] = "book"

    def __init__(self, server: Radicale) -> None:
        self.server = server

    def titles(self) -> dict[str, str]:
        return {email: title for _, email, title in self._cards()}

    def doubled(self) -> list[str]:
        return _twice(email for _, email, _ in self._cards())

    def create(self, email: str, title: str) -> None:
        name = f"{email.partition('@')[0]}.vcf"
        self.server.put(name, _CARD.format(email=email, title=title).encode())

    def edit(self, email: str, title: str) -> None:
        (name,) = [name for name, known, _ in self._cards() if known == email]
        card = self.server.get(name).decode()
        self.server.put(name, re.sub(r"TITLE:[^\r\n]*", f"TITLE:{title}", card).encode())

    def state(self) -> object:
        return self.server.cards()

    def _cards(self) -> list[tuple[str, str, str]]:
        found = ((name, card.decode()) for name, card in self.server.cards().items())
        return [(name, _value("EMAIL", text), _value("TITLE", text)) for name, text in found]


def _value(name: str, card: str) -> str:
    found = re.search(rf"^{name}(?:;[^:\r\n]*)?:([^\r\n]*)", card, re.MULTILINE)
    return "" if found is None else found[1]


def _twice(emails: Iterable[str]) -> list[str]:
    return sorted(email for email, count in Counter(emails).items() if count > 1)
