"""A person at work in an address book, with a program of their own."""

from __future__ import annotations

import uuid
from collections.abc import Mapping
from pathlib import Path
from types import TracebackType
from typing import Self

from tests.scenario.apps import Values
from tests.scenario.apps.alone import Alone
from tests.servers.radicale import Radicale


class CardDavPlay(Alone):
    """One book on a real server; its cards hold nothing but the story's words."""

    name = "carddav"
    person = "contact"
    fields: Mapping[str, str] = {
        "email": "email",
        "first": "firstname",
        "last": "lastname",
        "job": "jobtitle",
    }

    def __init__(self, folder: Path) -> None:
        self._server = Radicale(folder / "radicale")

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
        return self._server.settings

    def people(self) -> Mapping[str, Values]:
        return {name: _values(self._server.get(name)) for name in self._server.cards()}

    def create(self, values: Values) -> None:
        name = f"{uuid.uuid4()}.vcf"
        self._server.put(name, _card(name, values))

    def edit(self, record_id: str, values: Values) -> None:
        """Only the story's lines are written anew; every other one stays."""
        old = self._server.get(record_id)
        others = [line for line in _lines(old) if not line.startswith(_OWN)]
        lines = _own_lines({**_values(old), **values})
        end = others.index("END:VCARD")
        self._server.put(record_id, _joined([*others[:end], *lines, *others[end:]]))

    def delete(self, record_id: str) -> None:
        self._server.delete(record_id)


_OWN = ("N:", "N;", "FN:", "FN;", "EMAIL", "TITLE")


def _card(name: str, values: Values) -> bytes:
    head = ["BEGIN:VCARD", "VERSION:3.0", f"UID:{name}"]
    return _joined([*head, *_own_lines(values), "END:VCARD"])


def _own_lines(values: Values) -> list[str]:
    first, last = values.get("first") or "", values.get("last") or ""
    lines = [f"N:{last};{first};;;", f"FN:{first or last or 'Nobody'}"]
    lines += [f"EMAIL:{values['email']}"] if values.get("email") else []
    return lines + ([f"TITLE:{values['job']}"] if values.get("job") else [])


def _values(card: bytes) -> dict[str, str | None]:
    found: dict[str, str | None] = dict.fromkeys(CardDavPlay.fields)
    for line in _lines(card):
        name, _, value = line.partition(":")
        word = name.partition(";")[0]
        if word == "N":
            found["last"], found["first"] = (part or None for part in value.split(";")[:2])
        elif word in {"EMAIL", "TITLE"}:
            found["email" if word == "EMAIL" else "job"] = value or None
    return found


def _lines(card: bytes) -> list[str]:
    return card.decode().replace("\r\n ", "").splitlines()


def _joined(lines: list[str]) -> bytes:
    return "".join(f"{line}\r\n" for line in lines).encode()
