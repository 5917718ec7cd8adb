"""A mail server and a webhook on the loopback interface: what they take is kept for the test.

The mail server speaks as much of RFC 5321 as a submission needs, with STARTTLS, implicit TLS and
AUTH PLAIN.
"""

from __future__ import annotations

import base64
import datetime as dt
import json
import socketserver
import ssl
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from email import message_from_bytes, policy
from email.message import EmailMessage
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from ipaddress import ip_address
from pathlib import Path
from typing import Any

from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec


class MailServer(socketserver.ThreadingTCPServer):
    """Takes mail."""

    daemon_threads = True

    def __init__(self, pem: Path | None, *, at_once: bool = False, user: str = "") -> None:
        """``at_once``: TLS from the first byte; ``user``: as ``name:password``, asked for."""
        super().__init__(("127.0.0.1", 0), _Talk)
        self.taken: list[EmailMessage] = []
        self.encrypted: list[bool] = []
        self.at_once, self.user = at_once, user
        self.refuses = False
        self.context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        if pem is not None:
            self.context.load_cert_chain(pem)

    @property
    def port(self) -> int:
        return int(self.server_address[1])


class _Talk(socketserver.BaseRequestHandler):
    server: MailServer

    def handle(self) -> None:
        self.encrypted = False
        try:
            if self.server.at_once:
                self._encrypt()
            self.file = self.request.makefile("rwb", buffering=0)
            self._talk()
        except (OSError, ValueError):
            return

    def _encrypt(self) -> None:
        self.request = self.server.context.wrap_socket(self.request, server_side=True)
        self.encrypted = True

    def _say(self, text: str) -> None:
        self.file.write(f"{text}\r\n".encode())

    def _talk(self) -> None:
        self._say("220 mailbox")
        signed_in = not self.server.user
        while line := self.file.readline().decode().strip():
            word = line.split(maxsplit=1)[0].upper()
            if word == "EHLO":
                self._say("250-mailbox")
                self._say("250-AUTH PLAIN" if self.encrypted else "250-STARTTLS")
                self._say("250 8BITMIME")
            elif word == "STARTTLS":
                self._say("220 go on")
                self._encrypt()
                self.file = self.request.makefile("rwb", buffering=0)
            elif word == "AUTH":
                _, name, password = base64.b64decode(line.split()[2]).decode().split("\0")
                signed_in = f"{name}:{password}" == self.server.user
                self._say("235 welcome" if signed_in else "535 no")
            elif word == "MAIL" and (self.server.refuses or not signed_in):
                self._say("550 not now")
            elif word == "DATA":
                self._say("354 go on")
                self._take()
                self._say("250 taken")
            elif word == "QUIT":
                self._say("221 bye")
                return
            else:
                self._say("250 fine")

    def _take(self) -> None:
        lines = []
        while (line := self.file.readline()) != b".\r\n":
            lines.append(line.removeprefix(b"."))
        self.server.encrypted.append(self.encrypted)
        made = message_from_bytes(b"".join(lines), policy=policy.default)
        assert isinstance(made, EmailMessage)
        self.server.taken.append(made)


class Webhook(ThreadingHTTPServer):
    """Takes JSON."""

    def __init__(self) -> None:
        super().__init__(("127.0.0.1", 0), _Hook)
        self.taken: list[Any] = []
        self.status = 200

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.server_address[1]}/services/T0/B0/secret"

    @property
    def texts(self) -> list[str]:
        return [one["text"] for one in self.taken]


class _Hook(BaseHTTPRequestHandler):
    server: Webhook

    def do_POST(self) -> None:
        content = self.rfile.read(int(self.headers["Content-Length"]))
        assert self.path == "/services/T0/B0/secret"
        if self.server.status == 200:
            self.server.taken.append(json.loads(content))
        self.send_response(self.server.status)
        self.end_headers()

    def log_message(self, *_: object) -> None:
        """Say nothing on the terminal."""


@contextmanager
def serving(server: socketserver.BaseServer) -> Iterator[None]:
    """Answer in a thread until the end of the block."""
    thread = threading.Thread(target=server.serve_forever, args=(0.05,), daemon=True)
    thread.start()
    try:
        yield
    finally:
        server.shutdown()
        server.server_close()
        thread.join()


def certificate(path: Path) -> Path:
    """A certificate for 127.0.0.1 that signs itself, with its key, as PEM."""
    key = ec.generate_private_key(ec.SECP256R1())
    name = x509.Name([x509.NameAttribute(x509.NameOID.COMMON_NAME, "127.0.0.1")])
    now = dt.datetime.now(dt.UTC)
    made = (
        x509.CertificateBuilder()
        .subject_name(name)
        .issuer_name(name)
        .public_key(key.public_key())
        .serial_number(1)
        .not_valid_before(now - dt.timedelta(days=1))
        .not_valid_after(now + dt.timedelta(days=1))
        .add_extension(
            x509.SubjectAlternativeName([x509.IPAddress(ip_address("127.0.0.1"))]), critical=False
        )
        .sign(key, hashes.SHA256())
    )
    private = key.private_bytes(
        serialization.Encoding.PEM,
        serialization.PrivateFormat.PKCS8,
        serialization.NoEncryption(),
    )
    path.write_bytes(private + made.public_bytes(serialization.Encoding.PEM))
    return path
