"""``twofold up``: the service."""

from __future__ import annotations

import asyncio
import os
import re
import socket
from collections.abc import Sequence
from urllib.parse import urlsplit

import click

from twofold.app import installation, prepare
from twofold.cli.command import Command, data_folder
from twofold.cli.output import say
from twofold.core.errors import TwofoldError
from twofold.services.access import first_link
from twofold.services.writer import SERVER, only_writer

_BACKLOG = 128
_PATH = re.compile(r"(/[\w.~-]+)*/?")


@click.command(cls=Command, example="twofold up --port 8080 --data /var/lib/twofold")
@click.option("--port", type=click.IntRange(0, 65535), default=8080, show_default=True)
@click.option(
    "--host",
    default="127.0.0.1",
    show_default=True,
    help="The address to listen on; put a proxy with TLS before any other than this one.",
)
@click.option(
    "--allow-host",
    "hosts",
    multiple=True,
    metavar="NAME",
    help="A name by which browsers and programs reach it, besides this machine's own.",
)
@click.option(
    "--public-url",
    "public",
    default="",
    metavar="URL",
    help="The address by which others know it, such as https://sync.example.org, or with a path"
    " under which a proxy shows it: for webhooks that sign it, and for single sign-on. Its name is"
    " allowed, too.",
)
@click.option(
    "--proxy",
    "proxies",
    multiple=True,
    metavar="ADDRESS",
    help="A proxy whose X-Forwarded-For, -Proto and -Prefix are believed, such as 127.0.0.1.",
)
def up(port: int, host: str, hosts: Sequence[str], public: str, proxies: Sequence[str]) -> None:
    """Run by itself: keep every sync that is on in step, and serve the API.

    Changes of the hub travel at once, those of the apps with the next poll. Ctrl-C or SIGTERM stops
    it within five seconds; it goes on where it was.
    """
    # Loaded here: no other command needs a web server.
    from twofold.serve.log import prepared  # noqa: PLC0415
    from twofold.serve.reach import Reach  # noqa: PLC0415
    from twofold.serve.supervisor import supervise  # noqa: PLC0415
    from twofold.web.assets import Assets  # noqa: PLC0415

    Assets()  # a missing file is told here, not by each page

    folder = data_folder()
    prepare(folder)
    reach = Reach((host, *hosts, *_name_in(public)), public, tuple(proxies))
    with only_writer(folder, SERVER) as lock, _listening(host, port) as listening:
        with installation(folder) as here:  # brought up to date before two processes open it
            secret = first_link(here)
        address = _address(listening)

        def announce() -> None:
            say(f"Twofold is at {address}")
            if secret is not None:
                say("Nobody can sign in yet. This link makes the administrator; it works once, for")
                say(f"a day: {address}/accept#{secret}")

        log = prepared("supervisor")
        asyncio.run(supervise(folder, listening, lock, log, announce, reach))
    say("Stopped; everything that was under way goes on at the next start.")


def _name_in(public: str) -> list[str]:
    """The host of the public address, if there is one.

    Raises:
        UsageError: it is no such address.
    """
    if not public:
        return []
    try:
        found = urlsplit(public)
        if found.scheme in {"http", "https"} and found.hostname and _PATH.fullmatch(found.path):
            return [found.hostname]
    except ValueError:
        pass
    raise click.UsageError(
        f"--public-url {public} is not of the form https://name or https://name/path"
    )


def _listening(host: str, port: int) -> socket.socket:
    """The socket, which outlives the web process.

    Raises:
        TwofoldError: TF-U40, the address cannot be had.
    """
    try:
        found = socket.getaddrinfo(host, port, type=socket.SOCK_STREAM, flags=socket.AI_PASSIVE)
        family, kind, protocol, _, address = found[0]
        made = socket.socket(family, kind, protocol)
        made.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        made.bind(address)
        made.listen(_BACKLOG)
    except OSError as error:
        reason = error.strerror or type(error).__name__
        if error.errno is not None and not isinstance(error, socket.gaierror):
            reason = os.strerror(error.errno)
        raise TwofoldError("TF-U40", host=host, port=port, reason=reason) from error
    return made


def _address(listening: socket.socket) -> str:
    host, port = listening.getsockname()[:2]
    shown = f"[{host}]" if ":" in host else host
    return f"http://{shown}:{port}"


COMMANDS = (up,)
