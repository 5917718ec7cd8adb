"""``twofold network``: which addresses within the own network may be reached."""

from __future__ import annotations

import click

from twofold.cli.command import Group, as_json, ask
from twofold.cli.output import reply, say, table
from twofold.services import network as addresses
from twofold.services.access import Role, Who

_SHELL = Who("the command line", Role.ADMIN)


@click.group(cls=Group, example="twofold network list")
def network() -> None:
    """Which addresses within the own network apps may be at; the internet always is allowed."""


@network.command("list", example="twofold network list")
def list_() -> None:
    """List what is allowed."""
    stored, given = ask(addresses.allowed), addresses.from_environment()
    if as_json():
        reply({"allowed": stored, "environment": given})
        return
    rows = [(one, "") for one in stored] + [(one, "TWOFOLD_ALLOW_ADDRESSES") for one in given]
    table(("address", "from"), rows, "Nothing within the own network may be reached.")


@network.command(example="twofold network allow 192.168.1.20")
@click.argument("address")
def allow(address: str) -> None:
    """Allow ADDRESS, or a block such as 192.168.1.0/24, to be reached by connections.

    A server on this very machine is at 127.0.0.1, or at ::1.
    """
    made = ask(lambda here: addresses.allow(here, _SHELL, address), writes=True)
    if as_json():
        reply({"allowed": made})
    else:
        say(f"Connections may reach {made}.")


@network.command(example="twofold network forbid 192.168.1.20")
@click.argument("address")
def forbid(address: str) -> None:
    """Allow ADDRESS no more; syncs that need it stop with their next run."""
    gone = ask(lambda here: addresses.forbid(here, _SHELL, address), writes=True)
    if as_json():
        reply({"forbidden": gone})
    else:
        say(f"Connections may not reach {gone} any more.")


COMMANDS = (network,)
