"""``twofold hub client``: programs that ask people for access to the hub, by OAuth."""

from __future__ import annotations

from collections.abc import Sequence

import click

from twofold.cli.command import Group, as_json, ask
from twofold.cli.output import reply, say, table
from twofold.services import hub_clients as service


@click.group(
    cls=Group,
    example="twofold hub client make reports --redirect https://reports.example.org/back",
)
def client() -> None:
    """Programs that ask people for access to the hub, by OAuth."""


@client.command(example="twofold hub client make reports --redirect http://localhost:9000/back")
@click.argument("name")
@click.option(
    "--redirect",
    "redirects",
    multiple=True,
    required=True,
    help="Where people may be sent back to. Repeatable.",
)
def make(name: str, redirects: Sequence[str]) -> None:
    """Make a client. Its secret is shown once: only a digest of it is kept."""
    made, secret = ask(lambda here: service.make(here, name, redirects))
    if as_json():
        reply({"client": made, "secret": secret})
    else:
        say(f"client ID:     {made.id}")
        say(f"client secret: {secret}")


@client.command("list", example="twofold hub client list")
def list_() -> None:
    """List clients with where they send people back to."""
    found = ask(service.listed)
    if as_json():
        reply({"clients": found})
        return
    rows = [(one.name, one.id, ", ".join(one.redirects)) for one in found]
    table(("name", "client ID", "redirects"), rows, "None.")


@client.command(example="twofold hub client remove reports")
@click.argument("name")
def remove(name: str) -> None:
    """Forget a client: all that people allowed it is over."""
    ask(lambda here: service.remove(here, name))
    if as_json():
        reply({"removed": name})
    else:
        say(f"Removed {name}.")
