"""Deliver a message: by e-mail over SMTP, or to a webhook that takes Slack's JSON."""

from __future__ import annotations

import asyncio
import smtplib
import socket
import ssl
from collections.abc import Callable
from email.message import EmailMessage
from email.utils import formatdate, make_msgid
from enum import StrEnum
from html import escape

import msgspec
from msgspec import Struct

from twofold.core.errors import TwofoldError
from twofold.engine.world import RealWorld
from twofold.kit.budgets import Budgets
from twofold.kit.errors import ConnectorError
from twofold.kit.network import Network

_PATIENCE = 20.0
"""Seconds that a server has for each answer."""


class Security(StrEnum):
    """How a mail server is spoken to."""

    STARTTLS = "starttls"
    """In clear first, then encrypted, or not at all (RFC 3207)."""
    TLS = "tls"
    """Encrypted from the first byte (RFC 8314)."""
    NONE = "none"
    """In clear: without a password only."""


class Mail(Struct, frozen=True):
    """A mail server, and who writes to whom."""

    host: str
    port: int
    security: Security
    sender: str
    to: tuple[str, ...]
    user: str = ""
    password: str = ""


async def send_mail(mail: Mail, network: Network, subject: str, body: str) -> None:
    """Send a message by e-mail.

    Raises:
        TwofoldError: TF-N03, the server did not take it.
    """
    try:
        await asyncio.to_thread(_send, mail, network, _message(mail, subject, body))
    except (OSError, smtplib.SMTPException, ValueError) as error:
        raise TwofoldError("TF-N03", channel="mail server", reason=_reason(error)) from error


async def post(url: str, network: Network, text: str) -> None:
    """Send a message to a webhook, as the JSON that Slack's incoming webhooks take.

    Three characters are escaped, or a name could call people or hide a link:
    https://api.slack.com/reference/surfaces/formatting#escaping

    Raises:
        TwofoldError: TF-N03, it was not taken.
    """
    from twofold.kit.http import AioHttp  # noqa: PLC0415 (a third of the program's start)

    world = RealWorld()
    try:
        client = AioHttp("webhook", url, world, Budgets("webhook", (), world), network=network)
        try:
            content = msgspec.json.encode({"text": escape(text, quote=False)})
            headers = {"Content-Type": "application/json"}
            answer = await client.send("POST", url, headers=headers, content=content)
        finally:
            await client.close()
    except ConnectorError as error:
        raise TwofoldError("TF-N03", channel="webhook", reason=error.code) from error
    if answer.status >= 300:
        raise TwofoldError("TF-N03", channel="webhook", reason=f"it answered {answer.status}")


def _message(mail: Mail, subject: str, body: str) -> EmailMessage:
    message = EmailMessage()
    message["Subject"] = f"[Twofold] {subject}"
    message["From"] = mail.sender
    message["To"] = ", ".join(mail.to)
    message["Date"] = formatdate()
    message["Message-ID"] = make_msgid(domain=mail.sender.rpartition("@")[2] or "localhost")
    message["Auto-Submitted"] = "auto-generated"  # RFC 3834: nobody's holiday answers it
    message.set_content(body)
    return message


def _send(mail: Mail, network: Network, message: EmailMessage) -> None:
    context = ssl.create_default_context()
    connect = _connector(network)
    kind = _over_tls(connect) if mail.security is Security.TLS else _in_clear(connect)
    with kind(mail.host, mail.port, timeout=_PATIENCE) as server:
        if mail.security is Security.STARTTLS:
            server.starttls(context=context)
        if mail.user:
            server.login(mail.user, mail.password)
        server.send_message(message)


_Connect = Callable[[str, int], socket.socket]


def _connector(network: Network) -> _Connect:
    return lambda host, port: network.connect(host, port, _PATIENCE)


def _in_clear(connect: _Connect) -> type[smtplib.SMTP]:
    class InClear(smtplib.SMTP):
        def _get_socket(self, host: str, port: int, timeout: float) -> socket.socket:
            return connect(host, port)

    return InClear


def _over_tls(connect: _Connect) -> type[smtplib.SMTP]:
    class OverTls(smtplib.SMTP):
        default_port = smtplib.SMTP_SSL_PORT

        def _get_socket(self, host: str, port: int, timeout: float) -> socket.socket:
            plain = connect(host, port)
            return ssl.create_default_context().wrap_socket(plain, server_hostname=host)

    return OverTls


def _reason(error: Exception) -> str:
    """What went wrong, without an address or a password of anybody."""
    if isinstance(error, smtplib.SMTPResponseException):
        return f"it answered {error.smtp_code}"
    if isinstance(error, ssl.SSLCertVerificationError):
        return "its certificate is not trusted"
    if isinstance(error, OSError) and error.strerror:
        return error.strerror
    return type(error).__name__
