"""The demo's address book: Radicale, a real CardDAV server, as a process of its own on loopback.

It is filled and read by plain requests, past Twofold's connector. Its password is made for this one
run and is never shown.
"""

from __future__ import annotations

import base64
import http.client
import importlib.util
import os
import secrets
import socket
import subprocess
import sys
import time
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path

from defusedxml import ElementTree
from msgspec import Struct

from twofold.core.errors import TwofoldError
from twofold.demo.people import Cast, Firm, Person, Place

USER = "demo"
_BOOK = f"/{USER}/contacts/"
_PATIENCE = 30.0
"""Seconds that the server has to start."""
_ALL = (
    '<?xml version="1.0" encoding="utf-8"?>'
    '<C:addressbook-query xmlns:D="DAV:" xmlns:C="urn:ietf:params:xml:ns:carddav">'
    "<D:prop><D:getetag/><C:address-data/></D:prop></C:addressbook-query>"
)


class Card(Struct, frozen=True):
    """A card as the server holds it."""

    path: str
    etag: str
    text: str
    """With the line ends that XML knows."""

    def value(self, name: str) -> str:
        """The first value of a property, unescaped; "" where it has none (RFC 6350, 3.2 to 3.4)."""
        for line in self.text.replace("\n ", "").replace("\n\t", "").splitlines():
            head, _, value = line.partition(":")
            if head.split(";")[0].split(".")[-1].upper() == name:
                return value.replace("\\,", ",").replace("\\;", ";").replace("\\\\", "\\")
        return ""

    @property
    def is_company(self) -> bool:
        """Whether it is an organization's (RFC 6350, 6.1.4; Apple's mark in version 3.0)."""
        return self.value("KIND") == "org" or self.value("X-ABSHOWAS") == "COMPANY"


class AddressBook:
    """The server, and one user of it."""

    def __init__(self, port: int, password: str) -> None:
        self._port = port
        self._password = password

    @property
    def address(self) -> str:
        """Where the server is, as an address that may be allowed."""
        return "127.0.0.1/32"

    @property
    def answers(self) -> Mapping[str, str]:
        """What a person would answer to the connector's questions."""
        url = f"http://127.0.0.1:{self._port}"
        return {"url": url, "user": USER, "password": self._password}

    def open(self, cast: Cast) -> None:
        """Make the address book and fill it with what it knows before the first sync."""
        cards = [_firm_card(n, firm) for n, firm in enumerate(cast.firms_in(Place.BOOK))]
        cards += [_person_card(n, person) for n, person in enumerate(cast.known_in(Place.BOOK))]
        # Radicale makes an address book of a file that holds many cards: faster than one by one.
        self._request("PUT", _BOOK, "".join(cards), 201, {"Content-Type": "text/vcard"})

    def cards(self) -> list[Card]:
        """All cards, from one report."""
        answer = self._request("REPORT", _BOOK, _ALL, 207)
        return [
            Card(
                response.findtext("{DAV:}href", ""),
                response.findtext(".//{DAV:}getetag", ""),
                response.findtext(".//{urn:ietf:params:xml:ns:carddav}address-data", "").replace(
                    "\r\n", "\n"
                ),
            )
            for response in ElementTree.fromstring(answer).iter("{DAV:}response")
        ]

    def card(self, email: str) -> Card:
        """The card with this e-mail address."""
        return next(card for card in self.cards() if card.value("EMAIL") == email)

    def promote(self, email: str, title: str) -> None:
        """Somebody changes a job title on the phone."""
        card = self.card(email)
        text = card.text.replace(f"TITLE:{card.value('TITLE')}", f"TITLE:{title}")
        text = text.replace("\n", "\r\n")
        self._request("PUT", card.path, text, 204, {"If-Match": card.etag})

    def _request(
        self,
        method: str,
        path: str,
        body: str,
        expected: int,
        headers: Mapping[str, str] | None = None,
    ) -> str:
        secret = base64.b64encode(f"{USER}:{self._password}".encode()).decode()
        connection = http.client.HTTPConnection("127.0.0.1", self._port, timeout=_PATIENCE)
        try:
            connection.request(
                method,
                path,
                body.encode(),
                {"Authorization": f"Basic {secret}", "Depth": "1", **(headers or {})},
            )
            answer = connection.getresponse()
            text = answer.read().decode()
        finally:
            connection.close()
        if answer.status != expected:
            reason = f"it answers {method} with status {answer.status}"
            raise TwofoldError("TF-U29", reason=reason)
        return text


