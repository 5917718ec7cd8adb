"""A program that speaks to the service over a real socket."""

from __future__ import annotations

import http.client
import json
from pathlib import Path
from typing import Any, NamedTuple
from urllib.parse import quote, urlsplit

from tests.interfaces.program import until
from tests.service.service import Service

PASSWORD = "correct horse battery"


class Reply(NamedTuple):
    """What the service said."""

    status: int
    headers: http.client.HTTPMessage
    body: bytes

    @property
    def json(self) -> Any:
        return json.loads(self.body)

    @property
    def code(self) -> str:
        return str(self.json["error"]["code"])


class Client:
    """Requests by one person or program."""

    def __init__(self, url: str, headers: dict[str, str] | None = None) -> None:
        self.netloc = urlsplit(url).netloc
        self.headers = headers or {}

    def __call__(
        self,
        method: str,
        path: str,
        body: Any = None,
        *,
        raw: bytes | None = None,
        headers: dict[str, str] | None = None,
        status: int = 200,
    ) -> Reply:
        """Send a request to the API and expect its status."""
        found = self.raw(method, f"/api/v1{path}", body, raw=raw, headers=headers)
        assert found.status == status, found
        return found

    def raw(
        self,
        method: str,
        path: str,
        body: Any = None,
        *,
        raw: bytes | None = None,
        headers: dict[str, str] | None = None,
    ) -> Reply:
        """Send a request."""
        content = raw if body is None else json.dumps(body).encode()
        connection = http.client.HTTPConnection(self.netloc, timeout=60)
        try:
            given = {**self.headers, **(headers or {})}
            connection.request(method, quote(path, safe="/?=&%+"), content, given)
            answer = connection.getresponse()
            return Reply(answer.status, answer.headers, answer.read())
        finally:
            connection.close()

    def as_(self, **headers: str) -> Client:
        """The same address, asked by somebody else."""
        return Client(f"//{self.netloc}", {k.replace("_", "-"): v for k, v in headers.items()})

    def signed_in(self, name: str, password: str = PASSWORD) -> Client:
        """Somebody with a session."""
        found = self("POST", "/session", {"name": name, "password": password})
        return self.as_(Cookie=found.headers["set-cookie"].partition(";")[0])


def first_secret(up: Service) -> str:
    """The secret of the link that the first start printed."""
    until(lambda: any("/accept#" in line for line in up.printed))  # it follows the address
    (line,) = [line for line in up.printed if "/accept#" in line]
    return line.partition("#")[2]


def administrator(up: Service) -> Client:
    """Use the first link; returns the administrator's client."""
    client = Client(up.url)
    given = {"secret": first_secret(up), "name": "ada", "password": PASSWORD}
    client("POST", "/accept", given)
    return client.signed_in("ada")


def program(admin: Client, name: str, role: str) -> Client:
    """A client with a token of that role."""
    made = admin("POST", "/tokens", {"name": name, "role": role}, status=201).json
    return admin.as_(Authorization=f"Bearer {made['secret']}")


def started(folder: Path) -> Service:
    """A service that waits for its first request."""
    return Service(folder)
