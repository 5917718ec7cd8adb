"""A real CardDAV server, Radicale, as a separate process on a port of its own.

::

    with Radicale() as server:
        connector = CardDav(server.settings, http)
        server.put("ada.vcf", b"BEGIN:VCARD...")
        server.calls()  # [("PUT", "/ada/contacts/ada.vcf"), ...]

It needs no network beyond loopback, keeps its data in a temporary folder (or the given one) and is
stopped by its process handle.
"""

from __future__ import annotations

import base64
import html
import http.client
import importlib.util
import re
import shutil
import socket
import subprocess
import sys
import tempfile
import threading
from collections.abc import Mapping
from pathlib import Path
from types import TracebackType
from typing import IO, Self
from urllib.parse import unquote

_REQUEST = re.compile(r"\[INFO\] (\w+) request for '([^']*)'")
_READY = "Radicale server ready"
_CONFIG = """[server]
hosts = 127.0.0.1:{port}
[auth]
type = htpasswd
htpasswd_filename = {users}
htpasswd_encryption = plain
delay = 0
[storage]
filesystem_folder = {data}
[logging]
level = info
"""
_WITHOUT_FSYNC = """
import os, runpy
os.fsync = lambda fd: None
runpy.run_module("radicale", run_name="__main__")
"""
"""Radicale has a switch for it, but none that can be reached from outside."""
_LISTING = b"""<?xml version="1.0"?><D:sync-collection xmlns:D="DAV:"><D:sync-token/>
<D:sync-level>1</D:sync-level><D:prop><D:getetag/></D:prop></D:sync-collection>"""
_MKCOL = """<?xml version="1.0" encoding="utf-8"?>
<D:mkcol xmlns:D="DAV:" xmlns:C="urn:ietf:params:xml:ns:carddav"><D:set><D:prop>
<D:resourcetype><D:collection/><C:addressbook/></D:resourcetype>
<D:displayname>{name}</D:displayname></D:prop></D:set></D:mkcol>"""