@contextmanager
def running(folder: Path) -> Iterator[AddressBook]:
    """Start the server with its data in a folder; it ends with the block, by its process id.

    Raises:
        TwofoldError: TF-U28, Radicale is not installed; TF-U29, it does not start.
    """
    if importlib.util.find_spec("radicale") is None:
        raise TwofoldError("TF-U28")
    folder.mkdir()
    password = secrets.token_urlsafe(24)
    users = folder / "users"
    with os.fdopen(os.open(users, os.O_WRONLY | os.O_CREAT, 0o600), "w") as file:
        file.write(f"{USER}:{password}\n")
    port = _free_port()
    with (folder / "log").open("wb") as log:
        process = _started(folder, users, port, log.fileno())
    try:
        _await(process, port)
        yield AddressBook(port, password)
    finally:
        process.terminate()
        process.wait()
        users.unlink()


def _started(folder: Path, users: Path, port: int, log: int) -> subprocess.Popen[bytes]:
    options = {
        "server-hosts": f"127.0.0.1:{port}",
        "auth-type": "htpasswd",
        "auth-htpasswd-filename": str(users),
        "auth-htpasswd-encryption": "plain",
        "storage-filesystem-folder": str(folder / "data"),
        "logging-level": "warning",
    }
    command = [sys.executable, "-m", "radicale", "--config", ""]
    command += [f"--{name}={value}" for name, value in options.items()]
    return subprocess.Popen(command, stdin=subprocess.DEVNULL, stdout=log, stderr=log)  # noqa: S603


def _await(process: subprocess.Popen[bytes], port: int) -> None:
    """Wait until the server takes connections."""
    deadline = time.monotonic() + _PATIENCE
    while time.monotonic() < deadline and process.poll() is None:
        try:
            socket.create_connection(("127.0.0.1", port), timeout=1).close()
        except OSError:
            time.sleep(0.05)
        else:
            return
    reason = "it does not listen" if process.poll() is None else "it ended at once"
    raise TwofoldError("TF-U29", reason=reason)


def _free_port() -> int:
    """A port that was free a moment ago: Radicale does not say which one it would choose."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port: int = probe.getsockname()[1]
        return port


def _escaped(text: str) -> str:
    return text.replace("\\", "\\\\").replace(",", "\\,").replace(";", "\\;")


def _person_card(number: int, person: Person) -> str:
    """Every other card is of version 4.0, as the programs of these people differ."""
    first, last, city, country = map(
        _escaped, (person.first, person.last, person.city, person.country)
    )
    lines = [
        f"VERSION:{'4.0' if number % 2 else '3.0'}",
        f"UID:demo-person-{number}",
        f"FN:{f'{first} {last}'.strip()}",
        f"N:{last};{first};;;",
        f"TEL;TYPE=work:{person.phone.replace(' ', '-')}",
        f"TITLE:{_escaped(person.title)}",
        f"ADR;TYPE=work:;;;{city};;;{country}",
    ]
    if person.email:
        lines.append(f"EMAIL;TYPE=work:{person.email}")
    if person.firm:
        lines.append(f"ORG:{_escaped(person.firm.name)}")
    return _card(lines)


def _firm_card(number: int, firm: Firm) -> str:
    name, city, country = map(_escaped, (firm.name, firm.city, firm.country))
    is_new = number % 2 == 1
    return _card(
        [
            f"VERSION:{'4.0' if is_new else '3.0'}",
            "KIND:org" if is_new else "X-ABSHOWAS:COMPANY",
            f"UID:demo-firm-{number}",
            f"FN:{name}",
            f"ORG:{name}",
            f"N:{'' if is_new else ';;;;'}",
            f"TEL;TYPE=work:{firm.phone}",
            f"URL:{firm.website}",
            f"ADR;TYPE=work:;;;{city};;;{country}",
        ]
    )


def _card(lines: list[str]) -> str:
    return "\r\n".join(["BEGIN:VCARD", *lines, "END:VCARD", ""])