class Radicale:
    """One server with one user and one address book; a context manager."""

    def __init__(
        self,
        folder: Path | None = None,
        *,
        user: str = "ada",
        password: str = "correct horse",
        book: str | None = "contacts",
        port: int = 0,
        fsync: bool = False,
    ) -> None:
        """``fsync``: wait for the disk as a server that must survive a power cut would."""
        if importlib.util.find_spec("radicale") is None:
            raise RuntimeError("Radicale is not installed: run `make setup`")
        self._temporary = (
            tempfile.TemporaryDirectory(prefix="radicale-") if folder is None else None
        )
        self.folder = folder or Path(self._temporary.name if self._temporary else "")
        self.user = user
        self.password = password
        self._fsync = fsync
        self.book = book
        self.port = port
        """0 until it has started; the same again after a restart."""
        self._process: subprocess.Popen[str] | None = None
        self._log: list[str] = []

    def __enter__(self) -> Self:
        self.start()
        if self.book:
            self.make_book(self.book)
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        at: TracebackType | None,
    ) -> None:
        self.stop()
        if self._temporary is not None:
            self._temporary.cleanup()

    # --- running ------------------------------------------------------------------------

    def start(self) -> None:
        """Start the process and wait until it listens."""
        tries = [self.port] if self.port else [_free_port() for _ in range(5)]
        for port in tries:
            if self._started(port):
                return
        raise RuntimeError("Radicale did not start:\n" + self.log)

    def _started(self, port: int) -> bool:
        """Start on this port; false where another process was faster to take it."""
        self.folder.mkdir(parents=True, exist_ok=True)
        users = self.folder / "users"
        users.write_text(f"{self.user}:{self.password}\n")
        config = self.folder / "config"
        config.write_text(_CONFIG.format(port=port, users=users, data=self.folder / "data"))
        program = ["-m", "radicale"] if self._fsync else ["-c", _WITHOUT_FSYNC]
        command = [sys.executable, *program, "--config", str(config)]
        self._process = subprocess.Popen(command, stderr=subprocess.PIPE, text=True)
        lines = self._process.stderr
        assert lines is not None
        for line in lines:
            self._log.append(line)
            if _READY in line:
                self.port = port
                threading.Thread(target=self._drain, args=(lines,), daemon=True).start()
                return True
        self._process.wait(timeout=20)
        return False

    def _drain(self, lines: IO[str]) -> None:
        for line in lines:
            self._log.append(line)

    def stop(self) -> None:
        """End the process; its data stays until the context is left."""
        if self._process is not None:
            self._process.terminate()
            self._process.wait(timeout=20)
            self._process = None

    # --- for a connection ---------------------------------------------------------------

    @property
    def url(self) -> str:
        """The address that a person would type."""
        return f"http://127.0.0.1:{self.port}"

    @property
    def book_path(self) -> str:
        """The path of the address book, with its final slash."""
        return f"/{self.user}/{self.book}/"

    @property
    def settings(self) -> dict[str, str]:
        """Answers to the connector's questions."""
        return {"url": self.url, "user": self.user, "password": self.password}

    # --- acting as another client -------------------------------------------------------

    def make_book(self, book: str, name: str = "") -> None:
        """Make an address book; one that is there already stays."""
        body = _MKCOL.format(name=html.escape(name or book)).encode()
        status, _, _ = self.request("MKCOL", f"/{self.user}/{book}/", body)
        assert status in (201, 405, 409), f"MKCOL answered {status}"

    def put(self, name: str, card: bytes) -> str:
        """Store a card under a file name; returns its new etag."""
        status, headers, answer = self.request("PUT", self.book_path + name, card)
        assert status in (201, 204), f"PUT answered {status}: {answer!r}"
        return headers["etag"]

    def fill(self, cards: Mapping[str, bytes]) -> None:
        """Store many cards at once, by file name, on the server's disk.

        For thousands of them: each PUT of a new card makes Radicale read all others, to compare
        their UIDs. The first listing then parses every card, 5 to 10 ms each; it is done here, so
        that no client runs into its time limit.
        """
        for name, card in cards.items():
            (self._book_folder / name).write_bytes(card)
        status, _, _ = self.request("REPORT", self.book_path, _LISTING)
        assert status == 207, f"REPORT answered {status}"

    def get(self, name: str) -> bytes:
        """The bytes of a card."""
        status, _, body = self.request("GET", self.book_path + name)
        assert status == 200, f"GET answered {status}"
        return body

    def delete(self, name: str) -> None:
        """Delete a card."""
        status, _, _ = self.request("DELETE", self.book_path + name)
        assert status in (200, 204), f"DELETE answered {status}"

    def request(
        self, method: str, path: str, body: bytes | None = None
    ) -> tuple[int, dict[str, str], bytes]:
        """One request as this user: status, headers by lower-case name, body."""
        secret = base64.b64encode(f"{self.user}:{self.password}".encode()).decode()
        connection = http.client.HTTPConnection("127.0.0.1", self.port, timeout=900)
        headers = {"Authorization": f"Basic {secret}"}
        try:
            connection.request(method, path, body, headers)
            answer = connection.getresponse()
            return answer.status, {k.lower(): v for k, v in answer.getheaders()}, answer.read()
        finally:
            connection.close()

    def forget_tokens(self) -> None:
        """Drop all sync tokens given out so far, as the server does with old ones.

        A token of the very state that the book is in stays good, so the book moves on first.
        """
        self.put("passing.vcf", b"BEGIN:VCARD\r\nVERSION:3.0\r\nUID:x\r\nFN:X\r\nEND:VCARD\r\n")
        self.delete("passing.vcf")
        shutil.rmtree(self._book_folder / ".Radicale.cache" / "sync-token", ignore_errors=True)

    # --- what it saw --------------------------------------------------------------------

    def cards(self) -> dict[str, bytes]:
        """The stored cards by file name, read from the disk."""
        folder = self._book_folder
        files = folder.iterdir() if folder.is_dir() else ()
        return {f.name: f.read_bytes() for f in files if not f.name.startswith(".")}

    @property
    def _book_folder(self) -> Path:
        return self.folder / "data" / "collection-root" / self.user / str(self.book)

    @property
    def log(self) -> str:
        """The server's own log since the last `forget`."""
        return "".join(self._log)

    def calls(self) -> list[tuple[str, str]]:
        """Method and path of every request since the last `forget`, from the server's log."""
        return [(method, unquote(path)) for method, path in _REQUEST.findall(self.log)]

    def forget(self) -> None:
        """Begin a new log."""
        self._log.clear()


def _free_port() -> int:
    """A port that was free a moment ago: Radicale refuses to choose one itself."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port: int = probe.getsockname()[1]
        return port
